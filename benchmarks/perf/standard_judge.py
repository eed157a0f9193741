"""A network under the literature's protocol: seconds and accuracy of a textbook loop and of ours on the same set, in the same run.

The textbook loop takes batches from a DataLoader, changes image by image on the way (shift, scale or rotation with SciPy), steps SGD on the
whole batch, and predicts the test rows in batches of 256; networks follow one another, each with all threads. Ours is `NetworkClassifier`
with the settings of ``convnet:standard``, a network per core at once. Both train the ConvNet of width 128 on 28x28 padded to 32x32, with
rate 0.01, a tenth of it after half of the epochs.

With --accuracies textbook networks train at once, too, one per core, and no time is compared; so it is with --device cuda, where a thousand
epochs of ten networks take minutes.

    DISTILLKIT_DATA=... python benchmarks/perf/standard_judge.py --per-class 1 --epochs 1000 --networks 1 [--set small.safetensors]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from _mnist import mnist
from dc_update import textbook_network
from joblib import Parallel, cpu_count, delayed
from scipy import ndimage
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from distillkit.datasets import load_dataset
from distillkit.distilled import DistilledSet
from distillkit.nn import NetworkClassifier


def changed(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of shift by up to 4 pixels, scale by up to a fifth and rotation by up to 45 degrees for each image."""
    fill, out = float(images.mean()), np.empty_like(images)
    for place, image in enumerate(images[:, 0]):
        kind = rng.integers(3)
        if kind == 0:
            moved = ndimage.shift(image, rng.integers(-4, 5, size=2), order=0, cval=fill)
        elif kind == 1:
            factors = 1 / rng.uniform(0.8, 1.2, size=2)
            moved = ndimage.affine_transform(image, factors, offset=13.5 - 13.5 * factors, order=1, cval=fill)
        else:
            moved = ndimage.rotate(image, rng.integers(-45, 45), reshape=False, order=1, cval=fill)
        out[place, 0] = moved
    return out


def textbook(
    X: np.ndarray, y: np.ndarray, test: tuple[np.ndarray, np.ndarray], epochs: int, seed: int, device: str
) -> list[float]:
    torch.manual_seed(seed)
    rng, network, rate = np.random.default_rng(seed), textbook_network(128).to(device), 0.01
    mean, spread = X.mean(), X.std()
    loader = DataLoader(TensorDataset(torch.tensor((X - mean) / spread), torch.tensor(y)), batch_size=256, shuffle=True)
    began = time.perf_counter()
    for epoch in range(epochs):
        if epoch in (0, epochs // 2):
            optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4)
            rate /= 10
        for rows, labels in loader:
            moved = torch.tensor(changed(rows.numpy(), rng)).to(device)
            loss = F.cross_entropy(network(moved), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    trained = time.perf_counter()
    with torch.no_grad():
        batches = torch.split(torch.tensor((test[0] - mean) / spread), 256)
        found = torch.cat([network(batch.to(device)).argmax(1).cpu() for batch in batches]).numpy()
    return [trained - began, time.perf_counter() - trained, 100 * float((found == test[1]).mean())]


def ours(
    X: np.ndarray, y: np.ndarray, test: tuple[np.ndarray, np.ndarray], epochs: int, seed: int, device: str
) -> list[float]:
    network = NetworkClassifier(
        network="convnet",
        width=128,
        depth=3,
        epochs=epochs,
        batch_size=256,
        optimizer="sgd",
        lr=0.01,
        momentum=0.9,
        weight_decay=5e-4,
        schedule="step",
        augment="auto",
        device=device,
        random_state=seed,
    )
    torch.set_num_threads(1)
    began = time.perf_counter()
    network.fit(X, y)
    trained = time.perf_counter()
    accuracy = 100 * float(network.score(*test))
    return [trained - began, time.perf_counter() - trained, accuracy]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, default=1, help="random rows, where no set is given")
    parser.add_argument("--set", help="a distilled set to train on")
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--networks", type=int, default=1)
    parser.add_argument("--accuracies", action="store_true", help="compare accuracies alone")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    if given.set:
        small = DistilledSet.load(given.set)
        X, y = np.asarray(small.X, dtype=np.float32), np.asarray(small.y).astype(np.int64)
    else:
        rows, labels = mnist()
        rng = np.random.default_rng(0)
        picks = [rng.choice(np.flatnonzero(labels == c), given.per_class, replace=False) for c in range(10)]
        X, y = rows[np.concatenate(picks)].reshape(-1, 1, 28, 28), np.repeat(np.arange(10), given.per_class)
    data = load_dataset("mnist")
    test = data.X_test.astype(np.float32) / np.float32(255), data.y_test
    seeds = range(given.networks)
    at_once = Parallel(n_jobs=min(cpu_count(), given.networks))
    untimed = given.accuracies or given.device != "cpu"
    one_by_one = at_once if untimed else Parallel(n_jobs=1)
    began = time.perf_counter()
    plain = np.array(one_by_one(delayed(textbook)(X, y, test, given.epochs, seed, given.device) for seed in seeds))
    middle = time.perf_counter()
    fast = np.array(at_once(delayed(ours)(X, y, test, given.epochs, seed, given.device) for seed in seeds))
    seconds = {"textbook": middle - began, "ours": time.perf_counter() - middle}
    for name, found in (("textbook", plain), ("ours", fast)):
        train, predict, accuracy = found.mean(axis=0)
        print(
            f"{name:9s} {seconds[name] / given.networks:7.1f} s per network, all in all; one took {train:.1f} s to train and "
            f"{predict:.1f} s to predict; accuracy {accuracy:.2f} +- {found[:, 2].std(ddof=min(1, len(found) - 1)):.2f}"
        )
    ratio = "" if untimed else f"{seconds['textbook'] / seconds['ours']:.2f} times as fast, "
    print(f"{ratio}{len(X)} images, {given.networks} networks")


if __name__ == "__main__":
    main()
