"""Weights of the training rows: a row of weight k counts as k rows, and a row of weight zero as none."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from distillkit import (
    ClassMeans,
    CraigCoreset,
    EL2NCoreset,
    FacilityLocationCoreset,
    ForgettingCoreset,
    GradMatchCoreset,
    GraNdCoreset,
    HerdingCoreset,
    InfluenceCoreset,
    KCenterCoreset,
    KMeansCoreset,
    LeverageCoreset,
    LightweightCoreset,
    RandomSubset,
    SensitivityCoreset,
    UncertaintyCoreset,
    WholeSet,
)
from distillkit.base import TrainingRows
from distillkit.coresets.shared._features import standardized_rows
from distillkit.exceptions import DataError


@pytest.fixture
def rows():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40, 3))
    return X, np.repeat([0, 1], 20), rng.randint(1, 5, size=40)


def repeated(X, y, weight):
    return np.repeat(X, weight, axis=0), None if y is None else np.repeat(y, weight)


def in_order(distiller):
    order = np.lexsort(np.column_stack([distiller.X_distilled_, distiller.y_distilled_]).T)
    return distiller.X_distilled_[order], distiller.y_distilled_[order], distiller.sample_weight_[order]


# Selecting a row once or twice is the same for k-center and facility location, whose selections never repeat a place.
EXACT = [
    ClassMeans(),
    KCenterCoreset(budget=5),
    FacilityLocationCoreset(budget=5),
    FacilityLocationCoreset(budget=5, metric="cosine"),
    KMeansCoreset(budget=1),
    KMeansCoreset(budget=1, representative="member"),
    KMeansCoreset(budget=1, feature_space=StandardScaler()),
]


@pytest.mark.parametrize("distiller", EXACT)
def test_integer_weights_are_repeated_rows(distiller, rows):
    X, y, weight = rows
    found, expected = in_order(distiller.fit(X, y, weight)), None
    expected = in_order(distiller.fit(*repeated(X, y, weight)))
    for part, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("distiller", [FacilityLocationCoreset(budget=6), KMeansCoreset(budget=1)])
def test_integer_weights_are_repeated_rows_for_a_continuous_target(distiller, rows):
    X, _, weight = rows
    y = X[:, 0] + 0.25
    for part, other in zip(
        in_order(distiller.fit(X, y, weight)), in_order(distiller.fit(*repeated(X, y, weight))), strict=True
    ):
        np.testing.assert_allclose(part, other, rtol=1e-6, atol=1e-12)


def test_kmeans_reaches_a_fixed_point_of_weighted_lloyd(rows):
    X, _, weight = rows
    small = KMeansCoreset(budget=6, max_iter=300, random_state=0).fit(X, sample_weight=weight)
    nearest = np.square(X[:, None] - small.X_distilled_).sum(axis=2).argmin(axis=1)
    for cluster in range(6):
        members = nearest == cluster
        mean = np.average(X[members], axis=0, weights=weight[members])
        np.testing.assert_allclose(small.X_distilled_[cluster], mean, rtol=1e-5, atol=1e-6)
        assert small.sample_weight_[cluster] == pytest.approx(weight[members].sum())
    cost = weight @ np.square(X - small.X_distilled_[nearest]).sum(axis=1)
    assert small.distilled_.provenance["offset"] == pytest.approx(cost)


def test_herding_tends_to_the_weighted_mean(rows):
    X, _, weight = rows
    small = HerdingCoreset(budget=4).fit(X, sample_weight=weight)
    mean, picked = np.average(X, axis=0, weights=weight), []
    for step in range(4):
        target = (step + 1) * mean - X[picked].sum(axis=0)
        distance = np.linalg.norm(target - X, axis=1)
        distance[picked] = np.inf
        picked.append(int(distance.argmin()))
    assert small.sample_indices_.tolist() == picked
    np.testing.assert_allclose(small.sample_weight_, weight.sum() / 4)


@pytest.mark.parametrize(
    "distiller", [RandomSubset(0.3), LightweightCoreset(0.3), SensitivityCoreset(0.3), LeverageCoreset(0.3)]
)
def test_samples_are_unbiased_for_weighted_sums(distiller, rows):
    X, _, weight = rows
    values = np.column_stack([X, X**2])
    sums = []
    for seed in range(300):
        small = distiller.set_params(random_state=seed).fit(X, sample_weight=weight)
        sums.append(small.sample_weight_ @ values[small.sample_indices_])
    error = np.mean(sums, axis=0) - weight @ values
    # The scaling of the weights adds a bias that is small beside the spread of one sample.
    assert (np.abs(error) < 0.25 * np.std(sums, axis=0)).all()


@pytest.mark.parametrize("distiller", [LightweightCoreset(8), SensitivityCoreset(8, n_clusters=1), LeverageCoreset(8)])
def test_a_row_of_weight_k_is_drawn_as_its_k_copies_together(distiller, rows):
    X, _, weight = rows
    # so many copies of each row that no probability reaches 1
    alone = distiller.set_params(random_state=0).fit(X, sample_weight=weight).inclusion_probabilities_
    copies = distiller.fit(*repeated(X, None, weight)).inclusion_probabilities_
    together = np.bincount(np.repeat(np.arange(len(X)), weight), weights=copies)
    if isinstance(distiller, SensitivityCoreset):  # the drawn center differs, so only the order is comparable
        assert np.corrcoef(alone, together)[0, 1] > 0.7
    else:
        np.testing.assert_allclose(alone, together, rtol=1e-9)


def test_weighted_leverages_are_those_of_the_weighted_projection(rows):
    X, _, weight = rows
    design = np.sqrt(weight)[:, None] * np.column_stack([X, np.ones(len(X))])
    expected = np.diag(design @ np.linalg.pinv(design))
    np.testing.assert_allclose(LeverageCoreset(5).fit(X, sample_weight=weight).scores_, expected, rtol=1e-9)


def test_class_means_of_a_continuous_target_share_the_weight():
    X, y = np.arange(6.0)[:, None], np.arange(6.0) + 0.5
    small = ClassMeans(bins=2).fit(X, y, sample_weight=[3, 1, 1, 1, 1, 1])
    np.testing.assert_allclose(small.sample_weight_, [4, 4])
    np.testing.assert_allclose(small.X_distilled_.ravel(), [0.25, 3.5])


def test_the_whole_set_keeps_its_weights(rows):
    X, y, weight = rows
    np.testing.assert_array_equal(WholeSet().fit(X, y, weight).sample_weight_, weight)


@pytest.mark.parametrize("start", ["medoid", "random"])
def test_weights_change_no_later_selection_of_k_center(start, rows):
    X, _, weight = rows
    weight = np.where(np.arange(40) == 7, 1e9, weight)  # this row is the first in both cases
    small = KCenterCoreset(budget=6, start=start, random_state=0).fit(X, sample_weight=weight)
    picked = [7]
    for _ in range(5):
        picked.append(int(np.square(X[:, None] - X[picked]).sum(axis=2).min(axis=1).argmax()))
    assert small.sample_indices_.tolist() == picked
    nearest = np.square(X[:, None] - X[picked]).sum(axis=2).argmin(axis=1)
    np.testing.assert_allclose(small.sample_weight_, np.bincount(nearest, weights=weight))


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (np.ones(39), "expected"),
        (np.ones((40, 2)), "1D"),
        (np.zeros(40), "zero"),
        (np.r_[-1, np.ones(39)], "Negative"),
        (np.r_[np.nan, np.ones(39)], "NaN"),
        (np.r_[np.inf, np.ones(39)], "infinity"),
        (np.full(40, 1e308), "infinity"),
        (["heavy"] * 40, "heavy"),
        (np.full(40, 1j), "[Cc]omplex"),
    ],
)
def test_unusable_weights_are_refused_in_one_sentence(weight, words, rows):
    X, y, _ = rows
    with pytest.raises(DataError, match=f"sample_weight cannot be used .*{words}.*: ") as error:
        RandomSubset(budget=2).fit(X, y, sample_weight=weight)
    assert "\n" not in str(error.value)


def test_a_class_of_weight_zero_is_absent_and_budgets_count_the_other_rows(rows):
    X, y, _ = rows
    small = RandomSubset(budget=0.2, random_state=0).fit(X, y, sample_weight=np.where(y == 0, 0, 2.5))
    assert set(small.y_distilled_) == {1}
    assert len(small.X_distilled_) == 4
    assert small.distilled_.provenance["rows_seen"] == 20
    assert small.sample_weight_.sum() == pytest.approx(50)


def test_a_certificate_uses_the_weights(rows):
    X, y, weight = rows
    small = WholeSet().fit(X, y, weight).distilled_
    from distillkit.coresets import certify

    assert certify(small, X, y, sample_weight=weight).error == pytest.approx(0, abs=1e-9)
    with pytest.raises(DataError, match="give sample_weight"):
        certify(small, X, y)
    with pytest.raises(DataError, match="sums to 40"):
        certify(small, X, y, sample_weight=np.ones(40))
    assert KMeansCoreset(10, certify=True, random_state=0).fit(X, y, weight).error_ < 0.5


def test_a_prefix_counts_the_weights_again(rows):
    X, y, weight = rows
    weight = np.where(np.arange(40) % 7 == 0, 0, weight)
    large = KCenterCoreset(budget=8).fit(X, y, weight).distilled_
    small = KCenterCoreset(budget=3).fit(X, y, weight)
    np.testing.assert_array_equal(large.prefix(3, X, y, weight).sample_weight, small.sample_weight_)
    with pytest.raises(DataError, match="give sample_weight"):
        large.prefix(3, X, y)


PROXY = LogisticRegression(tol=1e-10, max_iter=2000)


@pytest.mark.parametrize(
    "distiller",
    [
        CraigCoreset(budget=4),
        CraigCoreset(budget=4, proxy=PROXY),
        GradMatchCoreset(budget=4, penalty=0),
        GradMatchCoreset(budget=4, penalty=0, proxy=PROXY),
        InfluenceCoreset(budget=1),  # more rows may be copies of one row
    ],
)
def test_gradients_and_influences_of_integer_weights_are_those_of_repeated_rows(distiller, rows):
    X, y, weight = rows
    X = X + y[:, None]
    found, expected = in_order(distiller.fit(X, y, weight)), None
    losses = getattr(distiller, "losses_", None)
    expected = in_order(distiller.fit(*repeated(X, y, weight)))
    for part, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-3, atol=1e-6)
    if losses is not None:
        np.testing.assert_allclose(losses, distiller.losses_, rtol=1e-9)


def test_influences_are_those_of_refits_without_the_weighted_row(rows):
    X, y, weight = rows
    scores = InfluenceCoreset(budget=2).fit(X, y, weight).scores_
    Z = np.column_stack([StandardScaler().fit(X, sample_weight=weight).transform(X), np.ones(40)])
    alpha = 0.3 * np.average(np.square(Z).sum(axis=1), weights=weight)

    def error(mass):
        model = Ridge(alpha=alpha, fit_intercept=False).fit(Z, np.eye(2)[y], mass)
        return weight @ np.square(np.eye(2)[y] - model.predict(Z)).sum(axis=1)

    for row in range(0, 40, 7):
        without = np.where(np.arange(40) == row, 0, weight)
        assert scores[row] == pytest.approx(error(without) - error(weight), rel=1e-6, abs=1e-9)


def test_uncertainties_are_those_of_a_weighted_model(rows):
    X, y, weight = rows
    scores = UncertaintyCoreset(budget=2, proxy=PROXY).fit(X, y, weight).scores_
    p = LogisticRegression(tol=1e-10, max_iter=2000).fit(*repeated(X, y, weight)).predict_proba(X)
    np.testing.assert_allclose(scores, 1 - np.abs(p[:, 0] - p[:, 1]), atol=1e-5)


@pytest.mark.parametrize("cls", [EL2NCoreset, GraNdCoreset, ForgettingCoreset])
def test_heavy_rows_are_learned_better(cls):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(200, 3)), np.arange(200) % 2  # labels that only the weights can make easy
    heavy = (X[:, 0] > 0) == (y == 1)
    options = {"budget": 0.3, "max_iter": 30, "random_state": 0}
    weighted = cls(**options).fit(X, y, np.where(heavy, 20.0, 1.0)).scores_
    assert weighted[heavy].mean() < 0.5 * weighted[~heavy].mean()
    scores = cls(**options).fit(X, y, np.where(heavy, 1.0, 0.0)).scores_
    assert np.isnan(scores[~heavy]).all()
    assert np.isfinite(scores[heavy]).all()


def test_a_proxy_without_weights_is_refused_by_name(rows):
    with pytest.raises(DataError, match="proxy=KNeighborsClassifier takes no weights"):
        CraigCoreset(budget=2, proxy=KNeighborsClassifier()).fit(*rows)


@pytest.mark.parametrize("shape", [(40, 6), (40, 2, 3)])
def test_standardized_rows_are_those_of_repeated_rows(shape):
    rng = np.random.RandomState(0)
    X, weight = rng.normal(3, 2, size=shape), rng.randint(1, 5, size=40)
    weighted = standardized_rows(TrainingRows(X, None, None, (), weight.astype(float)))
    copies = standardized_rows(TrainingRows(np.repeat(X, weight, axis=0), None, None, ()))
    np.testing.assert_allclose(np.repeat(weighted, weight, axis=0), copies, rtol=1e-9)
