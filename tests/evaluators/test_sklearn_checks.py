from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from distillkit.evaluators import make_boosting, make_knn, make_logistic, make_mlp, make_ridge

RECIPES = [
    make_logistic("classification", 0),
    make_ridge("regression", 0),
    *(make_knn(task, 0) for task in ("classification", "regression")),
    *(make_boosting(task, 0, max_iter=20) for task in ("classification", "regression")),
    *(make_mlp(task, 0, steps=100, min_epochs=1) for task in ("classification", "regression")),
]


def expected_failures(recipe):
    """Say where a weight is not a number of copies: leaves and batches are counted in rows."""
    if type(recipe).__name__ in ("Boosting", "MLP"):
        return {"check_sample_weight_equivalence_on_dense_data": "leaves and batches are counted in rows"}
    return {}


@parametrize_with_checks(RECIPES, expected_failed_checks=expected_failures)
def test_scikit_learn_check(estimator, check):
    check(estimator)
