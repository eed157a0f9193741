"""The code on the pages runs, prints what the pages show, and the commands on them exist."""

import contextlib
import io
import re
import shlex
import sys
from itertools import pairwise
from types import ModuleType

import click
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from distillkit.cli._group import cli


def without_numbers(text):
    """Leave out numbers, which differ in the last digits between machines, and how they are aligned."""
    return " ".join(re.sub(r"-?\d[\d.,]*", "#", text).split())


@pytest.mark.timeout(300)  # seconds of computing, which may be minutes on a machine that is shared
@pytest.mark.usefixtures("drawing")
def test_python_blocks_run_in_order_and_print_what_is_shown(page, blocks, monkeypatch):
    module = ModuleType("code_of_a_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # classes of a page can be pickled
    for number, ((kind, code), (next_kind, shown)) in enumerate(pairwise([*blocks(page), ("", "")])):
        if kind != "python":
            continue
        quick = re.sub(r"max_seconds=[\d.]+", "max_seconds=1", code)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(quick, f"{page.name}, block {number}", "exec"), vars(module))  # noqa: S102 (pages of our own)
        if next_kind == "text":
            assert without_numbers(printed.getvalue()) == without_numbers(shown)


def commands(page, blocks):
    """Yield the arguments of every distillkit command in the console blocks of a page."""
    for kind, text in blocks(page):
        for line in text.splitlines() if kind == "console" else ():
            for part in line.removeprefix("$ ").split("&&"):
                words = shlex.split(part, comments=True)
                if words[:1] == ["distillkit"]:
                    yield words[1:]


def test_commands_on_the_pages_parse(page, blocks):
    for name, *arguments in commands(page, blocks):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, f"there is no command {name}"
        command.make_context(name, arguments)  # raises where an option or argument does not exist


def test_there_are_commands_to_parse(all_pages, blocks):
    assert sum(1 for page in all_pages for _ in commands(page, blocks)) > 15


def test_the_commands_that_distil_a_table_run(all_pages, blocks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    iris = load_iris(as_frame=True)
    names = pd.Series(iris.target_names[iris.target])
    iris.data.assign(species=names).to_csv("flowers.csv", index=False)
    iris.data.assign(label=names).to_csv("data.csv", index=False)
    runs = {tuple(words) for page in all_pages for words in commands(page, blocks) if words[0] == "distill"}
    assert len(runs) >= 4
    for words in runs:
        cli.main(words, standalone_mode=False)
        output = words[words.index("-o") + 1]
        assert (tmp_path / output).stat().st_size > 0
