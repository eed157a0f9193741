"""Broken plugins: each is one warning and one record, and harms nobody else."""

from __future__ import annotations

import importlib
import sys
import warnings

import pytest

from distillkit.exceptions import PluginError, PluginWarning, UnknownNameError
from distillkit.plugins import PluginManager, PluginRecord, get_manager
from distillkit.plugins import _discovery as discovery


def record_of(manager, name):
    return manager._records[name]


BROKEN = {
    "import error": ("import not_there_at_all", "load: ModuleNotFoundError: No module named 'not_there_at_all'"),
    "exit at import": ("raise SystemExit(3)", "load: SystemExit: 3"),
    "sys.exit at import": ("import sys\nsys.exit('bye')", "load: SystemExit: bye"),
    "panic at import": (
        "class PanicException(BaseException):\n    pass\nraise PanicException('index out of range')",
        "load: PanicException: index out of range",
    ),
    "left-over skip": ("import pytest\npytest.skip('no GPU', allow_module_level=True)", "load: Skipped: no GPU"),
    "end of the process at import": ("import os\nos._exit(3)", "load: it called os._exit(3)"),
    "abort at import": ("from os import abort\nabort()", "load: it called os.abort()"),
    "end of the process in a hook": (
        "import os\n@hookimpl\ndef distillkit_methods():\n    yield os._exit(0)",
        "distillkit_methods: it called os._exit(0)",
    ),
    "panic in a hook": (
        "@hookimpl\ndef distillkit_methods():\n    raise BaseException('panic')",
        "distillkit_methods: BaseException: panic",
    ),
    "syntax error": ("def (:", "load: SyntaxError"),
    "misspelt hook": (
        "@hookimpl\ndef distillkit_metods():\n    return []",
        "unknown hook 'distillkit_metods': did you mean 'distillkit_methods'?",
    ),
    "strange hook": (
        "@hookimpl\ndef distillkit_zzzzzzzz():\n    return []",
        "known: distillkit_commands, distillkit_datasets",
    ),
    "bad argument": ("@hookimpl\ndef distillkit_methods(nope):\n    return []", "load: PluginValidationError"),
    "unmarked hook": (
        "def distillkit_methods():\n    return []",
        "distillkit_methods is not marked: write @distillkit.hookimpl",
    ),
    "no hook": ("x = 1", "load: no hook in"),
    "default argument": (
        "@hookimpl\ndef distillkit_commands(cli=None):\n    cli.x",
        "'cli' has a default, so it would never be passed",
    ),
    "wrapper": (
        "@hookimpl(wrapper=True)\ndef distillkit_methods():\n    return (yield)",
        "distillkit_methods is a wrapper",
    ),
    "raises": (
        "@hookimpl\ndef distillkit_methods():\n    raise RuntimeError('boom')",
        "distillkit_methods: RuntimeError: boom",
    ),
    "exits in the hook": (
        "@hookimpl\ndef distillkit_methods():\n    raise SystemExit(1)",
        "distillkit_methods: SystemExit: 1",
    ),
    "generator raises": (
        "@hookimpl\ndef distillkit_methods():\n    yield MethodSpec(name='early', target='a:B')\n    None + 1",
        "distillkit_methods: TypeError: unsupported operand",
    ),
    "not iterable": (
        "@hookimpl\ndef distillkit_methods():\n    pass",
        "returned NoneType, but must return an iterable of MethodSpec",
    ),
    "one spec": (
        "@hookimpl\ndef distillkit_methods():\n    return MethodSpec(name='a', target='b:C')",
        "returned MethodSpec, but must return an iterable",
    ),
    "text": (
        "@hookimpl\ndef distillkit_methods():\n    return ['thinning']",
        "returned an item of str, but must return MethodSpec",
    ),
    "other spec": (
        "@hookimpl\ndef distillkit_methods():\n    return [ReporterSpec(name='a', target='b:C', extension='x')]",
        "returned an item of ReporterSpec, but must return MethodSpec",
    ),
    "twice": (
        "@hookimpl\ndef distillkit_methods():\n    return 2 * [MethodSpec(name='early', target='a:B')]",
        "returned 'early' twice",
    ),
    "missing field": (
        "@hookimpl\ndef distillkit_methods():\n    return [MethodSpec(name='a')]",
        "distillkit_methods: TypeError",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_one_warning_and_one_record(site, case):
    body, cause = BROKEN[case]
    site.add("dk-bad", body, version="0.9")
    site.add("dk-good", site.give("thinning"))
    site.add("dk-last", site.give("facility"))
    manager, caught = site.load()
    record = record_of(manager, "dk-bad:m")
    assert record.status == "failed"
    assert cause in record.error
    assert len(caught) == 1
    assert caught[0].startswith("plugin 'dk-bad:m' (dk-bad 0.9) ")
    assert {"kmeans", "thinning", "facility"} <= set(manager.specs("method"))
    assert record_of(manager, "dk-good:m").status == "active"
    assert not [name for name in manager.specs("method") if "early" in name]
    with pytest.raises(
        PluginError, match=r"method 'zzz' is not there: plugin 'dk-bad:m' \(dk-bad 0\.9\) may give it, but is off"
    ) as raised:
        manager.get("method", "zzz")
    assert cause in str(raised.value)


@pytest.mark.parametrize("case", BROKEN)
def test_strict_raises_at_once(site, monkeypatch, case):
    site.add("dk-bad", BROKEN[case][0])
    monkeypatch.setenv("DISTILLKIT_STRICT_PLUGINS", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PluginError) as raised:
            site.load()
    assert "plugin 'dk-bad:m' (dk-bad 1.0)" in str(raised.value)
    assert BROKEN[case][1].rpartition("load: ")[2] in str(raised.value).replace("gives nothing for ", "")


def test_a_plugin_for_another_version_is_told_before_import(site):
    site.add("dk-old", "raise AssertionError('imported')", requires="distillkit>=0.2")
    manager, caught = site.load()
    assert record_of(manager, "dk-old:m").error.startswith("load: needs distillkit>=0.2, but this is distillkit 0.1.0")
    assert len(caught) == 1
    assert "dk_old" not in sys.modules


@pytest.mark.parametrize(
    "requires",
    [
        "distillkit",
        "DistillKit>=0.1",
        "distillkit>=9; extra == 'later'",
        "distillkit>=9; python_version < '3'",
        "no sense >",
        "other>=9",
        "",
    ],
)
def test_requirements_that_do_not_exclude_this_version(site, requires):
    site.add("dk-fits", site.give("thinning"), requires=requires)
    manager, caught = site.load()
    assert caught == []
    assert "thinning" in manager.specs("method")


def test_a_bare_checkout_has_no_version_to_compare(site):
    site.add("dk-new", site.give("thinning"), requires="distillkit>=7")
    assert "thinning" in PluginManager(host_version="0+unknown").load().specs("method")


def test_a_prerelease_of_this_version_counts(site):
    site.add("dk-fits", site.give("thinning"), requires="distillkit>=0.1")
    assert "thinning" in PluginManager(host_version="0.2.0rc1").load().specs("method")


def test_asking_again_repeats_no_cause(site):
    site.add("dk-bad", "@hookimpl\ndef distillkit_methods():\n    raise RuntimeError('boom')")
    manager, _ = site.load()
    site.add("dk-good", site.give("thinning"))
    importlib.invalidate_caches()
    manager.register(importlib.import_module("dk_good"), PluginRecord("dk-good:m", "dk-good", "1"))
    with pytest.warns(PluginWarning, match="boom"):
        manager.specs("method")  # all hooks are asked anew
    record = record_of(manager, "dk-bad:m")
    assert (record.failed, record.error) == (["distillkit_methods"], "distillkit_methods: RuntimeError: boom")


def test_a_bad_argument_leaves_no_other_hook_live(site):
    body = "@hookimpl\ndef distillkit_executors():\n    return [ExecutorSpec(name='queue', target='a:B')]\n"
    site.add("dk-half", body + "@hookimpl\ndef distillkit_methods(nope):\n    return []")
    manager, _ = site.load()
    assert "queue" not in manager.specs("executor")
    assert record_of(manager, "dk-half:m").hooks == []


def test_a_failing_hook_leaves_the_others_of_its_plugin(site):
    body = "@hookimpl\ndef distillkit_executors():\n    return [ExecutorSpec(name='queue', target='a:B')]\n"
    site.add("dk-half", body + "@hookimpl\ndef distillkit_methods():\n    raise RuntimeError")
    manager, caught = site.load()
    assert len(caught) == 1
    assert manager.provider("executor", "queue").status == "failed"
    with pytest.raises(UnknownNameError, match=r"unknown executor 'queeu': did you mean 'queue'\?$"):
        manager.get("executor", "queeu")  # its executor hook works: no suspicion there


def test_an_optional_unknown_hook_is_allowed(site):
    site.add(
        "dk-newer", site.give("thinning") + "@hookimpl(optionalhook=True)\ndef distillkit_of_tomorrow():\n    pass"
    )
    manager, caught = site.load()
    assert caught == []
    assert record_of(manager, "dk-newer:m").hooks == ["distillkit_methods"]


@pytest.mark.parametrize("when", ["import", "hook"])
def test_keyboard_interrupt_passes(site, when):
    site.add(
        "dk-slow",
        "raise KeyboardInterrupt"
        if when == "import"
        else "@hookimpl\ndef distillkit_methods():\n    raise KeyboardInterrupt",
    )
    with pytest.raises(KeyboardInterrupt):
        site.load()
    with pytest.raises(KeyboardInterrupt):
        get_manager().specs("method")
    with pytest.raises(KeyboardInterrupt):  # nothing half loaded was kept
        get_manager().specs("method")


def test_a_class_as_plugin_fails_in_words(site):
    site.add(
        "dk-class", "class P:\n    @hookimpl\n    def distillkit_methods(self):\n        return []", value="dk_class:P"
    )
    manager, caught = site.load()
    assert len(caught) == 1
    assert record_of(manager, "dk-class:m").status == "failed"


@pytest.mark.parametrize("finder", ["Python's own", "importlib_metadata's"])
def test_damaged_metadata_hides_nobody_else(site, finder, monkeypatch):
    if finder != "Python's own":  # as after an import of that package by any library
        other = pytest.importorskip("importlib_metadata")
        monkeypatch.setattr(discovery, "distributions", other.distributions)
    nameless = site.add("dk-nameless", site.give("alpha"))
    (nameless / "METADATA").unlink()
    for dist, text in {
        "dk-damaged": "[distillkit]\nno equals sign\n",
        "dk-other": "[other]\nno equals sign\n",
        "dk-bytes": None,
    }.items():
        path = site.add(dist, site.give(dist)) / "entry_points.txt"
        path.write_bytes(b"\xff\xfe[distillkit]") if text is None else path.write_text(text)
    site.add("dk-zgood", site.give("thinning"))
    manager, caught = site.load()
    assert len(caught) == 1
    assert "its metadata cannot be read" in caught[0]
    assert record_of(manager, "dk-damaged:?").status == "failed"
    assert {"alpha", "thinning"} <= set(manager.specs("method"))
