"""What is measured of data, what is estimated, and what the answers look like."""

import tomllib

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import distillkit
from distillkit.advice._data import Data
from distillkit.advice._extrapolation import extrapolate
from distillkit.advice._probe import Probe
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.budget import Budget
from distillkit.exceptions import BudgetError, DataError


def advise(X, y, budget=5, **options):
    return distillkit.recommend(X, y, budget, **{"probe_seconds": 0, "device": "cpu", **options})


@pytest.fixture(scope="module")
def table():
    X, y = make_classification(1500, 8, n_informative=6, n_clusters_per_class=4, random_state=0)
    return X, y


def test_a_small_table_gets_a_simple_method():
    advice = advise(*load_iris(return_X_y=True))
    assert advice.situation.small
    assert advice.best.kind in ("coreset", "control")


def test_rows_of_which_any_few_are_enough_get_the_random_subset():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 1000)
    X = rng.normal(size=(2000, 4)) + 20 * y[:, None]
    advice = advise(X, y)
    assert advice.situation.homogeneous
    assert advice.best.name == "random"


def test_varied_rows_are_not_homogeneous(table):
    situation = advise(*table).situation
    assert not situation.homogeneous
    assert situation.loss == pytest.approx(situation.score_all - situation.score_random)


def test_imbalance_mixed_columns_and_gaps_are_counted():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"city": rng.choice(["Rome", "Oslo"], 600), "size": rng.normal(size=600), "age": 1})
    frame.loc[:50, "size"] = np.nan
    y = np.repeat(["no", "yes"], [570, 30])
    situation = advise(frame, y).situation
    assert (situation.imbalance, situation.n_mixed, situation.n_gaps) == (19.0, 1, 1)
    assert (situation.budget_rows, situation.n_classes) == (10, 2)


def test_a_continuous_target_is_regression():
    advice = advise(*load_diabetes(return_X_y=True), budget=0.1)
    assert advice.situation.task == "regression"
    assert advice.situation.budget_rows == 44
    assert "forgetting" in {one.name for one in advice.excluded}


@pytest.mark.parametrize(("shape", "modality"), [((1, 20), "series"), ((1, 6, 6), "image")])
def test_the_shape_tells_series_and_images(shape, modality):
    rng = np.random.default_rng(0)
    advice = advise(rng.normal(size=(60, *shape)), np.arange(60) % 3)
    assert advice.situation.modality == modality
    assert "trees" in {one.name for one in advice.excluded}


def test_the_model_decides_whether_there_are_gradients(table):
    forest = advise(*table, estimator=RandomForestClassifier(5)).situation
    linear = advise(*table, estimator=make_pipeline(StandardScaler(), LogisticRegression())).situation
    assert (forest.gradients, forest.linear) == (False, False)
    assert (linear.gradients, linear.linear) == (True, True)


def test_a_pipeline_gets_the_frame_as_it_is():
    frame = pd.DataFrame({"city": ["Rome", "Oslo"] * 50, "size": np.arange(100.0)})
    distillkit.recommend(
        frame,
        np.repeat([0, 1], 50),
        5,
        probe_seconds=0,
        device="cpu",
        estimator=make_pipeline(distillkit.tables.TableEncoder(), LogisticRegression()),
    )


def test_the_suite_is_one_that_run_takes(table):
    advice = advise(*table, seconds=7.5)
    text = advice.to_suite({"path": 'a "b".csv', "target": "y"}, "mine")
    suite = parse_suite(text, "mine.toml")
    assert suite.methods[0].name == advice.best.name
    assert [one.name for one in suite.methods if one.name == "random"] == ["random"]
    assert suite.methods[-1].name == "auto"
    assert suite.settings["auto"] == {"max_seconds": 7.5}
    assert suite.evaluators
    assert tomllib.loads(text)["datasets"] == [{"path": 'a "b".csv', "target": "y"}]


def test_a_private_suite_has_no_controls(table):
    advice = advise(*table, privacy=True)
    suite = parse_suite(advice.to_suite("digits"), "mine.toml")
    assert not suite.controls
    assert suite.methods[-1].name == "auto:private"
    assert "random" not in {one.name for one in advice.methods}


def test_the_text_says_what_was_measured_and_why(table):
    text = str(advise(*table, seconds=7.5))
    assert "1500 rows with 8 values" in text
    assert "1. " in text
    assert "Left out:" in text


@pytest.mark.parametrize(
    ("cost", "n_rows"), [(lambda n: 0.1 + n / 1e4, 1e5), (lambda n: n**1.5 / 1e6, 1e5), (lambda n: 0.3 + 0 * n, 1e6)]
)
def test_extrapolation_is_exact_for_its_parts(cost, n_rows):
    sizes = [200, 600, 1800]
    assert extrapolate(sizes, [cost(n) for n in sizes], int(n_rows)) == pytest.approx(cost(n_rows), rel=1e-6)


def test_one_size_is_taken_as_proportional():
    assert extrapolate([100], [0.5], 1000) == pytest.approx(5.0)


def test_all_rows_are_measured_where_they_are_few():
    assert extrapolate([100, 300], [0.5, 0.7], 300) == 0.7


def test_any_beginning_of_the_order_has_the_classes_in_proportion(table):
    X, y = table
    labels = np.where(np.arange(len(y)) < 60, 2, y)
    data = Data(X, labels, Budget(5))
    assert sorted(data.order) == list(range(len(y)))
    for size in (100, 400):
        part = np.bincount(labels[data.order[:size]]) / size
        assert part == pytest.approx(np.bincount(labels) / len(y), abs=0.03)
    assert (np.bincount(labels[data.order[:6]]) == 2).all()


@pytest.mark.parametrize("budget", [5, 0.1, {0: 3, 1: 9}])
def test_estimates_are_positive_and_methods_are_fitted_to_samples(table, budget):
    estimate = Probe(Data(*table, Budget(budget)), "cpu").estimate("kmeans", None, 0.05)
    assert estimate.seconds > 0
    assert estimate.memory_mb > 0


def test_a_limit_bounds_the_estimate_of_a_method_that_takes_steps(table):
    pytest.importorskip("torch")
    estimate = Probe(Data(*table, Budget(5)), "cpu").estimate("distribution-matching", 30.0, 0.05)
    assert 30 <= estimate.seconds < 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0}, "seconds=0"),
        ({"seconds": float("nan")}, "seconds=nan"),
        ({"seconds": "soon"}, "seconds='soon'"),
        ({"probe_seconds": -1}, "probe_seconds=-1"),
        ({"device": "quantum"}, "device='quantum'"),
        ({"estimator": RandomForestClassifier}, "estimator="),
        ({"y": None}, "y=None"),
        ({"y": [0, 1]}, "one target for each row"),
        ({"y": np.zeros(1500, dtype=int)}, "only the class"),
        ({"X": np.zeros(1500)}, "shape"),
        ({"X": np.full((1500, 2), np.nan)}, "NaN"),
        ({"X": np.full((1500, 2), "a")}, "frame"),
    ],
)
def test_bad_input_is_named(table, options, message):
    given = {"X": table[0], "y": table[1], **options}
    with pytest.raises(DataError, match=message):
        advise(given.pop("X"), given.pop("y"), **given)


def test_a_budget_over_the_rows_is_refused(table):
    with pytest.raises(BudgetError, match="asks for"):
        advise(*table, budget=5000)
