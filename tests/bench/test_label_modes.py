"""Sets that teach by probabilities: planned for models that can learn from them, and never compared with others."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from distillkit import RandomSubset, SoftLabels, evaluate
from distillkit.bench.evaluation._evaluate import label_mode, train_and_predict
from distillkit.bench.execution._jobs import build_distiller
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.bench.planning._make_plan import make_plan
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError, UnknownNameError
from distillkit.plugins import get_manager
from distillkit.utils._soft_labels import expand_soft_labels

SUITE = """
datasets = ["iris"]
methods = ["random", "soft-random"]
evaluators = ["logistic", "knn"]
budgets = [2]
splits = 1
controls = false
seeds = 1
"""


@pytest.fixture(scope="module")
def taught():
    X, y = load_iris(return_X_y=True)
    teacher = LogisticRegression(max_iter=1000)
    return X, y, SoftLabels(RandomSubset(budget=5), teacher, temperature=3.0, random_state=0).fit(X, y).distilled_


def test_cells_of_a_soft_method_are_soft_and_skipped_for_models_that_need_labels():
    cells = {(cell.method, cell.evaluator): cell for cell in make_plan(parse_suite(SUITE)).cells}
    assert {key: cell.label_mode for key, cell in cells.items()} == {
        ("random", "logistic"): "hard",
        ("random", "knn"): "hard",
        ("soft-random", "logistic"): "soft",
        ("soft-random", "knn"): "soft",
    }
    assert cells["soft-random", "logistic"].skip is None
    assert "knn does not learn from soft labels" in cells["soft-random", "knn"].skip
    assert cells["soft-random", "logistic"].method_params == {"distiller": "random"}


def test_the_method_inside_gets_the_budget_and_the_seed():
    made = build_distiller("soft-random", {"distiller": "kmeans:medoids", "temperature": 2.0}, "classification", 7, 5)
    assert type(made.distiller).__name__ == "KMeansCoreset"
    assert (made.distiller.budget, made.distiller.random_state, made.distiller.representative) == (7, 5, "member")
    assert (made.temperature, made.random_state) == (2.0, 5)
    with pytest.raises(UnknownNameError, match="preset of kmeans"):
        build_distiller("soft-random", {"distiller": "kmeans:no"}, "classification", 7, 5)


def test_a_model_without_soft_labels_of_its_own_learns_from_weighted_copies(taught):
    X, _, small = taught
    assert label_mode(small) == "soft"
    outcome = train_and_predict(small, X, get_manager().get("evaluator", "logistic"), "classification", 0)
    rows, labels, weight = expand_soft_labels(small.X, small.soft_labels, small.classes, small.sample_weight)
    by_hand = LogisticRegression(max_iter=10_000).fit(rows, labels, sample_weight=weight).predict(X)
    assert np.mean(outcome.predictions == by_hand) > 0.98


def test_numbers_of_a_teacher_are_learned_in_place_of_the_targets():
    rng = np.random.RandomState(0)
    X = rng.randn(40, 3)
    small = DistilledSet(
        X, y=rng.randn(40), soft_labels=(X @ [1.0, 2.0, 3.0])[:, None], provenance={"task": "regression"}
    )
    outcome = train_and_predict(small, X, get_manager().get("evaluator", "ridge"), "regression", 0)
    assert np.corrcoef(outcome.predictions, X @ [1.0, 2.0, 3.0])[0, 1] > 0.99


def test_models_that_cannot_are_left_out_or_refused_by_name(taught):
    X, y, small = taught
    table = evaluate(small, X, y, metrics=["accuracy"], evaluators=["logistic", "forest"])
    assert (table["accuracy"] > 0.8).all()
    with pytest.raises(DataError, match="evaluator 'knn' does not learn from soft labels, which this set has: leave"):
        evaluate(small, X, y, metrics=["accuracy"], evaluators=["logistic", "knn"])
