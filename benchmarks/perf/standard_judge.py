r"""Compare the standard evaluation of a small set by a plain PyTorch loop and by distillkit.

The plain loop takes batches from a DataLoader, augments image by image (shift, scale or rotation
with SciPy), makes SGD steps on whole batches, and predicts the test rows in batches of 256; its
networks are trained one after the other, each with all threads. distillkit trains
`NetworkClassifier` with the settings of ``convnet:standard``, one network per core in parallel.
Both train the ConvNet of width 128 on images of 28x28 padded to 32x32, with a learning rate of 0.01
that is divided by ten after half of the epochs, on the same set in the same run.

With --accuracies or --device cuda, the networks of the plain loop are trained in parallel as well,
and only accuracies are compared.

    DISTILLKIT_DATA=... python benchmarks/perf/standard_judge.py \
        --per-class 1 --epochs 1000 --networks 1 [--set small.safetensors]
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


def augment(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift, scale or rotate each image at random.

    Shifts are by up to 4 pixels, scales by up to a fifth, and rotations by up to 45 degrees.
    """
    fill, augmented = float(images.mean()), np.empty_like(images)
    for index, image in enumerate(images[:, 0]):
        kind = rng.integers(3)
        if kind == 0:
            new_image = ndimage.shift(image, rng.integers(-4, 5, size=2), order=0, cval=fill)
        elif kind == 1:
            factors = 1 / rng.uniform(0.8, 1.2, size=2)
            new_image = ndimage.affine_transform(image, factors, offset=13.5 - 13.5 * factors, order=1, cval=fill)
        else:
            new_image = ndimage.rotate(image, rng.integers(-45, 45), reshape=False, order=1, cval=fill)
        augmented[index, 0] = new_image
    return augmented


def textbook_run(
    X: np.ndarray, y: np.ndarray, test: tuple[np.ndarray, np.ndarray], epochs: int, seed: int, device: str
) -> list[float]:
    """Train and test one network by the plain loop.

    Returns the seconds of training and of prediction, and the accuracy in percent.
    """
    torch.manual_seed(seed)
    rng, network, rate = np.random.default_rng(seed), textbook_network(128).to(device), 0.01
    mean, spread = X.mean(), X.std()
    loader = DataLoader(TensorDataset(torch.tensor((X - mean) / spread), torch.tensor(y)), batch_size=256, shuffle=True)
    started = time.perf_counter()
    for epoch in range(epochs):
        if epoch in (0, epochs // 2):
            optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4)
            rate /= 10
        for rows, labels in loader:
            images = torch.tensor(augment(rows.numpy(), rng)).to(device)
            loss = F.cross_entropy(network(images), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    trained = time.perf_counter()
    with torch.no_grad():
        batches = torch.split(torch.tensor((test[0] - mean) / spread), 256)
        predictions = torch.cat([network(batch.to(device)).argmax(1).cpu() for batch in batches]).numpy()
    return [trained - started, time.perf_counter() - trained, 100 * float((predictions == test[1]).mean())]


def library_run(
    X: np.ndarray, y: np.ndarray, test: tuple[np.ndarray, np.ndarray], epochs: int, seed: int, device: str
) -> list[float]:
    """Train and test one network by distillkit; see `textbook_run` for the return value."""
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
    started = time.perf_counter()
    network.fit(X, y)
    trained = time.perf_counter()
    accuracy = 100 * float(network.score(*test))
    return [trained - started, time.perf_counter() - trained, accuracy]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, default=1, help="number of random rows per class without --set")
    parser.add_argument("--set", help="distilled set to train on")
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--networks", type=int, default=1)
    parser.add_argument("--accuracies", action="store_true", help="compare only accuracies and no times")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    if args.set:
        small = DistilledSet.load(args.set)
        X, y = np.asarray(small.X, dtype=np.float32), np.asarray(small.y).astype(np.int64)
    else:
        rows, labels = mnist()
        rng = np.random.default_rng(0)
        picks = [rng.choice(np.flatnonzero(labels == c), args.per_class, replace=False) for c in range(10)]
        X, y = rows[np.concatenate(picks)].reshape(-1, 1, 28, 28), np.repeat(np.arange(10), args.per_class)
    data = load_dataset("mnist")
    test = data.X_test.astype(np.float32) / np.float32(255), data.y_test
    seeds = range(args.networks)
    parallel = Parallel(n_jobs=min(cpu_count(), args.networks))
    untimed = args.accuracies or args.device != "cpu"
    sequential = parallel if untimed else Parallel(n_jobs=1)
    started = time.perf_counter()
    plain = np.array(sequential(delayed(textbook_run)(X, y, test, args.epochs, seed, args.device) for seed in seeds))
    plain_ended = time.perf_counter()
    fast = np.array(parallel(delayed(library_run)(X, y, test, args.epochs, seed, args.device) for seed in seeds))
    seconds = {"plain loop": plain_ended - started, "distillkit": time.perf_counter() - plain_ended}
    for name, runs in (("plain loop", plain), ("distillkit", fast)):
        train, predict, accuracy = runs.mean(axis=0)
        spread = runs[:, 2].std(ddof=min(1, len(runs) - 1))
        print(
            f"{name:10s} {seconds[name] / args.networks:7.1f} s per network in total; one network took "
            f"{train:.1f} s to train and {predict:.1f} s to predict; accuracy {accuracy:.2f} +- {spread:.2f}"
        )
    ratio = "" if untimed else f"{seconds['plain loop'] / seconds['distillkit']:.2f} times as fast, "
    print(f"{ratio}{len(X)} images, {args.networks} networks")


if __name__ == "__main__":
    main()
