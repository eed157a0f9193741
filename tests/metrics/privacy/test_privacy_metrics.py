"""The figures of the panel as metrics."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from distillkit import DistilledSet, KMeansCoreset, RandomSubset, evaluate
from distillkit.metrics import Reference, copies, near_copies, nndr, privacy_report
from distillkit.metrics._privacy_specs import privacy_specs
from distillkit.metrics.privacy import _panel

RUN = {
    "privacy-share": "share",
    "privacy-z": "share_z",
    "membership-auc": "membership_auc",
    "membership-tpr1": "membership_tpr1",
    "membership-tpr01": "membership_tpr01",
}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.RandomState(0)
    return rng.normal(size=(200, 20)), rng.normal(size=(100, 20))


def test_metrics_of_the_set_are_shares_of_its_rows(rows):
    X, F = rows
    small = DistilledSet(np.vstack([X[:3], X[3:8] + 1e-3, F[:12]]))
    assert copies(X, None, small) == 3 / 20
    assert near_copies(X, None, small) == 5 / 20
    expected = np.sort(np.linalg.norm(X[None] - small.X[:, None], axis=2), axis=1)[:, :2]
    assert nndr(X, None, small) == pytest.approx(np.median(expected[:, 0] / expected[:, 1]))
    assert nndr(X[:1], None, small) is None


def test_metrics_of_a_run_are_those_of_the_panel_or_none():
    figures = dict.fromkeys(RUN.values()) | {field: number / 8 for number, field in enumerate(RUN.values())}
    for spec in privacy_specs():
        if spec.stage == "run":
            assert spec.load()({"privacy": figures}) == figures[RUN[spec.name]]
            assert spec.load()({}) is None
            assert spec.load()({"privacy": None}) is None


def test_evaluate_measures_them_against_the_test_rows():
    X, y = load_iris(return_X_y=True)
    small = RandomSubset(budget=5, random_state=0).fit(X[::2], y[::2]).distilled_
    table = evaluate(
        small, X[1::2], y[1::2], X=X[::2], y=y[::2], evaluators="knn", metrics=[*RUN, "copies", "accuracy"]
    )
    report = privacy_report(X[::2], None, small, holdout=X[1::2])
    assert table.loc["knn", list(RUN)].to_dict() == pytest.approx({name: getattr(report, RUN[name]) for name in RUN})
    assert table.loc["knn", "copies"] == 1
    centroids = KMeansCoreset(budget=2, random_state=0).fit(X[::2], y[::2]).distilled_
    assert "privacy-share" not in evaluate(
        centroids, X[1::2], y[1::2], evaluators="knn", metrics=["privacy-share", "rows"]
    )


def test_metrics_of_one_set_share_a_search(rows, monkeypatch):
    searches, real = [], _panel.search
    monkeypatch.setattr(_panel, "search", lambda *args: searches.append(args) or real(*args))
    X, F = rows
    small, reference = DistilledSet(np.vstack([X[:3], F[:12]])), Reference(X)
    values = [metric(reference, None, small) for metric in (copies, near_copies, nndr)]
    assert len(searches) == 1
    assert values == [metric(X, None, small) for metric in (copies, near_copies, nndr)]
    assert copies(reference, None, DistilledSet(F[:12])) == 0  # another set has a search of its own
