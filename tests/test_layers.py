"""Imports only point down, families do not know each other, and the bench knows methods by registry name alone."""

import ast
from pathlib import Path

import pytest

import distillkit

ROOT = Path(distillkit.__file__).parent
FAMILIES_OF_METHODS = {"coresets", "condensation", "synthesis", "knowledge"}
FAMILIES = FAMILIES_OF_METHODS | {"metrics", "datasets", "evaluators"}
METHODS = FAMILIES_OF_METHODS | {"auto"}  # a method that tries the others stands above the bench, whose judges it uses
# From the ground up: a part imports from the floors below it alone, never from its own floor.
FLOORS = (
    {"exceptions"},
    {"budget", "specs"},
    {"hookspecs", "utils"},
    {"distances", "neighbors"},
    {"tables"},
    {"nn", "distilled", "plugins"},
    {"advice", "base", "pipeline", "plotting"},
    FAMILIES,
    {"builtin", "bench", "export"},
    {"auto"},
    {"testing", "reports"},  # also what the bench runs and writes
    {"cli"},
    {"__main__"},  # the door: python -m distillkit
)
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
SOURCES = sorted(path for path in ROOT.rglob("*.py") if "templates" not in path.relative_to(ROOT).parts)


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


MODULES = {".".join(("distillkit", *module_of(path))) for path in SOURCES}


def imports_of(path):
    """Yield the modules below distillkit that a file imports anywhere in it, as dotted names without the root."""
    package = path.relative_to(ROOT.parent).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            origin = ".".join(filter(None, (start, node.module)))
            inner = [f"{origin}.{alias.name}" for alias in node.names]
            named = [name for name in inner if name in MODULES]  # from package import module
            names = named if len(named) == len(inner) else [origin, *named]
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
    return top(name) in FLOOR_OF


def test_the_sources_are_found():
    assert len(SOURCES) > 50
    assert {"base", "coresets", "bench", "cli"} <= {module_of(path)[0] for path in SOURCES if module_of(path)}


def test_every_module_has_a_floor():
    unknown = {module_of(path)[0] for path in SOURCES if module_of(path)} - set(FLOOR_OF)
    assert not unknown, f"put {sorted(unknown)} into FLOORS, where they belong"


@pytest.mark.parametrize("part", sorted(FLOOR_OF))
def test_imports_point_down(part):
    upward = {
        f"{'.'.join(module_of(path))} imports {name}"
        for path in modules(part)
        for name in imports_of(path)
        if known(name) and top(name) != part and FLOOR_OF[top(name)] >= FLOOR_OF[part]
    }
    assert not upward


def circles(graph):
    """Return the nodes that lie on a circle: those that reach themselves."""

    def reached(start):
        seen, waiting = set(), list(graph[start])
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                waiting += graph.get(node, ())
        return seen

    return sorted(node for node in graph if node in reached(node))


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == ["b", "c"]


def test_no_file_imports_itself_by_way_of_others():
    names = {".".join(module_of(path)): path for path in SOURCES}
    graph = {name: set(imports_of(path)) & set(names) - {name} for name, path in names.items() if name}
    assert not circles(graph)


@pytest.mark.parametrize("part", ["bench", "condensation", "coresets", "nn"])
def test_no_room_imports_itself_by_way_of_others(part):
    graph = {}
    for path in modules(part):
        room = (
            module_of(path)[1]
            if len(module_of(path)) > 2 or (path.name == "__init__.py" and len(module_of(path)) > 1)
            else None
        )
        for name in imports_of(path):
            parts = name.split(".")
            if room and parts[0] == part and len(parts) > 2 and parts[1] != room:
                graph.setdefault(room, set()).add(parts[1])
    assert graph
    assert not circles(graph)


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
    core = modules("testing", *set().union(*FLOORS[: FLOORS.index(FAMILIES)]))
    assert core
    for path in core:
        assert not {name for name in imports_of(path) if top(name) in METHODS}, path.name


@pytest.mark.parametrize("heavy", ["torch", "faiss", "ot", "torchvision"])
def test_the_core_bench_and_command_line_import_nothing_heavy_on_top(heavy):
    light = set(FLOOR_OF) - FAMILIES
    for path in modules(*(light - {"nn", "neighbors", "distances"})):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                assert heavy not in map(top, names), f"{path.relative_to(ROOT)} imports {heavy} when it is loaded"
