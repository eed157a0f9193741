"""Draw accuracy against seconds, a line per method, from rows of condensation_mnist.py.

    python benchmarks/perf/plot_curves.py benchmarks/results/mnist-condensation.jsonl docs/images/mnist-accuracy-seconds.svg [--per-class 1]

Bars are the standard deviations over the judging networks of one distilled set. Rows of one method with different options are not mixed:
those with default options are drawn.
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
    given = parser.parse_args()
    lines = defaultdict(dict)
    for line in given.rows.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        wanted = row["per_class"] == given.per_class and row["dataset"] == "mnist" and row["device"] == "cpu"
        if wanted and not row["options"]:
            label = row["method"] + (", labels of a teacher" if row.get("teacher") else "")
            lines[label][row["max_seconds"]] = row
    if not lines:
        raise SystemExit(f"{given.rows} has no rows of --per-class {given.per_class} with default options.")
    mpl.rcParams["svg.hashsalt"] = "distillkit"  # the same rows give the same file
    figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
    ordered = sorted(lines.items(), key=lambda item: -max(row["accuracy"] for row in item[1].values()))
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
        title=f"MNIST, {given.per_class} {'image' if given.per_class == 1 else 'images'} per class",
    )
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2)
    given.picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(given.picture, metadata={"Date": None})


if __name__ == "__main__":
    main()
