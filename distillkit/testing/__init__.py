"""Checks that every distiller passes, built in or not: run them on yours.

.. code-block:: python

    import pytest
    from distillkit.testing import parametrize_with_checks

    @parametrize_with_checks([MyCoreset(), MyCoreset(metric="cosine")])
    def test_contract(estimator, check):
        check(estimator)

runs scikit-learn's checks and ours, one test each. Without pytest, ``check_distiller(MyCoreset())`` runs ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from sklearn.pipeline import Pipeline

from distillkit.exceptions import UnknownNameError
from distillkit.testing._checks import CHECKS, Scope

__all__ = ["check_distiller", "distiller_checks", "expected_failed_checks", "parametrize_with_checks"]

Check = Callable[[Any], None]

_MODALITIES = ("table", "series", "image")
_ROWS_CHANGE = (
    "by contract fit_transform returns the distilled rows and transform carries every row, "
    "so their row counts differ, which this check does not allow"
)
_STEPS_CHANGE = "scikit-learn's Pipeline fits the very steps it was given, so fit changes the parameter `steps`"


def expected_failed_checks(estimator: Any) -> dict[str, str]:
    """Return which of scikit-learn's checks an estimator fails by design, and why.

    Parameters
    ----------
    estimator : estimator
        A distiller, or any other estimator, which fails none for being in distillkit.

    Returns
    -------
    dict of str to str
        Check name to reason, for ``expected_failed_checks`` of scikit-learn's `parametrize_with_checks` and
        `check_estimator`. Use it with ``xfail_strict=True``: each of them really fails.
    """
    reasons: dict[str, str] = {}
    if hasattr(estimator, "fit_resample") and not getattr(estimator, "_keeps_rows", False):
        reasons |= dict.fromkeys(("check_transformer_general", "check_transformer_data_not_an_array"), _ROWS_CHANGE)
    if isinstance(estimator, Pipeline):
        reasons |= dict.fromkeys(
            ("check_dont_overwrite_parameters", "check_estimators_overwrite_params"), _STEPS_CHANGE
        )
    return reasons


def distiller_checks(
    estimator: Any, *, tasks: Sequence[str | None] | None = None, modalities: Sequence[str] = _MODALITIES
) -> list[tuple[str, Check]]:
    """Return the checks of the estimator contract, each to be called with the estimator.

    Parameters
    ----------
    estimator : distiller
        An instance with cheap parameters (few steps): a check fits clones of it on 27 rows, a few times.
    tasks : sequence of "classification", "regression" and None, or None
        What it can do, the most usual first; None among them stands for no y. Default: all three, without None for
        methods that need y.
    modalities : sequence of "table", "series" and "image"
        The shapes of rows it can do.

    Returns
    -------
    list of (str, callable)
        A callable takes the estimator, returns None and raises AssertionError with what is wrong.

    Raises
    ------
    TypeError
        If `estimator` is a class, or has no `fit_resample` or `transform`.
    ValueError
        If a task or modality is not known, or there are none.
    """
    if isinstance(estimator, type):
        raise TypeError(f"give an instance, not the class {estimator.__name__}: {estimator.__name__}().")
    for method in ("fit", "fit_resample", "fit_transform", "transform"):
        if not hasattr(estimator, method):
            raise TypeError(f"{type(estimator).__name__} is no distiller: it has no {method}.")
    scope = _scope(estimator, tasks, modalities)
    return [(check.__name__, partial(check, scope=scope)) for check in CHECKS]


def _scope(estimator: Any, tasks: Sequence[str | None] | None, modalities: Sequence[str]) -> Scope:
    from sklearn.utils import get_tags

    if tasks is None:
        tasks = ("classification", "regression", None)
        if get_tags(estimator).target_tags.required:
            tasks = tasks[:2]
    for given, known, kind in (
        (tasks, ("classification", "regression", None), "tasks"),
        (modalities, _MODALITIES, "modalities"),
    ):
        if not given or not set(given) <= set(known):
            raise ValueError(f"{kind}={given!r} must be one or more of {known}.")
    return Scope(tuple(tasks), tuple(modalities))


def check_distiller(
    estimator: Any,
    *,
    tasks: Sequence[str | None] | None = None,
    modalities: Sequence[str] = _MODALITIES,
    skip: Iterable[str] = (),
) -> None:
    """Check that an estimator keeps the contract of distillkit; scikit-learn's own checks are apart.

    Parameters
    ----------
    estimator, tasks, modalities
        See `distiller_checks`.
    skip : iterable of str
        Names of checks to leave out.

    Raises
    ------
    AssertionError
        At the first check that fails; the message names the check and says what is wrong.
    UnknownNameError
        If `skip` names a check that does not exist.

    Examples
    --------
    >>> from distillkit import RandomSubset
    >>> check_distiller(RandomSubset(), modalities=["table"])
    """
    checks = dict(distiller_checks(estimator, tasks=tasks, modalities=modalities))
    for name in skip:
        if name not in checks:
            raise UnknownNameError("check", name, checks)
        del checks[name]
    for name, check in checks.items():
        try:
            check(estimator)
        except Exception as exc:  # an error that the contract does not foresee is a failure too
            told = str(exc) if isinstance(exc, AssertionError) else f"{type(exc).__name__}: {exc}"
            raise AssertionError(f"{type(estimator).__name__} fails {name}: {told}") from exc


def parametrize_with_checks(
    estimators: Sequence[Any], *, tasks: Sequence[str | None] | None = None, modalities: Sequence[str] = _MODALITIES
) -> Any:
    """Parametrize a pytest test with all checks, scikit-learn's and those of `distiller_checks`.

    Parameters
    ----------
    estimators : sequence of estimators
        Those without `fit_resample` get scikit-learn's checks alone.
    tasks, modalities
        See `distiller_checks`.

    Returns
    -------
    pytest.MarkDecorator
        For a test with the arguments `estimator` and `check`; what `expected_failed_checks` names is a strict xfail.
    """
    import pytest
    from sklearn.utils.estimator_checks import estimator_checks_generator

    cases = []
    for number, estimator in enumerate(estimators):
        label = f"{type(estimator).__name__}{number}"
        reasons = expected_failed_checks(estimator)
        for _, check in estimator_checks_generator(estimator):
            name = _name(check)
            marks = [pytest.mark.xfail(reason=reasons[name], strict=True)] if name in reasons else []
            cases.append(pytest.param(estimator, check, marks=marks, id=f"{label}-sklearn-{_label(check)}"))
        if hasattr(estimator, "fit_resample"):
            for name, check in distiller_checks(estimator, tasks=tasks, modalities=modalities):
                cases.append(pytest.param(estimator, check, id=f"{label}-{name}"))
    return pytest.mark.parametrize(("estimator", "check"), cases)


def _name(check: Any) -> str:
    return str(getattr(check, "func", check).__name__)


def _label(check: Any) -> str:
    options = ",".join(f"{name}={value}" for name, value in getattr(check, "keywords", {}).items())
    return f"{_name(check)}({options})" if options else _name(check)
