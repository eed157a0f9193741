"""Checkpoints that are damaged or changed: an `ArtefactError` before any step, or a run that goes on."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from distillkit import BilevelDistiller, DistributionMatchingDistiller, GradientMatchingDistiller, KernelDistiller
from distillkit.exceptions import ArtefactError, DistillkitError

ENTRY = "distillkit.checkpoint"
METHODS = {
    "gradient": (GradientMatchingDistiller, {"inner_epochs": 1, "inner_steps": 1}),
    "distribution": (DistributionMatchingDistiller, {}),
    "kernel": (KernelDistiller, {}),
    "bilevel": (BilevelDistiller, {}),
}


def fit(method, path, max_iter):
    cls, params = METHODS[method]
    known = cls._get_param_names()
    params = {name: value for name, value in params.items() if name in known}
    X = np.random.RandomState(0).normal(size=(24, 3)).astype(np.float32)
    distiller = cls(budget=2, max_iter=max_iter, random_state=0, checkpoint=path, validation_fraction=0.25, **params)
    return distiller.fit(X, np.arange(24) % 2)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Return the contents of valid checkpoints by method."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for method in METHODS:
        fit(method, folder / method, 1)
    return {method: (folder / method).read_bytes() for method in METHODS}


def parts_of(path):
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()[ENTRY]), {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118


def write(path, card, tensors):
    try:
        text = json.dumps(card)
    except RecursionError:
        text = "[" * 5_000
    path.write_bytes(save(tensors, metadata={ENTRY: text}))


def damaged(damage, path, content):
    """Write a damaged checkpoint."""
    path.write_bytes(content)
    kind = damage.choose("bytes", "card", "values", "tensors")
    if kind == "bytes":
        path.write_bytes(damage.bytes(content))
        return
    card, tensors = parts_of(path)
    if kind == "card":
        card = damage.plain(card)
    elif kind == "values":
        card["values"] = damage.plain(card["values"])
    else:
        name = damage.choose(*sorted(tensors))
        part = tensors[name]
        others = (part.flatten(), part[None], part.double(), part.flatten()[:0], torch.zeros(()), torch.zeros(10**9, 0))
        tensors[name] = damage.choose(*(other for other in others if part.ndim or other.ndim)).contiguous()
        if damage.random.random() < 0.3:
            del tensors[name]
    write(path, card, tensors)


def test_generated_checkpoints_are_resumed_or_refused(checkpoints, damage, examples, tmp_path):
    path, outcomes = tmp_path / "run", set()
    for seed in examples(200):
        changes = damage(seed)
        method = changes.choose(*METHODS)
        damaged(changes, path, checkpoints[method])
        try:
            fit(method, path, 2)
            outcomes.add("resumed")
        except DistillkitError:
            outcomes.add("refused")
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
    assert outcomes == {"resumed", "refused"}


@pytest.mark.parametrize("method", ["gradient", "kernel"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("n_iter", value) for value in ("1", -1, 1.5, None, [])),
        *(("seconds", value) for value in (-1.0, math.inf, math.nan, "1", None)),
        *(("history", value) for value in ({}, [1], None, "[]")),
        *(("split_seed", value) for value in ("x", -1)),
        *(("rng", value) for value in ([], ["MT19937"], ["x", 1, 2, 3], None)),
        *(("watch", value) for value in ({}, None, [])),
        *(("draws", value) for value in ({}, None, {"bit_generator": "MT19937"})),
    ],
)
def test_values_of_another_type_are_refused(method, name, value, checkpoints, tmp_path):
    path = tmp_path / "run"
    path.write_bytes(checkpoints[method])
    card, tensors = parts_of(path)
    card["values"][name] = value
    write(path, card, tensors)
    with pytest.raises(ArtefactError, match=r"does not hold the state of this run.*remove the file"):
        fit(method, path, 2)


@pytest.mark.parametrize("method", METHODS)
def test_parts_of_another_shape_are_refused(method, checkpoints, tmp_path):
    path, changed = tmp_path / "run", tmp_path / "changed"
    path.write_bytes(checkpoints[method])
    card, tensors = parts_of(path)
    for name, part in tensors.items():
        for other in (None, part[None].contiguous(), part.to(torch.complex64)):
            others = {key: value for key, value in tensors.items() if key != name}
            write(changed, card, others if other is None else {**others, name: other})
            shutil.copy(changed, path)
            if name.startswith(("rows.leaf", "rows.targets", "best.", "rng", "generator")):
                with pytest.raises(ArtefactError, match="does not hold the state of this run"):
                    fit(method, path, 2)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "3", '{"key": [], "values": {}, "format": 3}', '{"format": []}'])
def test_cards_that_are_no_tables_or_too_deep_are_refused(text, tmp_path):
    path = tmp_path / "run"
    path.write_bytes(save({"X": torch.zeros(1)}, metadata={ENTRY: text}))
    with pytest.raises(DistillkitError, match=r"cannot be read|another version|belongs to a run"):
        fit("distribution", path, 1)
