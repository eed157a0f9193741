"""Predictions and targets in results files, from which metrics are computed again."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from distillkit.bench.execution._data_facts import data_facts, shared_rows
from distillkit.bench.results._outcomes import decode, encode, is_encoded
from distillkit.bench.results._store import ResultsStore
from distillkit.datasets import load_dataset
from distillkit.exceptions import DistillkitWarning, ResultsError


@pytest.mark.parametrize("n_classes", [2, 255, 256, 65_535, 65_536])
def test_codes_come_back_with_one_code_for_every_label_outside(n_classes):
    rng = np.random.default_rng(0)
    labels = rng.integers(-2, n_classes + 2, 500)
    expected = np.where((labels >= 0) & (labels < n_classes), labels, n_classes)
    for given in (labels, labels.astype(float), labels.tolist()):
        encoded = json.loads(json.dumps(encode(given, n_classes)))
        np.testing.assert_array_equal(decode(encoded), expected)
        assert is_encoded(encoded)
    assert decode(encode(labels + 0.5, n_classes)).tolist() == [n_classes] * 500
    assert decode(encode(labels.astype(str), n_classes)).tolist() == [n_classes] * 500


def test_codes_have_the_shortest_type_and_are_compressed():
    encoded = encode(np.arange(10_000) % 10, 10)
    assert zlib.decompress(base64.b64decode(encoded["codes"])) == (np.arange(10_000) % 10).astype(np.uint8).tobytes()
    assert encode([0], 255)["type"] == "uint8"
    assert encode([0], 256)["type"] == "uint16"
    random = encode(np.random.default_rng(0).integers(0, 10, 10_000), 10)
    assert len(random["codes"]) < 7_500  # of 13,300 without compression


@pytest.mark.parametrize(
    ("offset", "scale", "kind"),
    [(0.0, 1.0, "float32"), (1e9, 1.0, "float64"), (0.0, 1e300, "float64"), (5.0, 0.0, "float32")],
)
def test_numbers_keep_the_digits_that_a_score_needs(offset, scale, kind):
    rng = np.random.default_rng(0)
    target = offset + scale * rng.normal(size=200)
    predicted = target + 0.1 * scale * rng.normal(size=200)
    encoded = json.loads(json.dumps(encode(predicted, None)))
    assert encoded["type"] == kind
    np.testing.assert_allclose(decode(encoded), predicted, rtol=1e-6)
    if 0 < scale < 1e100:
        assert r2_score(target, decode(encoded)) == pytest.approx(r2_score(target, predicted), abs=1e-5)


def test_values_without_a_type_have_the_shortest_one():
    codes, values = np.array([1, 2], np.uint8), np.array([0.5, -1], np.float32)
    for kind, array in (("codes", codes), ("values", values)):
        text = base64.b64encode(zlib.compress(array.tobytes())).decode()
        np.testing.assert_array_equal(decode({kind: text}), array)


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        {"codes": "!!", "type": "uint8"},
        {"codes": "AAAA"},
        {"values": base64.b64encode(zlib.compress(b"123")).decode()},
        {"codes": encode([1], 3)["codes"], "type": "object"},
        {"codes": 3},
        {"codes": encode([1], 3)["codes"], "values": encode([1.0], None)["values"]},
    ],
)
def test_damage_is_named(damaged):
    with pytest.raises(ResultsError, match="run its cell again"):
        decode(damaged)


def test_rows_that_are_equal_are_counted_exactly():
    rng = np.random.default_rng(0)
    train = rng.integers(0, 3, (200, 3)).astype(np.float32)
    test = rng.integers(-1, 3, (60, 3)).astype(np.float32)
    test[5], train[7] = [-0.0, 0.0, 0.0], [0.0, -0.0, 0.0]
    brute = sum(any((row == other).all() for other in train) for row in test)
    assert 0 < brute < 60
    assert shared_rows(train, test) == brute
    assert shared_rows(train.astype(np.int64), test) == brute
    images = np.round(rng.random((9, 1, 4, 4)) * 255).astype(np.uint8)
    assert shared_rows(images[:6], images[4:]) == 2
    assert shared_rows(np.nextafter(train, 9), test - 100) == 0


def test_a_run_stores_what_every_score_can_be_computed_from(plan_for, do, tmp_path):
    plan = plan_for(
        '["random", "student-alone"]',
        datasets='["iris"]',
        evaluators='["knn"]',
        metrics='["accuracy"]',
        primary="{}",
        limits="{seconds = 60, memory_mb = 3000}",  # the student loads torch
    )
    rows = do(plan, tmp_path)
    store, data = ResultsStore(tmp_path), load_dataset("iris")
    assert {row["status"] for row in rows} == {"ok"}
    for row in rows:
        targets = store.targets(row["data_key"])
        assert targets["classes"] == list(data.classes)
        truth, predicted = decode(targets), decode(row["outcome"])
        np.testing.assert_array_equal(truth, data.y_test)
        assert accuracy_score(truth, predicted) == pytest.approx(row["metrics"]["accuracy"], abs=1e-12)
        assert (row["n_train"], row["n_test"]) == (len(data.X_train), len(data.X_test))
        assert row["shared_rows"] == shared_rows(data.X_train, data.X_test)


def test_lost_targets_are_written_again(plan_for, do, tmp_path):
    plan = plan_for('["random"]', datasets='["iris"]', evaluators='["knn"]', metrics='["accuracy"]', primary="{}")
    (row,) = do(plan, tmp_path)
    store = ResultsStore(tmp_path)
    path, arrays = store.targets_path(row["data_key"]), store.data_path(row["data_key"]) / "X_train.npy"
    before, made = json.loads(path.read_text()), arrays.stat().st_mtime_ns
    path.write_text("{}")
    with pytest.warns(DistillkitWarning, match="task is missing"):
        assert store.targets(row["data_key"]) is None
    store.cell_path(row["key"]).unlink()
    with pytest.warns(DistillkitWarning, match="written again"):
        do(plan, tmp_path)
    assert json.loads(path.read_text()) == before
    assert arrays.stat().st_mtime_ns == made


def test_numbers_are_the_targets_of_regression():
    data = load_dataset("diabetes")
    facts = data_facts(data)
    assert facts["class_counts"] is None
    np.testing.assert_array_equal(decode(facts), data.y_test)
