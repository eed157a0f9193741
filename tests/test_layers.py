"""Imports only point down, families do not know each other, and the bench knows methods by registry name alone."""

import ast
from pathlib import Path

import pytest

import distillkit

ROOT = Path(distillkit.__file__).parent
METHODS = {"coresets", "condensation", "synthesis", "knowledge"}
FAMILIES = METHODS | {"metrics", "datasets", "evaluators"}
LAYERS = {
    0: {"exceptions", "budget", "specs", "hookspecs"},
    1: {"utils"},
    2: {"distances", "neighbors", "nn"},
    3: {"distilled", "pipeline", "base", "plugins", "plotting", "testing"},
    4: FAMILIES,
    5: {"builtin"},
    6: {"bench"},
    7: {"cli", "__main__"},
}  # fmt: skip
LAYER_OF = {part: layer for layer, parts in LAYERS.items() for part in parts}
BUILTIN_ONLY = ("._specs", "bench.published")  # what families say of themselves, imported when first asked for
SOURCES = sorted(path for path in ROOT.rglob("*.py") if "templates" not in path.relative_to(ROOT).parts)


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports_of(path):
    """Yield the modules below distillkit that a file imports anywhere in it, as dotted names without the root."""
    package = path.relative_to(ROOT.parent).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            origin = ".".join(filter(None, (start, node.module)))
            names = (
                [origin, *(f"{origin}.{alias.name}" for alias in node.names)] if origin == "distillkit" else [origin]
            )
        else:
            continue
        for name in names:
            root, _, rest = name.partition(".")
            if root == "distillkit" and rest:
                yield rest


def top(name):
    return name.partition(".")[0]


def words_of(path):
    """Yield the text constants of a file: modules can be named there, too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def modules(*parts):
    return [path for path in SOURCES if module_of(path) and module_of(path)[0] in parts]


def known(name):
    return top(name) in LAYER_OF


def test_the_sources_are_found():
    assert len(SOURCES) > 50
    assert {"base", "coresets", "bench", "cli"} <= {module_of(path)[0] for path in SOURCES if module_of(path)}


def test_every_module_has_a_layer():
    unknown = {module_of(path)[0] for path in SOURCES if module_of(path)} - set(LAYER_OF)
    assert not unknown, f"put {sorted(unknown)} into LAYERS, at the layer where they belong"


@pytest.mark.parametrize("part", sorted(LAYER_OF))
def test_imports_point_down(part):
    upward = {
        f"{'.'.join(module_of(path))} imports {name}"
        for path in modules(part)
        for name in imports_of(path)
        if known(name)
        and LAYER_OF[top(name)] > LAYER_OF[part]
        and not (part == "builtin" and name.endswith(BUILTIN_ONLY))
    }
    assert not upward


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_families_do_not_import_each_other(family):
    others = {
        f"{'.'.join(module_of(path))} imports {name}"
        for path in modules(family)
        for name in imports_of(path)
        if top(name) in FAMILIES - {family} and (top(name) in METHODS or family in METHODS)
    }
    assert not others


@pytest.mark.parametrize("part", ["bench", "cli"])
def test_methods_are_reached_by_registry_name_only(part):
    for path in modules(part):
        assert not {name for name in imports_of(path) if top(name) in METHODS}, path.name
        named = {
            word for word in words_of(path) if word.startswith(tuple(f"distillkit.{family}" for family in METHODS))
        }
        assert not named, f"{path.name} names {named}"


def test_the_core_names_no_method_but_in_the_built_in_plugin_and_the_facade():
    core = [path for path in modules(*LAYERS[0], *LAYERS[1]) if module_of(path)[0] != "builtin"]
    assert core
    for path in core:
        assert not {name for name in imports_of(path) if top(name) in METHODS}, path.name


@pytest.mark.parametrize("heavy", ["torch", "faiss", "ot", "torchvision"])
def test_the_core_bench_and_command_line_import_nothing_heavy_on_top(heavy):
    light = LAYERS[0] | LAYERS[1] | {"bench", "cli"}
    for path in modules(*(light - {"nn", "neighbors", "distances"})):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                assert heavy not in map(top, names), f"{path.relative_to(ROOT)} imports {heavy} when it is loaded"
