"""Controls, which every comparison has unless the suite says otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from distillkit.bench.planning._suite import Entry

__all__ = ["CONTROLS", "missing_controls"]

CONTROLS = ("whole", "random", "kmeans", "class-means")
"""The methods that every comparison of distilled rows has: two bounds and two simple methods."""


def missing_controls(entries: Sequence[Entry], exclude: Sequence[str] = ()) -> list[Entry]:
    """Return the controls that a list of methods lacks.

    Parameters
    ----------
    entries : sequence of Entry
        The methods of a suite. Those with parameters or a preset are no controls.
    exclude : sequence of str
        Methods that the suite leaves out.

    Returns
    -------
    list of Entry
        Their labels differ from those of the given methods.
    """
    labels = {entry.label for entry in entries}
    present = {entry.name for entry in entries if not entry.params}
    missing = [name for name in CONTROLS if name not in present and name not in exclude]
    return [Entry(name, name if name not in labels else f"{name} (control)") for name in missing]
