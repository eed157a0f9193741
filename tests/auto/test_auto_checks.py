"""AutoDistiller passes scikit-learn's checks and ours."""

from distillkit import AutoDistiller
from distillkit.testing import parametrize_with_checks

# One method beside the random subset, a quick judge and few splits: a check fits many times.
QUICK = {"candidates": ("kmeans",), "estimator": "knn", "n_splits": 2, "device": "cpu"}


@parametrize_with_checks([AutoDistiller(**QUICK)])
def test_contract(estimator, check):
    check(estimator)
