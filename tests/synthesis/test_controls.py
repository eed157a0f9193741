"""Simple generators have the distributions that their definitions say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from distillkit import (
    CopulaSynthesizer,
    GANSynthesizer,
    InterpolationSynthesizer,
    MixtureSynthesizer,
    SurrogateSynthesizer,
)
from distillkit.exceptions import DataError
from distillkit.synthesis import load_synthesizer
from distillkit.synthesis.controls._interpolation import _neighbors

RNG = np.random.default_rng(0)
SIDE = RNG.integers(0, 2, 600)
POINTS = RNG.normal(size=(600, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]]) + 6 * SIDE[:, None]


@pytest.mark.parametrize("cls", [MixtureSynthesizer, CopulaSynthesizer])
def test_moments_within_classes_are_those_of_the_training_rows(cls):
    rows, labels = cls(budget=2, random_state=0).fit(POINTS, SIDE).sample(4000)
    for label in (0, 1):
        np.testing.assert_allclose(rows[labels == label].mean(axis=0), POINTS[label == SIDE].mean(axis=0), atol=0.1)
        np.testing.assert_allclose(np.cov(rows[labels == label].T), np.cov(POINTS[label == SIDE].T), atol=0.15)


def test_interpolated_rows_lie_between_a_row_and_a_neighbor():
    X = RNG.normal(size=(40, 3))
    rows, _ = InterpolationSynthesizer(budget=2, n_neighbors=3, random_state=0).fit(X).sample(50)
    scaled, made = X / X.std(axis=0), rows / X.std(axis=0)
    distances = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    near = np.argsort(distances, axis=1)[:, 1:4]
    starts, ends = np.repeat(np.arange(40), 3), near.ravel()
    lengths = distances[starts, ends]
    detours = np.linalg.norm(made[:, None] - scaled[starts], axis=2) + np.linalg.norm(
        made[:, None] - scaled[ends], axis=2
    )
    np.testing.assert_allclose((detours - lengths).min(axis=1), 0, atol=1e-6)


def test_a_row_is_not_its_own_neighbor_even_among_equal_ones():
    neighbors = _neighbors(np.array([[0.0], [0.0], [0.0], [5.0]]), 2)
    assert not (neighbors == np.arange(4)[:, None]).any()
    assert _neighbors(np.zeros((1, 2)), 5).tolist() == [[0]]


@pytest.mark.parametrize("copula", ["gaussian", "empirical"])
def test_a_copula_keeps_columns_and_rank_correlation(copula):
    X = np.column_stack([np.exp(POINTS[:, 0]), POINTS[:, 1] ** 3])
    frame = pd.DataFrame(X, columns=["a", "b"])
    frame["c"] = np.where(POINTS[:, 1] > 3, "up", "down")
    frame.loc[POINTS[:, 0] > 7, "a"] = np.nan
    rows, _ = CopulaSynthesizer(budget=2, copula=copula, random_state=0).fit(frame).sample(3000)
    for name in ("a", "b"):
        assert stats.ks_2samp(rows[name].dropna(), frame[name].dropna()).statistic < 0.06
    assert abs(rows["a"].isna().mean() - frame["a"].isna().mean()) < 0.03
    assert abs((rows["c"] == "up").mean() - (frame["c"] == "up").mean()) < 0.05
    real, made = (stats.spearmanr(part["a"], part["b"], nan_policy="omit").statistic for part in (frame, rows))
    assert abs(real - made) < 0.12


def test_random_phases_keep_the_power_spectrum_and_the_correlations_of_channels():
    series = RNG.normal(size=(2, 2, 31)).cumsum(axis=2)
    generator = SurrogateSynthesizer(budget=1, method="phases", random_state=0).fit(series, [0, 1]).generator_
    drawn = generator.draw(0, 5, np.random.default_rng(0)).reshape(5, 2, 31)
    real = generator.space.points(series[:1]).reshape(1, 2, 31)
    np.testing.assert_allclose(np.abs(np.fft.rfft(drawn)), np.abs(np.fft.rfft(real)).repeat(5, axis=0), atol=1e-9)
    products = (drawn[:, 0] * drawn[:, 1]).sum(axis=1)
    np.testing.assert_allclose(products, (real[0, 0] * real[0, 1]).sum(), atol=1e-9)
    assert np.ptp(drawn, axis=0).max() > 0.1


def test_blocks_are_pieces_of_training_series_at_their_time():
    series = RNG.normal(size=(12, 2, 40))
    rows, labels = SurrogateSynthesizer(budget=2, n_blocks=4, random_state=0).fit(series, np.arange(12) % 2).sample(20)
    for row, label in zip(rows, labels, strict=True):
        own = np.abs(series[label::2] - row).max(axis=1) < 1e-9  # which series of the class a step comes from
        assert own.any(axis=0).all()
        assert 1 <= np.count_nonzero(np.diff(own.argmax(axis=0))) <= 4


def test_series_of_a_mixture_train_a_model_of_real_ones():
    time = np.linspace(0, 6, 30)
    y = np.arange(80) % 2
    series = np.sin(time * (1 + y[:, None]) + RNG.normal(0, 0.3, (80, 1)))[:, None] + RNG.normal(0, 0.2, (80, 1, 30))
    rows, labels = MixtureSynthesizer(budget=2, random_state=0).fit(series[:40], y[:40]).sample(100)
    assert rows.shape == (100, 1, 30)
    assert LogisticRegression().fit(rows[:, 0], labels).score(series[40:, 0], y[40:]) > 0.95


@pytest.mark.parametrize("cls", [MixtureSynthesizer, CopulaSynthesizer, InterpolationSynthesizer])
def test_rows_follow_continuous_targets(cls):
    y = POINTS[:, 0]
    rows, targets = cls(budget=3, task="regression", random_state=0).fit(POINTS, y).sample(2000)
    assert np.corrcoef(rows[:, 0], targets)[0, 1] > 0.95


@pytest.mark.parametrize(
    "synthesizer",
    [
        MixtureSynthesizer(2, random_state=0),
        CopulaSynthesizer(2, random_state=0),
        CopulaSynthesizer(2, copula="empirical", random_state=0),
        InterpolationSynthesizer(2, random_state=0),
        GANSynthesizer(2, max_iter=2, width=2, latent=4, pool=10, selection="random", device="cpu", random_state=0),
    ],
    ids=lambda synthesizer: type(synthesizer).__name__,
)
@pytest.mark.filterwarnings("ignore:the generator may not have learned")
def test_saved_synthesizers_sample_the_same_rows(synthesizer, tmp_path):
    frame = pd.DataFrame({"x": POINTS[:60, 0], "c": np.where(SIDE[:60], "up", "down")})
    synthesizer.fit(frame, np.where(POINTS[:60, 1] > 3, "far", "near"))
    copy = load_synthesizer(synthesizer.save(tmp_path / "saved.safetensors"))
    rows, labels = synthesizer.sample(20, given={"c": "up"}, random_state=1)
    rows_of_copy, labels_of_copy = copy.sample(20, given={"c": "up"}, random_state=1)
    pd.testing.assert_frame_equal(rows, rows_of_copy, check_exact=True)
    assert labels.tolist() == labels_of_copy.tolist()


def test_saved_surrogates_and_images_keep_their_shape(tmp_path):
    for cls, X in (
        (SurrogateSynthesizer, RNG.normal(size=(9, 2, 12))),
        (MixtureSynthesizer, RNG.normal(size=(9, 1, 4, 4))),
    ):
        synthesizer = cls(budget=2, random_state=0).fit(X)
        copy = cls.load(synthesizer.save(tmp_path / "saved.safetensors"))
        np.testing.assert_array_equal(copy.sample(5, random_state=2)[0], synthesizer.sample(5, random_state=2)[0])
        assert copy.sample(5)[0].shape == (5, *X.shape[1:])


@pytest.mark.parametrize(
    "y", [np.zeros(30, dtype=int), np.array([1] + [0] * 29)], ids=["one class", "one row in a class"]
)
@pytest.mark.parametrize("cls", [MixtureSynthesizer, CopulaSynthesizer, InterpolationSynthesizer])
def test_odd_classes_and_constant_columns_work(cls, y):
    X = np.column_stack([np.ones(30), RNG.normal(size=30), np.arange(30) % 3])
    rows, labels = cls(budget=1, random_state=0).fit(X, y).sample(40)
    assert (rows[:, 0] == 1).all()
    assert set(rows[:, 2]) <= {0, 1, 2}
    assert set(labels) <= set(y)


def test_wrong_shapes_are_refused():
    with pytest.raises(DataError, match="CopulaSynthesizer makes tables"):
        CopulaSynthesizer().fit(np.zeros((20, 2, 9)))
    with pytest.raises(DataError, match="SurrogateSynthesizer makes series"):
        SurrogateSynthesizer().fit(np.zeros((20, 2, 9, 9)))
