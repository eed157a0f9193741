"""What plugins do to the process: they print, hang, and keep functions that end it."""

from __future__ import annotations

import os
import threading
import time

import click
import pytest

from distillkit.exceptions import PluginError
from distillkit.plugins import PluginManager, _containment

REAL_EXIT = os._exit


def test_what_a_plugin_prints_is_one_warning_and_no_output(site, capsys):
    site.add("dk-loud", "print('hello')\nprint('world')\n" + site.give("thinning"))
    manager, caught = site.load()
    assert len(caught) == 1
    assert "plugin 'dk-loud:m' (dk-loud 1.0) printed 'hello world' at import" in caught[0]
    assert capsys.readouterr().out == ""
    assert manager._records["dk-loud:m"].status == "active"
    assert "thinning" in manager.specs("method")


def test_what_a_hook_prints_is_a_warning_that_names_it(site, capsys):
    body = "@hookimpl\ndef distillkit_methods():\n    print('x' * 500)\n    return []\n"
    site.add("dk-loud", body + "@hookimpl\ndef distillkit_commands(cli):\n    print('commands')\n")
    manager, caught = site.load()
    assert len(caught) == 1
    assert "printed 'xxx" in caught[0]
    assert "in distillkit_methods" in caught[0]
    assert len(caught[0]) < 300
    with pytest.warns(Warning, match="printed 'commands' in distillkit_commands"):
        manager.add_commands(click.Group())
    assert capsys.readouterr().out == ""


def test_strict_raises_for_what_is_printed(site):
    site.add("dk-loud", "print('hello')\n" + site.give("thinning"))
    with pytest.raises(PluginError, match="printed 'hello' at import"):
        PluginManager(strict=True, host_version="0.1.0").load()


def test_a_plugin_that_hangs_is_named_with_the_way_to_block_it(site, monkeypatch, capsys):
    monkeypatch.setattr(_containment, "SLOW_SECONDS", 0.02)
    site.add("dk-fast", site.give("fast"))
    site.add("dk-slow", "import time\ntime.sleep(0.3)\n" + site.give("thinning"))
    manager, caught = site.load()
    assert caught == []
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "dk-slow" in line]
    assert line.startswith("distillkit: plugin 'dk-slow:m' (dk-slow 1.0) has been loading for 0.02 seconds")
    assert "DISTILLKIT_BLOCK_PLUGINS=dk-slow" in line
    assert "thinning" in manager.specs("method")
    blocked, _ = site.load(blocked=["dk-slow"])
    assert blocked._records["dk-slow:m"].status == "blocked"


def test_nothing_of_the_containment_stays(site):
    site.add("dk-keeps", "from os import _exit as leave\n" + site.give("thinning"))
    before = threading.active_count()
    site.load()
    assert os._exit is REAL_EXIT
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a process")
def test_children_and_later_calls_still_end_their_process():
    with _containment.contain("plugin 'a'", "a"):
        leave = os._exit
        with pytest.raises(_containment.ProcessExitError, match=r"os\._exit\(5\)"):
            leave(5)
        forked = os.fork()
        if not forked:
            leave(7)
    assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 7
    forked = os.fork()
    if not forked:
        leave(9)  # a library that a plugin imported kept the function
    assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 9
