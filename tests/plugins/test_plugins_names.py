"""Which name leads to which spec."""

from __future__ import annotations

import sys

import pytest

from distillkit.exceptions import PluginError, UnknownNameError


def record_of(manager, name):
    return manager._records[name]


def test_two_packages_with_one_name_resolve_only_as_dist_name(site):
    site.add("dk-one", site.give("thinning"))
    site.add("dk-two", site.give("thinning", "other"), version="3.1")
    manager, caught = site.load()
    assert len(caught) == 1
    with pytest.raises(PluginError) as raised:
        manager.get("method", "thinning")
    expected = "method 'thinning' is given by 2 plugins (dk-one 1.0, dk-two 3.1): write 'dk-one/thinning' or 'dk-two/thinning'."
    assert str(raised.value) == caught[0] == expected
    assert "thinning" not in manager.specs("method")
    assert "other" in manager.specs("method")
    for dist in ("dk-one", "dk-two"):
        assert manager.get("method", f"{dist}/thinning").name == "thinning"
        record = manager.provider("method", f"{dist}/thinning")
        assert (record.dist, record.status, record.error) == (dist, "conflict", expected)


def test_one_package_with_one_name_twice(site):
    info = site.add("dk-one", site.give("thinning"))
    (site.folder / "dk_again.py").write_text((site.folder / "dk_one.py").read_text())
    (info / "entry_points.txt").write_text("[distillkit]\nm = dk_one\nn = dk_again\n")
    manager, caught = site.load()
    assert len(caught) == 1
    for name in ("thinning", "dk-one/thinning"):
        with pytest.raises(PluginError, match=r"given more than once .* block one of 'dk-one:m', 'dk-one:n'"):
            manager.get("method", name)


def test_a_builtin_cannot_be_shadowed(site):
    site.add("dk-usurper", site.give("kmeans", "mine"))
    manager, caught = site.load()
    assert len(caught) == 1
    assert manager.get("method", "kmeans").target == "distillkit.coresets:KMeansCoreset"
    assert manager.provider("method", "kmeans").is_builtin
    assert manager.get("method", "dk-usurper/kmeans").target == "nowhere:Thing"
    record = manager.provider("method", "mine")
    assert record.status == "conflict"
    assert (
        record.error
        == "method 'kmeans' is built in and stays so: plugin 'dk-usurper:m' (dk-usurper 1.0) gives it as 'dk-usurper/kmeans'."
    )
    assert record_of(manager, "builtin").status == "active"


def test_the_order_of_calls_cannot_shadow_a_builtin(site):
    site.add("dk-first", site.give("kmeans", options="(tryfirst=True)"))
    site.add("dk-last", site.give("kmeans", options="(trylast=True)"))
    manager, caught = site.load()
    assert len(caught) == 1
    assert manager.provider("method", "kmeans").is_builtin
    assert [name for name in manager.specs("method") if name.startswith("dk-")] == ["dk-first/kmeans", "dk-last/kmeans"]


@pytest.mark.parametrize("name", ["kmeans", "thinning"])
def test_strict_takes_no_conflict(site, name):
    site.add("dk-one", site.give(name))
    site.add("dk-two", site.give(name))
    with pytest.raises(PluginError, match=rf"method '{name}' is"):
        site.load(strict=True)


def test_two_distributions_with_one_entry_point_name(site):
    site.add("dk-one", site.give("alpha"), entry="same")
    site.add("dk-two", site.give("beta"), entry="same")
    manager, caught = site.load()
    assert caught == []
    assert {"alpha", "beta"} <= set(manager.specs("method"))
    assert {"dk-one:same", "dk-two:same"} <= set(manager._records)


def test_one_distribution_with_one_entry_point_name_twice(site):
    info = site.add("dk-one", site.give("alpha"))
    (site.folder / "dk_again.py").write_text("")
    (info / "entry_points.txt").write_text("[distillkit]\nm = dk_one\nm = dk_one\nm = dk_again\n")
    manager, caught = site.load()
    assert len(caught) == 1
    assert "the entry point 'm' is already 'dk_one' in the same distribution" in caught[0]
    assert "alpha" in manager.specs("method")


def test_two_entry_points_of_one_module(site):
    site.add("dk-one", site.give("alpha"))
    site.add("dk-two", "", value="dk_one")
    manager, caught = site.load()
    assert len(caught) == 1
    assert "already registered" in record_of(manager, "dk-two:m").error
    assert manager.provider("method", "alpha").name == "dk-one:m"


def test_one_distribution_listed_twice_on_the_path(site, monkeypatch):
    site.add("dk-good", site.give("thinning"), version="1.0")
    site.add("DK_Good", site.give("thinning"), version="0.5", folder=site.folder / "later", entry="former")
    monkeypatch.setattr(sys, "path", [str(site.folder), *sys.path, str(site.folder), str(site.folder / "later")])
    manager, caught = site.load()
    assert caught == []
    assert manager.provider("method", "thinning").version == "1.0"  # the first one, which is also the one imported
    assert [name for name in manager._records if "good" in name.lower()] == ["dk-good:m"]


def test_names_of_distributions_are_compared_as_installers_do(site):
    site.add("Dk_Mixed.Case", site.give("thinning"), value="dk_mixed")
    (site.folder / "dk_mixed.py").write_text((site.folder / "dk_mixed.case.py").read_text())
    manager, _ = site.load()
    assert manager.provider("method", "thinning").dist == "dk-mixed-case"
    assert manager.get("method", "DK-Mixed_Case/thinning").name == "thinning"


def test_unknown_names(site):
    manager, _ = site.load(disabled=False)
    with pytest.raises(UnknownNameError, match=r"unknown method 'kmaens': did you mean 'kmeans'"):
        manager.get("method", "kmaens")
    with pytest.raises(UnknownNameError, match="unknown method 'nobody/kmeans'"):
        manager.provider("method", "nobody/kmeans")
    with pytest.raises(UnknownNameError, match=r"unknown kind 'methods': did you mean 'method'"):
        manager.specs("methods")
    site.add("dk-bad", "1/0")
    manager, _ = site.load()
    with pytest.raises(UnknownNameError, match=r"did you mean 'kmeans'.* plugin 'dk-bad:m' .*ZeroDivisionError"):
        manager.get("method", "kmaens")  # a slip of the pen is likely, the broken plugin is named all the same
    with pytest.raises(PluginError, match=r"'dk-bad/kmeans' is not there: plugin 'dk-bad:m'"):
        manager.get("method", "dk-bad/kmeans")
    with pytest.raises(UnknownNameError) as raised:
        manager.get("method", "dk-other/kmeans")
    assert "dk-bad" not in str(raised.value)


def test_builtins_come_first_then_plugins_by_name_then_full_names(site):
    site.add("dk-b", site.give("aaa"))
    site.add("dk-a", site.give("zzz"))
    manager = site.load()[0]
    names, short = list(manager.specs("method")), list(manager.short_specs("method"))
    assert names[: len(short)] == short
    assert short[-2:] == ["zzz", "aaa"]  # by distribution, not by the order in which pluggy calls
    assert short[0] == "random"
    assert not any("/" in name for name in short)
    assert all("/" in name for name in names[len(short) :])
    assert names[len(short)] == "distillkit/random"
    assert len(names) == 2 * len(short)
