r"""Plot accuracy against seconds from rows of condensation_mnist.py, with one line per method.

    python benchmarks/perf/plot_curves.py benchmarks/results/mnist-condensation.jsonl \
        docs/images/mnist-accuracy-seconds.svg [--per-class 1]

Error bars are the standard deviations over the networks that evaluate one distilled set. Only rows
with default options are drawn.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--per-class", type=int, default=1)
    args = parser.parse_args()
    series = defaultdict(dict)
    for line in args.rows.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        is_selected = row["per_class"] == args.per_class and row["dataset"] == "mnist" and row["device"] == "cpu"
        if is_selected and not row["options"]:
            label = row["method"] + (", labels of a teacher" if row.get("teacher") else "")
            series[label][row["max_seconds"]] = row
    if not series:
        raise SystemExit(f"{args.rows} has no rows of --per-class {args.per_class} with default options.")
    mpl.rcParams["svg.hashsalt"] = "distillkit"  # Makes the file the same for the same rows.
    figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
    ordered = sorted(series.items(), key=lambda item: -max(row["accuracy"] for row in item[1].values()))
    for (label, points), marker in zip(ordered, "osD^vP*X", strict=False):
        rows = [points[seconds] for seconds in sorted(points)]
        axes.errorbar(
            [row["seconds"] for row in rows],
            [row["accuracy"] for row in rows],
            yerr=[row["std"] or 0 for row in rows],
            marker=marker,
            capsize=3,
            label=label,
        )
    axes.set(
        xscale="log",
        xlabel="seconds of distillation, two cores",
        ylabel="accuracy of a fresh ConvNet, %",
        title=f"MNIST, {args.per_class} {'image' if args.per_class == 1 else 'images'} per class",
    )
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2)
    args.picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.picture, metadata={"Date": None})


if __name__ == "__main__":
    main()
