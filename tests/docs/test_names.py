"""The documents are held to the code: what they name exists, and what exists is named."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

import pytest

import distillkit
from distillkit.bench.leaderboard._table import COLUMNS
from distillkit.bench.planning._load_suite import _Parser, parse_suite, shipped_suites
from distillkit.cli._group import cli
from distillkit.hookspecs import Hooks
from distillkit.plugins import get_manager

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def hooks():
    return [name for name in vars(Hooks) if name.startswith("distillkit_")]


def test_every_hook_is_documented_and_every_documented_hook_exists():
    documented = set(re.findall(r"`(distillkit_[a-z]+)\(", read("docs/hooks.md")))
    assert documented == set(hooks())


@pytest.mark.parametrize("name", hooks())
def test_every_hook_shows_an_example(name):
    assert "Example: ``" in getattr(Hooks, name).__doc__


def test_every_command_is_in_the_readme():
    used = set(
        re.findall(
            r"distillkit (run|plan|report-set|report|list|show|check|distill|new-plugin|reproduce|verify|compare|merge|publish|recommend)",
            read("README.md"),
        )
    )
    assert used == set(cli.commands)


def test_every_key_of_a_suite_is_documented_by_an_example_that_parses():
    example = re.search(r"```toml\n(.*?)```", read("docs/suites.md"), re.DOTALL).group(1)
    assert set(tomllib.loads(example)) == _Parser.known
    assert parse_suite(example, "docs/suites.md").name == "mine"


@pytest.mark.parametrize("kind", ["method", "evaluator", "metric", "dataset"])
def test_every_name_is_documented(kind):
    text = "".join(path.read_text(encoding="utf-8") for path in [*DOCS.rglob("*.md"), ROOT / "README.md"])
    specs = get_manager().short_specs(kind)
    builtin = [name for name in specs if get_manager().provider(kind, name).dist == "distillkit"]
    assert len(builtin) >= 5
    for name in builtin:
        assert f"`{name}`" in text, f"{kind} {name} is not documented"


def test_every_shipped_suite_is_named_in_the_readme():
    for name in shipped_suites():
        assert f"`{name}`" in read("README.md")


def public_modules():
    names = ("base", "coresets", "distances", "neighbors", "nn", "metrics", "evaluators", "datasets", "plugins")
    names += ("auto", "specs", "hookspecs", "testing", "exceptions", "plotting")
    return ["distillkit", *(f"distillkit.{name}" for name in names)]


@pytest.mark.parametrize("module", public_modules())
def test_every_public_name_is_in_the_api_reference(module):
    listed = set()
    for path in (DOCS / "api").glob("*.rst"):
        listed |= set(re.findall(r"^   (\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE))
    names = set(importlib.import_module(module).__all__) - {"__version__"}
    assert not names - listed


def test_the_glossary_explains_every_column_of_the_leaderboard():
    text = read("docs/glossary.md")
    assert not [name for name in COLUMNS if f"`{name}`" not in text]


def test_contributing_names_every_part_of_the_package():
    text = read("CONTRIBUTING.md")
    parts = {path.stem for path in Path(distillkit.__file__).parent.iterdir() if path.suffix in ("", ".py")}
    assert not [part for part in parts if part[0] not in "_." and f"`{part}`" not in text and part != "templates"]


def test_every_page_is_in_the_contents_of_the_site():
    entries = set()
    for path in [*DOCS.rglob("*.md"), *(DOCS / "api").glob("*.rst")]:
        entries |= set(re.findall(r"^(?:   )?([\w/-]+)$", path.read_text(encoding="utf-8"), re.MULTILINE))
    for path in [*DOCS.rglob("*.md"), *(DOCS / "api").glob("*.rst")]:
        name = path.stem if path.stem != "index" else f"{path.parent.name}/index"
        assert name in entries or path == DOCS / "index.md" or "_build" in path.parts, f"{path.name} is in no contents"
