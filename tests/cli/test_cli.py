"""The frame of the command line: help, listings, warnings, bugs and interrupts."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import click
import pytest

import distillkit.cli
from distillkit.cli import _group
from distillkit.exceptions import PluginWarning
from distillkit.plugins import get_manager


def test_help_names_every_command_and_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['distillkit', '--help']\n"
        "from distillkit.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'torch', 'faiss', 'ot', 'sklearn', 'scipy', 'pandas', 'matplotlib', 'rich', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in ("run", "plan", "report", "list", "show", "check", "distill", "new-plugin"):
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("module", ["distillkit.cli", "distillkit.bench", "distillkit.cli._group"])
def test_importing_it_imports_nothing_heavy(module):
    code = (
        f"import sys, {module}; assert not {{'torch', 'faiss', 'ot', 'sklearn', 'pandas', 'numpy'}} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("command", ["run", "plan", "report", "list", "show", "check", "distill", "new-plugin"])
def test_every_command_has_help(distillkit_, command):
    told = distillkit_(command, "--help")
    assert told.status == 0
    assert told.out.startswith(f"Usage: distillkit {command} ")


def test_the_version(distillkit_):
    assert distillkit_("--version").out.startswith("distillkit, version ")


def test_without_a_command_there_is_help(distillkit_):
    told = distillkit_()
    assert "distillkit run quickstart" in told.out + told.err


def test_an_unknown_command_is_told_with_the_nearest(refused):
    assert refused("rum") == "distillkit: unknown command 'rum': did you mean 'run'?\n"


def test_an_unknown_option_is_told(distillkit_):
    told = distillkit_("run", "--sedes", "3")
    assert told.status == 2
    assert "--sedes" in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("methods", "kmeans"),
        ("datasets", "mnist"),
        ("metrics", "balanced-accuracy"),
        ("evaluators", "logistic"),
        ("reporters", "html"),
        ("executors", "local"),
        ("suites", "quickstart"),
        ("plugins", "builtin"),
    ],
)
def test_lists(distillkit_, kind, name):
    told = distillkit_("list", kind)
    assert told.status == 0
    assert any(line.split()[:1] == [name] for line in told.out.splitlines())
    lines = {line["name"]: line for line in json.loads(distillkit_("list", kind, "--json").out)}
    assert name in lines
    if kind not in ("plugins", "suites"):
        short = list(get_manager().short_specs(kind[:-1]))
        assert list(lines) == short
        assert all(line["summary"] for line in lines.values())
        assert {line["plugin"] for line in lines.values()} >= {"distillkit"}


def test_listing_imports_nothing_heavy():
    code = "from distillkit.cli._group import cli; cli(['list', 'methods'], standalone_mode=False)\n"
    code += "import sys; assert not {'torch', 'faiss', 'ot', 'sklearn', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_list_of_something_unknown(distillkit_):
    told = distillkit_("list", "methodes")
    assert told.status == 2
    assert "methods" in told.err


def play(monkeypatch, callback):
    """Add a command that does what `callback` does."""
    monkeypatch.setitem(_group.cli.commands, "play", click.Command("play", callback=callback))


def test_a_warning_is_one_sentence(distillkit_, monkeypatch):
    def warn():
        warnings.warn("plugin 'x' is off:\n  no module y", PluginWarning, stacklevel=1)

    play(monkeypatch, warn)
    monkeypatch.setattr(warnings, "filters", [("always", None, Warning, None, 0)])
    told = distillkit_("play")
    assert (told.status, told.err) == (0, "distillkit: warning: plugin 'x' is off: no module y\n")


def test_a_bug_is_one_sentence_and_a_traceback_on_request(distillkit_, monkeypatch):
    def break_():
        raise KeyError("boom\nboom")

    play(monkeypatch, break_)
    monkeypatch.delenv("DISTILLKIT_TRACEBACK", raising=False)
    told = distillkit_("play")
    assert told.status == 1
    assert told.err.startswith("distillkit: unexpected KeyError: 'boom")
    assert told.err.count("\n") == 1
    monkeypatch.setenv("DISTILLKIT_TRACEBACK", "1")
    monkeypatch.setattr(sys, "argv", ["distillkit", "play"])
    with pytest.raises(KeyError):
        distillkit.cli.main()


def test_an_interrupt_has_its_status(distillkit_, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    play(monkeypatch, interrupt)
    told = distillkit_("play")
    assert told.status == 130
    assert told.err.strip() == "distillkit: interrupted."


def test_commands_of_plugins_are_found(distillkit_, monkeypatch):
    asked = []

    def add(cli):
        asked.append(cli)
        monkeypatch.setitem(cli.commands, "shine", click.Command("shine", callback=lambda: click.echo("it shines")))

    monkeypatch.setattr(_group.cli, "_plugins_loaded", False, raising=False)
    monkeypatch.setattr(get_manager(), "add_commands", add)
    assert distillkit_("list", "executors").status == 0
    assert asked == [], "built-in commands load no plugin for their own sake"
    assert distillkit_("shine").out == "it shines\n"
    assert "shine" in distillkit_("--help").out
    assert len(asked) == 1
