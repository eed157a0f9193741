"""A small leaderboard of made rows, for checks and tests of reporters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillkit.bench.leaderboard import LeaderboardData

__all__ = ["example_leaderboard"]

_ODD_NAME = 'a <b>bold</b> & "quoted" | naïve_name'
_N_SEEDS = 4


def example_leaderboard(*, empty: bool = False) -> LeaderboardData:
    """Return a leaderboard of two datasets, three methods and two budgets.

    A method failed in one cell and was skipped in others, and titles and messages hold characters
    with a meaning in Markdown, HTML and CSV. All figures are made up.

    Parameters
    ----------
    empty : bool, default=False
        Whether no cell has been run, as at the start of a run.

    Returns
    -------
    distillkit.bench.leaderboard.LeaderboardData
    """
    from distillkit.bench.leaderboard import build_leaderboard
    from distillkit.plugins import get_manager

    rows = [] if empty else _rows()
    skipped = [] if empty else [_cell("digits", "gan", "1", seed) | {"skip": _ODD_NAME} for seed in (0, 1)]
    return build_leaderboard(
        [*rows, *skipped],
        {row["key"]: row for row in rows},
        get_manager().short_specs("metric"),
        title=_ODD_NAME,
        description="An example with made-up figures.",
        environments={"abc": {"versions": {"numpy": "2.0"}, "processor": "example", "gpus": []}},
    )


def _rows() -> list[dict[str, Any]]:
    rows = []
    for d, dataset in enumerate(("digits", "wine")):
        for m, method in enumerate(("random", "kmeans", "kmeans:medoids")):
            for budget, kept in (("1", 3), ("10", 30)):
                for seed in range(_N_SEEDS):
                    score = 0.5 + 0.1 * m - 0.05 * d + 0.01 * ((seed * 7 + m) % 4) + 0.005 * kept
                    rows.append(_row(_cell(dataset, method, budget, seed), score, kept))
    rows[-1].update(status="failed", phase="distil", error=_ODD_NAME, metrics={})
    return rows


def _cell(dataset: str, method: str, budget: str, seed: int) -> dict[str, Any]:
    """Return the identity of a planned cell."""
    name, _, preset = method.partition(":")
    return {
        "suite": "example",
        "dataset": dataset,
        "task": "classification",
        "modality": "table",
        "method": method,
        "method_name": name,
        "method_params": {"preset": preset} if preset else {},
        "kind": "coreset",
        "plugin": "distillkit",
        "plugin_version": "0",
        "budget": budget,
        "distil_seed": seed,
        "evaluator": "knn",
        "evaluator_name": "knn",
        "eval_seed": 0,
        "label_mode": "hard",
        "split": seed,
        "n_train": 900,
        "n_test": 100,
        "key": f"{dataset}-{method.replace(':', '-')}-{budget}-{seed}",
    }


def _row(cell: dict[str, Any], score: float, kept: int) -> dict[str, Any]:
    """Return the finished row of a cell."""
    metrics = {"accuracy": score, "rows": kept, "seconds-distil": 0.5, "seconds-train": 0.01 * kept}
    return cell | {
        "status": "ok",
        "phase": None,
        "error": None,
        "metrics": metrics,
        "n_concurrent": 1,
        "artefact": None,
        "environment": "abc",
        "started": "2031-05-06T07:08:09+00:00",
        "peak_mb": 100.0,
        "seconds": 1.0,
        "stopped_by": None,
    }
