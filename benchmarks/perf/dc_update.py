"""Time one update of gradient matching by a plain PyTorch loop and by distillkit.

The settings are those of Zhao, Mopuri and Bilen (ICLR 2021): MNIST, a ConvNet of width 128 with
padding, 256 real images and one synthetic image per class. The plain loop processes the classes one
by one: it computes the gradients of the real images and those of the synthetic ones with their
graph, compares them by cosines of the rows of each weight, and at the end backpropagates through
everything. Both updates start from the same network and use the same real images, in the same run.
The script prints the seconds of both, their ratio, and the cosine between the two gradients of the
images.

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
    """Return the ConvNet of the paper, built from PyTorch layers."""
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
    """Return the sum of the cosine distances between the rows of two gradients of a weight."""
    real, synthetic = real.flatten(1), synthetic.flatten(1)
    return (1 - (real * synthetic).sum(1) / (real.norm(dim=1) * synthetic.norm(dim=1) + 1e-6)).sum()


def textbook_update(network: nn.Module, batches: list[torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the matching loss by the images, computed by the plain loop."""
    weights = list(network.parameters())
    loss = torch.zeros(())
    for label, rows in enumerate(batches):
        real = torch.autograd.grad(F.cross_entropy(network(rows), torch.full((len(rows),), label)), weights)
        image_loss = F.cross_entropy(network(images[label : label + 1]), torch.tensor([label]))
        synthetic = torch.autograd.grad(image_loss, weights, create_graph=True)
        for first, second in zip(real, synthetic, strict=True):
            if first.ndim > 1:
                loss = loss + row_distance(first.detach(), second)
    return torch.autograd.grad(loss, images)[0]


def library_update(network: nn.Module, batches: list[torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the matching loss by the images, computed by distillkit."""
    weights = matched_weights(network, "layer-cosine")
    synthetic = [(images[label : label + 1], torch.tensor([label])) for label in range(10)]

    def real_gradients(label: int) -> list[torch.Tensor]:
        targets = torch.full((len(batches[label]),), label)
        return batch_gradients(network, weights, (batches[label], targets), F.cross_entropy, precision="auto")

    with Threads() as threads:
        real = threads.map(real_gradients, range(10))
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
    args = parser.parse_args()
    X, y = mnist()
    X = torch.tensor((X.reshape(-1, 1, 28, 28) - 0.1307) / 0.3081, dtype=torch.float32)
    rng = np.random.default_rng(0)
    times: dict[str, list[float]] = {"plain": [], "distillkit": []}
    for turn in range(args.repeat):
        plain = textbook_network(args.width)
        with seeded(turn):
            fast = with_fast_pools(ConvNet((1, 28, 28), 10, width=args.width))
        with torch.no_grad():
            for first, second in zip(plain.parameters(), fast.parameters(), strict=True):
                first.copy_(second)
        batches = [X[rng.choice(np.flatnonzero(y == label), args.real, replace=False)] for label in range(10)]
        images = torch.stack([X[np.flatnonzero(y == label)].mean(0) for label in range(10)]).requires_grad_()
        gradients = {}
        for name, network, update in (("plain", plain, textbook_update), ("distillkit", fast, library_update)):
            started = time.perf_counter()
            gradients[name] = update(network, batches, images)
            times[name].append(time.perf_counter() - started)
        cosine = F.cosine_similarity(gradients["plain"].flatten(), gradients["distillkit"].flatten(), dim=0)
        print(
            f"plain loop {times['plain'][-1]:6.2f} s, distillkit {times['distillkit'][-1]:6.2f} s, "
            f"cosine of the gradients {cosine:.6f}",
            flush=True,
        )
    ratio = min(times["plain"]) / min(times["distillkit"])
    print(f"{ratio:.2f} times as fast, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
