"""Screening in float32 never changes what float64 would say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from distillkit.neighbors import _k_center_cover as covers
from distillkit.neighbors import greedy_k_center
from distillkit.neighbors._k_center_cover import ExactCover, ScreenedCover


def filled(cover, rows):
    for row in rows:
        cover.add(row, cover.products(np.array([row]))[0])
    return cover


def exactly(X, picks):
    return ((X[:, None].astype(float) - X[picks].astype(float)) ** 2).sum(axis=2)


def rows_of(kind, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "normal":
        return rng.normal(size=(400, 30))
    if kind == "offset":
        return 1e6 + rng.normal(size=(400, 30))
    if kind == "far":  # the scale is that of one row: the others differ by less than float32 tells
        return np.vstack([rng.normal(size=(399, 30)), np.full((1, 30), 1e9)])
    if kind == "tiny":  # squares below the range of float32
        return np.vstack([1e-24 * rng.normal(size=(398, 30)), np.ones((1, 30)), -np.ones((1, 30))])
    return rng.integers(0, 2, size=(400, 30)).astype(float)  # "binary": many ties


KINDS = ("normal", "offset", "far", "tiny", "binary")


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_the_truth(kind):
    X = rows_of(kind)
    picks = list(range(0, 60, 3))
    cover = filled(ScreenedCover(X, 20), picks)
    truth = exactly(X, picks).min(axis=1) * cover.scale**2
    others = np.setdiff1d(np.arange(400), picks)
    assert (cover.low[others] <= truth[others] * (1 + 1e-9)).all()
    assert (truth[others] <= cover.up[others] * (1 + 1e-9)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_owners_are_those_of_float64(kind):
    X = rows_of(kind)
    picks = list(range(0, 60, 3))
    exact, screened = filled(ExactCover(X), picks), filled(ScreenedCover(X, 20), picks).owners()
    truth = exactly(X, picks)
    # "far" leaves float64 products in doubt, too: any pick as near but for their rounding will do
    room = 4 * exact.slack[:, None] / exact.scale**2 if kind == "far" else 1e-12 * truth
    assert (truth[np.arange(400), screened] <= (truth + room).min(axis=1)).all()
    if kind != "far":
        np.testing.assert_array_equal(screened, exact.owners())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "far"])
@pytest.mark.parametrize("seed", range(3))
def test_picks_radii_and_owners_are_those_without_screening(kind, seed, monkeypatch):
    X = rows_of(kind, seed)
    screened = greedy_k_center(X, 90, start=seed)
    monkeypatch.setattr(ScreenedCover, "can_screen", staticmethod(lambda _: False))
    exact = greedy_k_center(X, 90, start=seed)
    np.testing.assert_array_equal(screened.indices, exact.indices)
    np.testing.assert_array_equal(screened.labels, exact.labels)
    np.testing.assert_allclose(screened.radii, exact.radii, rtol=1e-12, atol=1e-12 * exact.radii[0])


def test_a_few_rows_are_measured_again_and_no_more():
    X = np.random.default_rng(0).normal(size=(5000, 20))
    cover = ScreenedCover(X, 100)
    picks = greedy_k_center(X, 100, start=0).indices
    filled(cover, picks[:-1].tolist())
    assert cover.farthest() == picks[-1]
    assert cover.n_measured <= 5 * 99  # one row or a few, against each of the 99 picks


def test_where_too_many_are_too_close_to_call_float64_goes_on(monkeypatch):
    made = []
    monkeypatch.setattr(ExactCover, "__init__", _noting(made, ExactCover.__init__))
    X = np.array(list(itertools.product(range(12), range(12))), dtype=float)
    found = greedy_k_center(X, 100, start=0)
    assert len(made) == 1
    assert 0 < made[0] < 100  # it took over from the picks made so far
    assert len(set(found.indices.tolist())) == 100


def _noting(made, original):
    def init(self, X, picks=None, radii=None):
        made.append(len(picks or ()))
        original(self, X, picks, radii)

    return init


def test_very_wide_rows_are_not_screened(monkeypatch):
    monkeypatch.setattr(covers, "_WIDEST", 3)
    assert ScreenedCover.can_screen(np.zeros((2, 3)))
    assert not ScreenedCover.can_screen(np.zeros((2, 4)))
    X = np.random.default_rng(0).normal(size=(50, 4))
    picks = greedy_k_center(X, 20, start=0).indices.tolist()
    monkeypatch.setattr(covers, "_WIDEST", 4)
    assert greedy_k_center(X, 20, start=0).indices.tolist() == picks
