"""Distilled sets on disk: safetensors files with a JSON card, verified on reading, never unpickled.

The card contains a checksum of the arrays and one of itself. Every change of the contents is
therefore detected, and the card can be trusted without reading the arrays. It is the only entry of
the header, because several entries would be written in random order.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from distillkit.distilled._fields import DistilledFields
from distillkit.exceptions import ArtefactError, DataError
from distillkit.tables import DistilledTable, TableEncoder
from distillkit.utils._interpolation import expand, is_expansion
from distillkit.utils._preprocessing import Preprocessing
from distillkit.utils._public_names import upgraded_name
from distillkit.utils._versions import versions

__all__ = ["SCHEMA", "read_artefact", "read_card", "write_artefact"]

SCHEMA = 3
"""Newest schema. Sets of mixed tables have schema 3, sets whose rows are stored smaller have schema
2, and all others have schema 1, which every version can read."""
_KIND = "distillkit.distilled"
_OWN = "card_sha256"
_PLAIN = ("X", "sample_weight", "indices", "soft_labels", "stored", "ranking")
_LABELS = ("y", "classes")
_ROWS = "table.rows"
_TABLE = "a table does not hold a whole set; read it with pandas and give it to DistilledSet.from_pandas(frame, target)"
_OTHER_FORMATS = {
    ".csv": _TABLE,
    ".parquet": _TABLE,
    ".tsv": _TABLE,
    ".npz": "read its arrays with numpy.load and give them to DistilledSet(X=..., y=..., ...)",
}
"""What to do with files of other formats, by their ending."""


def write_artefact(distilled: DistilledFields, path: str | os.PathLike[str]) -> Path:
    """Write a distilled set to `path` and return the path; see `DistilledSet.save`."""
    from safetensors import SafetensorError
    from safetensors.numpy import save

    # 1. Collect the arrays; text labels become codes with a list of words in the card.
    path = Path(path)
    tensors = {name: getattr(distilled, name) for name in _PLAIN if getattr(distilled, name) is not None}
    if distilled.stored is not None:
        if not is_expansion(distilled.X, distilled.stored):  # the user may have changed either
            raise ArtefactError(
                f"cannot write {path}: X is no longer the interpolation of `stored`. "
                "Set stored=None to save X as it is."
            )
        del tensors["X"]
    texts: dict[str, Any] = {}
    for name in _LABELS:
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
    card["sha256"] = _digest(tensors)
    try:
        text = json.dumps({**card, _OWN: _card_digest(card)})
    except (TypeError, ValueError) as exc:
        raise ArtefactError(
            f"cannot write {path}: the provenance is not JSON-able ({exc}): keep only plain values in it."
        ) from exc
    # 3. Write to a temporary name and rename, so that no incomplete file has the final name.
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        contents = save(tensors, metadata={_KIND: text})
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
    return path


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
        tensors[_ROWS] = stream


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


def _card_digest(card: dict[str, Any]) -> str:
    """Return the checksum of the card."""
    return hashlib.sha256(json.dumps(card).encode()).hexdigest()


def _digest(tensors: dict[str, np.ndarray]) -> str:
    """Return the checksum of all arrays with their names, dtypes and shapes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name}:{tensors[name].dtype.str}:{tensors[name].shape};".encode())
        digest.update(tensors[name].tobytes())
    return digest.hexdigest()


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
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ArtefactError(f"there is no file {path}: check the path, or create the file with `distillkit distill`.")
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(_KIND)
            tensors = {name: file.get_tensor(name) for name in file.keys()} if rows else {}  # noqa: SIM118 (not a mapping)
        card = None if text is None else json.loads(text)
    except (SafetensorError, OSError, ValueError) as exc:
        remedy = _OTHER_FORMATS.get(path.suffix.lower(), "create it again or fetch another copy")
        raise ArtefactError(f"{path} is damaged or no safetensors file ({exc}): {remedy}.") from exc
    if not isinstance(card, dict) or not isinstance(card.get("schema"), int):
        raise ArtefactError(f"{path} is a safetensors file, but not a distilled set: it has no distillkit card.")
    if card["schema"] > SCHEMA:
        raise ArtefactError(
            f"{path} was made by a newer distillkit (schema {card['schema']}; this one reads up to {SCHEMA}): "
            "run `pip install --upgrade distillkit`."
        )
    if card.pop(_OWN, None) != _card_digest(card):
        raise ArtefactError(
            f"{path} is damaged: its card does not match its checksum. Create it again or fetch another copy."
        )
    return card, tensors


def read_artefact(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a distilled set as a dict of the fields of `DistilledSet`; see `DistilledSet.load`."""
    path = Path(path)
    card, tensors = _open(path, rows=True)
    if _digest(tensors) != card.get("sha256"):
        raise ArtefactError(
            f"{path} is damaged: its rows do not match their checksum. Create it again or fetch another copy."
        )
    try:
        fields: dict[str, Any] = {name: tensors.get(name) for name in _PLAIN}
        for name in _LABELS:
            fields[name] = _decode_labels(tensors.get(name), card["texts"].get(name))
        if fields["stored"] is not None:
            fields["X"] = expand(fields["stored"], card["sides"])
        names = card["feature_names"]
        fields["feature_names"] = None if names is None else tuple(names)
        provenance = dict(card["provenance"])
        if isinstance(provenance.get("method"), str):
            provenance["method"] = upgraded_name(provenance["method"])
        fields["provenance"] = provenance
        if "table" in card:
            table = DistilledTable(TableEncoder.from_dict(card["table"]))
            fields["table"] = table.with_bytes(tensors.get(_ROWS))
        if "preprocessing" in card:
            fields["preprocessing"] = Preprocessing(
                tensors["preprocessing.mean"],
                tensors["preprocessing.scale"],
                tensors.get("preprocessing.rotation"),
                str(card["preprocessing"]),
            )
    except (KeyError, TypeError, IndexError, AttributeError) as exc:
        raise ArtefactError(f"{path} is damaged: its card lacks {exc}. Create it again or fetch another copy.") from exc
    if fields["X"] is None:
        raise ArtefactError(f"{path} is damaged: it holds no rows. Create it again or fetch another copy.")
    return fields


def _decode_labels(values: np.ndarray | None, text: dict[str, Any] | None) -> np.ndarray | None:
    """Return labels as they were before `_encode_labels`."""
    if values is None or text is None:
        return values
    words = np.asarray(text["words"], dtype=object)
    decoded: np.ndarray = words[values].astype(text["dtype"])
    return decoded
