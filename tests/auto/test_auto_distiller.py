"""The choice equals one made by hand, keeps what it holds out apart, and says what it did."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import distillkit
from distillkit import AutoDistiller, KMeansCoreset, RandomSubset, distill
from distillkit.base import BaseDistiller
from distillkit.exceptions import DataError, UnknownNameError
from distillkit.tables import TableEncoder

METHODS = {"kmeans": KMeansCoreset, "random": RandomSubset}
QUICK = {"candidates": ["kmeans"], "n_splits": 3, "n_draws": 1, "device": "cpu", "random_state": 0}


def trials_of(report):
    return [(trial, report.splits[trial.split]) for trial in report.trials]


@pytest.fixture(scope="module")
def auto(islands):
    X, y = islands
    return AutoDistiller(8, estimator=KNeighborsClassifier(1), **QUICK).fit(X, y)


def test_the_choice_is_the_method_that_finds_the_small_clusters(auto, islands):
    assert auto.report_.chosen == "kmeans"
    assert auto.report_.tied == ()
    assert isinstance(auto.distiller_, KMeansCoreset)
    assert len(auto.X_distilled_) == 24
    assert "above random on 3 validation splits" in auto.report_.reason


def test_validation_scores_are_those_of_a_fit_by_hand(auto, islands):
    X, y = islands
    assert len(auto.report_.trials) == 6
    for trial, split in trials_of(auto.report_):
        scaler = StandardScaler().fit(X[split.train])
        method = METHODS[trial.method](budget=8, random_state=trial.seed).fit(
            scaler.transform(X[split.train]), y[split.train]
        )
        model = KNeighborsClassifier(1).fit(method.X_distilled_, method.y_distilled_)
        score = balanced_accuracy_score(y[split.validation], model.predict(scaler.transform(X[split.validation])))
        assert trial.scores == pytest.approx((score,))
        assert trial.parts.sum() == pytest.approx(score)


def test_the_rows_returned_are_those_of_the_method_on_all_rows(auto, islands):
    X, y = islands
    scaler = StandardScaler().fit(X)
    seed = auto.report_.trials[0].seed
    by_hand = KMeansCoreset(budget=8, random_state=seed).fit(scaler.transform(X), y)
    np.testing.assert_allclose(auto.X_distilled_, scaler.inverse_transform(by_hand.X_distilled_))
    np.testing.assert_allclose(auto.sample_weight_, by_hand.sample_weight_)
    assert auto.distilled_.provenance["chosen"] == "kmeans"


def test_means_and_errors_are_those_over_the_splits(auto):
    by_method = {
        name: np.array([trial.score for trial in auto.report_.trials if trial.method == name]) for name in METHODS
    }
    first = auto.report_.candidates[0]
    gains = by_method["kmeans"] - by_method["random"]
    assert first.score.mean == pytest.approx(by_method["kmeans"].mean())
    assert first.gain.mean == pytest.approx(gains.mean())
    # Nadeau and Bengio: a quarter of the rows validate, three quarters train.
    assert first.gain.error == pytest.approx(np.sqrt(gains.var(ddof=1) * (1 / 3 + 1 / 3)))


def test_candidates_never_see_the_validation_rows(islands, monkeypatch):
    X, y = islands
    seen = []
    fit = BaseDistiller._fit

    def spy(self, rows, *args, **kwargs):
        if not isinstance(self, AutoDistiller):
            seen.append(np.asarray(rows))
        return fit(self, rows, *args, **kwargs)

    monkeypatch.setattr(BaseDistiller, "_fit", spy)
    report = AutoDistiller(4, **QUICK).fit(X, y).report_
    assert len(seen) == len(report.trials) + 1  # and the last fit, to all rows
    for rows, (_, split) in zip(seen, trials_of(report), strict=False):
        assert not set(split.train) & set(split.validation)
        np.testing.assert_allclose(rows, StandardScaler().fit_transform(X[split.train]), atol=1e-9)
    assert len(seen[-1]) == len(X)


def test_each_class_validates_in_proportion_and_keeps_what_the_budget_needs():
    y = np.repeat([0, 1], [400, 12])
    X = np.random.default_rng(0).normal(size=(412, 3)) + y[:, None]
    report = AutoDistiller({0: 10, 1: 10}, **QUICK).fit(X, y).report_
    for split in report.splits:
        assert np.bincount(y[split.validation]).tolist() == [100, 2]
        assert np.bincount(y[split.train]).tolist() == [300, 10]


def test_the_same_seed_gives_the_same_choice_bit_for_bit(islands):
    first, second = (AutoDistiller(0.05, n_splits=4, max_seconds=None, **_but(QUICK)).fit(*islands) for _ in "ab")
    np.testing.assert_array_equal(first.X_distilled_, second.X_distilled_)
    assert [one.scores for one in first.report_.trials] == [one.scores for one in second.report_.trials]
    assert not first.report_.ended_early


def _but(options):
    return {name: value for name, value in options.items() if name != "n_splits"}


def test_random_rows_are_taken_where_nothing_is_better():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 200)
    X = rng.normal(size=(400, 3)) + 30 * y[:, None]
    auto = AutoDistiller(5, candidates=["kmeans", "herding"], n_splits=3, n_draws=2, random_state=0).fit(X, y)
    assert auto.report_.chosen == "random"
    assert set(auto.report_.tied) == {"kmeans", "herding"}
    assert "cannot be told apart" in auto.report_.reason
    assert hasattr(auto, "sample_indices_")


def test_a_method_that_fails_is_dropped_with_its_error(islands):
    X, y = islands
    report = AutoDistiller(3, candidates=["kmeans", "surrogates", "streaming"], n_splits=2).fit(X, y).report_
    assert {one.name for one in report.left_out} == {"surrogates", "streaming"}
    assert "table" in report.left_out[0].reasons[0]


def test_the_judge_of_the_user_decides(islands):
    X, y = islands
    for judge in (LogisticRegression(), "logistic", make_pipeline(StandardScaler(), LogisticRegression())):
        report = AutoDistiller(2, estimator=judge, **QUICK).fit(X, y).report_
        assert len(report.judges) == 1
        assert report.situation.gradients
    assert not AutoDistiller(2, estimator=RandomForestClassifier(5), **QUICK).fit(X, y).report_.situation.gradients


def test_two_judges_of_different_kinds_are_the_default(islands):
    assert AutoDistiller(2, **QUICK).fit(*islands).report_.judges == ("logistic", "forest")


def test_regression_is_judged_by_r2_on_the_rows_held_out():
    X, y = load_diabetes(return_X_y=True)
    report = AutoDistiller(20, estimator=Ridge(), **QUICK).fit(X, y).report_
    assert report.measure == "R2"
    for trial, split in trials_of(report):
        scaler = StandardScaler().fit(X[split.train])
        method = METHODS[trial.method](budget=20, random_state=trial.seed).fit(
            scaler.transform(X[split.train]), y[split.train]
        )
        model = Ridge().fit(method.X_distilled_, method.y_distilled_, sample_weight=method.sample_weight_)
        score = r2_score(y[split.validation], model.predict(scaler.transform(X[split.validation])))
        assert trial.scores == pytest.approx((max(score, -1.0),))


def test_a_mixed_table_keeps_its_columns(islands):
    X, y = islands
    frame = pd.DataFrame(X[:, :3], columns=["a", "b", "c"]).assign(kind=np.where(X[:, 3] > 0, "up", "down"))
    frame.loc[::7, "a"] = None
    auto = AutoDistiller(3, estimator=make_pipeline(TableEncoder(), LogisticRegression()), **QUICK)
    rows, labels = auto.fit_resample(frame, y)
    assert list(rows.columns) == list(frame.columns)
    assert set(rows["kind"]) <= {"up", "down"}
    assert len(labels) == 9
    by_hand = METHODS[auto.report_.chosen](budget=3, random_state=auto.report_.trials[0].seed).fit(frame, y)
    pd.testing.assert_frame_equal(auto.distilled_.to_frame(), by_hand.distilled_.to_frame())


def test_weights_reach_the_methods(islands):
    X, y = islands
    weight = np.arange(len(X)) % 3 + 0.0
    auto = AutoDistiller(3, **QUICK).fit(X, y, sample_weight=weight)
    assert auto.sample_weight_.sum() == pytest.approx(weight.sum())


def test_soft_labels_are_probabilities(islands):
    pytest.importorskip("torch")
    X, y = islands
    auto = AutoDistiller(3, labels="soft", candidates=["soft-kmeans"], n_splits=1, random_state=0).fit(X[::3], y[::3])
    assert auto.soft_labels_.shape == (9, 3)
    assert {one.name for one in auto.report_.candidates} == {"soft-random", "soft-kmeans"}


def test_the_report_in_words_html_and_values(auto):
    text = str(auto.report_)
    assert text.startswith("Chosen: kmeans.")
    assert max(map(len, text.splitlines())) <= 80
    assert "24 of 900 rows are kept" in text.replace("\n", " ")
    page = auto.report_._repr_html_()
    assert "<table>" in page
    assert "Chosen: kmeans." in page
    plain = json.loads(json.dumps(auto.report_.to_dict()))
    assert plain["candidates"][0]["name"] == "kmeans"
    assert len(plain["trials"]) == len(auto.history_)


def test_the_function_returns_the_set_with_its_report(tmp_path, islands):
    X, y = islands
    small = distill(X, y, budget=4, seconds=20, candidates=["kmeans"])
    assert len(small) == 12
    assert small.report_.chosen in METHODS
    loaded = distillkit.DistilledSet.load(small.save(tmp_path / "small.safetensors"))
    assert loaded.provenance["chosen"] == small.report_.chosen
    assert loaded.provenance["choice"]["reason"] == small.report_.reason


def test_a_clone_takes_part_in_a_pipeline(islands):
    X, y = islands
    model = distillkit.make_pipeline(StandardScaler(), AutoDistiller(4, **QUICK), KNeighborsClassifier(1))
    assert clone(model).fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"candidates": ["kmean"]}, UnknownNameError, "kmeans"),
        ({"candidates": ["auto"]}, None, ""),
        ({"estimator": "logistics"}, UnknownNameError, "logistic"),
        ({"estimator": LogisticRegression}, DataError, "unfitted"),
        ({"labels": "both"}, ValueError, "labels"),
        ({"n_splits": 0}, ValueError, "n_splits"),
        ({"privacy": True, "candidates": ["herding"]}, DataError, "no method can be used"),
    ],
)
def test_bad_parameters_are_named(options, error, words):
    X, y = load_iris(return_X_y=True)
    auto = AutoDistiller(3, **{**QUICK, **options})
    if error is None:  # It is left out, so that the random subset remains.
        assert auto.fit(X, y).report_.chosen == "random"
        return
    with pytest.raises(error, match=words):
        auto.fit(X, y)


def test_soft_labels_need_a_target():
    with pytest.raises(DataError, match="needs y"):
        AutoDistiller(3, labels="soft", **QUICK).fit(load_iris().data)


def test_the_draw_that_teaches_most_of_the_rows_outside_of_it_is_returned(islands):
    X, y = islands
    judge = KNeighborsClassifier(1)
    options = {**QUICK, "candidates": ["random"], "n_draws": 4}
    auto = AutoDistiller(3, estimator=judge, **options).fit(X, y)
    draws = auto.report_.draws
    seed = auto.report_.trials[0].seed
    assert list(draws) == [seed, seed + 1, seed + 2, seed + 3]
    scaled = StandardScaler().fit_transform(X)
    for drawn, score in draws.items():
        taken = RandomSubset(budget=3, random_state=drawn).fit(scaled, y).sample_indices_
        outside = np.setdiff1d(np.arange(len(X)), taken)
        model = KNeighborsClassifier(1).fit(scaled[taken], y[taken])
        assert score == pytest.approx(balanced_accuracy_score(y[outside], model.predict(scaled[outside])))
    assert auto.report_.seed == max(draws, key=draws.get)
    best = RandomSubset(budget=3, random_state=auto.report_.seed).fit(scaled, y)
    np.testing.assert_array_equal(auto.sample_indices_, best.sample_indices_)
    assert "Of 4 draws of random on all rows" in str(auto.report_).replace("\n", " ")


def test_a_method_without_randomness_is_drawn_once(islands):
    auto = AutoDistiller(3, **{**QUICK, "candidates": ["kcenter"], "n_draws": 4}).fit(*islands)
    assert auto.report_.chosen == "kcenter"
    assert auto.report_.draws == {}
