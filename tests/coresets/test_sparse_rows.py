"""Sparse rows: the result is that of the same rows as an array, and selected rows stay sparse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import OneHotEncoder

from distillkit import (
    ClassMeans,
    CraigCoreset,
    Distilled,
    DistilledSet,
    FacilityLocationCoreset,
    HerdingCoreset,
    KCenterCoreset,
    KMeansCoreset,
    LightweightCoreset,
    RandomSubset,
    SensitivityCoreset,
    StreamingCoreset,
    WholeSet,
    make_pipeline,
)
from distillkit.coresets.sampling import _two_pass
from distillkit.exceptions import NotEnoughMemoryError
from distillkit.utils import _sparse

METHODS = [
    RandomSubset(budget=4, random_state=0),
    ClassMeans(),
    WholeSet(),
    KMeansCoreset(budget=4, random_state=0),
    KMeansCoreset(budget=4, representative="member", random_state=0),
    KMeansCoreset(budget=4, spherical=True, random_state=0),
    KCenterCoreset(budget=4),
    HerdingCoreset(budget=4),
    FacilityLocationCoreset(budget=4),
    FacilityLocationCoreset(budget=4, metric="cosine"),
    LightweightCoreset(budget=4, random_state=0),
    SensitivityCoreset(budget=4, random_state=0),
]
method = pytest.mark.parametrize("distiller", METHODS)
CONTAINERS = [sparse.csr_matrix, sparse.csr_array, sparse.csc_array, sparse.coo_matrix]


def rows_of(n=60, d=30, seed=0):
    rng = np.random.RandomState(seed)
    X = np.where(rng.uniform(size=(n, d)) < 0.2, rng.poisson(3, size=(n, d)) + 1.0, 0)
    return X, np.arange(n) % 3


def assert_same(found, expected):
    kept = hasattr(expected, "sample_indices_")
    assert sparse.issparse(found.X_distilled_) == kept
    X = found.X_distilled_.toarray() if kept else found.X_distilled_
    np.testing.assert_allclose(X, expected.X_distilled_, rtol=1e-5, atol=1e-6)
    assert X.dtype == expected.X_distilled_.dtype
    np.testing.assert_allclose(found.distilled_.X, expected.distilled_.X, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.sample_weight_, expected.sample_weight_, rtol=1e-9)
    if expected.y_distilled_ is None:
        assert found.y_distilled_ is None
    else:
        np.testing.assert_allclose(found.y_distilled_, expected.y_distilled_)
    if kept:
        np.testing.assert_array_equal(found.sample_indices_, expected.sample_indices_)


@method
@pytest.mark.parametrize("target", ["classes", "numbers", "none"])
def test_the_result_is_that_of_the_array(distiller, target):
    X, y = rows_of()
    y = {"classes": y, "numbers": X[:, 0] + 0.5, "none": None}[target]
    weight = np.random.RandomState(1).randint(0, 4, size=60)
    for weights in (None, weight):
        expected = distiller.fit(X, y, weights).distilled_, distiller.__dict__.copy()
        stored = type("Fitted", (), expected[1])
        assert_same(distiller.fit(sparse.csr_array(X), y, weights), stored)


@method
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_is_taken_and_selected_rows_are_csr_of_its_kind(distiller, container):
    X, y = rows_of()
    rows, labels = distiller.fit_resample(container(X), y)
    if hasattr(distiller, "sample_indices_"):
        assert rows.format == "csr"
        assert isinstance(rows, sparse.sparray) == isinstance(container(X), sparse.sparray)
        np.testing.assert_array_equal(rows.toarray(), X[distiller.sample_indices_])
    else:
        assert isinstance(rows, np.ndarray)
    assert rows.shape[0] == len(labels) == len(distiller.distilled_)
    transformed = distiller.transform(container(X))
    assert transformed.format == "csr"
    np.testing.assert_array_equal(transformed.toarray(), X)
    np.testing.assert_array_equal(distiller.transform(X), X)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, bool])
def test_selected_rows_keep_their_dtype(dtype):
    X, y = rows_of()
    X = X.astype(dtype)
    for distiller in (KCenterCoreset(budget=3), KMeansCoreset(budget=3, random_state=0)):
        expected = type("Fitted", (), distiller.fit(X, y).__dict__.copy())
        assert_same(distiller.fit(sparse.csr_matrix(X), y), expected)


@method
def test_columns_without_values_change_nothing(distiller):
    X, y = rows_of()
    wide = sparse.hstack([sparse.csr_array((60, 3000)), sparse.csr_array(X), sparse.csr_array((60, 3000))]).tocsr()
    expected = distiller.fit(X, y).X_distilled_
    indices = getattr(distiller, "sample_indices_", None)
    found = distiller.fit(wide, y).X_distilled_
    if indices is None:
        np.testing.assert_allclose(found[:, 3000:3030], expected, rtol=1e-5, atol=1e-6)
        assert not found[:, :3000].any()
    elif not isinstance(distiller, (LightweightCoreset, SensitivityCoreset)):
        np.testing.assert_array_equal(distiller.sample_indices_, indices)


def test_duplicate_entries_are_summed_and_the_input_is_untouched():
    X = sparse.csr_matrix(([1.0, 2.0, 5.0, 1.0], ([0, 0, 1, 2], [0, 0, 1, 0])), shape=(3, 2))
    raw = sparse.csr_matrix((np.array([1.0, 2, 5, 1]), np.array([0, 0, 1, 0]), np.array([0, 2, 3, 4])), shape=(3, 2))
    small = LightweightCoreset(budget=3, random_state=0).fit(raw)
    np.testing.assert_array_equal(np.sort(small.X_distilled_.toarray(), axis=0), np.sort(X.toarray(), axis=0))
    assert raw.nnz == 4
    expected = LightweightCoreset(budget=2, random_state=0).fit(X.toarray()).inclusion_probabilities_
    found = LightweightCoreset(budget=2, random_state=0).fit(raw).inclusion_probabilities_
    np.testing.assert_allclose(found, expected)


def test_lightweight_makes_only_blocks_of_rows_dense(monkeypatch):
    X, y = rows_of()
    sizes = []

    def noting(part, rows=None):
        made = _sparse.dense_rows(part, rows)
        sizes.append(len(made))
        return made

    monkeypatch.setattr(_sparse, "_BLOCK_BYTES", 8 * 30 * 7)
    monkeypatch.setattr(_two_pass, "dense_rows", noting)
    small = LightweightCoreset(budget=4, random_state=0).fit(sparse.csr_array(X), y)
    assert max(sizes) == 7
    expected = LightweightCoreset(budget=4, random_state=0).fit(X, y)
    np.testing.assert_array_equal(small.sample_indices_, expected.sample_indices_)


def test_rows_too_large_for_a_dense_copy_are_refused_with_the_remedy():
    X = sparse.random(4, 2**20, density=1e-4, format="csr", random_state=0)
    huge = sparse.csr_array((X.data, X.indices, X.indptr), shape=(4, 2**44))
    with pytest.raises(NotEnoughMemoryError, match="TruncatedSVD"):
        _sparse.dense_rows(huge)
    assert KCenterCoreset(budget=2).fit(X).X_distilled_.shape == (2, 2**20)


def test_a_feature_space_takes_the_sparse_rows():
    X, y = rows_of()
    space = TruncatedSVD(5, random_state=0)
    expected = type("Fitted", (), KMeansCoreset(4, feature_space=space, random_state=0).fit(X, y).__dict__.copy())
    assert_same(KMeansCoreset(4, feature_space=space, random_state=0).fit(sparse.csr_matrix(X), y), expected)
    KCenterCoreset(4, feature_space=PCA(3)).fit(sparse.csr_matrix(X), y)


def test_files_prefixes_and_certificates_are_those_of_the_array(tmp_path):
    X, y = rows_of()
    S = sparse.csr_matrix(X)
    small = KCenterCoreset(budget=5, certify=True).fit(S, y)
    dense = KCenterCoreset(budget=5, certify=True).fit(X, y)
    assert small.error_ == pytest.approx(dense.error_)
    again = DistilledSet.load(small.distilled_.save(tmp_path / "small.safetensors"))
    np.testing.assert_array_equal(again.X, dense.X_distilled_)
    np.testing.assert_array_equal(
        small.distilled_.prefix(2, S, y).sample_weight, dense.distilled_.prefix(2, X, y).sample_weight
    )


@pytest.mark.parametrize("distiller", [CraigCoreset(), StreamingCoreset()])
def test_other_methods_refuse_sparse_rows(distiller):
    X, y = rows_of()
    with pytest.raises((TypeError, ValueError), match=r"[Ss]parse"):
        distiller.fit(sparse.csr_matrix(X), y)


def test_pipelines_and_searches_pass_sparse_rows_on():
    rng = np.random.RandomState(0)
    table = pd.DataFrame({name: rng.choice(list("abcdef"), size=200) for name in ("one", "two", "three")})
    y = np.where(table["one"] < "d", "low", "high")
    for distiller in (KMeansCoreset(10, random_state=0), HerdingCoreset(10)):
        pipe = make_pipeline(OneHotEncoder(), distiller, LogisticRegression()).fit(table, y)
        assert pipe.score(table, y) > 0.9
    encoded = OneHotEncoder().fit_transform(table)
    model = Distilled(RandomSubset(20, random_state=0), LogisticRegression())
    assert cross_val_score(model, encoded, y, cv=3).mean() > 0.8


def test_sparse_rows_with_bad_values_are_refused():
    X, y = rows_of()
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        RandomSubset(budget=2).fit(sparse.csr_matrix(X), y)
