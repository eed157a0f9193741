"""The page on hooks names every field of every specification, and its examples give valid ones that pass their checks."""

import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from distillkit import specs
from distillkit.hookspecs import Hooks
from distillkit.plugins import KINDS, PluginManager, PluginRecord
from distillkit.testing._conformance import spec_results

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text(encoding="utf-8")
HOOKS = [name for name in vars(Hooks) if name.startswith("distillkit_")]


def section(title):
    """Return the part of the page under a heading of the third level, and the introduction to all of them."""
    general = PAGE.split("## Fields and examples")[1].split("\n### ")[0]
    return general + PAGE.split(f"\n### {title}\n")[1].split("\n### ")[0].split("\n## ")[0]


@pytest.mark.parametrize("spec_type", [*(spec_type for _, spec_type in KINDS.values()), specs.PublishedResult])
def test_every_field_of_a_specification_is_described_under_its_name(spec_type):
    named = set(re.findall(r"`(\w+)`", section(spec_type.__name__)))
    assert {field.name for field in fields(spec_type)} <= named


@pytest.fixture(scope="module")
def registered():
    """Register the examples of the page as one plugin."""
    module, hooks = ModuleType("examples_of_the_page"), ModuleType("hooks")
    part = PAGE.split("## Fields and examples")[1].split("## A plugin in one file")[0]
    for code in re.findall(r"```python\n(.*?)```", part, re.DOTALL):
        exec(compile(code, "docs/hooks.md", "exec"), vars(module))  # noqa: S102 (a page of our own)
    vars(hooks).update({name: getattr(module, name) for name in HOOKS})
    manager = PluginManager(strict=True, disabled=True).load()
    manager.register(hooks, PluginRecord("page", "page", "1"))
    return manager


def test_there_is_an_example_of_every_hook(registered):
    import click

    registered.add_commands(group := click.Group())
    record = registered.records["page"]
    assert sorted(record.hooks) == sorted(HOOKS)
    assert {text.partition(":")[0] for text in record.provides} == {*KINDS, "published", "command"}
    assert list(group.commands) == ["hello"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_pass_their_checks(registered, kind):
    (spec,) = (spec for name, spec in registered.specs(kind).items() if name.startswith("page/"))
    # What is defined on a page belongs to no module that another process could import.
    results = spec_results(spec, ["check_spec_pickle"])
    assert [result for result in results if not result.passed] == []
