"""Certificates: zero for the rows themselves, and what mathematics says for sets that are easy to know."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from distillkit import DistilledSet, KCenterCoreset, KMeansCoreset, Preprocessing, RandomSubset, WholeSet, metrics
from distillkit.coresets import ClassMeans, certify
from distillkit.distilled import _certificate as module
from distillkit.exceptions import DataError


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    y = rng.choice(3, size=400, p=[0.5, 0.3, 0.2])
    return rng.normal(size=(400, 4)) + 2 * y[:, None], y


def target(y_is, X, y):
    return {"classes": y, "text": np.array(["a", "b", "c"])[y], "numbers": X @ np.arange(4.0) + 0.1, "absent": None}[
        y_is
    ]


every = pytest.mark.parametrize("y_is", ["classes", "text", "numbers", "absent"])


@every
def test_the_rows_themselves_have_no_error(y_is, table):
    X, y = table[0], target(y_is, *table)
    certificate = certify(WholeSet().fit(X, y).distilled_, X, y)
    assert certificate.error < 1e-9
    assert certificate.rows == 400
    wanted = {
        "classes": {"k-means", "logistic"},
        "text": {"k-means", "logistic"},
        "numbers": {"ridge"},
        "absent": {"k-means"},
    }
    assert {step["cost"] for step in certificate.costs} == wanted[y_is]
    assert len(certificate.costs) == 4 * len(wanted[y_is])


@every
def test_repeated_rows_and_their_counts_are_the_same_thing(y_is, table):
    X, y = table[0], target(y_is, *table)
    counts = np.random.default_rng(1).integers(1, 5, size=400)
    small = DistilledSet(X, y, sample_weight=counts, classes=np.unique(y) if y_is in ("classes", "text") else None)
    assert certify(small, np.repeat(X, counts, axis=0), None if y is None else np.repeat(y, counts)).error < 1e-9


@every
def test_doubled_weights_double_every_cost(y_is, table):
    # the penalties of the models count once on both sides, so that only solutions without them double exactly
    X, y = table[0], target(y_is, *table)
    small = WholeSet().fit(X, y).distilled_
    small.sample_weight = 2 * small.sample_weight
    certificate = certify(small, X, y)
    assert certificate.error == pytest.approx(1, rel=1e-9)
    assert all(0 < step["error"] <= 1 + 1e-9 for step in certificate.costs)


def test_one_mean_has_the_cost_of_its_offset_and_none_without_it(table):
    X = table[0]
    small = KMeansCoreset(1).fit(X).distilled_
    variance = ((X - X.mean(axis=0)) ** 2).sum()
    assert small.provenance["offset"] == pytest.approx(variance)
    certificate = certify(small, X)
    of_mean = next(step for step in certificate.costs if step["solution"] == "mean")
    assert of_mean["whole"] == pytest.approx(variance)
    assert of_mean["distilled"] == pytest.approx(variance)
    assert certificate.error < 1e-9  # one centre: the cost of the mean of all rows and their spread is that of the rows
    del small.provenance["offset"]
    assert certify(small, X).error == pytest.approx(1)


def test_costs_are_those_of_brute_force(table):
    X, y = table
    small = RandomSubset(20, random_state=0).fit(X, y).distilled_
    costs = {step["solution"]: step for step in certify(small, X, y).costs}
    mean = X.mean(axis=0)
    assert costs["mean"]["whole"] == pytest.approx(((X - mean) ** 2).sum())
    assert costs["mean"]["distilled"] == pytest.approx(small.sample_weight @ ((small.X - mean) ** 2).sum(axis=1))
    assert costs["equal probabilities"]["whole"] == pytest.approx(400 * np.log(3))
    assert costs["equal probabilities"]["distilled"] == pytest.approx(400 * np.log(3))
    shares = np.bincount(y) / 400
    assert costs["shares of the classes"]["whole"] == pytest.approx(-np.log(shares[y]).sum())
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    model = LogisticRegression().fit(scaled, y)
    logs = model.predict_log_proba(scaled)[np.arange(400), y]
    expected = (model.coef_**2).sum() / 2 - logs.sum()
    assert costs["logistic regression of the rows"]["whole"] == pytest.approx(expected, rel=1e-6)
    # a solution that was fitted to the set is the best there, and no better than the best on all rows
    best = costs["logistic regression of the rows"]
    own = costs["logistic regression of the set"]
    assert own["distilled"] <= best["distilled"] * (1 + 1e-6)
    assert own["whole"] >= best["whole"] * (1 - 1e-6)


def test_ridge_costs_are_those_of_brute_force(table):
    X = table[0]
    y = X @ np.arange(4.0) + np.random.default_rng(0).normal(size=400)
    small = RandomSubset(40, random_state=0).fit(X, y).distilled_
    costs = {step["solution"]: step for step in certify(small, X, y).costs}
    assert costs["mean"]["whole"] == pytest.approx(400)
    assert costs["mean"]["distilled"] == pytest.approx(small.sample_weight @ ((small.y - y.mean()) / y.std()) ** 2)
    scaled, goal = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    model = Ridge(1.0).fit(scaled, goal)
    expected = ((goal - model.predict(scaled)) ** 2).sum() + (model.coef_**2).sum()
    assert costs["ridge of the rows"]["whole"] == pytest.approx(expected)


def test_what_is_fitted_to_the_set_counts_by_its_cost_on_all_rows(table):
    X, y = table
    certificate = certify(RandomSubset(3, random_state=0).fit(X, y).distilled_, X, y)
    own = [step for step in certificate.costs if step["fitted_to_set"]]
    assert [step["solution"] for step in own] == ["k-means of the set", "logistic regression of the set"]
    whole = {step["solution"]: step["whole"] for step in certificate.costs}
    excess = [step["whole"] / whole[step["solution"].replace("set", "rows")] - 1 for step in own]
    assert certificate.excess == pytest.approx(max(excess))
    assert certificate.excess > 0
    assert certificate.error == max(step["error"] for step in certificate.costs if not step["fitted_to_set"])
    assert certify(WholeSet().fit(X, y).distilled_, X, y).excess == pytest.approx(0, abs=1e-9)


def test_a_better_set_has_a_smaller_error(table):
    X = table[0]
    few = np.mean([certify(RandomSubset(8, random_state=s).fit(X).distilled_, X).error for s in range(10)])
    many = np.mean([certify(RandomSubset(200, random_state=s).fit(X).distilled_, X).error for s in range(10)])
    assert many < few / 2


def test_a_set_that_leaves_a_class_out_does_not_look_good(table):
    X, y = table
    small = WholeSet().fit(X, y).distilled_
    keep = y < 2
    poor = DistilledSet(
        X[keep], y[keep], sample_weight=small.sample_weight[keep] * 400 / keep.sum(), classes=small.classes
    )
    errors = [certify(RandomSubset(26, random_state=s).fit(X, y).distilled_, X, y) for s in range(5)]
    assert certify(poor, X, y).worst("logistic") > max(each.worst("logistic") for each in errors)
    assert certify(poor, X, y).excess > max(each.excess for each in errors)


def test_a_large_offset_or_scale_changes_nothing(table):
    X = table[0]
    small = RandomSubset(30, random_state=0).fit(X).distilled_
    plain = certify(small, X).error
    for moved in (lambda rows: rows + 1e6, lambda rows: rows * 1e-6):
        assert certify(
            DistilledSet(moved(small.X), sample_weight=small.sample_weight), moved(X)
        ).error == pytest.approx(plain, rel=1e-4)


def test_a_set_in_another_space_is_measured_in_the_units_of_the_data(table):
    X = table[0]
    scaling = Preprocessing.standardize(X)
    carried = DistilledSet(scaling.transform(X), preprocessing=scaling, provenance={"offset": 99.0})
    assert certify(carried, X).error < 1e-9


def test_rows_are_drawn_where_there_are_many_and_the_certificate_says_how_many(table, monkeypatch):
    X, y = table
    monkeypatch.setattr(module, "_FEWEST", 100)
    monkeypatch.setattr(module, "_MOST_VALUES", 800)
    certificate = certify(WholeSet().fit(X, y).distilled_, X, y)
    assert certificate.rows == 200
    assert 0 < certificate.error < 0.3  # the noise of the draw, and no more: costs are scaled to all rows
    assert certificate.costs == certify(WholeSet().fit(X, y).distilled_, X, y).costs
    assert certificate.costs != certify(WholeSet().fit(X, y).distilled_, X, y, random_state=1).costs


@pytest.mark.parametrize("model", [KMeansCoreset(random_state=0), KCenterCoreset(), RandomSubset(random_state=0)])
@every
def test_an_estimator_measures_its_error_when_asked(model, y_is, table, tmp_path):
    X, y = table[0], target(y_is, *table)
    assert not hasattr(model.set_params(certify=False).fit(X, y), "error_")
    model.set_params(certify=True).fit(X, y)
    assert model.error_ == certify(model.distilled_, X, y).error
    said = model.distilled_.provenance["certificate"]
    assert said["error"] == model.error_
    assert json.loads(json.dumps(said)) == said
    loaded = DistilledSet.load(model.distilled_.save(tmp_path / "small.safetensors"))
    assert loaded.provenance["certificate"] == said
    assert not hasattr(model.set_params(certify=False).fit(X, y), "error_")


@every
def test_the_metric_is_the_error(y_is, table):
    X, y = table[0], target(y_is, *table)
    small = RandomSubset(10, random_state=0).fit(X, y).distilled_
    assert metrics.coreset_error(X, y, small, 0) == certify(small, X, y).error


def test_the_metric_leaves_out_what_the_method_says_of_itself(table):
    X = table[0]
    small = KMeansCoreset(10, random_state=0).fit(X).distilled_
    boastful = replace(small, provenance={**small.provenance, "offset": 100 * small.provenance["offset"]})
    assert metrics.coreset_error(X, None, boastful) == metrics.coreset_error(X, None, small)
    assert metrics.coreset_error(X, None, small) == certify(small, X, offset=False).error
    # the k-means cost of the mean of the rows, by hand
    center = X.mean(axis=0)
    whole = ((X - center) ** 2).sum()
    on_set = small.sample_weight @ ((small.X - center) ** 2).sum(axis=1)
    step = certify(small, X, offset=False).costs[0]
    np.testing.assert_allclose([step["whole"], step["distilled"]], [whole, on_set], rtol=1e-6)


def test_rows_that_are_all_equal(table):
    X, y = np.ones((50, 3)), np.repeat([0, 1], 25)
    for small in (
        WholeSet().fit(X, y).distilled_,
        KMeansCoreset(2).fit(X, y).distilled_,
        ClassMeans().fit(X, y).distilled_,
    ):
        assert certify(small, X, y).error < 1e-9
    off = DistilledSet(np.full((1, 3), 2.0), sample_weight=[50.0])
    assert certify(off, X).error == np.inf
    assert metrics.coreset_error(X, None, off) is None


def test_frames_are_taken(table):
    X, y = table
    small = RandomSubset(10, random_state=0).fit(X, y).distilled_
    assert certify(small, pd.DataFrame(X), pd.Series(y)).error == pytest.approx(certify(small, X, y).error)


def test_rows_that_do_not_fit_are_refused(table):
    X, y = table
    with pytest.raises(DataError, match="X has rows of 3 features, but the distilled rows have 4"):
        certify(RandomSubset(3).fit(X).distilled_, X[:, :3])
    with pytest.raises(DataError, match="y was given, but the set was distilled without it"):
        certify(RandomSubset(3).fit(X).distilled_, X, y)
    with pytest.raises(DataError, match="y has 399 values, but X has 400 rows"):
        certify(RandomSubset(3).fit(X, y).distilled_, X, y[:-1])
