r"""Distil images with any registered method, and evaluate the result at several times.

Each time gives one row of JSON (or CSV, by the suffix of --output) with the accuracies of fresh
networks, seconds, updates and settings. Methods with checkpoints resume from one time to the next,
so that a whole curve takes as long as its last point; other methods start again for each point.

The evaluation follows the protocol of the literature: a ConvNet of width 128 and depth 3 with
instance normalization, on images of 28x28 padded to 32x32, trained by SGD (learning rate 0.01,
divided by ten after half of the epochs; momentum 0.9; weight decay 5e-4; batches of 256) for 1000
epochs with one random crop, scale or rotation of each image
(`distillkit.nn.training_augmentation`). The last epoch counts. Each network sees the test rows
once, and nothing is selected by them.

On a CPU, networks are trained in parallel, one per core. The evaluation takes longer than the
distillation. It can be postponed with ``--networks 0 --save FILE`` and done with ``--judge FILE``,
on a GPU with ``--judge-device cuda``; the row lies beside the file in the meantime. With
--teacher-seconds, the last of the seconds are used to train a network on all training rows, which
then labels the distilled ones.

    DISTILLKIT_DATA=... python benchmarks/perf/condensation_mnist.py \
        --method distribution-matching --per-class 10 --seconds 60 300 600 --networks 5 \
        --options '{"real_batch": 128}' --output curve.jsonl
"""

from __future__ import annotations

import argparse
import csv
import inspect
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from joblib import Parallel, cpu_count, delayed

from distillkit import __version__
from distillkit.budget import Budget
from distillkit.cli._single import make_distiller
from distillkit.datasets import load_dataset
from distillkit.distilled import DistilledSet
from distillkit.knowledge import SoftLabels
from distillkit.nn import NetworkClassifier
from distillkit.plugins import get_manager

_TEACHER_OPTIONS = ("teacher_seconds", "teacher_epochs", "temperature", "alpha")


def scale_pixels(X: np.ndarray) -> np.ndarray:
    """Return images as float32 in [0, 1]."""
    return X.astype(np.float32) / np.float32(255 if X.dtype == np.uint8 else 1)


def evaluate_set(
    small: DistilledSet, X_test: np.ndarray, y_test: np.ndarray, args: argparse.Namespace, seed: int
) -> float:
    """Train a network on a distilled set and return its test accuracy in percent."""
    if args.judge_device == "cpu" and args.networks > 1:
        torch.set_num_threads(1)  # There are as many processes as cores, with one network each.
    network = NetworkClassifier(
        network="convnet",
        width=128,
        depth=3,
        epochs=args.epochs,
        batch_size=256,
        optimizer="sgd",
        lr=0.01,
        momentum=0.9,
        weight_decay=5e-4,
        schedule="step",
        augment="auto",
        device=args.judge_device,
        random_state=seed,
    )
    soft = {} if small.soft_labels is None else {"soft_labels": small.soft_labels}
    network.fit(small.X, small.y, **soft)
    return 100 * float(network.score(small.transform(X_test), y_test))


def make_point(args: argparse.Namespace, seconds: float, checkpoint: Path) -> tuple[Any, bool]:
    """Return the distiller for a time, and whether it resumes from the previous time."""
    spec = get_manager().get("method", args.method.partition(":")[0])
    accepted = inspect.signature(spec.load()).parameters
    # The time is the only limit of iterative methods.
    unlimited = {"max_iter": 10**9, "patience": None, "checkpoint": checkpoint}
    if args.teacher_seconds:
        del unlimited["checkpoint"]  # A teacher is trained after each distillation, so none resumes.
    params = {**spec.params, **{name: value for name, value in unlimited.items() if name in accepted}, **args.options}
    if isinstance(params.get("init"), dict):
        params["init"] = make_init(params["init"], args)
    common = {"random_state": args.seed, "device": args.device}
    if "max_seconds" in accepted:  # Methods that select rows have no time limit.
        common["max_seconds"] = seconds - args.teacher_seconds
    distiller = make_distiller(args.method, Budget(args.per_class), params, common)
    if not args.teacher_seconds:
        return distiller, "checkpoint" in accepted
    return SoftLabels(distiller, make_teacher(args), temperature=args.temperature, alpha=args.alpha), False


def make_init(init: dict[str, Any], args: argparse.Namespace) -> Any:
    """Return the distiller that provides the initial rows, from its method and its options."""
    params = {name: value for name, value in init.items() if name != "method"}
    return make_distiller(init["method"], Budget(args.per_class), params, {"device": args.device})


def make_teacher(args: argparse.Namespace) -> NetworkClassifier:
    """Return the network that labels the distilled rows."""
    return NetworkClassifier(
        network="convnet",
        width=64,
        depth=3,
        epochs=args.teacher_epochs,
        batch_size=128,
        lr=0.05,
        schedule="onecycle",
        augment="auto",
        max_seconds=args.teacher_seconds,
        device=args.device,
        random_state=args.seed,
    )


def describe(
    args: argparse.Namespace, small: DistilledSet, seconds: float, elapsed: float, scores: list[float]
) -> dict[str, Any]:
    """Return the row of one point."""
    return {
        "method": args.method,
        "dataset": args.dataset,
        "per_class": args.per_class,
        "bytes": small.nbytes,
        "max_seconds": seconds,
        "seconds": round(elapsed, 1),
        "updates": small.provenance.get("n_iter"),
        "stopped_by": small.provenance.get("stopped_by"),
        **evaluation(args, scores),
        "labels": "hard" if small.soft_labels is None else "soft",
        "options": args.options,
        "teacher": {name: getattr(args, name) for name in _TEACHER_OPTIONS} if args.teacher_seconds else None,
        "seed": args.seed,
        "threads": torch.get_num_threads(),
        "device": hardware(args.device),
        "versions": {"distillkit": __version__, "torch": torch.__version__, "python": sys.version.split()[0]},
    }


def evaluation(args: argparse.Namespace, scores: list[float]) -> dict[str, Any]:
    """Return the fields of a row that describe the evaluation."""
    return {
        "accuracy": round(float(np.mean(scores)), 3) if scores else None,
        "std": round(float(np.std(scores, ddof=1)), 3) if len(scores) > 1 else None,
        "scores": [round(score, 2) for score in scores],
        "epochs": args.epochs,
        "judged_on": hardware(args.judge_device) if scores else None,
    }


def hardware(device: str) -> str:
    """Return the name of a device."""
    return "cpu" if device == "cpu" else torch.cuda.get_device_name(device)


def write(row: dict[str, Any], path: Path | None) -> None:
    """Append a row to a CSV or JSON Lines file, if there is one."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            writer = csv.DictWriter(file, row)
            if is_new:
                writer.writeheader()
            writer.writerow(
                {key: json.dumps(value) if isinstance(value, dict | list) else value for key, value in row.items()}
            )
        else:
            file.write(json.dumps(row) + "\n")


def row_path(path: str) -> Path:
    """Return the path of the row of a saved set."""
    return Path(path).with_suffix(".json")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="gradient-matching", help="registry name, optionally name:preset")
    parser.add_argument("--dataset", default="mnist", help="registry name of an image dataset")
    parser.add_argument("--per-class", type=int, default=1, help="distilled rows per class")
    parser.add_argument("--seconds", type=float, nargs="+", default=[600.0], help="times to evaluate at")
    parser.add_argument("--networks", type=int, default=5, help="networks that evaluate each point; 0 for none")
    parser.add_argument("--epochs", type=int, default=1000, help="epochs of each evaluating network")
    parser.add_argument(
        "--options",
        type=json.loads,
        default={},
        help='parameters of the distiller as JSON; "init" may be an object with a "method" and its parameters',
    )
    parser.add_argument(
        "--teacher-seconds",
        type=float,
        default=0.0,
        help="part of --seconds for training a network that labels the rows",
    )
    parser.add_argument("--teacher-epochs", type=int, default=1)
    parser.add_argument("--temperature", type=float, default=4.0, help="temperature of the labels of the teacher")
    parser.add_argument("--alpha", type=float, default=0.3, help="weight of the hard labels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="device of the distillation")
    parser.add_argument("--judge-device", help="device of the evaluation; by default that of the distillation")
    parser.add_argument("--output", type=Path, help="file to append the rows to: .csv, or else JSON Lines")
    parser.add_argument("--save", help="file for the last distilled set")
    parser.add_argument("--judge", help="evaluate this set of an earlier run instead of distilling")
    args = parser.parse_args()
    if args.teacher_seconds >= min(args.seconds):
        parser.error("--teacher-seconds must be less than each of --seconds: lower it, or raise --seconds.")
    return args


def main() -> None:
    args = parse()
    data = load_dataset(args.dataset)
    X, X_test = scale_pixels(data.X_train), scale_pixels(data.X_test)
    if args.device == "auto":
        args.device = "cuda" if torch.cuda.is_available() else "cpu"
    args.judge_device = args.judge_device or args.device
    pool = Parallel(n_jobs=min(cpu_count(), max(1, args.networks)) if args.judge_device == "cpu" else 1)

    def scores_of(small: DistilledSet) -> list[float]:
        seeds = range(1000, 1000 + args.networks)
        return pool(delayed(evaluate_set)(small, X_test, data.y_test, args, seed) for seed in seeds)

    if args.judge:
        row = json.loads(row_path(args.judge).read_text(encoding="utf-8"))
        row |= evaluation(args, scores_of(DistilledSet.load(args.judge)))
        print(json.dumps(row), flush=True)
        write(row, args.output)
        return
    with tempfile.TemporaryDirectory() as folder:
        previous = 0.0
        for seconds in sorted(args.seconds):
            distiller, resumes = make_point(args, seconds, Path(folder, "run"))
            started = time.perf_counter()
            distiller.fit(X, data.y_train)
            previous = elapsed = time.perf_counter() - started + (previous if resumes else 0.0)
            last = distiller.distilled_
            row = describe(args, last, seconds, elapsed, scores_of(last))
            print(json.dumps(row), flush=True)
            if row["scores"]:
                write(row, args.output)
    if args.save:
        last.save(args.save)
        row_path(args.save).write_text(json.dumps(row), encoding="utf-8")


if __name__ == "__main__":
    main()
