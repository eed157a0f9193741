"""The estimator: groups, weights, targets and parameters; and the contracts of distillkit and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from distillkit_herding import HerdingCoreset, KernelHerdingCoreset
from distillkit_herding._gaussian import herd_gaussian, median_bandwidth
from distillkit_herding._mean import herd_mean
from sklearn.datasets import load_diabetes, load_iris

from distillkit.testing import parametrize_with_checks


@parametrize_with_checks([HerdingCoreset(), HerdingCoreset(kernel="gaussian"), KernelHerdingCoreset()])
def test_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kernel", ["mean", "gaussian"])
def test_each_class_is_herded_on_its_own(kernel):
    X, y = load_iris(return_X_y=True)
    keep = np.r_[0:50, 50:80, 100:112]
    X, y = X[keep], np.array(["setosa", "versicolor", "virginica"])[y[keep]]
    herding = HerdingCoreset(budget=5, kernel=kernel).fit(X, y)
    for label, count in {"setosa": 50, "versicolor": 30, "virginica": 12}.items():
        rows = np.flatnonzero(y == label)
        bandwidth = median_bandwidth(X[rows], np.random.RandomState(0))
        expected = herd_mean(X[rows], 5) if kernel == "mean" else herd_gaussian(X[rows], 5, bandwidth)
        ours = herding.y_distilled_ == label
        assert herding.sample_indices_[ours].tolist() == rows[expected[0]].tolist()
        assert herding.sample_weight_[ours] == pytest.approx(count / 5)
        record = next(record for record in herding.history_ if record["label"] == label)
        assert (record["rows"], record["size"]) == (count, 5)
        assert record["error"] == pytest.approx(expected[1])
        assert record["bandwidth"] == (None if kernel == "mean" else pytest.approx(bandwidth))


@pytest.mark.parametrize("kernel", ["mean", "gaussian"])
@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e6])
def test_a_continuous_target_is_one_more_standardized_feature(kernel, scale):
    X, y = load_diabetes(return_X_y=True)
    joint = np.column_stack([X, (y - y.mean()) / y.std()])
    rule = herd_mean if kernel == "mean" else lambda points, size: herd_gaussian(points, size, 0.7)
    herding = HerdingCoreset(budget=25, kernel=kernel, bandwidth=0.7).fit(X, y * scale)
    assert herding.sample_indices_.tolist() == rule(joint, 25)[0].tolist()
    assert herding.y_distilled_.mean() == pytest.approx(scale * y.mean(), rel=0.05)


def test_without_a_target_all_rows_are_one_class_and_a_constant_target_changes_nothing():
    X = load_diabetes().data
    picks = herd_mean(X, 12)[0].tolist()
    assert HerdingCoreset(budget=12).fit(X).sample_indices_.tolist() == picks
    constant = HerdingCoreset(budget=12, task="regression").fit(X, np.full(len(X), 2.5))
    assert constant.sample_indices_.tolist() == picks


def test_a_given_bandwidth_is_used():
    X = load_iris().data
    small, large = (HerdingCoreset(budget=30, kernel="gaussian", bandwidth=width).fit(X) for width in (0.05, 50.0))
    assert small.sample_indices_.tolist() == herd_gaussian(X, 30, 0.05)[0].tolist()
    assert small.sample_indices_.tolist() != large.sample_indices_.tolist()


def test_the_named_kernel_herding_is_the_same_estimator():
    X, y = load_iris(return_X_y=True)
    named, plain = KernelHerdingCoreset(budget=4).fit(X, y), HerdingCoreset(budget=4, kernel="gaussian").fit(X, y)
    assert named.sample_indices_.tolist() == plain.sample_indices_.tolist()
    assert named.get_params() == plain.get_params()


@pytest.mark.parametrize(
    ("params", "message"), [({"kernel": "rbf"}, "'kernel' parameter"), ({"bandwidth": 0.0}, "'bandwidth' parameter")]
)
def test_bad_parameters_are_refused_in_fit(params, message):
    with pytest.raises(ValueError, match=message):
        HerdingCoreset(**params).fit(np.eye(4))
