"""Lists of what can be named in a comparison, as frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from distillkit.exceptions import UnknownNameError
from distillkit.plugins import get_manager
from distillkit.plugins._listing import named_specs

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["list_datasets", "list_evaluators", "list_methods", "list_metrics"]


def list_methods(*, family: str | None = None, task: str | None = None, modality: str | None = None) -> pd.DataFrame:
    """List the registered methods, those of plugins included.

    Parameters
    ----------
    family : str or None
        Only methods of this family: "control", "coreset", "condensation", "synthesis" or
        "knowledge".
    task : {"classification", "regression"} or None
        Only methods that do this task.
    modality : {"table", "series", "image"} or None
        Only methods that take such rows.

    Returns
    -------
    DataFrame
        One row per method: ``name``, ``family``, ``tasks``, ``modalities``, ``reduces`` ("rows" or
        "model"), ``label_mode`` ("hard" or "soft"), ``presets``, ``summary``, ``requires`` (the
        packages it needs), ``installed`` (whether they are all there), ``plugin`` (the distribution
        that provides it) and ``reference``. Several values are joined by commas.

    Raises
    ------
    UnknownNameError
        If no method has such a family, task or modality.

    Examples
    --------
    >>> from distillkit import list_methods
    >>> methods = list_methods(task="regression", family="coreset").set_index("name")
    >>> methods.loc["kcenter", "modalities"]
    'image, series, table'
    """
    columns = ("tasks", "modalities", "reduces", "label_mode", "presets")
    frame = _listed("method", "kind", *columns, "summary", last=("reference",)).rename(columns={"kind": "family"})
    return _filtered(frame, family=family, tasks=task, modalities=modality)


def list_evaluators(*, task: str | None = None, modality: str | None = None) -> pd.DataFrame:
    """List the registered evaluators, which are the models that judge distilled sets.

    Parameters
    ----------
    task, modality : str or None
        As for `list_methods`.

    Returns
    -------
    DataFrame
        One row per evaluator: ``name``, ``tasks``, ``modalities``, ``label_modes``, ``presets``,
        ``summary``, ``requires``, ``installed`` and ``plugin``.
    """
    frame = _listed("evaluator", "tasks", "modalities", "label_modes", "presets", "summary")
    return _filtered(frame, tasks=task, modalities=modality)


def list_metrics(*, task: str | None = None, stage: str | None = None) -> pd.DataFrame:
    """List the registered metrics.

    Parameters
    ----------
    task : {"classification", "regression"} or None
        Only metrics of this task.
    stage : {"prediction", "data", "run"} or None
        Only metrics of the predictions for test rows, of the distilled rows, or of the run.

    Returns
    -------
    DataFrame
        One row per metric: ``name``, ``stage``, ``tasks``, ``greater_is_better`` (None if neither
        direction is better), ``unit``, ``standard`` (whether it is computed without being named),
        ``summary``, ``requires``, ``installed`` and ``plugin``.
    """
    frame = _listed("metric", "stage", "tasks", "greater_is_better", "unit", "standard", "summary")
    return _filtered(frame, stage=stage, tasks=task)


def list_datasets(*, task: str | None = None, modality: str | None = None) -> pd.DataFrame:
    """List the registered datasets and the loaders of files.

    Parameters
    ----------
    task, modality : str or None
        As for `list_methods`; those of files that decide for themselves are "auto".

    Returns
    -------
    DataFrame
        One row per dataset: ``name``, ``task``, ``modality``, ``needs_root`` (whether its files
        must lie in the data folder), ``license``, ``get`` (how to get the files), ``summary``,
        ``requires``, ``installed`` and ``plugin``.
    """
    frame = _listed("dataset", "task", "modality", "needs_root", "license", "get", "summary")
    return _filtered(frame, task=task, modality=modality)


def _listed(kind: str, *fields: str, last: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return a frame with some fields of all specs of one kind."""
    import pandas as pd

    manager = get_manager()
    rows = [
        {
            "name": name,
            **{field: _plain(getattr(spec, field)) for field in fields},
            "requires": _plain(spec.requires),
            "installed": not spec.missing(),
            "plugin": manager.provider(kind, name).dist,
            **{field: _plain(getattr(spec, field)) for field in last},
        }
        for name, spec in named_specs(kind).items()
    ]
    return pd.DataFrame(rows, columns=["name", *fields, "requires", "installed", "plugin", *last])


def _plain(value: Any) -> Any:
    """Return several values as text."""
    if isinstance(value, str | bool | None) or not isinstance(value, Iterable):
        return value
    return ", ".join(sorted(value) if isinstance(value, set | frozenset) else value)


def _filtered(frame: pd.DataFrame, **wanted: str | None) -> pd.DataFrame:
    """Return the rows that have a value among those of a column."""
    for column, value in wanted.items():
        if value is not None:
            words = [str(each).split(", ") for each in frame[column]]
            known = {word for each in words for word in each}
            if value not in known:
                raise UnknownNameError(column, value, known)
            frame = frame[[value in each for each in words]]
    return frame.reset_index(drop=True)
