"""The rows that are kept, against those of imbalanced-learn and apricot, and the contract."""

from __future__ import annotations

import numpy as np
import pytest
from distillkit_samplers import ApricotCoreset, UnderSamplerCoreset, plugin
from sklearn.datasets import load_iris, load_wine

from distillkit.exceptions import DataError, UnknownNameError
from distillkit.plugins import PluginManager, PluginRecord
from distillkit.testing import check_distiller

BUDGET = 7
WINE = load_wine(return_X_y=True)


@pytest.fixture
def imblearn():
    return pytest.importorskip("imblearn.under_sampling", reason="imbalanced-learn is not installed")


@pytest.fixture
def apricot(monkeypatch):
    """Without the compilation of its loops, which takes longer than all tests."""
    monkeypatch.setattr("numba.config.DISABLE_JIT", True)
    return pytest.importorskip("apricot", reason="apricot is not installed")


@pytest.mark.parametrize("name", ["near-miss", "random", "hardness", "centroids", "tomek", "edited"])
def test_each_preset_meets_the_budget(imblearn, name):
    params = dict(plugin.distillkit_methods()[0].presets[name])
    small = UnderSamplerCoreset(budget=BUDGET, random_state=0, **params).fit(*WINE)
    assert np.bincount(small.y_distilled_).tolist() == [BUDGET] * 3
    assert small.sample_weight_.sum() == pytest.approx(len(WINE[0]))
    assert hasattr(small, "sample_indices_") == (name != "centroids")


def test_near_miss_keeps_the_rows_of_imbalanced_learn(imblearn):
    X, y = WINE
    theirs = imblearn.NearMiss(version=2, sampling_strategy=dict.fromkeys(range(3), BUDGET))
    theirs.fit_resample(X, y)
    ours = UnderSamplerCoreset(budget=BUDGET, sampler="NearMiss", options={"version": 2}).fit(X, y)
    assert sorted(ours.sample_indices_) == sorted(theirs.sample_indices_)
    given = UnderSamplerCoreset(budget=BUDGET, sampler=imblearn.NearMiss(version=2)).fit(X, y)
    assert given.sample_indices_.tolist() == ours.sample_indices_.tolist()


def test_a_cleaning_sampler_keeps_rows_that_it_would_keep(imblearn):
    X, y = load_iris(return_X_y=True)
    cleaner = imblearn.EditedNearestNeighbours(sampling_strategy="all")
    cleaner.fit_resample(X, y)
    kept = UnderSamplerCoreset(budget=20, sampler="EditedNearestNeighbours", random_state=0).fit(X, y)
    assert set(kept.sample_indices_) <= set(cleaner.sample_indices_)
    # With a budget of all rows, the removed ones come back.
    assert len(UnderSamplerCoreset(budget=50, sampler="EditedNearestNeighbours").fit(X, y).sample_indices_) == 150


def test_centroids_are_those_of_imbalanced_learn(imblearn):
    X, y = WINE
    ours = UnderSamplerCoreset(budget=BUDGET, sampler="ClusterCentroids", random_state=0).fit(X, y)
    cost = sum(_cost(X[y == label], ours.X_distilled_[ours.y_distilled_ == label]) for label in range(3))
    random = UnderSamplerCoreset(budget=BUDGET, sampler="RandomUnderSampler", random_state=0).fit(X, y)
    assert cost < sum(_cost(X[y == label], random.X_distilled_[random.y_distilled_ == label]) for label in range(3))


def _cost(points, centers):
    return ((points[:, None] - centers) ** 2).sum(axis=-1).min(axis=1).sum()


@pytest.mark.parametrize("sampler", ["NearMiss", "ClusterCentroids", "TomekLinks"])
def test_contract_of_under_samplers(imblearn, sampler):
    options = {"NearMiss": {"n_neighbors": 1}}.get(sampler)
    check_distiller(UnderSamplerCoreset(sampler=sampler, options=options), tasks=["classification"])


def test_bad_input_of_under_samplers(imblearn):
    X, y = WINE
    with pytest.raises(UnknownNameError, match="did you mean 'NearMiss'"):
        UnderSamplerCoreset(sampler="NearMis").fit(X, y)
    with pytest.raises(DataError, match="does not take options="):
        UnderSamplerCoreset(options={"speed": 3}).fit(X, y)
    with pytest.raises(DataError, match="need class labels"):
        UnderSamplerCoreset().fit(X, X[:, 0] / 3)
    with pytest.raises(DataError, match="has no fit_resample"):
        UnderSamplerCoreset(sampler=3).fit(X, y)


def test_facility_location_selects_the_rows_of_apricot(apricot):
    X, y = WINE
    ours = ApricotCoreset(budget=BUDGET, random_state=0).fit(X, y)
    for label in range(3):
        rows = np.flatnonzero(y == label)
        theirs = apricot.FacilityLocationSelection(BUDGET, random_state=0).fit(X[rows] - X[rows].min(axis=0))
        assert ours.sample_indices_[ours.y_distilled_ == label].tolist() == rows[theirs.ranking].tolist()


@pytest.mark.parametrize(
    "selector", ["FacilityLocationSelection", "FeatureBasedSelection", "MaxCoverageSelection", "GraphCutSelection"]
)
def test_selectors_take_negative_numbers_and_rank_the_rows(apricot, selector):
    X, y = WINE
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    small = ApricotCoreset(budget=5, selector=selector, random_state=0).fit(X, y)
    larger = ApricotCoreset(budget=9, selector=selector, random_state=0).fit(X, y)
    assert np.bincount(small.y_distilled_).tolist() == [5] * 3
    prefix = larger.distilled_.prefix(5)
    assert sorted(prefix.indices.tolist()) == sorted(small.sample_indices_.tolist())


def test_a_given_selector_is_copied(apricot):
    X, y = WINE
    mine = apricot.FacilityLocationSelection(1, random_state=0)
    ours = ApricotCoreset(budget=BUDGET, selector=mine, random_state=0).fit(X, y)
    assert (
        ours.sample_indices_.tolist()
        == ApricotCoreset(budget=BUDGET, random_state=0).fit(X, y).sample_indices_.tolist()
    )
    assert mine.n_samples == 1


def test_contract_of_apricot(apricot):
    check_distiller(ApricotCoreset())


def test_bad_input_of_apricot(apricot):
    with pytest.raises(UnknownNameError, match="did you mean 'FacilityLocationSelection'"):
        ApricotCoreset(selector="FacilityLocation").fit(*WINE)


def test_distillkit_finds_both_methods():
    manager = PluginManager(strict=True, disabled=True).load()
    manager.register(plugin, PluginRecord("test:samplers", "distillkit-samplers", "0"))
    assert manager.get("method", "under-sampler").load() is UnderSamplerCoreset
    if not manager.get("method", "apricot").missing():
        assert manager.get("method", "apricot").load() is ApricotCoreset
