"""Checks the hooks of a plugin and the specs they return, with messages that name the remedy."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

from distillkit.exceptions import PluginError
from distillkit.hookspecs import PROJECT
from distillkit.specs import (
    ALL_MODALITIES,
    BOTH_TASKS,
    CONTROL,
    METHOD,
    METRIC_NEEDS,
    REFERENCE,
    SITUATIONS,
    PublishedResult,
    Spec,
)

if TYPE_CHECKING:
    import pluggy

__all__ = ["check_hooks", "check_results"]

METHOD_KINDS = frozenset({"control", "coreset", "condensation", "synthesis", "knowledge", "automatic"})
ROLES = frozenset({METHOD, CONTROL, REFERENCE})
REDUCES = frozenset({"rows", "model"})
LABEL_MODES = frozenset({"hard", "soft"})
STAGES = frozenset({"prediction", "data", "run"})
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_T = TypeVar("_T")


def check_hooks(manager: pluggy.PluginManager, plugin: object) -> list[str]:
    """Return the names of the hooks that a registered plugin implements.

    pluggy does not report a misspelled hook, an argument with a default (which pluggy never
    passes), or a function without its `hookimpl` marker. Hook wrappers are refused because each
    implementation is called separately.

    Raises
    ------
    PluginError
        If the plugin has one of these errors, or no hook at all.
    """
    known = {name for name in vars(manager.hook) if getattr(manager.hook, name).has_spec()}
    implemented = []
    for caller in manager.get_hookcallers(plugin) or []:
        impls = [impl for impl in caller.get_hookimpls() if impl.plugin is plugin]
        if caller.has_spec():
            _check_implementations(caller, impls)
            implemented.append(caller.name)
        elif not all(impl.optionalhook for impl in impls):
            suggestions = get_close_matches(caller.name, known, n=1)
            raise PluginError(
                f"unknown hook {caller.name!r}"
                + (f": did you mean {suggestions[0]!r}?" if suggestions else f", known: {', '.join(sorted(known))}.")
            )
    unmarked = [name for name in sorted(known - set(implemented)) if inspect.isroutine(getattr(plugin, name, None))]
    if unmarked:
        raise PluginError(f"{unmarked[0]} is not marked: write @distillkit.hookimpl above it.")
    if not implemented:
        raise PluginError(
            f"no hook in {plugin!r}: the entry point must name a module with functions such as distillkit_methods."
        )
    return sorted(implemented)


def _check_implementations(caller: Any, impls: list[Any]) -> None:
    for impl in impls:
        if impl.wrapper or impl.hookwrapper:
            raise PluginError(f"{caller.name} is a wrapper: a hook of {PROJECT} returns its own results only.")
        with_default = set(impl.kwargnames) & set(caller.spec.argnames)
        if with_default:
            raise PluginError(
                f"{caller.name}: argument {with_default.pop()!r} has a default, so it would never be passed: "
                "remove the default."
            )


def check_results(results: Any, result_type: type[_T]) -> list[_T]:
    """Check the results of a hook and return them as a list.

    Raises
    ------
    PluginError
        If the results are not an iterable of `result_type`, a field is not valid, or two specs have
        the same name.
    """
    try:
        specs = list(results)
    except TypeError as exc:
        if hasattr(results, "__iter__"):
            raise  # The error comes from a generator of the plugin.
        raise PluginError(
            f"returned {type(results).__name__}, but must return an iterable of {result_type.__name__}."
        ) from exc
    names = set()
    for spec in specs:
        if not isinstance(spec, result_type):
            raise PluginError(f"returned an item of {type(spec).__name__}, but must return {result_type.__name__}.")
        if isinstance(spec, PublishedResult):
            _check_published(spec)
        elif isinstance(spec, Spec):
            _check_spec(spec)
            if spec.name in names:
                raise PluginError(f"returned {spec.name!r} twice: give each spec its own name.")
            names.add(spec.name)
    return specs


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_target(value: Any) -> bool:
    return _TARGET.fullmatch(value) is not None if isinstance(value, str) else callable(value)


def _is_presets(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        _is_name(name) and isinstance(params, Mapping) and all(map(_is_text, params)) for name, params in value.items()
    )


def _is_range(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(end is None or _is_number(end) for end in value)


def _is_tuned_on(value: Any) -> bool:
    names = [value] if isinstance(value, str) else value
    return isinstance(names, list | tuple) and all(_is_text(name) and name for name in names)


def _is_trait(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_text(name) and isinstance(values, tuple) for name, values in value.items())
    return _is_flag(value)


def _one_of(allowed: AbstractSet[str]) -> tuple[Callable[[Any], bool], str]:
    return lambda value: isinstance(value, str) and value in allowed, f"one of {', '.join(sorted(allowed))}"


def _some_of(allowed: AbstractSet[str]) -> tuple[Callable[[Any], bool], str]:
    def check(value: Any) -> bool:
        return isinstance(value, AbstractSet) and len(value) > 0 and value <= allowed

    return check, f"a frozenset of {', '.join(sorted(allowed))}"


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_is_name, "lower case words of letters and digits, joined by '-'"),
    "target": (_is_target, "a callable or 'package.module:Name'"),
    "summary": (_is_text, "text"),
    "requires": (lambda value: isinstance(value, tuple) and all(map(_is_text, value)), "a tuple of import names"),
    "version": (_is_count, "an int of at least 1"),
    "reduces": _one_of(REDUCES),
    "kind": _one_of(METHOD_KINDS),
    "role": _one_of(ROLES),
    "tasks": _some_of(BOTH_TASKS),
    "modalities": _some_of(ALL_MODALITIES),
    "budgeted": (_is_flag, "True or False"),
    "reference": (_is_text, "text"),
    "presets": (_is_presets, "a mapping of names to mappings of parameters"),
    "label_mode": _one_of(LABEL_MODES),
    **dict.fromkeys(
        ("exposes_originals", "starts_from_real", "deterministic"),
        (_is_trait, "True, False or a mapping of parameters to tuples of values"),
    ),
    # "auto" stands for a task or modality that is read from the file, for datasets given by path.
    "task": _one_of(BOTH_TASKS | {"auto"}),
    "modality": _one_of(ALL_MODALITIES | {"auto"}),
    "revision": (_is_text, "text"),
    "tuned_on": (_is_tuned_on, "'nothing', 'training rows', the name of a dataset, or a tuple of these"),
    "presets_tuned_on": (
        lambda value: isinstance(value, Mapping) and all(map(_is_tuned_on, value.values())),
        "a mapping of presets to what they were tuned on",
    ),
    "needs_root": (_is_flag, "True or False"),
    "get": (_is_text, "text"),
    "license": (_is_text, "text"),
    "flatten": (_is_flag, "True or False"),
    "stage": _one_of(STAGES),
    "greater_is_better": (lambda value: value is None or _is_flag(value), "True, False or None"),
    "unit": (_is_text, "text"),
    "needs": (
        lambda value: isinstance(value, AbstractSet) and value <= METRIC_NEEDS,
        f"a frozenset of {', '.join(sorted(METRIC_NEEDS))}",
    ),
    "suits": (
        lambda value: isinstance(value, AbstractSet) and value <= SITUATIONS,
        f"a frozenset of {', '.join(sorted(SITUATIONS))}",
    ),
    "value_range": (_is_range, "two numbers or None, such as (0.0, None)"),
    "standard": (_is_flag, "True or False"),
    "floor_draws": (lambda value: value == 0 or _is_count(value), "an int of at least 0"),
    "ideal": (lambda value: value is None or _is_number(value), "a finite number or None"),
    "shares_reference": (_is_flag, "True or False"),
    "privacy": (_is_flag, "True or False"),
    "extension": (_is_name, "letters and digits without a dot"),
}


def _check_spec(spec: Spec) -> None:
    for field in spec.__dataclass_fields__:
        if field not in _RULES:  # A field of a subclass that the plugin defines is not checked.
            continue
        check, requirement = _RULES[field]
        value = getattr(spec, field)
        if not check(value):
            raise PluginError(
                f"{type(spec).__name__}(name={spec.name!r}) has {field}={value!r}: it must be {requirement}."
            )


def _check_published(result: PublishedResult) -> None:
    checks: dict[str, tuple[bool, str]] = {
        name: (_is_text(getattr(result, name)) and bool(getattr(result, name)), "text that is not empty")
        for name in ("method", "dataset", "budget", "evaluator", "metric", "source")
    }
    checks["protocol"] = (_is_text(result.protocol), "text")
    checks["value"] = (_is_number(result.value), "a finite number")
    checks["std"] = (
        result.std is None or (_is_number(result.std) and result.std >= 0),
        "None or a number of at least 0",
    )
    for name in ("n", "bytes", "epochs"):
        value = getattr(result, name)
        checks[name] = (value is None or _is_count(value), "None or an int of at least 1")
    for name in ("label", "augmentation", "network", "note"):
        checks[name] = (_is_text(getattr(result, name)), "text")
    for name in ("preset", "judge"):
        value = getattr(result, name)
        checks[name] = (value is None or _is_text(value), "None or text")
    checks["label_mode"] = (result.label_mode in (None, "", *LABEL_MODES), "None, 'hard', 'soft' or ''")
    checks["size_factor"] = (
        result.size_factor is None or (_is_number(result.size_factor) and result.size_factor > 0),
        "None or a positive number",
    )
    checks["verified"] = (_is_flag(result.verified), "True or False")
    for name, (valid, requirement) in checks.items():
        if not valid:
            raise PluginError(f"PublishedResult has {name}={getattr(result, name)!r}: it must be {requirement}.")
