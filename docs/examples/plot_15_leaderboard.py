"""
Run a benchmark and read its leaderboard
========================================

A suite is a small text file: data, methods, budgets, seeds and the models that judge. The
command ``distillkit run`` makes a leaderboard of it, and one table with all measurements.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

SUITE = """
name = "cancer"
datasets = ["breast-cancer"]
methods = ["random", "kmeans", "kcenter", "whole"]
evaluators = ["logistic"]
budgets = [1, 10]
splits = 2
metrics = ["accuracy", "balanced-accuracy", "rows", "compression-rows"]
"""

folder = Path(tempfile.mkdtemp())
(folder / "cancer.toml").write_text(SUITE, encoding="utf-8")

# %%
# In a terminal this is ``distillkit run cancer.toml``.

command = [
    sys.executable,
    "-m",
    "distillkit",
    "run",
    "cancer.toml",
    "--quiet",
    "--output",
    "results",
]
environment = {**os.environ, "COLUMNS": "100"}  # the width of the terminal
result = subprocess.run(
    command, cwd=folder, env=environment, capture_output=True, text=True, check=True
)
print(result.stdout)

# %%
# ``rows.csv`` holds one row per cell: a dataset and its split, a method, a budget, two seeds
# and an evaluator. The page :doc:`/glossary` explains its columns.

rows = pd.read_csv(folder / "results" / "rows.csv")
scores = rows[["method", "budget", "split", "status", "metrics.accuracy"]]
print(scores.head(8).to_string(index=False))

# %%
# From here on it is a table like any other.

whole = rows.loc[rows.method == "whole", "metrics.accuracy"].mean()
means = rows[rows.budget != "-"].pivot_table(
    index="budget", columns="method", values="metrics.accuracy", aggfunc="mean"
)
means.index = means.index.astype(int)
fig, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
means.sort_index().plot(ax=ax, marker="o")
ax.axhline(whole, color="0.4", linestyle="--", label="all rows")
ax.set(xlabel="rows per class", ylabel="accuracy on test rows", xticks=means.index)
ax.legend()
plt.show()
