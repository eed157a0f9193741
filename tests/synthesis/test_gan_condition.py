from __future__ import annotations

import numpy as np
import pytest
import torch

from distillkit.base._training_rows import TrainingRows, group_rows
from distillkit.budget import Budget
from distillkit.exceptions import BudgetError, DataError
from distillkit.synthesis._condition import Condition
from distillkit.synthesis._embeddings import embedding_weights


def condition(y, task="classification"):
    n = 10 if y is None else len(y)
    y = None if y is None else np.asarray(y)
    return Condition.of(TrainingRows(np.zeros((n, 1)), y, task, group_rows(y, n, task, Budget(1))))


def test_classes_are_one_hot():
    letters = condition(list("bbac"))
    places = letters.positions(np.array(["c", "a", "b"]), 3)
    assert embedding_weights(torch.as_tensor(places), letters.width).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_numbers_lie_between_quantiles():
    numbers = condition(np.linspace(0, 100, 101), "regression")
    assert numbers.width == 11
    weights = embedding_weights(
        torch.as_tensor(numbers.positions(np.array([0.0, 20.0, 22.5, 100.0, 900.0, -5.0]), 6)), 11
    )
    np.testing.assert_allclose(weights.sum(dim=1), 1, atol=1e-6)
    np.testing.assert_allclose(
        weights @ torch.as_tensor(numbers.knots, dtype=torch.float32), [0, 20, 22.5, 100, 100, 0], atol=1e-4
    )
    assert (weights > 1e-6).sum(dim=1).tolist() == [1, 1, 2, 1, 1, 1]


def test_a_constant_target_has_one_place():
    constant = condition(np.full(6, 2.5), "regression")
    assert constant.width == 1
    assert constant.positions(np.array([2.5, 7.0]), 2).tolist() == [0, 0]


def test_no_labels_is_one_place_for_all():
    none = condition(None, None)
    assert (none.width, none.positions(None, 2).tolist(), none.draw(5)) == (1, [0, 0], None)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 100, 12345])
def test_shares_are_exact_and_within_one_row(n):
    counts = [50, 30, 17, 3]
    classes = condition(np.repeat([5, 1, 9, 2], counts))
    made, sizes = np.unique(classes.draw(n), return_counts=True)
    got = dict(zip(made.tolist(), sizes.tolist(), strict=True))
    assert sum(got.values()) == n
    for label, count in zip([5, 1, 9, 2], counts, strict=True):
        assert abs(got.get(label, 0) - n * count / 100) < 1


def test_numbers_are_drawn_at_quantiles():
    numbers = condition(np.arange(1000.0) ** 2, "regression")
    np.testing.assert_allclose(numbers.draw(4), np.quantile(np.arange(1000.0) ** 2, [0.125, 0.375, 0.625, 0.875]))


class TestResolve:
    def test_labels_are_kept_in_order(self):
        n, y = condition(list("aab")).resolve(None, ["b", "a", "b"])
        assert (n, y.tolist()) == (3, ["b", "a", "b"])

    def test_one_label_is_repeated(self):
        assert condition(list("aab")).resolve(3, "a")[1].tolist() == ["a", "a", "a"]

    def test_a_mapping_counts_rows(self):
        assert condition([1, 2, 2]).resolve(None, {2: 3, 1: 1})[1].tolist() == [2, 2, 2, 1]

    @pytest.mark.parametrize("n", [0, -1, None, 2.5, True])
    def test_n_must_be_a_count(self, n):
        with pytest.raises(DataError, match="int of at least 1"):
            condition([1, 2]).resolve(n, None)

    def test_n_and_y_must_fit(self):
        with pytest.raises(DataError, match="as many labels as rows"):
            condition([1, 2]).resolve(3, [1, 2])

    def test_no_labels_to_give(self):
        with pytest.raises(DataError, match="trained without labels"):
            condition(None, None).resolve(2, [1, 2])

    def test_a_mapping_needs_classes(self):
        with pytest.raises(DataError, match="trained on numbers"):
            condition([0.5, 1.5, 2.5], "regression").resolve(None, {1: 2})

    def test_a_mapping_of_no_rows(self):
        with pytest.raises(BudgetError, match="at least 1"):
            condition([1, 2]).resolve(None, {1: 0})

    def test_unknown_labels_are_named(self):
        classes = condition(list("ab"))
        with pytest.raises(DataError, match="label 'z', which was not trained on: give labels among 'a', 'b'"):
            classes.positions(np.array(["a", "z"]), 2)
        with pytest.raises(DataError, match="label 1"):
            classes.positions(np.array([1]), 1)

    @pytest.mark.parametrize("y", [["a"], [np.nan]])
    def test_numbers_must_be_finite_numbers(self, y):
        with pytest.raises(DataError, match="finite numbers"):
            condition([0.5, 1.5, 2.5], "regression").positions(np.array(y), 1)
