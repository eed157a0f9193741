"""Train the GAN for a while and see what a classifier learns from nothing but what it made.

Usage: ``python benchmarks/perf/gan_mnist.py [--data mnist|sines] [--seconds S] [--rows N] [--seeds 0 1] [--set name=value ...]``

``mnist``: real MNIST from ``DISTILLKIT_DATA``; a quick ConvNet is trained on made images alone and tested on the real
test set. ``sines``: three families of sine waves that differ in frequency, with random phase, amplitude, length 64 and noise,
300 rows per class; the same with a 1-D ConvNet. Beside it stands what the classifier reaches on as many real rows.
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
    """Three families of sine waves, 300 training and 300 test rows each."""
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
    """Real MNIST, or its first rows."""
    data = load_dataset("mnist")
    return data.X_train[:rows], data.y_train[:rows], data.X_test, data.y_test


def judge(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray) -> float:
    """Test accuracy of a quick network trained on (X, y)."""
    epochs = max(3, round(20_000 / len(X)))
    model = NetworkClassifier(width=32, epochs=epochs, batch_size=64, precision="float32", random_state=0).fit(X, y)
    return float(model.score(X_test, y_test))


def one_run(split: Split, seconds: float, seed: int, made_rows: int, options: dict[str, object]) -> None:
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
        f"seed {seed} {options}: {gan.n_iter_} steps in {time.perf_counter() - began:.0f} s (cpu {time.process_time() - cpu:.0f} s), "
        f"discriminator accuracy {last['discriminator_accuracy']:.3f}, {gan.diagnostics_}"
    )
    for warning in caught:
        print(f"  warning: {warning.message}")
    print(f"  trained on {made_rows} made rows: {judge(*gan.sample(made_rows), X_test, y_test):.4f}", flush=True)
    small = judge(gan.X_distilled_, gan.y_distilled_, X_test, y_test)
    print(f"  trained on 10 distilled rows per class: {small:.4f}", flush=True)


def main() -> None:
    """Print what each seed reaches."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=["mnist", "sines"], default="mnist")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--rows", type=int, default=None, help="MNIST: training rows, default all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", nargs="*", default=[], help="parameters of the synthesizer, name=value")
    parser.add_argument("--real", action="store_true", help="also train the classifier on as many real rows")
    arguments = parser.parse_args()
    options = {name: _value(text) for name, _, text in (pair.partition("=") for pair in arguments.set)}
    split = sines() if arguments.data == "sines" else digits(arguments.rows)
    made_rows = 900 if arguments.data == "sines" else 10_000
    if arguments.real:
        print(f"trained on {made_rows} real rows: {judge(split[0][:made_rows], split[1][:made_rows], *split[2:]):.4f}")
    for seed in arguments.seeds:
        one_run(split, arguments.seconds, seed, made_rows, options)


def _value(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


if __name__ == "__main__":
    main()
