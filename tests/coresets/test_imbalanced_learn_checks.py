"""Coresets pass the checks that imbalanced-learn runs on its samplers, as far as these fit coresets."""

from __future__ import annotations

import inspect

import pytest
from sklearn.utils import get_tags

import distillkit
from distillkit import coresets
from distillkit.base import BaseDistiller

checks = pytest.importorskip("imblearn.utils.estimator_checks")

NAMES = sorted(
    name
    for name in set(distillkit.__all__) & set(dir(coresets))
    if isinstance(cls := getattr(coresets, name), type) and issubclass(cls, BaseDistiller)
)
# Checks that a coreset cannot pass by design. Any other check of a later version runs here as well.
NOT_FOR_CORESETS = {
    "check_samplers_one_label": "a coreset of one class is a coreset; nothing has to be balanced",
    "check_samplers_fit": "sampling_strategy_ is imbalanced-learn's own; a coreset has a budget",
    "check_samplers_sampling_strategy_fit_resample": "the same",
    "check_samplers_list": "lists come back as arrays",
    "check_samplers_multiclass_ova": "y is one column of labels or numbers",
    "check_samplers_sample_indices": "asks for a tag of imbalanced-learn's own",
    "check_samplers_string": "text in arrays is refused; frames may hold it",
    "check_samplers_nan": "gaps in arrays are refused; frames may have them",
    "check_samplers_pandas_sparse": "a frame of sparse columns is taken as a sparse matrix",
}
CHECKS = sorted(
    name
    for name, check in vars(checks).items()
    if name.startswith("check_sampler") and inspect.isfunction(check) and name not in NOT_FOR_CORESETS
)


def takes(name, check):
    """Whether a coreset takes what a check gives it."""
    selects = name not in ("ClassMeans", "KMeansCoreset")
    return check != "check_samplers_sparse" or (selects and get_tags(getattr(coresets, name)()).input_tags.sparse)


@pytest.mark.parametrize(("name", "check"), [(name, check) for name in NAMES for check in CHECKS if takes(name, check)])
@pytest.mark.filterwarnings("ignore")
def test_coresets_pass_the_checks_of_imbalanced_learn(name, check):
    cls = getattr(coresets, name)
    params = {"random_state": 0} if "random_state" in inspect.signature(cls).parameters else {}
    getattr(checks, check)(name, cls(**params))
