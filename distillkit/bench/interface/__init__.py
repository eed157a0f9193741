"""Functions of Python that compare methods, and what the command line shares with them."""

from distillkit.bench.interface._compare import compare
from distillkit.bench.interface._leaderboard import Leaderboard
from distillkit.bench.interface._listing import list_datasets, list_evaluators, list_methods, list_metrics
from distillkit.bench.interface._load_results import load_results
from distillkit.bench.interface._run_suite import run_suite

__all__ = [
    "Leaderboard",
    "compare",
    "list_datasets",
    "list_evaluators",
    "list_methods",
    "list_metrics",
    "load_results",
    "run_suite",
]
