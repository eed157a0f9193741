"""Checks of the registration and the documentation of anything that a plugin provides."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

from distillkit.exceptions import PluginError
from distillkit.plugins import KINDS
from distillkit.plugins._validation import check_results
from distillkit.specs import Spec
from distillkit.testing._problem import expect
from distillkit.testing._runner import BoundCheck, bound

__all__ = ["GIVEN", "registration_checks"]

GIVEN = {
    "method": frozenset({"budget", "task", "random_state"}),
    "dataset": frozenset({"root", "_root"}),
    "evaluator": frozenset({"task", "random_state"}),
    "metric": frozenset({"y_true", "y_pred", "X", "y", "distilled", "random_state", "record"}),
    "reporter": frozenset({"leaderboard", "folder"}),
    "executor": frozenset({"groups", "run_group", "jobs"}),
}
"""Parameters that distillkit gives itself, by kind; they need no description in each docstring."""


def registration_checks(kind: str, spec: Spec) -> list[BoundCheck]:
    """Return the checks of a spec that hold for all kinds.

    Parameters
    ----------
    kind : str
        One of `distillkit.plugins.KINDS`.
    spec : Spec
    """
    return [
        ("check_fields", bound(check_fields, kind, spec)),
        ("check_target", bound(check_target, spec)),
        ("check_summary", bound(check_summary, spec)),
        ("check_docstring", bound(check_docstring, kind, spec)),
        ("check_spec_pickle", bound(check_spec_pickle, spec)),
    ]


def check_fields(kind: str, spec: Spec) -> None:
    """The fields of the registration have values that are allowed."""
    try:
        check_results([spec], KINDS[kind][1])
    except PluginError as exc:
        raise AssertionError(str(exc)) from exc


def check_target(spec: Spec) -> None:
    """The target can be imported and called."""
    missing = spec.missing()
    expect(not missing, f"the packages {', '.join(missing)} are not installed: install them, then check again")
    expect(callable(spec.load()), f"the target {spec.target!r} is no class or function: name one")


def check_summary(spec: Spec) -> None:
    """The summary is one line of at most 120 characters."""
    text = spec.summary.strip()
    expect(text, "summary is empty: say in one line what it is, since listings show it")
    expect(len(text) <= 120 and "\n" not in text, f"summary has {len(text)} characters: use one line of at most 120")


def check_docstring(kind: str, spec: Spec) -> None:
    """The docstring of the target says what it does and names each parameter that users can set."""
    target = spec.load()
    # A subclass describes its own parameters, and its bases theirs.
    documented = target.__mro__ if isinstance(target, type) else (target,)
    text = "\n".join(inspect.getdoc(each) or "" for each in documented if each is not object)
    expect(text.strip(), f"{_name(target)} has no docstring: say what it does and what its parameters mean")
    own = inspect.signature(target).parameters.values()
    named = [each.name for each in own if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    silent = [name for name in named if name not in GIVEN[kind] and name not in text]
    expect(
        not silent,
        f"the docstring of {_name(target)} does not name {', '.join(silent)}: describe each parameter under Parameters",
    )


def check_spec_pickle(spec: Spec) -> None:
    """The registration can be sent to another process."""
    try:
        copy = pickle.loads(pickle.dumps(spec))  # noqa: S301 (created on this line)
    except Exception as exc:
        raise AssertionError(
            f"the specification cannot be pickled ({exc}): give the target as 'package.module:Name', or a function "
            "at the top of a module"
        ) from exc
    expect(copy.name == spec.name, "the specification changes when it is pickled")


def _name(target: Any) -> str:
    return str(getattr(target, "__name__", type(target).__name__))
