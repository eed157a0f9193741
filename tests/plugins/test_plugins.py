"""Plugins that work, that are turned off, and what they are asked."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from distillkit.exceptions import PluginError, PluginWarning, UnknownNameError
from distillkit.hookspecs import hookimpl
from distillkit.plugins import KINDS, PluginRecord, get_manager, reset_manager
from distillkit.specs import MethodSpec


def record_of(manager, name):
    return manager._records[name]


def test_a_good_plugin_gives_its_method_under_both_names(site):
    site.add("dk-good", site.give("thinning"), version="2.5")
    manager, caught = site.load()
    assert caught == []
    assert manager.get("method", "thinning") is manager.get("method", "dk-good/thinning")
    record = manager.provider("method", "thinning")
    assert (record.name, record.dist, record.version, record.status, record.error) == (
        "dk-good:m",
        "dk-good",
        "2.5",
        "active",
        None,
    )
    assert record.hooks == ["distillkit_methods"]
    assert record.provides == ["method:thinning"]


@pytest.mark.parametrize("blocked", ["dk-bad", "DK_bad", "m-bad", "dk-bad:m-bad", " x , dk-bad "])
def test_a_blocked_plugin_is_never_imported(site, monkeypatch, blocked):
    site.add("dk-bad", "raise AssertionError('imported')", entry="m-bad")
    monkeypatch.setenv("DISTILLKIT_BLOCK_PLUGINS", blocked)
    manager, caught = site.load()
    assert caught == []
    assert record_of(manager, "dk-bad:m-bad").status == "blocked"
    assert "dk_bad" not in sys.modules
    with pytest.raises(
        PluginError, match=r"'zzz' is not there: plugin 'dk-bad:m-bad' .* turned off by DISTILLKIT_BLOCK_PLUGINS"
    ):
        manager.get("method", "zzz")
    assert "dk-bad==1.0" not in manager.requirements()


def test_disabled_loads_builtins_only(site, monkeypatch):
    site.add("dk-bad", "raise AssertionError('imported')")
    monkeypatch.setenv("DISTILLKIT_DISABLE_PLUGINS", "1")
    manager, caught = site.load()
    assert caught == []
    assert list(manager._records) == ["builtin"]
    with pytest.raises(UnknownNameError, match="Plugins are off"):
        manager.get("method", "zzz")


@pytest.mark.parametrize("value", ["0", "", "no"])
def test_switches_that_are_off(site, monkeypatch, value):
    for name in ("STRICT", "DISABLE"):
        monkeypatch.setenv(f"DISTILLKIT_{name}_PLUGINS", value)
    site.add("dk-bad", "1/0")
    manager, caught = site.load()
    assert len(caught) == 1
    assert record_of(manager, "dk-bad:m").error == "load: ZeroDivisionError: division by zero"


def test_what_is_returned_is_a_copy(site):
    manager, _ = site.load()
    manager.specs("method").clear()
    assert "kmeans" in manager.specs("method")


def test_each_hook_is_called_once_and_only_when_asked(site):
    body = "calls = []\n" + "".join(
        f"@hookimpl\ndef {hook}():\n    calls.append({kind!r})\n    return []\n" for kind, (hook, _) in KINDS.items()
    )
    site.add("dk-count", body)
    manager, _ = site.load()
    calls = sys.modules["dk_count"].calls
    assert calls == ["method"]
    manager.get("executor", "local")
    manager.specs("method")
    assert calls == ["method", "executor"]


def test_records_ask_every_hook(site):
    site.add("dk-bad", "@hookimpl\ndef distillkit_published():\n    return [3]")
    manager, caught = site.load()
    assert caught == []
    with pytest.warns(PluginWarning, match="returned an item of int, but must return PublishedResult"):
        assert manager.records["dk-bad:m"].status == "failed"
    assert {"method:kmeans", "executor:local"} <= set(manager.records["builtin"].provides)


def test_requirements_name_what_gives_something(site):
    site.add("dk-good", site.give("thinning"), version="1.2")
    site.add("dk-off", "1/0", version="1.3")
    half = "@hookimpl\ndef distillkit_executors():\n    raise RuntimeError"
    site.add("dk-half", site.give("half") + half, version="1.4")
    site.add("dk-clash", site.give("kmeans"), version="1.5")
    manager, _ = site.load()
    with pytest.warns(PluginWarning):
        requirements = manager.requirements()
    assert [each for each in requirements if each.startswith("dk-")] == [
        "dk-clash==1.5",
        "dk-good==1.2",
        "dk-half==1.4",
    ]


COMMAND = """
import click
@hookimpl
def distillkit_commands(cli):
    cli.add_command(click.Command({name!r}, help={dist!r}))
    {more}
"""


def test_commands(site):
    for dist, name, more in (
        ("dk-a", "extra", ""),
        ("dk-b", "broken", "1/0"),
        ("dk-c", "run", ""),
        ("dk-d", "extra", ""),
        ("dk-e", "more", ""),
    ):
        site.add(dist, COMMAND.format(name=name, dist=dist, more=more))
    site.add("dk-f", "@hookimpl\ndef distillkit_commands(cli):\n    del cli.commands['run']")
    site.add("dk-g", "@hookimpl\ndef distillkit_commands():\n    pass")
    manager, _ = site.load()
    cli, run = click.Group(), click.Command("run", help="built in")
    cli.add_command(run)
    with pytest.warns(PluginWarning) as caught:
        manager.add_commands(cli)
    assert len(caught) == 4
    assert {name: command.help for name, command in cli.commands.items()} == {
        "run": "built in",
        "extra": "dk-a",
        "more": "dk-e",
    }
    status = {dist: record_of(manager, f"dk-{dist}:m").status for dist in "abcdefg"}
    assert status == {
        "a": "active",
        "b": "failed",
        "c": "conflict",
        "d": "conflict",
        "e": "active",
        "f": "conflict",
        "g": "active",
    }
    assert record_of(manager, "dk-a:m").provides == ["command:extra"]
    assert "the commands 'run', which stay as they were" in record_of(manager, "dk-c:m").error


def test_a_hook_that_asks_for_what_it_gives(site):
    body = "from distillkit.plugins import get_manager\n@hookimpl\ndef distillkit_methods():\n    return list(get_manager().specs('method').values())"
    site.add("dk-loop", body)
    with pytest.warns(PluginWarning, match="distillkit_methods asks the manager for the specs that it provides itself"):
        assert "kmeans" in get_manager().specs("method")


def test_a_plugin_that_asks_for_the_manager_at_import(site):
    site.add("dk-eager", "from distillkit.plugins import get_manager\nget_manager()")
    with pytest.warns(PluginWarning, match=r"call get_manager\(\) inside a function"):
        manager = get_manager()
    assert manager is get_manager()
    reset_manager()
    site.folder.joinpath("dk_eager.py").write_text(
        "from distillkit import hookimpl\nfrom distillkit.specs import *\n" + site.give("late")
    )
    assert "late" in get_manager().specs("method")


class Plugin:
    """Hooks may also be methods of an object."""

    @hookimpl
    def distillkit_methods(self):
        return [MethodSpec(name="handmade", target=dict)]


def test_an_object_can_be_registered_by_hand(site):
    manager, _ = site.load()
    manager.register(Plugin(), PluginRecord("mine:m", "mine", "1"))
    assert manager.get("method", "mine/handmade").load() is dict
    with pytest.raises(PluginError, match="registered already"):
        manager.register(Plugin(), PluginRecord("mine:m", "mine", "2"))
    assert manager.provider("method", "handmade").version == "1"


def test_nothing_heavy_is_imported():
    code = (
        "import sys\nfrom distillkit.plugins import get_manager\nmanager = get_manager()\n"
        "assert 'kmeans' in manager.specs('method')\nmanager.specs('reporter'), manager.specs('executor')\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'pandas', 'torch', 'faiss', 'ot', 'matplotlib', 'click'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"DISTILLKIT_DISABLE_PLUGINS": "1"},
    )
    assert done.returncode == 0, done.stderr
