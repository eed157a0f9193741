"""Safetensors files with a JSON card and checksums, written completely or not at all.

The card contains a checksum of the arrays and one of itself. Every change of the contents is
therefore detected, and the card can be trusted without reading the arrays. It is the only entry of
the header, because several entries would be written in random order.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from distillkit.exceptions import ArtefactError
from distillkit.utils._file_bounds import check_nesting, parsed_json

__all__ = ["CARD_CHECKSUM", "card_digest", "digest", "read_sealed", "sealed_card", "write_sealed"]

CARD_CHECKSUM = "card_sha256"


def sealed_card(card: dict[str, Any], tensors: dict[str, np.ndarray]) -> str:
    """Return the text of a card with the checksums of the arrays and of itself.

    Raises
    ------
    TypeError or ValueError
        If the card is not JSON-able, or nested too deeply to be read again.
    """
    check_nesting(card)
    card = {**card, "sha256": digest(tensors)}
    return json.dumps({**card, CARD_CHECKSUM: card_digest(card)})


def write_sealed(path: Path, kind: str, text: str, tensors: dict[str, np.ndarray]) -> None:
    """Write arrays and the text of their card.

    Parameters
    ----------
    path : Path
    kind : str
        Name of the entry of the header that holds the card.
    text : str
        From `sealed_card`.
    tensors : dict of str to ndarray

    Raises
    ------
    ArtefactError
        If the file cannot be written. No part of it is left.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save

    # Write to a temporary name and rename, so that no incomplete file has the final name.
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        contents = save(tensors, metadata={kind: text})
        part.write_bytes(contents)  # save_file would restrict reading to the owner
        part.replace(path)
    except (OSError, TypeError, ValueError, KeyError, SafetensorError) as exc:
        raise ArtefactError(
            f"cannot write {path}: {exc}. Choose another path, or check the rights of the folder."
        ) from exc
    finally:
        # A temporary file that cannot be removed must not hide the error raised above.
        with suppress(OSError):
            part.unlink()


def read_sealed(
    path: Path, kind: str, schema: int, *, thing: str, creation: str, remedy: str, arrays: bool = True
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the verified card of a file, and its arrays.

    Parameters
    ----------
    path : Path
    kind : str
        Name of the entry of the header that holds the card.
    schema : int
        Newest schema that can be read.
    thing : str
        What the file should hold, for errors.
    creation : str
        How such a file is created.
    remedy : str
        What to do if the file is damaged, a sentence without its capital and period.
    arrays : bool, default=True
        Whether the arrays are read and verified, too.

    Raises
    ------
    ArtefactError
        If there is no such file, or if it is damaged, of another kind, or made by a newer version.
    """
    from safetensors import safe_open

    if not path.is_file():
        raise ArtefactError(f"there is no file {path}: check the path, or create the file with {creation}.")
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(kind)
            tensors = {name: file.get_tensor(name) for name in file.keys()} if arrays else {}  # noqa: SIM118 (not a mapping)
        card = None if text is None else parsed_json(text)
    except Exception as exc:  # a dtype that NumPy lacks is an error of another type in each version
        raise ArtefactError(f"{path} is damaged or no safetensors file ({exc}): {remedy}.") from exc
    if not isinstance(card, dict) or type(card.get("schema")) is not int:
        raise ArtefactError(f"{path} is a safetensors file, but not {thing}: it has no distillkit card.")
    if card["schema"] > schema:
        raise ArtefactError(
            f"{path} was made by a newer distillkit (schema {card['schema']}; this one reads up to {schema}): "
            "run `pip install --upgrade distillkit`."
        )
    again = f"{remedy[0].upper()}{remedy[1:]}."
    if card.pop(CARD_CHECKSUM, None) != card_digest(card):
        raise ArtefactError(f"{path} is damaged: its card does not match its checksum. {again}")
    if arrays and digest(tensors) != card.get("sha256"):
        raise ArtefactError(f"{path} is damaged: its arrays do not match their checksum. {again}")
    return card, tensors


def card_digest(card: dict[str, Any]) -> str:
    """Return the checksum of the card."""
    return hashlib.sha256(json.dumps(card).encode()).hexdigest()


def digest(tensors: dict[str, np.ndarray]) -> str:
    """Return the checksum of all arrays with their names, dtypes and shapes."""
    checksum = hashlib.sha256()
    for name in sorted(tensors):
        checksum.update(f"{name}:{tensors[name].dtype.str}:{tensors[name].shape};".encode())
        checksum.update(tensors[name].tobytes())
    return checksum.hexdigest()
