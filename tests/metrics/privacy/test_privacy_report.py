"""The privacy panel fails sets that publish training rows, and passes fresh rows."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from distillkit import DistilledSet, KMeansCoreset, RandomSubset
from distillkit.exceptions import DataError
from distillkit.metrics import Reference, privacy_report
from distillkit.metrics.privacy._report import DISCLAIMER
from distillkit.metrics.privacy._verdict import verdict_of
from distillkit.utils._preprocessing import Preprocessing


def divided(X, y, rows):
    """Training rows, held-out rows and fresh rows, with equal numbers of each class and sorted by it."""
    rng = np.random.RandomState(0)
    order = [rng.permutation(np.flatnonzero(y == label))[: 3 * rows] for label in np.unique(y)]
    parts = [np.concatenate([places[k * rows : (k + 1) * rows] for places in order]) for k in range(3)]
    return [(X[part], y[part]) for part in parts]


@pytest.fixture(scope="module", params=["digits", "mnist"])
def parts(request):
    """Rows of digits, and 1,000 training rows of MNIST where it is on disk."""
    if request.param == "digits":
        X, y = load_digits(return_X_y=True)
        return divided(X / 16, y, 55)
    folder = Path(os.environ.get("DISTILLKIT_DATA", "")) / "MNIST" / "raw"
    if not (folder / "train-images-idx3-ubyte").is_file():
        pytest.skip(f"real data: {folder} is not there")
    pixels = np.fromfile(folder / "train-images-idx3-ubyte", np.uint8, 3500 * 784, offset=16).reshape(-1, 784)
    return divided(
        pixels / np.float32(255), np.fromfile(folder / "train-labels-idx1-ubyte", np.uint8, 3500, offset=8), 100
    )


def panel(parts, published):
    (X, y), (H, _), _ = parts
    return privacy_report(X, y, published, holdout=H)


def test_published_training_rows_fail(parts):
    X, y = parts[0]
    for method in (RandomSubset(budget=5, random_state=0), KMeansCoreset(budget=5, representative="member")):
        report = panel(parts, method.fit(X, y).distilled_)
        assert (report.verdict, report.copies, report.nndr) == ("fail", 50, 0)
        assert report.share == 1
        assert "50 of the 50 published rows are copies" in report.reasons[0]


def test_a_single_copy_among_fresh_rows_fails(parts):
    (X, _), _, (F, _) = parts
    report = panel(parts, DistilledSet(np.vstack([F[::10], X[3:4]])))
    assert (report.verdict, report.copies) == ("fail", 1)


def test_noisy_training_rows_fail_without_being_copies(parts):
    X, _ = parts[0]
    rows = X[::5] + np.random.RandomState(0).normal(0, 0.05, X[::5].shape)
    report = panel(parts, DistilledSet(rows))
    assert (report.verdict, report.copies) == ("fail", 0)
    assert report.near_copies > len(rows) / 2
    assert report.membership_tpr01 > 5 * report.membership_tpr01_expected


def test_centroids_of_few_rows_each_fail(parts):
    X, y = parts[0]
    report = panel(parts, KMeansCoreset(budget=0.4, random_state=0).fit(X, y).distilled_)
    assert report.verdict == "fail"
    assert report.share_z > 4


@pytest.mark.parametrize("draw", range(3))
def test_fresh_rows_pass(parts, draw):
    F, f = parts[2]
    small = RandomSubset(budget=10, random_state=draw).fit(F, f).distilled_
    report = panel(parts, DistilledSet(small.X, small.y))
    assert (report.verdict, report.reasons, report.copies) == ("pass", (), 0)
    assert abs(report.share_z) < 3
    assert report.membership_auc == pytest.approx(0.5, abs=4 * report.membership_auc_error)


def test_published_held_out_rows_do_not_fail(parts):
    H, _ = parts[1]
    report = panel(parts, DistilledSet(H[::5]))
    assert (report.verdict, report.share) == ("pass", 0)
    assert report.nndr_holdout == 0


def test_noise_is_judged_by_the_records_that_it_shares(parts):
    # Noise has the same few nearest records, so that its share varies more than binomially.
    X, _ = parts[0]
    noise = np.random.RandomState(0).uniform(size=(300, X.shape[1]))
    report = panel(parts, DistilledSet(noise))
    assert report.verdict == "pass"
    assert report.share_sd > 1.2 * np.sqrt(0.25 / 300)


def test_copies_are_found_behind_a_preprocessing(parts):
    X, _ = parts[0]
    scaling = Preprocessing.standardize(X)
    report = panel(parts, DistilledSet(scaling.transform(X[:40]).astype(np.float32), preprocessing=scaling))
    assert report.copies == 40


def test_without_held_out_rows_only_copies_are_found(parts):
    X, y = parts[0]
    F, _ = parts[2]
    copied = privacy_report(X, y, DistilledSet(X[:5]))
    assert (copied.verdict, copied.copies, copied.share, copied.membership_auc) == ("fail", 5, None, None)
    fresh = privacy_report(X, y, DistilledSet(F[:20]))
    assert fresh.verdict == "unknown"
    assert fresh.reasons == ("0 held-out rows are too few to tell training rows from fresh ones: give 50.",)


def test_the_order_of_all_rows_changes_nothing(parts):
    (X, y), (H, _), (F, _) = parts
    rng = np.random.RandomState(1)
    one = privacy_report(X, y, DistilledSet(F[:60]), holdout=H)
    other = privacy_report(rng.permutation(X), None, DistilledSet(rng.permutation(F[:60])), holdout=rng.permutation(H))
    assert (one.verdict, one.reasons) == (other.verdict, other.reasons)
    figures = {name: value for name, value in one.to_dict().items() if isinstance(value, int | float)}
    assert {name: getattr(other, name) for name in figures} == pytest.approx(figures)


def test_the_account_is_json_and_words(parts):
    report = panel(parts, DistilledSet(parts[2][0][:30]))
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()
    text = str(report)
    assert text.startswith("Privacy panel: PASS (30 published rows")
    assert text.endswith(DISCLAIMER)
    assert "no formal guarantee" in text


def test_coinciding_rows_of_a_table_with_few_values_are_no_copies():
    # Half of the held-out rows of this table equal training rows, so copies alone show nothing.
    rng = np.random.RandomState(0)
    X, H, F = (rng.randint(0, 4, size=(500, 5)).astype(float) for _ in range(3))
    report = privacy_report(X, None, DistilledSet(F[:100]), holdout=H)
    assert report.copies > 20
    assert report.verdict == "warn"
    assert "coincide with training rows as often" in report.reasons[0]
    assert privacy_report(X, None, DistilledSet(X[:100]), holdout=H).verdict == "fail"


def test_large_sets_are_compared_by_a_sample_but_all_copies_are_counted(parts, monkeypatch):
    monkeypatch.setattr("distillkit.metrics.privacy._rows._MAX_WORK", 10**5)
    X, _ = parts[0]
    report = panel(parts, DistilledSet(X[:300]))
    assert (report.compared, report.rows, report.copies) == (100, 300, 300)


def test_frames_and_references_are_read_like_arrays(parts):
    (X, y), (H, _), (F, _) = parts
    small = DistilledSet(F[:30], feature_names=tuple(f"p{k}" for k in range(X.shape[1])))
    expected = privacy_report(X, y, small, holdout=H)
    frame, fresh = (pd.DataFrame(rows, columns=small.feature_names).iloc[:, ::-1] for rows in (X, H))
    assert privacy_report(frame, y, small, holdout=fresh) == expected
    assert privacy_report(Reference(X, y), None, small, holdout=H) == expected


def test_images_keep_their_shape(parts):
    (X, _), (H, _), (F, _) = parts
    side = int(X.shape[1] ** 0.5)
    images = [rows.reshape(-1, 1, side, side) for rows in (X, H, F)]
    report = privacy_report(images[0], None, DistilledSet(images[2][:40]), holdout=images[1])
    assert report == privacy_report(X, None, DistilledSet(F[:40]), holdout=H)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"holdout": np.ones((60, 3))}, r"held-out rows have the shape \(60, 3\).*same features"),
        ({"holdout": np.full((60, 4), np.nan)}, "held-out rows hold NaN"),
        ({"X": np.full((60, 4), np.inf)}, "training rows hold NaN or infinite values: drop or fill"),
        ({"distilled": DistilledSet(np.full((2, 4), np.nan))}, "distilled rows hold NaN"),
        ({"distilled": DistilledSet(np.ones((0, 4)))}, "at least one training row, one distilled row"),
    ],
)
def test_unusable_rows_are_refused(change, words):
    rows = np.random.RandomState(0).normal(size=(60, 4))
    arguments = {"X": rows, "y": None, "distilled": DistilledSet(rows[:3]), "holdout": rows, **change}
    with pytest.raises(DataError, match=words):
        privacy_report(**arguments)


FIGURES = {
    "rows": 100,
    "holdout": 5000,
    "copies": 0,
    "copies_expected": 0.0,
    "nndr": 0.95,
    "nndr_holdout": 0.95,
    "near_copies": 0,
    "near_copies_holdout": 0,
    "share": 0.5,
    "share_expected": 0.5,
    "share_z": 0.0,
    "membership_tpr01": 0.001,
    "membership_tpr01_expected": 0.001,
}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "pass"),
        ({"copies": 1}, "fail"),
        ({"copies": 1, "copies_expected": 0.2}, "warn"),
        ({"copies": 9, "copies_expected": 0.2}, "fail"),
        ({"nndr": 0.4}, "fail"),
        ({"nndr": 0.4, "nndr_holdout": 0.7}, "pass"),
        ({"near_copies": 4}, "warn"),
        ({"near_copies": 4, "near_copies_holdout": 2}, "pass"),
        ({"share_z": 5.0}, "warn"),
        ({"share_z": 5.0, "membership_tpr01": 0.005}, "fail"),
        ({"share_z": 3.5, "membership_tpr01": 0.005}, "warn"),
        ({"share_z": -9.0, "membership_tpr01": 0.005}, "pass"),
        ({"share_z": 5.0, "membership_tpr01": 0.005, "holdout": 20}, "unknown"),
        ({"copies": 1, "holdout": 20}, "fail"),
    ],
)
def test_the_rule(change, verdict):
    assert verdict_of({**FIGURES, **change})[0] == verdict
