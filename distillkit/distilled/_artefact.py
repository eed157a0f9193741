"""Distilled sets on disk: safetensors files with a JSON card, verified on reading, no pickles."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.distilled._fields import DistilledFields
from distillkit.distilled._growth import rows_outgrow, text_outgrows
from distillkit.exceptions import ArtefactError, DataError
from distillkit.tables import DistilledTable
from distillkit.utils._interpolation import is_expansion
from distillkit.utils._sealed_files import sealed_card, write_sealed
from distillkit.utils._versions import versions

__all__ = ["CARD", "LABELS", "PLAIN", "SCHEMA", "TABLE_ROWS", "write_artefact"]

SCHEMA = 3
"""Newest schema. Sets of mixed tables have schema 3, sets whose rows are stored smaller have schema
2, and all others have schema 1, which every version can read."""
CARD = "distillkit.distilled"
PLAIN = ("X", "sample_weight", "indices", "soft_labels", "stored", "ranking")
LABELS = ("y", "classes")
TABLE_ROWS = "table.rows"


def write_artefact(distilled: DistilledFields, path: str | os.PathLike[str]) -> Path:
    """Write a distilled set to `path` and return the path; see `DistilledSet.save`."""
    # 1. Collect the arrays; text labels become codes with a list of words in the card.
    path = Path(path)
    tensors = {name: getattr(distilled, name) for name in PLAIN if getattr(distilled, name) is not None}
    if distilled.stored is not None:
        if not is_expansion(distilled.X, distilled.stored):  # the user may have changed either
            raise ArtefactError(
                f"cannot write {path}: X is no longer the interpolation of `stored`. "
                "Set stored=None to save X as it is."
            )
        del tensors["X"]
    texts: dict[str, Any] = {}
    for name in LABELS:
        _encode_labels(name, getattr(distilled, name), tensors, texts)
    # 2. Describe them in the card, with checksums of the arrays and of the card itself.
    card: dict[str, Any] = {
        "schema": _schema(distilled),
        "versions": versions(),
        "feature_names": None if distilled.feature_names is None else [str(name) for name in distilled.feature_names],
        "provenance": distilled.provenance,
        "texts": texts,
    }
    if distilled.stored is not None:
        card["sides"] = list(distilled.X.shape[2:])
    if distilled.table is not None:
        _encode_table(path, distilled.table, tensors, card)
    if distilled.preprocessing is not None:
        card["preprocessing"] = distilled.preprocessing.kind
        tensors |= {
            "preprocessing.mean": distilled.preprocessing.mean,
            "preprocessing.scale": distilled.preprocessing.scale,
        }
        if distilled.preprocessing.rotation is not None:
            tensors["preprocessing.rotation"] = distilled.preprocessing.rotation
    tensors = {name: _plain_bytes(values) for name, values in tensors.items()}
    _check_growth(path, distilled, tensors)
    try:
        text = sealed_card(card, tensors)
    except (TypeError, ValueError) as exc:
        raise ArtefactError(
            f"cannot write {path}: the provenance is not JSON-able ({exc}): keep only plain values in it."
        ) from exc
    write_sealed(path, CARD, text, tensors)
    return path


def _check_growth(path: Path, distilled: DistilledFields, tensors: dict[str, np.ndarray]) -> None:
    """Raise an error about a set whose file would be refused, because it grows too much."""
    if distilled.stored is not None and rows_outgrow(distilled.stored, distilled.X.shape[2:], tensors):
        raise ArtefactError(
            f"cannot write {path}: X is much too large for `stored`. Set stored=None to save X as it is."
        )
    for name in LABELS:
        values = getattr(distilled, name)
        if values is not None and text_outgrows(np.asarray(values).dtype, len(values), tensors):
            raise ArtefactError(
                f"cannot write {path}: {name} has dtype {np.asarray(values).dtype}, which reserves too much room for "
                f"each label. Give {name}.astype(object)."
            )


def _schema(distilled: DistilledFields) -> int:
    """Return the smallest schema that can describe the set."""
    if distilled.table is not None and distilled.table.is_encoded:
        return SCHEMA
    return 1 if distilled.stored is None else 2


def _encode_table(path: Path, table: DistilledTable, tensors: dict[str, Any], card: dict[str, Any]) -> None:
    """Add the encoder of a table to the card, and its selected rows to the arrays."""
    try:
        card["table"] = table.encoder.to_dict()
        stream = table.rows_to_bytes()
    except DataError as exc:
        raise ArtefactError(f"cannot write {path}: {exc}") from exc
    if stream is not None:
        tensors[TABLE_ROWS] = stream


def _plain_bytes(values: Any) -> np.ndarray:
    """Return the values contiguous and little-endian, as in the file, for equal checksums."""
    values = np.asarray(values)
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))


def _encode_labels(name: str, values: Any, tensors: dict[str, Any], texts: dict[str, Any]) -> None:
    """Add labels to the arrays: numbers as they are, text as codes with its words in `texts`."""
    if values is None:
        return
    values = np.asarray(values)
    if values.dtype.kind in "iufb":
        tensors[name] = values
        return
    if not all(isinstance(value, str) for value in values.tolist()):
        raise ArtefactError(
            f"{name} holds labels that are neither numbers nor text ({values.dtype}): convert them to text first."
        )
    words, codes = np.unique(values.astype(object), return_inverse=True)
    tensors[name] = codes.astype(np.int64)
    texts[name] = {"words": words.tolist(), "dtype": values.dtype.str if values.dtype.kind == "U" else "O"}
