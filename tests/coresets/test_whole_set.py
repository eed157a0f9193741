"""WholeSet: every row, once, in order."""

from __future__ import annotations

import numpy as np

from distillkit.coresets import WholeSet


def test_nothing_changes(table):
    X, y = table
    model = WholeSet().fit(X, y)
    np.testing.assert_array_equal(model.X_distilled_, X)
    np.testing.assert_array_equal(model.y_distilled_, y)
    np.testing.assert_array_equal(model.sample_indices_, np.arange(300))
    np.testing.assert_array_equal(model.sample_weight_, 1)


def test_the_result_is_a_copy(table):
    X, y = table[0].copy(), table[1]
    model = WholeSet().fit(X, y)
    X[:] = 0
    np.testing.assert_array_equal(model.X_distilled_, table[0])
