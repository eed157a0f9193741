"""Fake distributions: a dist-info folder and a module in a folder on sys.path, no installer."""

from __future__ import annotations

import sys
import warnings
from importlib import metadata
from textwrap import dedent

import pytest

from distillkit.exceptions import PluginWarning
from distillkit.plugins import PluginManager, reset_manager
from distillkit.plugins import _discovery as _plugin_discovery


class Site:
    """A folder on sys.path into which fake distributions are written."""

    head = "from distillkit import hookimpl\nfrom distillkit.specs import *\n"

    def __init__(self, folder):
        self.folder = folder

    def add(self, dist, body="", *, version="1.0", requires="distillkit>=0.1,<0.2", entry="m", folder=None, value=None):
        """Write a distribution whose entry point names a module of the same name with `body` in it."""
        folder = self.folder if folder is None else folder
        folder.mkdir(exist_ok=True)
        module = dist.replace("-", "_").lower()
        info = folder / f"{module}-{version}.dist-info"
        info.mkdir()
        needs = f"Requires-Dist: {requires}\n" if requires else ""
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n{needs}")
        (info / "entry_points.txt").write_text(
            f"[console_scripts]\nx = y:z\n\n[distillkit]\n{entry} = {value or module}\n"
        )
        (folder / f"{module}.py").write_text(self.head + dedent(body))
        return info

    @staticmethod
    def give(*names, options=""):
        """Source of a hook that gives methods."""
        specs = ", ".join(f'MethodSpec(name="{name}", target="nowhere:Thing")' for name in names)
        return f"@hookimpl{options}\ndef distillkit_methods():\n    return [{specs}]\n"

    @staticmethod
    def load(**options):
        """Load and ask for methods; return the manager and the texts of the warnings."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            manager = PluginManager(host_version="0.1.0", **options).load()
            manager.specs("method")
        assert all(warning.category is PluginWarning for warning in caught)
        return manager, [str(warning.message) for warning in caught]


@pytest.fixture
def site(tmp_path, monkeypatch):
    for name in ("STRICT", "DISABLE", "BLOCK"):
        monkeypatch.delenv(f"DISTILLKIT_{name}_PLUGINS", raising=False)
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def distributions():
        """Those of the tests alone, in the order of sys.path: a plugin that is really installed must not be seen."""
        return metadata.distributions(path=[path for path in sys.path if path.startswith(str(tmp_path))])

    monkeypatch.setattr(_plugin_discovery, "distributions", distributions)
    reset_manager()
    yield Site(tmp_path)
    reset_manager()
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
