"""Plugins that are single files: what they give, their versions, edits, and files that are broken."""

from __future__ import annotations

import hashlib
import os

import pytest

from distillkit.exceptions import PluginError, PluginWarning, UnknownNameError
from distillkit.plugins import get_manager, reset_manager, use_plugin_files
from distillkit.plugins._files import FILES_VARIABLE
from distillkit.plugins._pinned import pinned_files

METHOD = """
from distillkit import RandomSubset, hookimpl
from distillkit.specs import DatasetSpec, MethodSpec

class Mine(RandomSubset):
    "Random rows."

@hookimpl
def distillkit_methods():
    return [MethodSpec(name="mine", target=Mine, summary="Random rows, {word}")]

@hookimpl
def distillkit_datasets():
    return [DatasetSpec(name="rows", target="nowhere:load", task="classification", modality="table", revision="7")]
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a plugin file; afterwards no such file is in use any more."""
    monkeypatch.setenv(FILES_VARIABLE, "")
    monkeypatch.setenv("DISTILLKIT_DISABLE_PLUGINS", "")
    reset_manager()

    def write(text, name="my_own.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    yield write
    reset_manager()


def test_a_file_gives_what_its_hooks_return(write):
    path = write(METHOD)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    use_plugin_files([path])
    manager = get_manager()
    spec, record = manager.get("method", "mine"), manager.provider("method", "mine")
    assert spec.load().__name__ == "Mine"
    assert (record.name, record.dist, record.version) == (f"file:{path}", "file+my-own", digest)
    assert manager.get("method", "file+my_own/mine") is spec
    assert spec.version == int(digest, 16)
    assert manager.get("dataset", "rows").revision == f"7+{digest}"
    assert not any("my-own" in line for line in manager.requirements())


def test_an_edited_file_has_another_version_and_its_new_code_runs(write):
    use_plugin_files([write(METHOD)])
    first = get_manager().get("method", "mine")
    use_plugin_files([write(METHOD)])
    assert get_manager().get("method", "mine") == first  # the same content
    use_plugin_files([write(METHOD.replace("{word}", "edited"))])
    edited = get_manager().get("method", "mine")
    assert edited.summary == "Random rows, edited"
    assert edited.version != first.version
    assert [name for name in get_manager().records if name.startswith("file:")] == [f"file:{_path()}"]


def _path():
    return os.environ[FILES_VARIABLE]


def test_a_manager_that_is_made_later_loads_the_files_as_well(write):
    path = write(METHOD)
    use_plugin_files([path, path])
    assert os.environ[FILES_VARIABLE] == str(path)
    reset_manager()
    assert get_manager().get("method", "mine").summary == "Random rows, {word}"


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("def (", "SyntaxError"),
        ("x = 1", "no hook in"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_broken_file_is_named_where_its_name_is_asked_for(write, body, cause):
    path = write(body)
    get_manager()
    with pytest.warns(PluginWarning, match=cause):
        use_plugin_files([path])
    with pytest.raises(PluginError, match=r"method 'zzzz' is not there: plugin 'file:.*my_own\.py'.*" + cause):
        get_manager().get("method", "zzzz")


def test_a_file_that_cannot_be_used_is_refused_and_none_is_loaded(write, tmp_path):
    good = write(METHOD)
    for bad, message in ((tmp_path / "none.py", "cannot read the plugin file"), (write("", "a.txt"), "ends in .py")):
        with pytest.raises(PluginError, match=message):
            use_plugin_files([good, bad])
    assert os.environ[FILES_VARIABLE] == ""


def test_a_file_with_the_name_of_a_module_hides_nothing(write):
    use_plugin_files([write(METHOD, "random.py")])
    import random

    assert random.random
    assert get_manager().get("method", "mine").load()().fit([[0.0], [1.0]]).X_distilled_.shape == (1, 1)


def test_a_pinned_file_runs_as_it_was_or_not_at_all(write):
    path = write(METHOD)
    use_plugin_files([path])
    entries = pinned_files()
    assert entries == [f"{path}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"]
    use_plugin_files(entries)  # as a worker does that goes on with the content it has
    assert os.environ[FILES_VARIABLE] == entries[0]
    write(METHOD.replace("{word}", "edited"))
    use_plugin_files(entries)
    assert get_manager().get("method", "mine").summary == "Random rows, {word}"
    reset_manager()  # as in a child process
    with pytest.warns(PluginWarning, match="not the one that the run began with"):
        get_manager()
    assert get_manager().get("method", "random")
    with pytest.raises(UnknownNameError, match=rf"unknown method 'mine'.*the plugin file {path} is not the one"):
        get_manager().get("method", "mine")
    assert pinned_files() == entries
    use_plugin_files([path])  # a new run takes the edited file
    assert get_manager().get("method", "mine").summary == "Random rows, edited"
    assert pinned_files() != entries


def test_a_worker_with_another_content_does_not_pass_it_on(write):
    path = write(METHOD)
    use_plugin_files([path])
    get_manager()
    asked = f"{path}#sha256={'0' * 12}"
    with pytest.warns(PluginWarning, match="or this machine has another"):
        use_plugin_files([asked])
    assert pinned_files() == [asked]
