"""Says what an interrupt left of a command, and how to go on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    from distillkit.cli._progress import ProgressPrinter

__all__ = ["after_distillation", "after_run", "note_of_distillation", "note_of_run", "noted", "remember"]

Command = TypeVar("Command", bound=Callable[..., Any])


def noted(note: Callable[[], str]) -> Callable[[Command], Command]:
    """Decorate the function of a command so that an interrupt carries a note to be printed.

    Parameters
    ----------
    note : callable
        Called at the interrupt, in the context of the command.
    """

    def decorate(function: Command) -> Command:
        @wraps(function)
        def run(*args: Any, **options: Any) -> Any:
            try:
                return function(*args, **options)
            except KeyboardInterrupt as exc:
                exc.add_note(note())
                raise

        return cast("Command", run)

    return decorate


def remember(**state: Any) -> None:
    """Keep what the note of an interrupt needs in the context of the command."""
    click.get_current_context().meta.update(state)


def note_of_distillation() -> str:
    """Return the note for the command ``distill``, which remembers its `distiller`."""
    context = click.get_current_context()
    return after_distillation(context.meta.get("distiller"), context.params["output"])


def note_of_run() -> str:
    """Return the note for the command ``run``, which remembers its `progress` and its `folder`."""
    meta = click.get_current_context().meta
    return after_run(meta.get("progress"), meta.get("folder"))


def after_distillation(distiller: Any, path: Path) -> str:
    """Return what an interrupt left of a distillation, and how to go on.

    Parameters
    ----------
    distiller : distiller or None
        None before it was made.
    path : Path
        The file that was to be written.
    """
    params = {} if distiller is None else distiller.get_params(deep=False)
    checkpoint = params.get("checkpoint")
    if checkpoint is not None and Path(checkpoint).is_file():
        return f"{path} was not written; the same command goes on from the checkpoint {checkpoint}."
    offers = []
    if "on_interrupt" in params:
        offers.append("-p on_interrupt=return writes the best rows so far")
    if "checkpoint" in params:
        offers.append("-p checkpoint=FILE lets a later command go on")
    advice = f"; next time, {' or '.join(offers)}." if offers else "."
    return f"{path} was not written, and the same command starts anew{advice}"


def after_run(progress: ProgressPrinter | None, folder: Path | None) -> str:
    """Return what an interrupt left of a run, and how to go on.

    Parameters
    ----------
    progress : ProgressPrinter or None
        None before the first cell.
    folder : Path or None
        The results folder.
    """
    if progress is None:
        return "no cell was run; the same command starts the run."
    done = f"{progress.done} of {progress.total} cells are done and stored in {folder}"
    if progress.done == progress.total:
        return f"all {done}; `distillkit report {folder}` writes the leaderboard."
    return f"{done}; the same command goes on with the rest, and `distillkit report {folder}` shows what there is."
