"""Tests of the estimator: groups, weights, targets, parameters and the estimator contracts."""

from __future__ import annotations

import numpy as np
import pytest
from distillkit_herding import KernelHerdingCoreset
from distillkit_herding._gaussian import herd_gaussian, median_bandwidth
from sklearn.datasets import load_diabetes, load_iris

from distillkit.testing import parametrize_with_checks


@parametrize_with_checks([KernelHerdingCoreset(), KernelHerdingCoreset(bandwidth=2.0)])
def test_contract(estimator, check):
    check(estimator)


def test_each_class_is_herded_on_its_own():
    X, y = load_iris(return_X_y=True)
    keep = np.r_[0:50, 50:80, 100:112]
    X, y = X[keep], np.array(["setosa", "versicolor", "virginica"])[y[keep]]
    herding = KernelHerdingCoreset(budget=5).fit(X, y)
    for label, count in {"setosa": 50, "versicolor": 30, "virginica": 12}.items():
        rows = np.flatnonzero(y == label)
        bandwidth = median_bandwidth(X[rows], np.random.RandomState(0))
        expected = herd_gaussian(X[rows], 5, bandwidth)
        ours = herding.y_distilled_ == label
        assert herding.sample_indices_[ours].tolist() == rows[expected[0]].tolist()
        assert herding.sample_weight_[ours] == pytest.approx(count / 5)
        record = next(record for record in herding.history_ if record["label"] == label)
        assert (record["rows"], record["size"]) == (count, 5)
        assert record["error"] == pytest.approx(expected[1])
        assert record["bandwidth"] == pytest.approx(bandwidth)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e6])
def test_a_continuous_target_is_one_more_standardized_feature(scale):
    X, y = load_diabetes(return_X_y=True)
    joint = np.column_stack([X, (y - y.mean()) / y.std()])
    herding = KernelHerdingCoreset(budget=25, bandwidth=0.7).fit(X, y * scale)
    assert herding.sample_indices_.tolist() == herd_gaussian(joint, 25, 0.7)[0].tolist()
    assert herding.y_distilled_.mean() == pytest.approx(scale * y.mean(), rel=0.05)


def test_without_a_target_all_rows_are_one_class_and_a_constant_target_changes_nothing():
    X = load_diabetes().data
    picks = herd_gaussian(X, 12, 0.7)[0].tolist()
    assert KernelHerdingCoreset(budget=12, bandwidth=0.7).fit(X).sample_indices_.tolist() == picks
    constant = KernelHerdingCoreset(budget=12, bandwidth=0.7, task="regression").fit(X, np.full(len(X), 2.5))
    assert constant.sample_indices_.tolist() == picks


def test_a_given_bandwidth_is_used():
    X = load_iris().data
    small, large = (KernelHerdingCoreset(budget=30, bandwidth=width).fit(X) for width in (0.05, 50.0))
    assert small.sample_indices_.tolist() == herd_gaussian(X, 30, 0.05)[0].tolist()
    assert small.sample_indices_.tolist() != large.sample_indices_.tolist()


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, "wide"])
def test_a_bad_bandwidth_is_refused_in_fit(bandwidth):
    with pytest.raises(ValueError, match="'bandwidth' parameter"):
        KernelHerdingCoreset(bandwidth=bandwidth).fit(np.eye(4))
