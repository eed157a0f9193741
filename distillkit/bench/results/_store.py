"""Stores results on disk as one JSON file per cell, each of which is written atomically."""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from distillkit.bench.results._claims import Claims
from distillkit.bench.results._schema import wrong_environment, wrong_plan, wrong_record, wrong_row, wrong_targets
from distillkit.exceptions import ArtefactError, DistillkitWarning, ResultsError

__all__ = ["ResultsStore", "part_of", "read_record", "write_json"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def part_of(path: Path) -> Path:
    """Return a new temporary path beside `path`, to write to before renaming.

    A store removes the temporary files that a killed run has left.
    """
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")


def write_json(path: Path, value: Any) -> None:
    """Write JSON to a temporary file and rename it, so that `path` never holds part of a file.

    Lone surrogates, which file names and error messages may contain, are written as backslash
    sequences and read back as such, so that reports can be written from the values.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        text = _dumps(value, indent=1, sort_keys=True)
        part.write_text(f"{text}\n", encoding="utf-8")
        part.replace(path)
    finally:  # Any error, including KeyboardInterrupt, leaves no temporary file behind.
        part.unlink(missing_ok=True)


def _dumps(value: Any, **options: Any) -> str:
    """Return JSON in which lone surrogates are escaped twice, as the text that shows them."""
    text = json.dumps(value, ensure_ascii=False, **options)
    return text if text.isascii() else _SURROGATE.sub(lambda match: rf"\\u{ord(match[0]):04x}", text)


class ResultsStore:
    """The results folder of one suite.

    ::

        FOLDER/plan.json            all planned cells, for `report` and `done k/n`
        FOLDER/cells/KEY.json       one results row each
        FOLDER/artefacts/           distilled sets, each with a record of its distillation
        FOLDER/environments/        versions and hardware of the runs
        FOLDER/targets/KEY.json     targets of the test rows of prepared datasets, and sizes
        FOLDER/data/                prepared datasets, rebuilt when missing or damaged
        FOLDER/.claims/             one file for each piece of work that a process is doing
        FOLDER/own/                 rows and objects of a comparison from Python, see `compare`
        FOLDER/leaderboard.*        written by the reporters

    Parameters
    ----------
    folder : path

    Raises
    ------
    ResultsError
        On entering the context, if the folder cannot be written or another run has locked it.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._lock: Any = None

    def __enter__(self) -> Self:
        try:
            for name in ("cells", "artefacts", "environments", "targets", "data"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            self._take_lock()
            # Workers of a run whose head has died may still be at work.
            if not Claims(self.folder).sweep():
                self._remove_partial_files()
        except OSError as exc:
            self._drop_lock()
            raise ResultsError(
                f"cannot write the results folder {self.folder}: {exc.strerror or exc}. Give another one with --output."
            ) from exc
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop_lock()

    def _drop_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        """Lock the folder; the kernel releases the lock when the process ends, even by SIGKILL."""
        try:
            import fcntl
        except ImportError:  # On Windows, two runs at once repeat each other's work but damage no file.
            return
        self._lock = (self.folder / ".lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._drop_lock()
            raise ResultsError(
                f"another run is at work in {self.folder}: wait for it, or give another folder with --output."
            ) from None

    def _remove_partial_files(self) -> None:
        """Remove the partial files of a killed run; complete files never end in .part."""
        for part in list(self.folder.rglob(".*.part")):
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)

    def exists(self) -> bool:
        """Return whether the folder holds the results of a run."""
        return (self.folder / "plan.json").is_file()

    def cell_path(self, key: str) -> Path:
        """Return the path of the row of a cell."""
        return self.folder / "cells" / f"{key}.json"

    def artefact_path(self, distil_key: str) -> Path:
        """Return the path of a distilled set; its record lies beside it with the suffix .json."""
        return self.folder / "artefacts" / f"{distil_key}.safetensors"

    def record(self, distil_key: str) -> dict[str, Any] | None:
        """Read the record of a distilled set; None unless both files are complete."""
        return read_record(self.artefact_path(distil_key))

    def write_record(self, distil_key: str, record: Mapping[str, Any]) -> None:
        """Write the record of a distilled set."""
        self._write(self.artefact_path(distil_key).with_suffix(".json"), record)

    def targets_path(self, data_key: str) -> Path:
        """Return the path of the targets and sizes of a prepared dataset."""
        return self.folder / "targets" / f"{data_key}.json"

    def targets(self, data_key: str) -> dict[str, Any] | None:
        """Read the targets of the test rows of a prepared dataset, with its facts; None if missing.

        `distillkit.bench.results._outcomes.decode` returns the targets. Those that are damaged,
        which a warning says, are missing.
        """
        targets = _read(self.targets_path(data_key))
        if targets is None:
            return None
        return _valid(self.targets_path(data_key), targets, wrong_targets, "It is written again with the suite.")

    def data_path(self, data_key: str) -> Path:
        """Return the folder of a prepared dataset."""
        return self.folder / "data" / data_key

    def discard_data(self, data_key: str) -> None:
        """Remove the folder of a prepared dataset, if there is one.

        Raises
        ------
        ResultsError
            If it cannot be removed.
        """
        path, part = self.data_path(data_key), part_of(self.data_path(data_key))
        try:
            if path.is_symlink() or path.is_file():
                path.unlink()
            elif path.exists():
                path.replace(part)  # A folder that is removed in part must not keep its name.
                shutil.rmtree(part)
        except OSError as exc:
            raise ResultsError(
                f"cannot remove the damaged data in {path}: {exc.strerror or exc}. Remove it, or give another --output."
            ) from exc

    def write_row(self, row: Mapping[str, Any]) -> None:
        """Write one row under its key.

        Raises
        ------
        ResultsError
            If it cannot be written.
        """
        self._write(self.cell_path(str(row["key"])), row)

    def _write(self, path: Path, value: Mapping[str, Any]) -> None:
        try:
            write_json(path, value)
        except OSError as exc:
            raise ResultsError(
                f"cannot write {path}: {exc.strerror or exc}. Free space or give another --output."
            ) from exc

    def row(self, key: str) -> dict[str, Any] | None:
        """Read one row; None if it is missing, damaged or belongs to another cell.

        A row of another schema version, or with values of wrong types, is damaged, which a warning
        says.
        """
        row = _read(self.cell_path(key))
        if row is None or row.get("key") != key:
            return None
        return _valid(self.cell_path(key), row, wrong_row, "Its cell runs again with the suite.")

    def rows(self, keys: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
        """Read all rows, or those with the given keys, and return them by key."""
        if keys is None:
            keys = (path.stem for path in sorted((self.folder / "cells").glob("*.json")))
        return {key: row for key in keys if (row := self.row(key)) is not None}

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        """Write the plan, which `report` reads."""
        self._write(self.folder / "plan.json", plan)

    def plan(self) -> dict[str, Any]:
        """Read the plan.

        Raises
        ------
        ResultsError
            If the plan is missing or damaged.
        """
        plan = _read(self.folder / "plan.json")
        wrong = None if plan is None else wrong_plan(plan)
        if plan is None or wrong is not None:
            state = "not there" if not self.exists() else f"damaged: {wrong}" if wrong else "damaged"
            raise ResultsError(
                f"{self.folder} holds no results (plan.json is {state}): run the suite first, or give its folder."
            )
        return plan

    def planned_cells(self) -> list[dict[str, Any]]:
        """Return the cells of the plan; none if there is no plan, or it is damaged."""
        try:
            return list(self.plan()["cells"])
        except ResultsError:
            return []

    def write_environment(self, key: str, environment: Mapping[str, Any]) -> None:
        """Write versions and hardware under their hash."""
        self._write(self.folder / "environments" / f"{key}.json", environment)

    def environments(self) -> dict[str, dict[str, Any]]:
        """Read all environments and return them by hash."""
        paths = sorted((self.folder / "environments").glob("*.json"))
        read = {path: value for path in paths if (value := _read(path)) is not None}
        note = "Reports leave it out until the suite runs again."
        return {
            path.stem: environment
            for path, value in read.items()
            if (environment := _valid(path, value, wrong_environment, note)) is not None
        }


def read_record(path: Path) -> dict[str, Any] | None:
    """Read the record beside an artefact; None unless both are complete, so that it is made again.

    The whole training set is not stored a second time; its record says so and has no artefact.
    """
    record = _read(path.with_suffix(".json"))
    if record is not None:
        note = "Its distilled set is made again with the suite."
        record = _valid(path.with_suffix(".json"), record, wrong_record, note)
    if record is None:
        return None
    if record["whole"]:
        return record
    from distillkit.distilled import DistilledSet

    try:
        DistilledSet.load(path)
    except ArtefactError:
        return None
    return record


def _valid(
    path: Path, value: dict[str, Any], wrong_in: Callable[[Mapping[str, Any]], str | None], consequence: str
) -> dict[str, Any] | None:
    """Return what was read from a file, or None with a warning if it is not what it should be."""
    wrong = wrong_in(value)
    if wrong is None:
        return value
    warnings.warn(f"{path} is damaged: {wrong}. {consequence}", DistillkitWarning, stacklevel=3)
    return None


def _read(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None if the file is missing or damaged."""
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text)
        if _ESCAPED_SURROGATE.search(text):  # Another program may have written them.
            value = json.loads(_dumps(value))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
