"""Checks of everything that a plugin can provide; the built-in things pass them, too.

.. code-block:: python

    import pytest
    from distillkit.testing import parametrize_with_checks

    @parametrize_with_checks([MyCoreset(), MyCoreset(metric="cosine")])
    def test_contract(estimator, check):
        check(estimator)

runs the checks of scikit-learn and of distillkit, one test each. Without pytest,
``check_distiller(MyCoreset())`` runs those of distillkit. ``check_metric(my_metric)`` does the same
for metrics, and `check_dataset`, `check_evaluator`, `check_reporter` and `check_executor` for the
other kinds of things that a plugin provides. ``distillkit check NAME`` runs the checks of all
kinds.
"""

from distillkit.testing._conformance import check_dataset, check_evaluator, check_executor, check_reporter
from distillkit.testing._distiller import (
    check_distiller,
    distiller_checks,
    expected_failed_checks,
    parametrize_with_checks,
)
from distillkit.testing.metrics._run import check_metric, metric_checks

__all__ = [
    "check_dataset",
    "check_distiller",
    "check_evaluator",
    "check_executor",
    "check_metric",
    "check_reporter",
    "distiller_checks",
    "expected_failed_checks",
    "metric_checks",
    "parametrize_with_checks",
]
