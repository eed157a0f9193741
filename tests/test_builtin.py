"""What distillkit itself gives: every target resolves, and the core knows methods in no other way."""

from __future__ import annotations

import ast
import inspect
import math
from pathlib import Path

import pytest

import distillkit
from distillkit import builtin
from distillkit.base import BaseDistiller
from distillkit.plugins import KINDS, PluginManager
from distillkit.plugins._validation import check_results
from distillkit.specs import PublishedResult

PACKAGE = Path(distillkit.__file__).parent
FAMILIES = {"coresets", "condensation", "synthesis", "knowledge"}


@pytest.fixture(scope="module")
def manager():
    return PluginManager(strict=True, disabled=True).load()


def short(manager, kind):
    return manager.short_specs(kind)


def all_specs():
    for kind, (hook, wanted) in KINDS.items():
        for spec in check_results(getattr(builtin, hook)(), wanted):
            yield pytest.param(kind, spec, id=f"{kind}-{spec.name}")


@pytest.mark.parametrize(("kind", "spec"), list(all_specs()))
def test_every_target_is_text_and_resolves(kind, spec):
    assert isinstance(spec.target, str), "a target that is imported for a listing makes every listing slow"
    assert callable(spec.load())
    assert spec.summary
    assert not spec.summary.endswith(".")
    assert spec.missing() == []


def test_names(manager):
    assert {"random", "class-means", "whole", "kmeans", "kcenter"} <= set(short(manager, "method"))
    assert list(short(manager, "method"))[:3] == ["random", "class-means", "whole"]
    assert {
        "digits",
        "wine",
        "breast-cancer",
        "iris",
        "diabetes",
        "mnist",
        "cifar10",
        "adult",
        "gunpoint",
        "csv",
        "npz",
    } <= set(short(manager, "dataset"))
    assert {"logistic", "ridge", "knn", "forest", "boosting", "mlp"} <= set(short(manager, "evaluator"))
    assert {"accuracy", "macro-f1", "r2", "rmse", "rows", "bytes", "seconds-distil", "mmd", "coverage"} <= set(
        short(manager, "metric")
    )
    assert list(short(manager, "reporter")) == ["terminal", "markdown", "csv", "html"]
    assert list(short(manager, "executor")) == ["local", "dask", "ray", "slurm"]


def test_all_is_well(manager):
    records = manager.records
    assert list(records) == ["builtin"]
    assert records["builtin"].status == "active"
    assert records["builtin"].hooks == sorted(hook for hook in dir(builtin) if hook.startswith("distillkit_"))
    assert manager.requirements() == []


def test_methods_keep_what_their_specs_say(manager):
    for spec in short(manager, "method").values():
        parameters = inspect.signature(spec.load()).parameters
        assert spec.budgeted == ("budget" in parameters or "distiller" in spec.params), spec.name
        assert set(spec.params) <= set(parameters), spec.name
        for preset, params in spec.presets.items():
            spec.load()(**params)
            assert set(params) <= set(parameters), (spec.name, preset)


def test_every_distiller_of_a_family_is_a_method(manager):
    registered = {spec.load() for spec in short(manager, "method").values()}
    for family in sorted(FAMILIES):
        if (PACKAGE / family / "__init__.py").exists():
            module = __import__(f"distillkit.{family}", fromlist=["__all__"])
            classes = {getattr(module, name) for name in module.__all__}
            missing = {cls for cls in classes if inspect.isclass(cls) and issubclass(cls, BaseDistiller)} - registered
            assert not missing, f"no MethodSpec in builtin.py for {missing}"


def test_without_the_builtin_hooks_there_is_nothing(monkeypatch):
    for hook, _ in KINDS.values():
        monkeypatch.setattr(builtin, hook, _empty())
    manager = PluginManager(strict=True, disabled=True).load()
    assert {kind: manager.specs(kind) for kind in KINDS} == {kind: {} for kind in KINDS}


def _empty():
    @builtin.hookimpl
    def nothing():
        return []

    return nothing


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("layer", ["bench", "cli"])
def test_the_harness_reaches_methods_by_name_only(layer):
    for path in sorted((PACKAGE / layer).rglob("*.py")):
        reached = {name.split(".")[1] for name in imported_modules(path) if name.startswith("distillkit.")}
        assert not reached & FAMILIES, f"{path} imports {reached & FAMILIES}"


def test_only_builtin_names_the_homes_of_methods():
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        named = [family for family in FAMILIES if f'"distillkit.{family}:' in text or f'"distillkit.{family}._' in text]
        assert not named or path.parent.name == "builtin", path


def _by_kind(function):
    """Return the names of the parameters of each kind: those given by position, then options with a default."""
    parameters = inspect.signature(function).parameters.values()
    options = [one for one in parameters if one.kind is one.KEYWORD_ONLY]
    assert all(one.default is not one.empty for one in options)
    first = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    return [first, *([[one.name for one in options]] if options else [])]


def test_reporters_and_engines_take_what_the_contract_says(manager):
    for name in short(manager, "reporter"):
        assert len(inspect.signature(manager.get("reporter", name).load()).parameters) >= 2
    for name in short(manager, "executor"):
        if manager.get("executor", name).missing():
            continue
        assert _by_kind(manager.get("executor", name).load())[0] == ["groups", "run_group", "jobs"]
    extensions = [spec.extension for spec in short(manager, "reporter").values()]
    assert len(set(extensions)) == len(extensions)


def test_published_figures(manager):
    results = manager.published()
    assert len(results) > 100
    assert all(isinstance(result, PublishedResult) for result in results)
    assert all(0 <= result.value <= 1 for result in results if result.metric == "accuracy")
    assert all(math.isfinite(result.value) and result.source for result in results)
