"""Saved synthesizers: safetensors files with a JSON card, verified on reading, never unpickled."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.distilled import DistilledSet
from distillkit.exceptions import ArtefactError, DataError, DistillkitError
from distillkit.synthesis.requests._row_decoder import RowDecoder
from distillkit.tables import DistilledTable
from distillkit.utils._json import to_jsonable
from distillkit.utils._public_names import public_name
from distillkit.utils._sealed_files import read_sealed, sealed_card, write_sealed
from distillkit.utils._versions import versions

__all__ = ["load_synthesizer", "save_synthesizer"]

CARD = "distillkit.synthesizer"
SCHEMA = 1
_GENERATORS = {
    "FittedGenerator": "_fitted",
    "CopulaGenerator": "controls._copula",
    "ForestGenerator": "forest._forest_generator",
    "InterpolationGenerator": "controls._interpolation",
    "MixtureGenerator": "controls._mixture",
    "SurrogateGenerator": "controls._surrogates",
    "TreeGenerator": "trees._tree_generator",
}
"""Modules of this package with the generators that a file may name."""


def save_synthesizer(synthesizer: Any, path: str | os.PathLike[str]) -> Path:
    """Write a fitted synthesizer; see `BaseSynthesizer.save`."""
    path = Path(path)
    if synthesizer.__dict__.get("teacher_") is not None:
        raise ArtefactError(
            f"cannot write {path}: the teacher is a model of its own, which the file cannot hold. Fit with "
            "teacher=None, and label the sampled rows by the teacher."
        )
    # 1. Collect the arrays of the generator and of the distilled rows.
    generator = synthesizer.generator_
    arrays, state = generator.to_state()
    tensors = {f"generator.{name}": values for name, values in arrays.items()}
    distilled = synthesizer.distilled_
    tensors |= {"X": distilled.X, "sample_weight": distilled.sample_weight}
    labels = _labels_to_state(distilled.y, tensors)
    tensors = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    # 2. Describe them in the card, with checksums.
    decoder = synthesizer.__dict__.get("decoder_")
    try:
        card: dict[str, Any] = {
            "schema": SCHEMA,
            "versions": versions(),
            "class": public_name(type(synthesizer)),
            "params": to_jsonable(synthesizer.get_params(deep=False)),
            "task": synthesizer.task_,
            "generator": {"class": type(generator).__name__, "state": state},
            "labels": labels,
            "feature_names": [str(name) for name in getattr(synthesizer, "feature_names_in_", ())] or None,
            "n_features": int(synthesizer.n_features_in_),
            "is_mixed": "encoder_" in synthesizer.__dict__,
            "decoder": None if decoder is None else decoder.to_state(),
            "history": synthesizer.history_,
            "provenance": distilled.provenance,
        }
        text = sealed_card(card, tensors)
    except (TypeError, ValueError, DataError) as exc:
        raise ArtefactError(f"cannot write {path}: {exc}") from exc
    write_sealed(path, CARD, text, tensors)
    return path


def load_synthesizer(path: str | os.PathLike[str]) -> Any:
    """Read a synthesizer that `save` wrote, of whatever class.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    synthesizer
        Fitted: it samples the same rows as the one that was saved.

    Raises
    ------
    ArtefactError
        If there is no such file, or if it is damaged, no file of a synthesizer, or made by a newer
        version.
    """
    path = Path(path)
    card, tensors = read_sealed(
        path, CARD, SCHEMA, thing="a synthesizer", creation="save()", remedy="save the synthesizer again"
    )
    try:
        return _restored(card, tensors)
    except DistillkitError as exc:
        raise ArtefactError(f"{path} cannot be read: {exc}") from exc
    except Exception as exc:  # the card decides what is parsed, and parsers raise errors of many types
        raise ArtefactError(f"{path} is damaged: {type(exc).__name__}: {exc}. Save the synthesizer again.") from exc


def _restored(card: dict[str, Any], tensors: dict[str, np.ndarray]) -> Any:
    """Return the fitted synthesizer that a card and its arrays describe."""
    synthesizer = _class_of(str(card["class"]))(**card["params"])
    generator = card["generator"]
    arrays = {k.removeprefix("generator."): v for k, v in tensors.items() if k.startswith("generator.")}
    home = importlib.import_module(f"{__package__}.{_GENERATORS[generator['class']]}")
    synthesizer.generator_ = getattr(home, generator["class"]).from_state(arrays, generator["state"])
    synthesizer.task_ = card["task"]
    decoder = None if card["decoder"] is None else RowDecoder.from_state(card["decoder"])
    if decoder is not None:
        synthesizer.decoder_ = decoder
        if card["is_mixed"]:
            synthesizer.encoder_ = decoder.encoder
    labels = _labels_from_state(card["labels"], tensors)
    synthesizer.X_distilled_ = tensors["X"]
    if decoder is not None and card["is_mixed"]:
        synthesizer.X_distilled_ = decoder.encoder.inverse_transform(tensors["X"], rounded=False)
    synthesizer.y_distilled_, synthesizer.sample_weight_ = labels, tensors["sample_weight"]
    synthesizer.preprocessing_, synthesizer.history_ = None, card["history"]
    synthesizer.n_features_in_ = card["n_features"]
    if card["feature_names"] is not None:
        synthesizer.feature_names_in_ = np.array(card["feature_names"], dtype=object)
    synthesizer.distilled_ = DistilledSet(
        X=tensors["X"],
        y=labels,
        sample_weight=tensors["sample_weight"],
        feature_names=None if card["feature_names"] is None or card["is_mixed"] else tuple(card["feature_names"]),
        provenance=card["provenance"],
        table=None if decoder is None else DistilledTable(decoder.encoder),
    )
    return synthesizer


def _class_of(reference: str) -> type:
    """Return the class that a card names, which must be a synthesizer of distillkit."""
    module, _, name = reference.partition(":")
    home = importlib.import_module(__package__)
    found = getattr(home, name) if name in home.__all__ else None
    if module.partition(".")[0] != "distillkit" or not isinstance(found, type):
        raise DataError(f"its class {reference!r} is no synthesizer of distillkit.")
    return found


def _labels_to_state(y: np.ndarray | None, tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    """Add labels to the arrays, text as codes whose words are returned."""
    if y is None:
        return {}
    if y.dtype.kind in "iufb":
        tensors["y"] = y
        return {"words": None}
    words, codes = np.unique(y.astype(object), return_inverse=True)
    tensors["y"] = codes.astype(np.int64)
    return {"words": words.tolist(), "dtype": y.dtype.str if y.dtype.kind == "U" else "O"}


def _labels_from_state(state: dict[str, Any], tensors: dict[str, np.ndarray]) -> np.ndarray | None:
    if not state:
        return None
    if state["words"] is None:
        return tensors["y"]
    words = np.array(state["words"], dtype=object)
    labels: np.ndarray = words[tensors["y"]].astype(np.dtype(state["dtype"]))
    return labels
