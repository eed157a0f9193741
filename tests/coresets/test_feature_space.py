"""Rows are compared in the feature space and come back in their own units."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from distillkit.coresets import KCenterCoreset, KMeansCoreset
from distillkit.exceptions import DataError

PICKING = [KCenterCoreset(budget=6), KMeansCoreset(budget=6, representative="member", random_state=0)]
picking = pytest.mark.parametrize("model", PICKING, ids=["kcenter", "kmeans"])


def spread(X):
    """A column of other units than the rest: distances are all its own."""
    return X * np.array([1000.0, 1, 1, 1, 1])


def with_space(model, space):
    return clone(model).set_params(feature_space=space)


@picking
@pytest.mark.parametrize("y_is", ["classes", "absent"])
def test_picks_are_those_among_the_features_and_rows_those_of_the_data(model, y_is, table):
    X, y = spread(table[0]), table[1] if y_is == "classes" else None
    scaled = StandardScaler().fit_transform(X)
    expected = clone(model).fit(scaled, y)
    found = with_space(model, StandardScaler()).fit(X, y)
    np.testing.assert_array_equal(found.sample_indices_, expected.sample_indices_)
    np.testing.assert_array_equal(found.X_distilled_, X[expected.sample_indices_])
    np.testing.assert_allclose(found.sample_weight_, expected.sample_weight_)
    assert not np.array_equal(found.sample_indices_, clone(model).fit(X, y).sample_indices_)


@picking
def test_new_rows_are_left_alone_and_models_train_in_the_units_of_the_data(model, table):
    found = with_space(model, PCA(2)).fit(*table)
    assert found.distilled_.preprocessing is None
    np.testing.assert_array_equal(found.transform(table[0]), table[0])


def test_a_fitted_transformer_is_used_as_it_is_and_an_unfitted_one_is_left_unfitted(table):
    X, y = spread(table[0]), table[1]
    elsewhere = StandardScaler().fit(100 * X[:, ::-1])
    found = KCenterCoreset(budget=6, feature_space=elsewhere).fit(X, y)
    expected = KCenterCoreset(budget=6).fit(elsewhere.transform(X), y)
    np.testing.assert_array_equal(found.sample_indices_, expected.sample_indices_)
    fresh = StandardScaler()
    KCenterCoreset(budget=6, feature_space=fresh).fit(X, y)
    assert not hasattr(fresh, "mean_")


def test_a_frozen_transformer_survives_cloning(table):
    X, y = spread(table[0]), table[1]
    elsewhere = StandardScaler().fit(100 * X[:, ::-1])
    found = clone(KCenterCoreset(budget=6, feature_space=FrozenEstimator(elsewhere))).fit(X, y)
    expected = KCenterCoreset(budget=6).fit(elsewhere.transform(X), y)
    np.testing.assert_array_equal(found.sample_indices_, expected.sample_indices_)


@picking
def test_a_torch_module_sees_rows_in_their_shape_in_evaluation_mode(model, table):
    X, y = table[0].reshape(300, 1, 5).astype(np.float32), table[1]
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv1d(1, 3, 2), torch.nn.Dropout(0.9), torch.nn.BatchNorm1d(3))
    net.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = with_space(model, net).fit(X, y)
    used = found.feature_space
    assert used.training
    assert all(torch.equal(value, before[name]) for name, value in used.state_dict().items())
    net.eval()
    features = net(torch.from_numpy(X)).detach().numpy().reshape(300, -1)
    np.testing.assert_array_equal(found.sample_indices_, clone(model).fit(features, y).sample_indices_)
    np.testing.assert_array_equal(found.X_distilled_, X[found.sample_indices_])


@picking
def test_a_callable_is_given_the_rows(model, table):
    X, y = spread(table[0]), table[1]
    found = with_space(model, lambda rows: rows[:, 1:]).fit(X, y)
    np.testing.assert_array_equal(found.sample_indices_, clone(model).fit(X[:, 1:], y).sample_indices_)


def test_centroids_are_the_means_of_the_members_own_rows(table):
    X, y = spread(table[0]), table[1]
    parts = KMeansCoreset(budget=4, random_state=0, feature_space=StandardScaler()).fit(X, y)
    scaler = StandardScaler().fit(X)
    expected = KMeansCoreset(budget=4, random_state=0).fit(scaler.transform(X), y)
    np.testing.assert_allclose(
        parts.X_distilled_, scaler.inverse_transform(expected.X_distilled_), rtol=1e-6, atol=1e-6
    )


def test_weights_of_a_prefix_are_scaled_where_distances_were_between_features(table):
    X, y = table
    ranked = KCenterCoreset(budget=6, feature_space=PCA(2)).fit(X, y).distilled_
    prefix = ranked.prefix(3)
    for label in (0, 1, 2):
        assert prefix.sample_weight[prefix.y == label].sum() == pytest.approx(np.sum(y == label))
    with pytest.raises(DataError, match="do not count nearest rows"):
        ranked.prefix(3, X, y)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (lambda X: X[:-1], r"shape \(299, 5\) from 300 rows"),
        (lambda X: X[:, 0], r"shape \(300,\) from 300 rows"),
        (lambda X: X * np.nan, "makes NaN or infinity"),
        (lambda _: "features", "not an array of numbers"),
        (FunctionTransformer(lambda X: X[:, :0]), r"shape \(300, 0\)"),
    ],
)
def test_what_is_no_feature_space_is_refused(space, words, table):
    with pytest.raises(DataError, match=f"feature_space=.*{words}"):
        KCenterCoreset(feature_space=space).fit(*table)


def test_a_feature_space_of_another_kind_is_refused(table):
    with pytest.raises(ValueError, match="'feature_space' parameter of KCenterCoreset"):
        KCenterCoreset(feature_space="pca").fit(*table)
