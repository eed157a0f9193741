"""What the gradient and influence coresets keep beside the common contract, each with its own reasons to break it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from distillkit.coresets import (
    CraigCoreset,
    EL2NCoreset,
    ForgettingCoreset,
    GradMatchCoreset,
    GraNdCoreset,
    InfluenceCoreset,
    LeverageCoreset,
    UncertaintyCoreset,
)
from distillkit.exceptions import BudgetError, DataError

MODELS = {
    "grand": GraNdCoreset(max_iter=2),
    "el2n": EL2NCoreset(max_iter=2),
    "forgetting": ForgettingCoreset(max_iter=2),
    "uncertainty": UncertaintyCoreset(),
    "craig": CraigCoreset(),
    "grad-match": GradMatchCoreset(),
    "leverage": LeverageCoreset(),
    "influence": InfluenceCoreset(),
}
NUMERIC = [name for name in MODELS if name not in ("forgetting", "uncertainty")]
SEEDED = ("grand", "el2n", "forgetting", "leverage")  # the others draw lots between equal rows at most

every = pytest.mark.parametrize("name", MODELS)


def make(name, **params):
    return clone(MODELS[name]).set_params(**{"random_state": 0, **params})


@every
@pytest.mark.parametrize(
    ("budget", "sizes"), [(1, [1, 1, 1]), (7, [7, 7, 7]), (0.1, [18, 9, 3]), ({0: 5, 1: 1, 2: 30}, [5, 1, 30])]
)
def test_exactly_the_budget_comes_back(name, budget, sizes, table):
    model = make(name, budget=budget).fit(*table)
    assert np.bincount(model.y_distilled_).tolist() == sizes
    assert len(set(model.sample_indices_.tolist())) == sum(sizes)


@pytest.mark.parametrize("name", NUMERIC)
@pytest.mark.parametrize("budget", [1, 3, 13, 0.1, 200])
def test_a_continuous_target_has_its_budget_in_all(name, budget, numbers):
    X, y = numbers
    model = make(name, budget=budget).fit(X, y)
    assert len(set(model.sample_indices_.tolist())) == (20 if budget == 0.1 else budget)
    assert model.sample_weight_.sum() == pytest.approx(200)
    np.testing.assert_array_equal(model.y_distilled_, y[model.sample_indices_])


@every
def test_every_row_can_be_kept(name, table):
    X, y = table
    model = make(name, budget={0: 180, 1: 90, 2: 30}).fit(X, y)
    assert sorted(model.sample_indices_.tolist()) == list(range(300))
    if name != "grad-match":  # which is free to weigh rows as it likes
        np.testing.assert_allclose(model.sample_weight_, 1)


@every
def test_classes_take_turns_so_that_a_prefix_has_all_of_them(name, table):
    model = make(name, budget=6).fit(*table)
    for place in range(0, 18, 3):
        assert sorted(model.y_distilled_[place : place + 3].tolist()) == [0, 1, 2]


@every
@pytest.mark.parametrize("y", [np.repeat([0, 1], 20), np.repeat([0.5, 1.5], 20) + 1e-3, np.zeros(40, dtype=int)])
def test_equal_rows_still_give_the_whole_budget(name, y):
    if y.dtype.kind == "f" and name not in NUMERIC:
        pytest.skip("needs classes")
    task = "regression" if y.dtype.kind == "f" else "auto"
    model = make(name, budget=7, task=task).fit(np.full((40, 3), 0.1), y)
    assert len(set(model.sample_indices_.tolist())) == (14 if y.dtype.kind == "i" and y.any() else 7)
    assert model.sample_weight_.sum() == pytest.approx(40)
    assert np.isfinite(model.sample_weight_).all()


@pytest.mark.parametrize("name", NUMERIC)
def test_a_constant_target_is_no_trouble(name, numbers):
    model = make(name, budget=9, task="regression").fit(numbers[0], np.full(200, 0.1))
    assert len(set(model.sample_indices_.tolist())) == 9


@every
def test_classes_of_one_row_are_kept(name):
    X, y = np.arange(12.0).reshape(6, 2), np.array(list("abcdef"))
    assert sorted(make(name, budget=1).fit(X, y).y_distilled_.tolist()) == list("abcdef")


@pytest.mark.parametrize("name", [name for name in MODELS if name not in SEEDED])
def test_units_and_a_large_offset_change_no_choice(name, table):
    X, y = table
    plain, moved = make(name, budget=5).fit(X, y), make(name, budget=5).fit(1024 * X + 2**20, y)
    np.testing.assert_array_equal(moved.sample_indices_, plain.sample_indices_)
    np.testing.assert_allclose(moved.sample_weight_, plain.sample_weight_, rtol=1e-4)


@every
@pytest.mark.parametrize("shape", [(5, 1), (1, 5, 1)])
def test_images_and_series_keep_their_shape(name, shape, table):
    X, y = table
    model = make(name).fit(X.reshape(300, *shape).astype(np.float32), y)
    np.testing.assert_array_equal(model.X_distilled_, X.reshape(300, *shape).astype(np.float32)[model.sample_indices_])


@every
def test_the_same_seed_gives_the_same_bits(name, table):
    fits = []
    for _ in range(2):
        with threadpool_limits(1):
            fits.append(make(name).fit(*table))
    for attribute in ("sample_indices_", "sample_weight_"):
        np.testing.assert_array_equal(getattr(fits[0], attribute), getattr(fits[1], attribute))


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_gives_another_set(name, table):
    first, other = make(name).fit(*table), make(name, random_state=1).fit(*table)
    assert not np.array_equal(first.sample_indices_, other.sample_indices_)


@every
def test_history_is_json_and_steps_are_counted_only_where_there_are_steps(name, table):
    model = make(name).fit(*table)
    json.dumps(model.history_)
    assert getattr(model, "n_iter_", None) == (2 if name in ("grand", "el2n", "forgetting") else None)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "leverage"])
def test_without_a_target_there_are_no_gradients(name, table):
    with pytest.raises(ValueError, match="requires y to be passed"):
        make(name).fit(table[0])


@every
def test_more_rows_than_there_are_is_refused(name, table):
    with pytest.raises(BudgetError, match="class 2, which has n_samples = 30"):
        make(name, budget=31).fit(*table)


@pytest.mark.parametrize("name", ["el2n", "uncertainty", "craig", "grad-match"])
def test_a_proxy_without_probabilities_is_refused(name, table):
    with pytest.raises(DataError, match="SVC has no predict_proba: give a classifier with probabilities"):
        make(name, proxy=SVC()).fit(*table)


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (GraNdCoreset, {"keep": "middle"}),
        (GraNdCoreset, {"members": 0}),
        (GraNdCoreset, {"hidden": 0}),
        (GraNdCoreset, {"max_iter": 0}),
        (GraNdCoreset, {"batch_size": 1.5}),
        (GraNdCoreset, {"lr": 0}),
        (ForgettingCoreset, {"max_seconds": 0}),
        (EL2NCoreset, {"proxy": "logistic"}),
        (UncertaintyCoreset, {"strategy": "random"}),
        (UncertaintyCoreset, {"keep": "hardest"}),
        (UncertaintyCoreset, {"among": 0.0}),
        (CraigCoreset, {"max_block": 1}),
        (CraigCoreset, {"proxy": 3}),
        (GradMatchCoreset, {"penalty": -1.0}),
        (LeverageCoreset, {"uniform": 1.5}),
        (InfluenceCoreset, {"criterion": "norm"}),
        (InfluenceCoreset, {"alpha": 0}),
    ],
)
def test_parameters_are_checked_in_fit_and_not_before(cls, params, table):
    model = cls(**params)
    with pytest.raises(ValueError, match=next(iter(params))):
        model.fit(*table)
