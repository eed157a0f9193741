"""Runs one group of cells: prepares the data, distils once, evaluates the cells, writes rows."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from distillkit.bench.execution._job_imports import job_imports
from distillkit.bench.execution._job_process import JobResult, run_job
from distillkit.bench.execution._left_out import left_out
from distillkit.bench.execution._prepared_data import is_intact
from distillkit.bench.execution._privacy_job import is_panel, unknown_panel
from distillkit.bench.execution._rows import Row, make_row, metric_name
from distillkit.bench.own._registration import register_own
from distillkit.bench.planning._make_plan import Cell, CellGroup
from distillkit.bench.planning._suite import Limits
from distillkit.bench.results._claims import Claims
from distillkit.bench.results._store import ResultsStore
from distillkit.datasets._loader import SPLIT
from distillkit.plugins import get_manager, use_plugin_files
from distillkit.plugins._pinned import pinned_files

__all__ = ["GroupRunner"]


@dataclass
class GroupRunner:
    """Callable that runs one group of cells and returns their rows.

    It can be pickled, for executors that run groups in other processes or on other machines. The
    copies in one process share what they know about the data. `ends` is the time, in seconds since
    1970, after which it begins no further job, so that cells stay without a row.
    """

    folder: Path
    data_root: Path | None
    seconds: float
    memory_mb: float
    threads: int
    n_concurrent: int
    environment: str
    on_row: Callable[[Row], None] | None = None
    ends: float | None = None
    plugin_files: tuple[str, ...] = field(default_factory=lambda: tuple(pinned_files()))
    _locks: dict[str, Any] = field(default_factory=dict, repr=False)
    _failures: dict[str, JobResult] = field(default_factory=dict, repr=False)
    _intact: set[str] = field(default_factory=set, repr=False)
    _guard: Any = field(default_factory=threading.Lock, repr=False)
    _token: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        public = {name: value for name, value in self.__dict__.items() if not name.startswith("_")}
        return _restored, (public | {"on_row": None}, self._token)

    def __call__(self, group: CellGroup) -> list[Row]:
        """Prepare the data if necessary, distil once, evaluate each cell, and write all rows.

        Rows that another process has written since the run was planned are returned as they are. If
        another process is at work on the group, no row is returned.
        """
        store = ResultsStore(self.folder)
        for cell in group.cells:
            register_own(self.folder, (("method", cell.method_name), ("evaluator", cell.evaluator_name)))
        claim = Claims(self.folder).take(group.key)
        if claim is None:
            return []
        with claim:
            settled = {cell.key: row for cell in group.cells if (row := group.settled(cell, store)) is not None}
            rows = list(settled.values())
            rest = replace(group, cells=tuple(cell for cell in group.cells if cell.key not in settled))
            limit = group.resources.get("memory_mb", self.memory_mb)
            for row in replace(self, memory_mb=limit).rows(rest, store):
                if claim.is_lost():  # This process was stopped for so long that another one took over.
                    return []
                store.write_row(row)
                rows.append(row)
                if self.on_row is not None:
                    self.on_row(row)
        return rows

    def rows(self, group: CellGroup, store: ResultsStore) -> Iterator[Row]:
        """Run the cells of a group and yield their rows."""
        facts: dict[str, Any] | None = None  # of the data, which all cells of a group share
        for cell, result, phase in self.outcomes(group, store):
            facts = facts or store.targets(cell.data_key)
            yield self.row(cell, result, phase, facts or {})

    def row(self, cell: Cell, result: JobResult, phase: str | None, facts: dict[str, Any]) -> Row:
        """Return the row of a cell."""
        return make_row(
            cell,
            result,
            phase,
            facts,
            n_concurrent=self.n_concurrent,
            threads=self.threads,
            limits=Limits(self.seconds, self.memory_mb),
            environment=self.environment,
        )

    def give_up(self, group: CellGroup, error: str) -> list[Row]:
        """Write the rows of a group whose workers were lost again and again, as crashed ones."""
        store = ResultsStore(self.folder)
        cells = [cell for cell in group.cells if group.settled(cell, store) is None]
        result = JobResult("crashed", {}, error, 0.0, 0.0)
        rows = [self.row(cell, result, "distil", store.targets(cell.data_key) or {}) for cell in cells]
        for row in rows:
            store.write_row(row)
        return rows

    @property
    def is_over(self) -> bool:
        """Whether the time of the run is over."""
        return self.ends is not None and time.time() >= self.ends

    def outcomes(self, group: CellGroup, store: ResultsStore) -> Iterator[tuple[Cell, JobResult, str | None]]:
        """Yield each cell with its result and, unless it is ok, the phase in which it ended."""
        # 1. Report the cells that the plan skips, and those of data that cannot be read.
        todo = [cell for cell in group.cells if cell.failure is None and cell.skip is None]
        yield from left_out(group)
        if not todo or self.is_over:
            return
        # 2. Prepare the data and make the distilled set, which all cells of the group share.
        shared, phase = self.prepare(todo[0], store), "prepare"
        if shared.status == "ok" and todo[0].reduces_model:
            yield from self.models(todo, store)
            return
        if shared.status == "ok":
            shared, phase = self.distil(todo[0], store), "distil"
        if shared.status == "ok":
            shared = self.with_panel(shared, todo[0], store)
        # 3. Evaluate each cell; if an earlier phase has failed, all cells have its result.
        for cell in todo:
            if shared.status != "ok":
                yield cell, shared, phase
            elif not self.is_over:
                evaluation = self.evaluate(cell, store)
                merged = replace(evaluation, value={**shared.value, **evaluation.value})
                yield cell, merged, None if evaluation.status == "ok" else "evaluate"

    def models(self, cells: list[Cell], store: ResultsStore) -> Iterator[tuple[Cell, JobResult, str | None]]:
        """Fit and evaluate a method that reduces a model, in one job per cell."""
        for cell in cells:
            if self.is_over:
                return
            result = self.job_on_data(
                cell,
                store,
                "fit_model",
                job_imports("method", cell.method_name),
                method=cell.method_name,
                params=cell.method_params,
                task=cell.task,
                seed=[cell.distil_seed, cell.eval_seed],
                metrics=_names(cell),
            )
            value = {"seconds_distil_job": 0.0, **result.value}  # The seconds of the cell include everything.
            yield cell, replace(result, value=value), None if result.status == "ok" else "distil"

    def job(self, action: str, imports: tuple[str, ...] = (), **payload: Any) -> JobResult:
        """Run one action in a child process under the limits of this run."""
        return run_job(
            action,
            payload,
            seconds=self.seconds,
            memory_mb=self.memory_mb,
            threads=self.threads,
            imports=imports,
            results=self.folder,
        )

    def prepare(self, cell: Cell, store: ResultsStore) -> JobResult:
        """Prepare a dataset once for all groups that wait for it; a failure is not retried.

        Data of an earlier run is used if it is intact.
        """
        with self._guard:
            lock = self._locks.setdefault(cell.data_key, threading.Lock())
        with lock:
            if cell.data_key in self._failures:
                return self._failures[cell.data_key]
            if cell.data_key in self._intact:
                return JobResult("ok", {}, None, 0.0, 0.0)
            with Claims(self.folder).wait(f"data-{cell.data_key}"):  # other processes may need it too
                return self.prepare_alone(cell, store)

    def prepare_alone(self, cell: Cell, store: ResultsStore) -> JobResult:
        """Prepare a dataset, unless it is there; nobody else does so at the same time."""
        path = store.data_path(cell.data_key)
        if is_intact(path) and store.targets(cell.data_key) is not None:
            self._intact.add(cell.data_key)
            return JobResult("ok", {}, None, 0.0, 0.0)
        if not is_intact(path):
            store.discard_data(cell.data_key)
        root = None if self.data_root is None else str(self.data_root.absolute())
        result = self.job(
            "prepare",
            name=cell.dataset_name,
            params=cell.dataset_params | ({} if cell.split is None else {SPLIT: cell.split}),
            root=root,
            folder=str(path),
            targets=str(store.targets_path(cell.data_key)),
        )
        if result.status != "ok":
            self._failures[cell.data_key] = result
        return result

    def job_on_data(
        self, cell: Cell, store: ResultsStore, action: str, imports: tuple[str, ...], **payload: Any
    ) -> JobResult:
        """Run an action on the prepared data; if it fails because this is damaged, run it again."""
        path = store.data_path(cell.data_key)
        result = self.job(action, imports, data=str(path), **payload)
        if result.status not in ("failed", "crashed") or is_intact(path):
            return result
        self._intact.discard(cell.data_key)
        prepared = self.prepare(cell, store)
        return self.job(action, imports, data=str(path), **payload) if prepared.status == "ok" else prepared

    def distil(self, cell: Cell, store: ResultsStore) -> JobResult:
        """Make the distilled set and its record, unless an earlier run has made them."""
        metrics = [metric for metric in cell.metrics if _stage(metric) == "data"]
        stored = store.record(cell.distil_key)
        if stored is not None and set(metrics) <= stored["data_metrics"].keys():
            return JobResult("ok", stored, None, 0.0, 0.0)
        result = self.job_on_data(
            cell,
            store,
            "distil",
            job_imports("method", cell.method_name, metrics),
            method=cell.method_name,
            params=cell.method_params,
            task=cell.task,
            budget=cell.budget_value,
            seed=cell.distil_seed,
            artefact=str(store.artefact_path(cell.distil_key)),
            metrics=metrics,
        )
        if result.status != "ok":
            return result
        record = result.value | {  # The parent measures these values, and rows of later runs need them.
            "peak_mb": max(result.peak_mb, result.value.get("peak_mb", 0.0)),
            "n_concurrent": max(self.n_concurrent, result.value.get("n_concurrent", 1)),
            "seconds_distil_job": max(result.seconds, result.value.get("seconds_distil_job", 0.0)),
        }
        store.write_record(cell.distil_key, record)
        return replace(result, value=record)

    def with_panel(self, distilled: JobResult, cell: Cell, store: ResultsStore) -> JobResult:
        """Add the privacy panel to the record of a distilled set; without it, cells are as good."""
        if is_panel(distilled.value.get("privacy")):
            return distilled
        path = str(store.artefact_path(cell.distil_key))
        result = self.job_on_data(cell, store, "privacy", ("distillkit.metrics.privacy",), artefact=path)
        if result.status != "ok":  # It is not stored, so that a later run tries again.
            panel = unknown_panel(f"{result.status}: {result.error}")
            return replace(distilled, value=distilled.value | {"privacy": panel})
        record = distilled.value | {"privacy": result.value}
        store.write_record(cell.distil_key, record)
        return replace(distilled, value=record)

    def evaluate(self, cell: Cell, store: ResultsStore) -> JobResult:
        """Evaluate the distilled set of a cell."""
        return self.job_on_data(
            cell,
            store,
            "evaluate",
            job_imports("evaluator", cell.evaluator_name),
            artefact=str(store.artefact_path(cell.distil_key)),
            evaluator=cell.evaluator_name,
            params=cell.evaluator_params,
            seed=[cell.distil_seed, cell.eval_seed],
            metrics=_names(cell),
        )


@lru_cache(maxsize=8)
def _shared(token: str) -> dict[str, Any]:  # noqa: ARG001 (it is the key)
    """Return what the copies of one runner share in this process."""
    return {"_locks": {}, "_failures": {}, "_intact": set(), "_guard": threading.Lock()}


def _restored(public: dict[str, Any], token: str) -> GroupRunner:
    use_plugin_files(public["plugin_files"])
    return GroupRunner(**public, **_shared(token), _token=token)


def _names(cell: Cell) -> list[str]:
    return [metric_name(metric) for metric in cell.metrics]


def _stage(metric: str) -> str:
    return str(get_manager().get("metric", metric_name(metric)).stage)
