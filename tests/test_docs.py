"""The documents are held to the code: what they name exists, and what exists is named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from distillkit.bench.planning._load_suite import _Parser, parse_suite, shipped_suites
from distillkit.cli._group import cli
from distillkit.hookspecs import Hooks
from distillkit.plugins import get_manager

ROOT = Path(__file__).parents[1]
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
    used = set(re.findall(r"distillkit (run|plan|report|list|distill|new-plugin)", read("README.md")))
    assert used == set(cli.commands)


def test_every_key_of_a_suite_is_documented_by_an_example_that_parses():
    example = re.search(r"```toml\n(.*?)```", read("docs/suites.md"), re.DOTALL).group(1)
    assert set(tomllib.loads(example)) == _Parser.known
    assert parse_suite(example, "docs/suites.md").name == "mine"


@pytest.mark.parametrize("kind", ["method", "evaluator", "metric", "dataset"])
def test_every_name_is_documented(kind):
    text = "".join(path.read_text(encoding="utf-8") for path in [*DOCS.glob("*.md"), ROOT / "README.md"])
    specs = get_manager().specs(kind)
    builtin = [name for name in specs if "/" not in name and get_manager().provider(kind, name).dist == "distillkit"]
    assert len(builtin) >= 5
    for name in builtin:
        assert f"`{name}`" in text, f"{kind} {name} is not documented"


def test_every_shipped_suite_is_named_in_the_readme():
    for name in shipped_suites():
        assert f"`{name}`" in read("README.md")


def test_documents_link_to_files_that_exist():
    for path in [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for link in re.findall(r"\]\((?!http)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_python_blocks_of_the_documents_compile():
    blocks = 0
    for path in [*DOCS.glob("*.md"), ROOT / "README.md"]:
        for block in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            compile(block, path.name, "exec")
            blocks += 1
    assert blocks >= 3
