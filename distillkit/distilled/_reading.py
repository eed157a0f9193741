"""Reading of the files of distilled sets, which may be damaged, or made to harm the reader.

The checksums show damage only: whoever makes a file can seal it again. Nothing in a file is
executed, every value is checked before it is used, and no array becomes much larger than the file.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.distilled._artefact import CARD, LABELS, PLAIN, SCHEMA, TABLE_ROWS
from distillkit.distilled._growth import rows_outgrow, text_outgrows
from distillkit.exceptions import ArtefactError
from distillkit.tables import DistilledTable, TableEncoder
from distillkit.utils._interpolation import expand
from distillkit.utils._preprocessing import Preprocessing
from distillkit.utils._public_names import upgraded_name
from distillkit.utils._sealed_files import read_sealed

__all__ = ["read_artefact", "read_card"]

_TABLE = "a table does not hold a whole set; read it with pandas and give it to DistilledSet.from_pandas(frame, target)"
_OTHER_FORMATS = {
    ".csv": _TABLE,
    ".parquet": _TABLE,
    ".tsv": _TABLE,
    ".npz": "read its arrays with numpy.load and give them to DistilledSet(X=..., y=..., ...)",
}
"""What to do with files of other formats, by their ending."""
_AGAIN = "Create it again or fetch another copy."
_KINDS = {"X": "fiub", "stored": "fiub", "sample_weight": "fiub", "soft_labels": "f", "indices": "iu", "ranking": "iu"}
"""Kinds of the dtypes of arrays, as NumPy names them."""
_FLOATS = (np.float32, np.float64)
_AXES = {"sample_weight": 1, "indices": 1, "ranking": 1, "soft_labels": 2, "y": 1, "classes": 1}


def read_card(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the JSON card of a distilled set without its arrays.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    dict

    Raises
    ------
    ArtefactError
        As for `DistilledSet.load`.
    """
    return _open(Path(path), rows=False)[0]


def _open(path: Path, *, rows: bool) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the verified card and, on request, the arrays of a file."""
    return read_sealed(
        path,
        CARD,
        SCHEMA,
        thing="a distilled set",
        creation="`distillkit distill`",
        remedy=_OTHER_FORMATS.get(path.suffix.lower(), "create it again or fetch another copy"),
        arrays=rows,
    )


def read_artefact(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a distilled set as a dict of the fields of `DistilledSet`; see `DistilledSet.load`."""
    path = Path(path)
    card, tensors = _open(path, rows=True)
    try:
        fields = _fields(card, tensors)
    except (KeyError, AttributeError, IndexError) as exc:
        raise ArtefactError(f"{path} is damaged: its card lacks {exc}. {_AGAIN}") from exc
    except Exception as exc:  # the card decides what is parsed, and parsers raise errors of many types
        reason = " ".join(str(exc).split()).rstrip(".")
        raise ArtefactError(f"{path} is damaged: {reason}. {_AGAIN}") from exc
    return fields


def _fields(card: dict[str, Any], tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the fields of the set; raises errors of any type about a card that is not valid."""
    # 1. Take the arrays, and check their dtypes and shapes.
    fields: dict[str, Any] = {name: tensors.get(name) for name in PLAIN}
    for name in LABELS:
        fields[name] = _decode_labels(name, tensors, card["texts"].get(name))
    if fields["stored"] is not None:
        fields["X"] = _expanded(fields["stored"], card["sides"], tensors)
    _check_arrays(fields)
    # 2. Take what the card describes.
    fields["feature_names"] = _names(card["feature_names"])
    if not isinstance(card["provenance"], dict):
        raise TypeError("its provenance is no table")
    fields["provenance"] = dict(card["provenance"])
    if isinstance(method := fields["provenance"].get("method"), str):
        fields["provenance"]["method"] = upgraded_name(method)
    if "table" in card:
        encoder = TableEncoder.from_dict(card["table"])
        if fields["X"].shape[1:] != encoder.get_feature_names_out().shape:
            raise ValueError(f"its rows of shape {fields['X'].shape[1:]} are not those of its encoder")
        fields["table"] = DistilledTable(encoder).with_bytes(tensors.get(TABLE_ROWS), len(fields["X"]))
        fields["table"].to_pandas(fields["X"][:1])  # fails if the parts of the encoder do not fit
    if "preprocessing" in card:
        fields["preprocessing"] = _preprocessing(tensors, str(card["preprocessing"]))
        if len(fields["preprocessing"].mean) != math.prod(fields["X"].shape[1:]):
            raise ValueError("its preprocessing has another number of features than its rows")
    return fields


def _check_arrays(fields: dict[str, Any]) -> None:
    """Check the dtypes and shapes of the arrays."""
    X = fields["X"]
    if X is None:
        raise ValueError("it holds no rows")
    for name, values in fields.items():
        if values is None:
            continue
        if values.dtype.kind not in _KINDS.get(name, "fiubUO") or values.ndim != _AXES.get(name, max(1, values.ndim)):
            raise TypeError(f"{name} is of shape {values.shape} and type {values.dtype}")
        if name != "classes" and len(values) != len(X):
            raise ValueError(f"{name} has {len(values)} rows, but X has {len(X)}")
    if len(X) and not X.size:
        raise ValueError(f"its rows have no values (shape {X.shape})")
    soft_labels, classes = fields["soft_labels"], fields["classes"]
    if soft_labels is not None and classes is not None and soft_labels.shape[1] != len(classes):
        raise ValueError(f"soft_labels has {soft_labels.shape[1]} columns, but there are {len(classes)} classes")
    for name in ("sample_weight", "soft_labels"):
        if fields[name] is not None and not np.isfinite(fields[name]).all():
            raise ValueError(f"{name} holds NaN or infinity")


def _expanded(stored: np.ndarray, sides: Any, tensors: dict[str, np.ndarray]) -> np.ndarray:
    """Return the rows at full size, which the card gives."""
    small = stored.shape[2:]
    is_valid = isinstance(sides, list) and len(sides) == len(small) > 0 and all(type(side) is int for side in sides)
    if not is_valid or not all(1 <= of <= side for of, side in zip(small, sides, strict=True)):
        raise ValueError(f"its rows of shape {stored.shape[1:]} cannot be interpolated to sides {sides!r}")
    if rows_outgrow(stored, sides, tensors):
        raise ValueError(f"interpolation to sides {sides} would take far more memory than the file has bytes")
    if stored.dtype.kind not in _KINDS["stored"] or not np.isfinite(stored).all():
        raise ValueError("its stored rows hold values that are no finite numbers")
    return expand(stored, sides)


def _decode_labels(name: str, tensors: dict[str, np.ndarray], text: dict[str, Any] | None) -> np.ndarray | None:
    """Return labels as they were before they were written."""
    values = tensors.get(name)
    if values is None or text is None:
        return values
    words, dtype = text["words"], text["dtype"]
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise TypeError(f"the words of {name} are no list of text")
    if values.dtype.kind not in "iu" or values.ndim != 1 or not ((values >= 0) & (values < len(words))).all():
        raise ValueError(f"the codes of {name} are no positions in its words")
    if not isinstance(dtype, str) or np.dtype(dtype).kind not in "OU":
        raise TypeError(f"{name} is of type {dtype!r}, which is no text")
    if text_outgrows(np.dtype(dtype), len(values), tensors):
        raise ValueError(f"{name} of type {dtype} would take far more memory than the file has bytes")
    decoded: np.ndarray = np.array(words, dtype=object)[values].astype(dtype)
    return decoded


def _names(names: Any) -> tuple[str, ...] | None:
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise TypeError("its feature names are no list of text")
    return None if names is None else tuple(names)


def _preprocessing(tensors: dict[str, np.ndarray], kind: str) -> Preprocessing:
    mean, scale = tensors["preprocessing.mean"], tensors["preprocessing.scale"]
    rotation = tensors.get("preprocessing.rotation")
    for values in (mean, scale, rotation):
        if values is not None and (values.dtype not in _FLOATS or not values.ndim or not np.isfinite(values).all()):
            raise ValueError("its preprocessing holds values that are no finite numbers")
    return Preprocessing(mean, scale, rotation, kind)
