"""The runs of an experiment, one for each line of a leaderboard's table."""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from collections.abc import Mapping
from numbers import Real
from typing import Any

__all__ = ["EntryRuns"]

KEY = "distillkit.entry"
"""Tag with the hash of what a line measures, by which its run is found again."""
IDENTITY = ("dataset", "task", "modality", "evaluator", "label_mode", "budget", "method", "kind", "plugin")
"""Columns of the table that say what a line measures."""
TEXTS = ("plugin_version", "metric", "interval_from", "vs_random", "statuses", "privacy", "privacy_reasons", "note")
"""Columns with words on the result."""
_NOT_ALLOWED = re.compile(r"[^\w\-. :/]")


class EntryRuns:
    """Writes lines of a leaderboard's table as runs.

    Parameters
    ----------
    client : mlflow.MlflowClient
    experiment : str
        Identifier of the experiment.
    """

    def __init__(self, client: Any, experiment: str) -> None:
        self.client = client
        self.experiment = experiment

    def write(self, entry: Mapping[str, Any]) -> str:
        """Write one line of the table, and return the identifier of its run.

        What the line measures becomes the parameters of the run, words on the result become tags,
        and all finite numbers and truth values become metrics. A metric of an existing run gets
        another point of its history if its value has changed.

        Parameters
        ----------
        entry : mapping of str to object
            The columns of the line.
        """
        identity = {name: str(entry[name]) for name in IDENTITY if name in entry}
        name = " ".join(identity[key] for key in ("dataset", "method", "budget", "evaluator") if key in identity)
        run = self._run(identity, name)
        known = dict(run.data.metrics)
        measured = metrics_of(entry)
        changed = {name: value for name, value in measured.items() if known.get(name) != value}
        tags = {f"distillkit.{name}": entry[name] for name in TEXTS if isinstance(entry.get(name), str)}
        self._log(run.info.run_id, params={} if run.data.params else identity, metrics=changed, tags=tags)
        return str(run.info.run_id)

    def write_table(self, leaderboard: Any) -> str:
        """Write the whole table as an artifact of a run of its own, and return its identifier.

        Parameters
        ----------
        leaderboard : distillkit.bench.leaderboard.LeaderboardData
        """
        run = self._run({"leaderboard": leaderboard.title}, "leaderboard")
        counts = {
            "cells_planned": leaderboard.n_planned,
            "cells_done": leaderboard.n_done,
            "cells_ok": leaderboard.n_ok,
        }
        changed = {name: float(count) for name, count in counts.items() if run.data.metrics.get(name) != count}
        self._log(run.info.run_id, params={}, metrics=changed, tags={})
        self.client.log_text(run.info.run_id, leaderboard.table.to_csv(index=False), "leaderboard.csv")
        return str(run.info.run_id)

    def _run(self, identity: Mapping[str, str], name: str) -> Any:
        """Return the run of a line, which is created if there is none."""
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        found = self.client.search_runs([self.experiment], f"tags.`{KEY}` = '{key}'", max_results=1)
        return found[0] if found else self.client.create_run(self.experiment, tags={KEY: key}, run_name=name)

    def _log(
        self, run_id: str, params: Mapping[str, str], metrics: Mapping[str, float], tags: Mapping[str, str]
    ) -> None:
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
            params=[Param(name, text) for name, text in params.items()],
            tags=[RunTag(name, text) for name, text in tags.items()],
        )
        self.client.set_terminated(run_id)


def metrics_of(entry: Mapping[str, Any]) -> dict[str, float]:
    """Return the finite numbers and truth values of a line under names that MLflow accepts.

    Parameters
    ----------
    entry : mapping of str to object
        The columns of the line.
    """
    numbers = {
        _NOT_ALLOWED.sub("_", str(name)): float(value)
        for name, value in entry.items()
        if name not in IDENTITY and isinstance(value, Real)
    }
    return {name: value for name, value in numbers.items() if math.isfinite(value)}
