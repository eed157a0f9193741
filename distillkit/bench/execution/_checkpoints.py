"""Checkpoints of distillations, so that a cell whose process was killed goes on in its middle."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from distillkit.exceptions import ArtefactError, DataError

__all__ = ["fit_from_checkpoints"]

_PARAMETER = "checkpoint"
"""Parameter of iterative methods: the file that a fit is written to and resumed from."""


def fit_from_checkpoints(distiller: Any, fit: Callable[[], Any], artefact: Path) -> None:
    """Fit a distiller, from the checkpoint of an earlier process if that was killed.

    A method with the parameter ``checkpoint`` writes its state beside the distilled set to be made,
    and so does one that is the parameter of another method. A path that the user gave is kept. The
    files are removed after the fit, also if it has raised an error. They stay where the process is
    killed, as by the limit of time.

    Parameters
    ----------
    distiller : estimator
        Unfitted; its parameters are set.
    fit : callable
        Fits it.
    artefact : Path
        File of the distilled set.
    """
    params = distiller.get_params()
    names = [name for name, value in params.items() if name.rpartition("__")[2] == _PARAMETER and value is None]
    files = {name: artefact.with_suffix(f".{name}") for name in names}
    if not files:
        fit()
        return
    artefact.parent.mkdir(parents=True, exist_ok=True)
    distiller.set_params(**{name: str(file) for name, file in files.items()})
    found = any(file.exists() for file in files.values())
    try:
        try:
            fit()
        except (ArtefactError, DataError) as exc:
            # A file that is damaged, or that other versions wrote, is worth less than a new start.
            if not (found and str(exc).startswith(f"{_PARAMETER}=")):
                raise
            _remove(files)
            fit()
    except Exception:
        _remove(files)
        raise
    _remove(files)
    distiller.set_params(**dict.fromkeys(files))


def _remove(files: dict[str, Path]) -> None:
    for file in files.values():
        with suppress(OSError):
            file.unlink(missing_ok=True)
