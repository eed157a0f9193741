r"""Distil MNIST by any registered method, and judge it at several points in time by the literature's protocol.

Each point is one row of JSON (or CSV, by the suffix of --output): accuracies of fresh networks, seconds, updates, settings. Methods with
checkpoints go on from point to point, so that a curve takes the seconds of its last point; others start anew for each.

The judge is the ConvNet of width 128 and depth 3 with instance norm, 28x28 padded to 32x32, trained by SGD (rate 0.01, a tenth of it after
half of the epochs; momentum 0.9; weight decay 5e-4; batches of 256) for 1000 epochs with one random crop, scale or rotation of each image
(`distillkit.nn.training_augmentation`); the last epoch counts. Each network sees the test rows once, and nothing is chosen by them.
On a CPU, networks are trained at once, one per core. Judging takes longer than distilling: ``--networks 0 --save FILE`` puts it off until
``--judge FILE``, on a GPU, where there is one, with ``--judge-device cuda``; the row lies beside the file until then. With --teacher-seconds
the last of the seconds go to a network that is trained on all training rows and labels those distilled.

    DISTILLKIT_DATA=... python benchmarks/perf/condensation_mnist.py --method distribution-matching --per-class 10 \
        --seconds 60 300 600 --networks 5 --options '{"real_batch": 128}' --output curve.jsonl
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

_OF_TEACHER = ("teacher_seconds", "teacher_epochs", "temperature", "alpha")


def pixels(X: np.ndarray) -> np.ndarray:
    return X.astype(np.float32) / np.float32(255 if X.dtype == np.uint8 else 1)


def judge(small: DistilledSet, X_test: np.ndarray, y_test: np.ndarray, given: argparse.Namespace, seed: int) -> float:
    if given.judge_device == "cpu" and given.networks > 1:
        torch.set_num_threads(1)  # as many processes as cores, one network each
    network = NetworkClassifier(
        network="convnet",
        width=128,
        depth=3,
        epochs=given.epochs,
        batch_size=256,
        optimizer="sgd",
        lr=0.01,
        momentum=0.9,
        weight_decay=5e-4,
        schedule="step",
        augment="auto",
        device=given.judge_device,
        random_state=seed,
    )
    soft = {} if small.soft_labels is None else {"soft_labels": small.soft_labels}
    network.fit(small.X, small.y, **soft)
    return 100 * float(network.score(small.transform(X_test), y_test))


def make(given: argparse.Namespace, seconds: float, checkpoint: Path) -> tuple[Any, bool]:
    """Return the distiller of a point, and whether it goes on from the point before."""
    spec = get_manager().get("method", given.method.partition(":")[0])
    taken = inspect.signature(spec.load()).parameters
    long = {"max_iter": 10**9, "patience": None, "checkpoint": checkpoint}
    if given.teacher_seconds:
        del long["checkpoint"]  # the teacher's seconds come after, each time
    params = {**spec.params, **{name: value for name, value in long.items() if name in taken}, **given.options}
    if isinstance(params.get("init"), dict):
        params["init"] = start(params["init"], given)
    common = {"random_state": given.seed, "device": given.device}
    if "max_seconds" in taken:  # methods that pick rows know no clock
        common["max_seconds"] = seconds - given.teacher_seconds
    distiller = make_distiller(given.method, Budget(given.per_class), params, common)
    if not given.teacher_seconds:
        return distiller, "checkpoint" in taken
    return SoftLabels(distiller, teacher(given), temperature=given.temperature, alpha=given.alpha), False


def start(init: dict[str, Any], given: argparse.Namespace) -> Any:
    """Return the distiller that --options describe as where to start: the name of its method, and its options."""
    params = {name: value for name, value in init.items() if name != "method"}
    return make_distiller(init["method"], Budget(given.per_class), params, {"device": given.device})


def teacher(given: argparse.Namespace) -> NetworkClassifier:
    return NetworkClassifier(
        network="convnet",
        width=64,
        depth=3,
        epochs=given.teacher_epochs,
        batch_size=128,
        lr=0.05,
        schedule="onecycle",
        augment="auto",
        max_seconds=given.teacher_seconds,
        device=given.device,
        random_state=given.seed,
    )


def describe(
    given: argparse.Namespace, small: DistilledSet, seconds: float, took: float, scores: list[float]
) -> dict[str, Any]:
    return {
        "method": given.method,
        "dataset": given.dataset,
        "per_class": given.per_class,
        "bytes": small.nbytes,
        "max_seconds": seconds,
        "seconds": round(took, 1),
        "updates": small.provenance.get("n_iter"),
        "stopped_by": small.provenance.get("stopped_by"),
        **judgement(given, scores),
        "labels": "hard" if small.soft_labels is None else "soft",
        "options": given.options,
        "teacher": {name: getattr(given, name) for name in _OF_TEACHER} if given.teacher_seconds else None,
        "seed": given.seed,
        "threads": torch.get_num_threads(),
        "device": hardware(given.device),
        "versions": {"distillkit": __version__, "torch": torch.__version__, "python": sys.version.split()[0]},
    }


def judgement(given: argparse.Namespace, scores: list[float]) -> dict[str, Any]:
    return {
        "accuracy": round(float(np.mean(scores)), 3) if scores else None,
        "std": round(float(np.std(scores, ddof=1)), 3) if len(scores) > 1 else None,
        "scores": [round(score, 2) for score in scores],
        "epochs": given.epochs,
        "judged_on": hardware(given.judge_device) if scores else None,
    }


def hardware(device: str) -> str:
    return "cpu" if device == "cpu" else torch.cuda.get_device_name(device)


def write(row: dict[str, Any], path: Path | None) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            writer = csv.DictWriter(file, row)
            if new:
                writer.writeheader()
            writer.writerow(
                {key: json.dumps(value) if isinstance(value, dict | list) else value for key, value in row.items()}
            )
        else:
            file.write(json.dumps(row) + "\n")


def beside(path: str) -> Path:
    """Where the row of a saved set lies."""
    return Path(path).with_suffix(".json")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="gradient-matching", help="registry name, optionally name:preset")
    parser.add_argument("--dataset", default="mnist", help="registry name of a set of images")
    parser.add_argument("--per-class", type=int, default=1)
    parser.add_argument("--seconds", type=float, nargs="+", default=[600.0], help="points in time, ascending")
    parser.add_argument("--networks", type=int, default=5, help="that judge each point; 0 judges none")
    parser.add_argument("--epochs", type=int, default=1000, help="of each judging network")
    parser.add_argument(
        "--options",
        type=json.loads,
        default={},
        help='of the distiller, as JSON; "init" may be an object, of a "method" and its options',
    )
    parser.add_argument(
        "--teacher-seconds", type=float, default=0.0, help="of --seconds, for a network that labels the rows"
    )
    parser.add_argument("--teacher-epochs", type=int, default=1)
    parser.add_argument("--temperature", type=float, default=4.0, help="of the teacher's labels")
    parser.add_argument("--alpha", type=float, default=0.3, help="share of the hard labels in the teacher's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="that distils")
    parser.add_argument("--judge-device", help="that judges; the same if not given")
    parser.add_argument("--output", type=Path, help="file that rows are appended to: .csv, or JSON lines")
    parser.add_argument("--save", help="where the last distilled set goes")
    parser.add_argument("--judge", help="judge this set, which an earlier run saved, in place of distilling")
    given = parser.parse_args()
    if given.teacher_seconds >= min(given.seconds):
        parser.error("--teacher-seconds leave none of --seconds to distil in: give fewer, or more --seconds.")
    return given


def main() -> None:
    given = parse()
    data = load_dataset(given.dataset)
    X, X_test = pixels(data.X_train), pixels(data.X_test)
    if given.device == "auto":
        given.device = "cuda" if torch.cuda.is_available() else "cpu"
    given.judge_device = given.judge_device or given.device
    judges = Parallel(n_jobs=min(cpu_count(), max(1, given.networks)) if given.judge_device == "cpu" else 1)

    def scores_of(small: DistilledSet) -> list[float]:
        seeds = range(1000, 1000 + given.networks)
        return judges(delayed(judge)(small, X_test, data.y_test, given, seed) for seed in seeds)

    if given.judge:
        row = json.loads(beside(given.judge).read_text(encoding="utf-8"))
        row |= judgement(given, scores_of(DistilledSet.load(given.judge)))
        print(json.dumps(row), flush=True)
        write(row, given.output)
        return
    with tempfile.TemporaryDirectory() as folder:
        before = 0.0
        for seconds in sorted(given.seconds):
            distiller, resumes = make(given, seconds, Path(folder, "run"))
            began = time.perf_counter()
            distiller.fit(X, data.y_train)
            before = took = time.perf_counter() - began + (before if resumes else 0.0)
            last = distiller.distilled_
            row = describe(given, last, seconds, took, scores_of(last))
            print(json.dumps(row), flush=True)
            if row["scores"]:
                write(row, given.output)
    if given.save:
        last.save(given.save)
        beside(given.save).write_text(json.dumps(row), encoding="utf-8")


if __name__ == "__main__":
    main()
