"""Stores own objects in a results folder, and registers them under names that say what they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from distillkit.bench.own._factories import OwnEvaluator, OwnMethod
from distillkit.bench.own._fingerprint import object_digest
from distillkit.bench.own._pickles import write_object
from distillkit.bench.results._store import write_json
from distillkit.exceptions import DataError, ResultsError
from distillkit.plugins import PluginRecord, get_manager
from distillkit.plugins._record import OWN
from distillkit.specs import EvaluatorSpec, MethodSpec, Spec

__all__ = ["FOLDER", "register_own", "store_own"]

FOLDER = "own"
"""Folder of a results folder that holds the objects and the rows of its user."""

_SPECS: Mapping[str, tuple[type[Spec], type[Any]]] = {
    "evaluator": (EvaluatorSpec, OwnEvaluator),
    "method": (MethodSpec, OwnMethod),
}
_RECORD = PluginRecord(OWN, OWN, "0")


def store_own(folder: Path, kind: str, value: Any, what: str) -> str:
    """Write an own object into a results folder and register it in this process.

    Parameters
    ----------
    folder : Path
        The results folder. The file is a pickle, which child processes of this run read; nothing
        that is shared refers to it.
    kind : {"evaluator", "method"}
    value : estimator or distiller
    what : str
        The object, for messages.

    Returns
    -------
    str
        Its registered name, ``own/CLASS-HASH``. Objects of equal class, parameters and code have
        equal names, so that their cells are known again.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    from distillkit.bench.own._traits import evaluator_traits, method_traits  # which no child process needs

    traits = evaluator_traits(value) if kind == "evaluator" else method_traits(value)
    try:
        name = f"{type(value).__name__}-{object_digest(value)}"
    except Exception as exc:  # `pickle` raises errors of any type.
        raise DataError(
            f"{what} cannot be told apart from others, because a part of it cannot be pickled "
            f"({type(exc).__name__}: {exc}): remove open files, locks and the like from it."
        ) from exc
    path = folder / FOLDER / f"{kind}-{name}.pkl"
    write_object(path, value, what)
    try:
        write_json(path.with_suffix(".json"), {"kind": kind, "name": name, **traits})
    except OSError as exc:
        raise ResultsError(f"cannot write {path}: {exc.strerror or exc}. Free space, or give another folder.") from exc
    register_own(folder, [(kind, f"{OWN}/{name}")])
    return f"{OWN}/{name}"


def register_own(folder: Path, names: Iterable[tuple[str, str]]) -> None:
    """Register own objects that lie in a results folder; other names are passed over.

    Parameters
    ----------
    folder : Path
        The results folder.
    names : iterable of (kind, name)

    Raises
    ------
    ResultsError
        If one is not there.
    """
    for kind, name in names:
        if name.startswith(f"{OWN}/") and kind in _SPECS:
            path = folder / FOLDER / f"{kind}-{name.partition('/')[2]}.pkl"
            get_manager().add(kind, _spec(kind, path), _RECORD)


def _spec(kind: str, path: Path) -> Spec:
    try:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if not path.is_file():
            raise FileNotFoundError(path)
    except (OSError, ValueError) as exc:
        raise ResultsError(
            f"the {kind} {path.stem} is an object of the one who ran this comparison, and is not in {path.parent}: "
            "run the comparison again from its script."
        ) from exc
    cls, factory = _SPECS[kind]
    fields = {name: _field(name, value) for name, value in facts.items() if name not in ("kind", "family")}
    if "family" in facts:
        fields["kind"] = facts["family"]
    return cls(target=factory(path), **fields)


def _field(name: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return tuple(value) if name == "requires" else frozenset(value)
