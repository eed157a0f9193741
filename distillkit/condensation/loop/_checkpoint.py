"""A run on disk: all that its next step depends on, so that a resumed run equals an uninterrupted one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import torch
from torch import nn

from distillkit.base._training_rows import TrainingRows
from distillkit.exceptions import ArtefactError, DataError
from distillkit.utils._json import to_jsonable
from distillkit.utils._public_names import public_name, upgraded_name

__all__ = ["Checkpoint", "State", "data_digest", "settings_key"]

_ENTRY = "distillkit.checkpoint"
_FORMAT = 3
_NAMED_BY_MODULE = 2  # the format whose keys name classes by the private modules that define them


@dataclass
class State:
    """Numbers of a run: tensors, and values fit for JSON.

    Parameters
    ----------
    tensors : dict of str to tensor
    values : dict of str to plain values
    """

    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


class Checkpoint:
    """The file of one run.

    Parameters
    ----------
    path : path-like
    key : dict of str to plain values
        What a run must share with the one that wrote the file: its settings and the digest of its data.

    Raises
    ------
    ArtefactError
        If the folder cannot be made or written to.
    """

    def __init__(self, path: str | os.PathLike[str], key: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.key: dict[str, Any] = json.loads(json.dumps(dict(key)))  # as it comes back from the file
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ArtefactError(f"checkpoint={str(path)!r}: its folder cannot be made ({exc}); give another.") from exc
        if self.path.is_dir() or not os.access(self.path.parent, os.W_OK):
            raise ArtefactError(f"checkpoint={str(path)!r} cannot be written: give a file in a folder of yours.")

    def read(self) -> State | None:
        """Return what was written last; None where there is no file.

        Raises
        ------
        ArtefactError
            If the file is damaged, no checkpoint, or of another version.
        DataError
            If it belongs to a run with other data or settings.
        """
        from safetensors import SafetensorError, safe_open

        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                card = json.loads(file.metadata()[_ENTRY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file is no dict)
            key, values, version = card["key"], card["values"], card["format"]
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as exc:
            raise ArtefactError(
                f"checkpoint={str(self.path)!r} cannot be read ({exc!r}): remove the file, or give another."
            ) from exc
        if version == _NAMED_BY_MODULE:
            key, version = _upgraded_key(key), _FORMAT
        if version != _FORMAT:
            raise ArtefactError(
                f"checkpoint={str(self.path)!r} was written by another version of distillkit: remove the file, or give another."
            )
        if key != self.key:
            other = sorted(name for name in {*key, *self.key} if key.get(name) != self.key.get(name))
            raise DataError(
                f"checkpoint={str(self.path)!r} belongs to a run with another {', '.join(other)}: go on with the same, give another "
                "file, or remove this one to start anew."
            )
        return State(tensors, values)

    def write(self, state: State) -> None:
        """Write the state, under another name first, so that the file is whole at any time.

        Raises
        ------
        ArtefactError
            If it cannot be written.
        """
        from safetensors.torch import save

        card = {"format": _FORMAT, "key": self.key, "values": state.values}
        part = self.path.with_name(f".{self.path.name}.{uuid4().hex}.part")
        try:
            part.write_bytes(save(state.tensors, metadata={_ENTRY: json.dumps(card)}))
            part.replace(self.path)
        except OSError as exc:
            raise ArtefactError(f"checkpoint={str(self.path)!r} cannot be written: {exc}. Free some space.") from exc
        finally:
            with suppress(OSError):
                part.unlink()


def _upgraded_key(key: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key of a run as this version writes it."""
    return {name: upgraded_name(value) if isinstance(value, str) else value for name, value in key.items()}


def settings_key(params: Mapping[str, Any], without: frozenset[str]) -> dict[str, Any]:
    """Settings as plain values that are the same in the next process: functions by their names, not by their addresses."""
    return {name: _plain(value) for name, value in sorted(params.items()) if name not in without}


def _plain(value: Any) -> Any:
    if isinstance(value, nn.Module):  # the same class with other weights is another setting
        weights = hashlib.blake2b(digest_size=16)
        for name, part in value.state_dict().items():
            weights.update(
                name.encode() + part.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
            )
        return f"{value} {weights.hexdigest()}"
    if callable(value):
        return public_name(value)
    return to_jsonable(value)


def data_digest(rows: TrainingRows) -> str:
    """Digest of the training rows and their labels."""
    digest = hashlib.blake2b(f"{rows.X.shape} {rows.X.dtype.str} {rows.task}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(rows.X).data)
    if rows.y is not None:
        digest.update(json.dumps(to_jsonable(rows.y)).encode())
    return digest.hexdigest()
