"""Lists the files below a folder, where links may lead to other folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from distillkit.exceptions import DatasetError

__all__ = ["files_below"]


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, folder by folder, each in the order of their names.

    Links to folders are followed.

    Raises
    ------
    DatasetError
        If a link leads to a folder that contains the link, so that the listing would never end.
    """
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for name in folders:
            child = Path(parent, name)
            # A folder below a link to one of its ancestors is listed again below itself.
            if child.is_symlink() and child.resolve() in (here := Path(parent).resolve(), *here.parents):
                raise DatasetError(f"the link {child} leads to a folder that contains it: remove the link.")
        yield from (Path(parent, name) for name in sorted(files))
