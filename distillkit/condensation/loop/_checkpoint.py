"""Checkpoint files, from which a resumed run continues exactly like an uninterrupted one."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import torch
from torch import nn

from distillkit.base._training_rows import TrainingRows
from distillkit.exceptions import ArtefactError, DataError, DistillkitError
from distillkit.utils._file_bounds import parsed_json
from distillkit.utils._json import to_jsonable
from distillkit.utils._memory_errors import is_out_of_memory
from distillkit.utils._public_names import public_name, upgraded_name

__all__ = ["Checkpoint", "State", "check_state", "data_digest", "settings_key"]

_ENTRY = "distillkit.checkpoint"
_FORMAT = 3
_NAMED_BY_MODULE = 2  # format whose keys name classes by the private modules that define them

_PARTS = ("rows.", "best.", "start.", "rng", "generator")
_LATER_PARTS = ("start.", "rows.squares")  # which earlier versions, or the first rounds, do not write
_RENAMED = {"max_norm": "clip_rms"}  # parameters that older keys hold under another name


@dataclass
class State:
    """State of a run: tensors by name, and other values that can be written as JSON.

    Parameters
    ----------
    tensors : dict of str to tensor
    values : dict of str to plain values
    """

    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


class Checkpoint:
    """Reads and writes the checkpoint file of one run.

    Parameters
    ----------
    path : path-like
    key : dict of str to plain values
        Settings and data digest that identify a run. Only a run with an equal key can resume it.

    Raises
    ------
    ArtefactError
        If the folder cannot be created or written to.
    """

    def __init__(self, path: str | os.PathLike[str], key: Mapping[str, Any]) -> None:
        self.path = Path(path)
        # The key is compared with that of a file, after the same round trip through JSON.
        self.key: dict[str, Any] = json.loads(json.dumps(dict(key)))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ArtefactError(
                f"checkpoint={str(path)!r}: its folder cannot be created ({exc}); give another path."
            ) from exc
        if self.path.is_dir() or not os.access(self.path.parent, os.W_OK):
            raise ArtefactError(f"checkpoint={str(path)!r} cannot be written: give a file in a writable folder.")

    def read(self) -> State | None:
        """Return the state in the file, or None if there is no file.

        Raises
        ------
        ArtefactError
            If the file is damaged, is not a checkpoint, or was written by another version.
        DataError
            If the file belongs to a run with other data or settings.
        """
        from safetensors import safe_open

        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                card = parsed_json(file.metadata()[_ENTRY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file is not a dict)
            key, values, version = dict(card["key"]), dict(card["values"]), int(card["format"])
        except Exception as exc:  # dtypes that torch lacks are errors of another type in each version
            raise ArtefactError(
                f"checkpoint={str(self.path)!r} cannot be read ({exc!r}): remove the file, or give another path."
            ) from exc
        if version in {_NAMED_BY_MODULE, _FORMAT}:
            key, version = _upgraded_key(key), _FORMAT
        if version != _FORMAT:
            raise ArtefactError(
                f"checkpoint={str(self.path)!r} was written by another version of distillkit: remove the file, "
                "or give another path."
            )
        if key != self.key:
            differing = sorted(name for name in {*key, *self.key} if key.get(name) != self.key.get(name))
            raise DataError(
                f"checkpoint={str(self.path)!r} belongs to a run with another {', '.join(differing)}: resume with the "
                "same settings and data, give another path, or remove the file to start a new run."
            )
        return State(tensors, values)

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Turn what fails while a state is restored into an error about the file.

        Raises
        ------
        ArtefactError
            If the state of the file is not that of this run.
        """
        try:
            yield
        except Exception as exc:
            if isinstance(exc, DistillkitError) or is_out_of_memory(exc):
                raise
            raise ArtefactError(
                f"checkpoint={str(self.path)!r} does not hold the state of this run ({exc!r:.200}): remove the file, "
                "or give another path."
            ) from exc

    def write(self, state: State) -> None:
        """Write the state to a temporary file that then replaces the checkpoint.

        An interruption therefore leaves the old or the new file, never a damaged one.

        Raises
        ------
        ArtefactError
            If the file cannot be written.
        """
        from safetensors.torch import save

        card = {"format": _FORMAT, "key": self.key, "values": state.values}
        temporary = self.path.with_name(f".{self.path.name}.{uuid4().hex}.part")
        try:
            temporary.write_bytes(save(state.tensors, metadata={_ENTRY: json.dumps(card)}))
            temporary.replace(self.path)
        except OSError as exc:
            raise ArtefactError(f"checkpoint={str(self.path)!r} cannot be written: {exc}. Free some space.") from exc
        finally:
            with suppress(OSError):
                temporary.unlink()


def check_state(saved: State, current: State) -> None:
    """Check that a saved state has the parts of another state of the same run.

    Raises
    ------
    ValueError
        If a part is missing, or has another shape or type.
    """
    for name, part in current.tensors.items():
        other = saved.tensors.get(name)
        if not name.startswith(_PARTS) or (other is None and name.startswith(_LATER_PARTS)):
            continue
        if other is None or other.shape != part.shape or other.dtype != part.dtype:
            found = "missing" if other is None else f"of shape {tuple(other.shape)} and type {other.dtype}"
            raise ValueError(f"{name} is {found}, but must be of shape {tuple(part.shape)} and type {part.dtype}")
    for name in ("n_iter", "best_iter", "split_seed", "batch"):
        value = saved.values[name]
        if type(value) is not type(current.values[name]) or (isinstance(value, int) and value < 0):
            raise ValueError(f"{name} is {value!r:.50}")
    seconds, history = saved.values["seconds"], saved.values["history"]
    if not isinstance(seconds, (int, float)) or not 0 <= seconds < math.inf:
        raise ValueError(f"seconds is {seconds!r:.50}")
    if not isinstance(history, list) or not all(isinstance(record, dict) for record in history):
        raise ValueError("history is no list of tables")


def _upgraded_key(key: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key of an older file in the form that this version writes."""
    values = {name: upgraded_name(value) if isinstance(value, str) else value for name, value in key.items()}
    return {_RENAMED.get(name, name): value for name, value in values.items()}


def settings_key(params: Mapping[str, Any], without: frozenset[str]) -> dict[str, Any]:
    """Return settings as plain values that are equal in another process.

    Functions are represented by their names rather than by their addresses.
    """
    return {name: _plain(value) for name, value in sorted(params.items()) if name not in without}


def _plain(value: Any) -> Any:
    if isinstance(value, nn.Module):
        # Networks of the same class with other weights are different settings.
        digest = hashlib.blake2b(digest_size=16)
        for name, tensor in value.state_dict().items():
            digest.update(
                name.encode() + tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
            )
        return f"{value} {digest.hexdigest()}"
    if callable(value):
        return public_name(value)
    return to_jsonable(value)


def data_digest(rows: TrainingRows) -> str:
    """Return a digest of the training rows, their labels and their weights."""
    digest = hashlib.blake2b(f"{rows.X.shape} {rows.X.dtype.str} {rows.task}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(rows.X).data)
    if rows.y is not None:
        digest.update(json.dumps(to_jsonable(rows.y)).encode())
    if rows.weight is not None:
        digest.update(np.ascontiguousarray(rows.weight).data)
    return digest.hexdigest()
