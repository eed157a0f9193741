r"""Train the GAN for some time and measure how well a classifier learns from its samples alone.

Usage::

    python benchmarks/perf/gan_mnist.py [--data mnist|sines] [--seconds S] [--rows N] \
        [--seeds 0 1] [--set name=value ...]

``mnist``: MNIST from ``DISTILLKIT_DATA``. A quick ConvNet is trained on generated images alone and
tested on the real test set. ``sines``: three classes of noisy sine waves of length 64, which differ
in frequency and have random phases and amplitudes, with 300 rows per class and a 1-D ConvNet. With
--real, the accuracy on the same number of real rows is printed for comparison.
"""

from __future__ import annotations

import argparse
import ast
import time
import warnings

import numpy as np

from distillkit.datasets import load_dataset
from distillkit.nn import NetworkClassifier
from distillkit.synthesis import GANSynthesizer

Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def sines(seed: int = 0) -> Split:
    """Return three classes of sine waves, with 300 training and 300 test rows each."""
    rng = np.random.RandomState(seed)
    y = np.repeat(np.arange(3), 600)
    phase, amplitude = rng.uniform(0, 2 * np.pi, (1800, 1)), rng.uniform(0.5, 1.5, (1800, 1))
    time_steps = np.linspace(0, 1, 64, endpoint=False)
    cycles = np.array([2, 4, 7])[y][:, None]
    X = amplitude * np.sin(2 * np.pi * cycles * time_steps + phase) + rng.normal(0, 0.1, (1800, 64))
    X = X[:, None].astype(np.float32)
    train = np.arange(1800) % 2 == 0
    return X[train], y[train], X[~train], y[~train]


def digits(rows: int | None) -> Split:
    """Return MNIST, optionally with the first training rows only."""
    data = load_dataset("mnist")
    return data.X_train[:rows], data.y_train[:rows], data.X_test, data.y_test


def test_accuracy(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> float:
    """Return the test accuracy of a quick network that is trained on (X, y)."""
    epochs = max(3, round(20_000 / len(X)))
    model = NetworkClassifier(width=32, epochs=epochs, batch_size=64, precision="float32", random_state=0).fit(X, y)
    return float(model.score(X_test, y_test))


def one_run(split: Split, seconds: float, seed: int, n_samples: int, options: dict[str, object]) -> None:
    """Train a GAN and print its diagnostics and the accuracy on its samples."""
    X, y, X_test, y_test = split
    began, cpu = time.perf_counter(), time.process_time()
    gan = GANSynthesizer(
        budget=10, max_iter=10**6, max_seconds=seconds, random_state=seed, **{"selection": "random", **options}
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gan.fit(X, y)
    last = gan.history_[-1]
    print(
        f"seed {seed} {options}: {gan.n_iter_} steps in {time.perf_counter() - began:.0f} s "
        f"(cpu {time.process_time() - cpu:.0f} s), "
        f"discriminator accuracy {last['discriminator_accuracy']:.3f}, {gan.diagnostics_}"
    )
    for warning in caught:
        print(f"  warning: {warning.message}")
    print(
        f"  trained on {n_samples} generated rows: {test_accuracy(*gan.sample(n_samples), X_test, y_test):.4f}",
        flush=True,
    )
    small = test_accuracy(gan.X_distilled_, gan.y_distilled_, X_test, y_test)
    print(f"  trained on 10 distilled rows per class: {small:.4f}", flush=True)


def main() -> None:
    """Print the accuracies for each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=["mnist", "sines"], default="mnist")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--rows", type=int, default=None, help="training rows of MNIST [default: all]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", nargs="*", default=[], help="parameters of the synthesizer as name=value")
    parser.add_argument("--real", action="store_true", help="also train the classifier on the same number of real rows")
    args = parser.parse_args()
    options = {name: _value(text) for name, _, text in (pair.partition("=") for pair in args.set)}
    split = sines() if args.data == "sines" else digits(args.rows)
    n_samples = 900 if args.data == "sines" else 10_000
    if args.real:
        accuracy = test_accuracy(split[0][:n_samples], split[1][:n_samples], *split[2:])
        print(f"trained on {n_samples} real rows: {accuracy:.4f}")
    for seed in args.seeds:
        one_run(split, args.seconds, seed, n_samples, options)


def _value(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


if __name__ == "__main__":
    main()
