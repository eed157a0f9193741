"""Plugins that are single files, given by their path instead of being installed."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

from distillkit.exceptions import PluginError
from distillkit.plugins._discovery import Candidate, normalize
from distillkit.specs import DatasetSpec, Spec

__all__ = ["FILES_VARIABLE", "candidate_of_file", "named_files", "path_of", "pinned", "versioned"]

FILES_VARIABLE = "DISTILLKIT_PLUGINS"
"""Environment variable with the files, joined as those of PATH; child processes inherit it."""

_PIN = "#sha256="
"""Stands between the path of a file and the checksum of the content that it must have."""
_DIGITS = 12
"""Number of hexadecimal digits of the checksum that are kept: a float holds them exactly."""


def named_files() -> list[str]:
    """Return the entries of the environment variable: paths, some with a checksum; see `pinned`."""
    return [path for path in os.environ.get(FILES_VARIABLE, "").split(os.pathsep) if path.strip()]


def pinned(path: str, digest: str) -> str:
    """Return an entry that names a file together with the checksum of its content.

    A process that loads it runs this content or none, so that all processes of a run run the same
    even if the file is edited meanwhile.
    """
    return f"{path}{_PIN}{digest}"


def path_of(entry: str) -> str:
    """Return the path in an entry."""
    return _parts(entry)[0]


def _parts(entry: str) -> tuple[str, str | None]:
    path, pin, digest = entry.rpartition(_PIN)
    return (path, digest) if pin and re.fullmatch(rf"[0-9a-f]{{{_DIGITS}}}", digest) else (entry, None)


def candidate_of_file(entry: str) -> Candidate:
    """Return a single-file plugin that has not been imported.

    Its version is the checksum of its content, or the one that the entry names. If these differ,
    loading the plugin is an error.

    Parameters
    ----------
    entry : str
        Path, alone or with a checksum; see `pinned`.

    Raises
    ------
    PluginError
        If the file cannot be read or is no Python file.
    """
    path, expected = _parts(entry)
    if Path(path).suffix != ".py":
        raise PluginError(f"{path} is no plugin file: give a Python file, whose name ends in .py.")
    try:
        content = Path(path).read_bytes()
    except OSError as exc:
        raise PluginError(f"cannot read the plugin file {path}: {exc.strerror or exc}.") from exc
    digest = hashlib.sha256(content).hexdigest()[:_DIGITS]
    dist = f"file+{normalize(Path(path).stem)}"
    load = partial(_import, path, content, digest) if expected in (None, digest) else partial(_refuse_edited, path)
    return Candidate(f"file:{path}", dist, expected or digest, (), load)


def _refuse_edited(path: str) -> ModuleType:
    raise PluginError(
        f"the plugin file {path} is not the one that the run began with: it was edited, or this machine has another. "
        "Start the run again; it runs the cells of the edited file."
    )


def _import(path: str, content: bytes, digest: str) -> ModuleType:
    """Run the content that was read, so that the checksum is that of the code that runs."""
    name = f"distillkit_file_{re.sub(r'[^0-9A-Za-z_]', '_', Path(path).stem)}_{digest}"
    spec = importlib.util.spec_from_loader(name, loader=None, origin=path)
    if spec is None:
        raise PluginError(f"cannot import the plugin file {path}.")
    module = importlib.util.module_from_spec(spec)
    module.__file__ = path
    sys.modules[name] = module  # Dataclasses and pickles of the file look their module up.
    try:
        exec(compile(content, path, "exec"), module.__dict__)  # noqa: S102 (the user has named this file)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def versioned(spec: Spec, digest: str) -> Spec:
    """Return a spec of a file with the checksum in its version, which is part of the keys of cells.

    An edited file so reruns its own cells, and no others.
    """
    number = int(digest, 16)
    if isinstance(spec, DatasetSpec):
        return replace(spec, version=number, revision=f"{spec.revision}+{digest}")
    return replace(spec, version=number)
