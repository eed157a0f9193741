"""The checks of the estimator contract, for one estimator or as tests of pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from distillkit.testing._checks import CHECKS, Scope
from distillkit.testing._runner import bound, raise_first

__all__ = ["check_distiller", "distiller_checks", "expected_failed_checks", "parametrize_with_checks"]

Check = Callable[[Any], None]

_MODALITIES = ("table", "series", "image")
_ROWS_CHANGE = (
    "by contract fit_transform returns the distilled rows and transform maps every row, "
    "so their numbers of rows differ, which this check does not allow"
)
_STEPS_CHANGE = "scikit-learn's Pipeline fits the steps themselves and no clones, so fit changes the parameter `steps`"


_ROWS_ARE_BUDGETED = (
    "a budget is a share of the rows and not of their weights, and a random sample of weighted rows is "
    "another one than that of the rows repeated"
)


def expected_failed_checks(estimator: Any) -> dict[str, str]:
    """Return the checks of scikit-learn that an estimator fails by design, with the reasons.

    Parameters
    ----------
    estimator : estimator
        A distiller or any other estimator; ordinary estimators fail none of the checks.

    Returns
    -------
    dict of str to str
        Maps names of checks to reasons, for the parameter ``expected_failed_checks`` of
        scikit-learn's `parametrize_with_checks` and `check_estimator`. ``xfail_strict=True`` can be
        used, because each of them does fail.
    """
    reasons: dict[str, str] = {}
    if hasattr(estimator, "fit_resample") and not getattr(estimator, "_keeps_rows", False):
        reasons |= dict.fromkeys(("check_transformer_general", "check_transformer_data_not_an_array"), _ROWS_CHANGE)
    if isinstance(estimator, Pipeline):
        reasons |= dict.fromkeys(
            ("check_dont_overwrite_parameters", "check_estimators_overwrite_params"), _STEPS_CHANGE
        )
    if hasattr(estimator, "distiller") and hasattr(estimator, "predict"):
        kinds = ("dense", "sparse") if get_tags(estimator).input_tags.sparse else ("dense",)
        names = (f"check_sample_weight_equivalence_on_{kind}_data" for kind in kinds)
        reasons |= dict.fromkeys(names, _ROWS_ARE_BUDGETED)
    return reasons


def distiller_checks(
    estimator: Any, *, tasks: Sequence[str | None] | None = None, modalities: Sequence[str] = _MODALITIES
) -> list[tuple[str, Check]]:
    """Return the checks of the estimator contract, each of which takes the estimator.

    Parameters
    ----------
    estimator : distiller
        An instance with cheap parameters (few steps). A check fits clones of it several times on 27
        rows.
    tasks : sequence of "classification", "regression" and None, or None
        Supported tasks, the most common first; an element None stands for no y. Default: all three,
        without None for methods that need y.
    modalities : sequence of "table", "series" and "image"
        Supported shapes of rows.

    Returns
    -------
    list of (str, callable)
        Names and checks. A check takes the estimator, returns None, and raises AssertionError with
        an explanation on failure.

    Raises
    ------
    TypeError
        If `estimator` is a class, or lacks a method of a distiller.
    ValueError
        If a task or modality is unknown, or none is given.
    """
    if isinstance(estimator, type):
        raise TypeError(f"give an instance, not the class {estimator.__name__}: {estimator.__name__}().")
    for method in ("fit", "fit_resample", "fit_transform", "transform"):
        if not hasattr(estimator, method):
            raise TypeError(f"{type(estimator).__name__} is no distiller: it has no {method}.")
    scope = _scope(estimator, tasks, modalities)
    return [(check.__name__, partial(check, scope=scope)) for check in CHECKS]


def _scope(estimator: Any, tasks: Sequence[str | None] | None, modalities: Sequence[str]) -> Scope:
    """Return the tasks and modalities to check, after validating them."""
    from sklearn.utils import get_tags

    if tasks is None:
        tasks = ("classification", "regression", None)
        if get_tags(estimator).target_tags.required:
            tasks = tasks[:2]
    for values, known, kind in (
        (tasks, ("classification", "regression", None), "tasks"),
        (modalities, _MODALITIES, "modalities"),
    ):
        if not values or not set(values) <= set(known):
            raise ValueError(f"{kind}={values!r} must be one or more of {known}.")
    return Scope(tuple(tasks), tuple(modalities))


def check_distiller(
    estimator: Any,
    *,
    tasks: Sequence[str | None] | None = None,
    modalities: Sequence[str] = _MODALITIES,
    skip: Iterable[str] = (),
) -> None:
    """Check that an estimator keeps the contract of distillkit, without the checks of scikit-learn.

    Parameters
    ----------
    estimator, tasks, modalities
        See `distiller_checks`.
    skip : iterable of str
        Names of checks to leave out.

    Raises
    ------
    AssertionError
        At the first check that fails; the message names the check and gives the reason.
    UnknownNameError
        If `skip` contains the name of no check.

    Examples
    --------
    >>> from distillkit import RandomSubset
    >>> check_distiller(RandomSubset(), modalities=["table"])
    """
    checks = distiller_checks(estimator, tasks=tasks, modalities=modalities)
    raise_first(type(estimator).__name__, [(name, bound(check, estimator)) for name, check in checks], skip)


def parametrize_with_checks(
    estimators: Sequence[Any], *, tasks: Sequence[str | None] | None = None, modalities: Sequence[str] = _MODALITIES
) -> Any:
    """Parametrize a pytest test with all checks, those of scikit-learn and of `distiller_checks`.

    Parameters
    ----------
    estimators : sequence of estimators
        Estimators without `fit_resample` get only the checks of scikit-learn.
    tasks, modalities
        See `distiller_checks`.

    Returns
    -------
    pytest.MarkDecorator
        For a test with the arguments `estimator` and `check`. The checks of
        `expected_failed_checks` are marked as strict xfail.
    """
    import pytest
    from sklearn.utils.estimator_checks import estimator_checks_generator

    cases = []
    for number, estimator in enumerate(estimators):
        prefix = f"{type(estimator).__name__}{number}"
        reasons = expected_failed_checks(estimator)
        for _, check in estimator_checks_generator(estimator):
            name = _name(check)
            marks = [pytest.mark.xfail(reason=reasons[name], strict=True)] if name in reasons else []
            cases.append(pytest.param(estimator, check, marks=marks, id=f"{prefix}-sklearn-{_label(check)}"))
        if hasattr(estimator, "fit_resample"):
            for name, check in distiller_checks(estimator, tasks=tasks, modalities=modalities):
                cases.append(pytest.param(estimator, check, id=f"{prefix}-{name}"))
    return pytest.mark.parametrize(("estimator", "check"), cases)


def _name(check: Any) -> str:
    """Return the name of a check."""
    return str(getattr(check, "func", check).__name__)


def _label(check: Any) -> str:
    """Return the name of a check with its options."""
    options = ",".join(f"{name}={value}" for name, value in getattr(check, "keywords", {}).items())
    return f"{_name(check)}({options})" if options else _name(check)
