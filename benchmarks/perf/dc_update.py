"""One update of gradient matching at the published settings, by a textbook loop and by ours, from the same state in the same run.

ConvNet of width 128 with padding, 256 real images per class, MNIST, one image per class (Zhao, Mopuri and Bilen, ICLR 2021). The textbook
loop goes through the classes one by one: a forward and a backward pass of 256 real images, the same of the synthetic ones with the graph
kept, cosines of the rows of each weight's gradient, and at last one backward pass through all that. Both get the same network and the same
real images. Printed are seconds, their ratio, and the cosine between the two gradients of the images.

    DISTILLKIT_DATA=... python benchmarks/perf/dc_update.py [--real 256] [--width 128] [--repeat 3]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from _mnist import mnist
from torch import nn
from torch.nn import functional as F

from distillkit.condensation.gradient._gradients import batch_gradients, match_gradients, matched_weights
from distillkit.nn import ConvNet, Threads, seeded
from distillkit.nn.convolution._halving_pool import with_fast_pools


def textbook_network(width: int) -> nn.Module:
    blocks: list[nn.Module] = []
    for channels, padding in ((1, 3), (width, 1), (width, 1)):
        blocks += [
            nn.Conv2d(channels, width, 3, padding=padding),
            nn.GroupNorm(width, width),
            nn.ReLU(),
            nn.AvgPool2d(2),
        ]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(width * 16, 10))


def row_distance(real: torch.Tensor, synthetic: torch.Tensor) -> torch.Tensor:
    real, synthetic = real.flatten(1), synthetic.flatten(1)
    return (1 - (real * synthetic).sum(1) / (real.norm(dim=1) * synthetic.norm(dim=1) + 1e-6)).sum()


def textbook(network: nn.Module, batches: list[torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    weights = list(network.parameters())
    loss = torch.zeros(())
    for label, rows in enumerate(batches):
        real = torch.autograd.grad(F.cross_entropy(network(rows), torch.full((len(rows),), label)), weights)
        own = F.cross_entropy(network(images[label : label + 1]), torch.tensor([label]))
        synthetic = torch.autograd.grad(own, weights, create_graph=True)
        for first, second in zip(real, synthetic, strict=True):
            if first.ndim > 1:
                loss = loss + row_distance(first.detach(), second)
    return torch.autograd.grad(loss, images)[0]


def ours(network: nn.Module, batches: list[torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    weights = matched_weights(network, "layer-cosine")
    synthetic = [(images[label : label + 1], torch.tensor([label])) for label in range(10)]

    def of_real(label: int) -> list[torch.Tensor]:
        targets = torch.full((len(batches[label]),), label)
        return batch_gradients(network, weights, (batches[label], targets), F.cross_entropy, precision="auto")

    with Threads() as threads:
        real = threads.map(of_real, range(10))
        match = match_gradients(
            network,
            weights,
            real,
            synthetic,
            F.cross_entropy,
            "layer-cosine",
            [images],
            vectorize=True,
            threads=threads,
        )
    return match.gradients[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=int, default=256)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    X, y = mnist()
    X = torch.tensor((X.reshape(-1, 1, 28, 28) - 0.1307) / 0.3081, dtype=torch.float32)
    rng = np.random.default_rng(0)
    times: dict[str, list[float]] = {"textbook": [], "ours": []}
    for turn in range(given.repeat):
        plain = textbook_network(given.width)
        with seeded(turn):
            fast = with_fast_pools(ConvNet((1, 28, 28), 10, width=given.width))
        with torch.no_grad():
            for first, second in zip(plain.parameters(), fast.parameters(), strict=True):
                first.copy_(second)
        batches = [X[rng.choice(np.flatnonzero(y == label), given.real, replace=False)] for label in range(10)]
        images = torch.stack([X[np.flatnonzero(y == label)].mean(0) for label in range(10)]).requires_grad_()
        found = {}
        for name, network, update in (("textbook", plain, textbook), ("ours", fast, ours)):
            began = time.perf_counter()
            found[name] = update(network, batches, images)
            times[name].append(time.perf_counter() - began)
        cosine = F.cosine_similarity(found["textbook"].flatten(), found["ours"].flatten(), dim=0)
        print(
            f"textbook {times['textbook'][-1]:6.2f} s, ours {times['ours'][-1]:6.2f} s, cosine of the gradients {cosine:.6f}",
            flush=True,
        )
    ratio = min(times["textbook"]) / min(times["ours"])
    print(f"{ratio:.2f} times as fast, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
