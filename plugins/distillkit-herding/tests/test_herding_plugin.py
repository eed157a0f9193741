"""Tests that distillkit finds the method by the entry point in this package's pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import distillkit_herding
import pytest

from distillkit.plugins import PluginManager

ROOT = Path(__file__).parents[1]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Describe the package as an installer would, so that the test needs none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    info = tmp_path / "distillkit_herding-0.1.0.dist-info"
    info.mkdir()
    needs = "".join(f"Requires-Dist: {each}\n" for each in project["dependencies"])
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n{needs}"
    )
    entries = "".join(f"{name} = {value}\n" for name, value in project["entry-points"]["distillkit"].items())
    (info / "entry_points.txt").write_text(f"[distillkit]\n{entries}")
    monkeypatch.syspath_prepend(str(tmp_path))
    return PluginManager(strict=True, disabled=False, blocked=[]).load()


def test_the_method_is_found(installed):
    name = "kernel-herding"
    spec = installed.get("method", name)
    assert spec.load() is distillkit_herding.KernelHerdingCoreset
    assert installed.get("method", f"distillkit-herding/{name}") is spec
    record = installed.provider("method", name)
    assert (record.dist, record.version, record.status) == ("distillkit-herding", "0.1.0", "active")


def test_listing_imports_nothing_heavy():
    code = (
        "import sys, distillkit_herding.plugin as p; p.distillkit_methods(); "
        "assert not {'numpy', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
