"""Runs checks one by one, and says what each demands or how to mend what fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from distillkit.exceptions import UnknownNameError

__all__ = ["BoundCheck", "CheckResult", "bound", "raise_first", "run_checks", "without"]

BoundCheck = tuple[str, Callable[[], None]]
"""The name of a check, and a function without arguments that raises AssertionError on failure."""


@dataclass(frozen=True)
class CheckResult:
    """Result of one check.

    Parameters
    ----------
    name : str
        Name of the check.
    passed : bool
    text : str
        What the check demands; for a failure, what is wrong and how to mend it.
    """

    name: str
    passed: bool
    text: str


def bound(check: Callable[..., None], *args: object) -> Callable[[], None]:
    """Return a check with its arguments, so that its docstring can still be found."""
    if isinstance(check, partial):
        return partial(check.func, *args, *check.args, **check.keywords)
    return partial(check, *args)


def without(checks: Sequence[BoundCheck], skip: Iterable[str]) -> list[BoundCheck]:
    """Return the checks that are not skipped.

    Raises
    ------
    UnknownNameError
        If `skip` contains the name of no check.
    """
    names, skipped = [name for name, _ in checks], set(skip)
    for name in sorted(skipped):
        if name not in names:
            raise UnknownNameError("check", name, names)
    return [(name, check) for name, check in checks if name not in skipped]


def run_checks(checks: Sequence[BoundCheck], skip: Iterable[str] = ()) -> list[CheckResult]:
    """Run checks and return all results, failures included.

    Raises
    ------
    UnknownNameError
        If `skip` contains the name of no check.
    """
    return [_result(name, check) for name, check in without(checks, skip)]


def raise_first(subject: str, checks: Sequence[BoundCheck], skip: Iterable[str] = ()) -> None:
    """Raise AssertionError at the first check that fails, with the name of the subject.

    Raises
    ------
    AssertionError
        The message names the check, gives the reason and says how to mend it.
    UnknownNameError
        If `skip` contains the name of no check.
    """
    for name, check in without(checks, skip):
        result = _result(name, check)
        if not result.passed:
            raise AssertionError(f"{subject} fails {name}: {result.text}")


def _result(name: str, check: Callable[[], None]) -> CheckResult:
    try:
        check()
    except AssertionError as exc:
        return CheckResult(name, passed=False, text=str(exc))
    except Exception as exc:  # any other exception is also a failure
        return CheckResult(name, passed=False, text=f"it raises {type(exc).__name__}: {exc}")
    function = check.func if isinstance(check, partial) else check
    return CheckResult(name, passed=True, text=(function.__doc__ or "").strip().split("\n")[0])
