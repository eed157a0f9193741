"""Every promise on the page about failures names tests, and these tests exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guide" / "robustness.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
PROMISE = re.compile(r"^- .*\n(?:  .*\n)*", re.MULTILINE)


def promises():
    return PROMISE.findall(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("promise", promises(), ids=lambda text: text[2:40])
def test_each_promise_names_tests_that_exist(promise):
    named = TEST.findall(promise)
    assert named, "a promise needs a test"
    assert promise.count("`tests/") == len(named), "a test is named as `FILE::NAME`"
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, f"{file}::{name}"


def test_all_subjects_have_promises():
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    without = [section.splitlines()[0] for section in sections if not TEST.search(section)]
    assert len(promises()) > 20
    assert without == []
