"""Finds the engine of a run and checks the options that it is given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from distillkit.bench.planning._suite import Suite
from distillkit.exceptions import SuiteError
from distillkit.plugins import get_manager

__all__ = ["DEFAULT_ENGINE", "engine_of"]

DEFAULT_ENGINE = "local"


def engine_of(suite: Suite, name: str | None, options: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the function of an engine with its options filled in.

    Parameters
    ----------
    suite : Suite
        The options in its table ``engine`` count if the table names the same engine.
    name : str or None
        Registry name; None takes that of the suite, or else "local".
    options : mapping of str to Any
        Further options, which take precedence.

    Raises
    ------
    UnknownNameError, PluginError
        If there is no such engine.
    SuiteError
        If the engine has no such option.
    """
    of_suite = dict(suite.engine)
    suggested = of_suite.pop("name", DEFAULT_ENGINE)
    chosen = suggested if name is None else name
    given = {**(of_suite if chosen == suggested else {}), **options}
    run: Callable[..., Any] = get_manager().get("executor", chosen).load()
    parameters = inspect.signature(run).parameters.values()
    known = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    for option in given:
        if option not in known and not takes_any:
            has = f"its options are {', '.join(known)}" if known else "it has none"
            raise SuiteError(f"the engine {chosen!r} has no option {option!r}: {has}.")
    return partial(run, **given)
