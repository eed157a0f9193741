"""What tests of several folders share: a plugin that misbehaves, real data, and ways to wait for processes."""

from __future__ import annotations

import gc
import os
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from distillkit.plugins import reset_manager
from distillkit.utils import _warn_once

# The objects of thousands of parametrized tests live until the end of the session, so that every
# full garbage collection would visit them in vain.
gc.disable()


_COVERED_CASES = 3  # cases of a parametrized test in which coverage is measured


def pytest_collection_modifyitems(config, items):
    """Measure coverage in the first cases of each parametrized test alone.

    Tracing doubles the time of Python code, and further cases mostly run the lines of the first ones.
    """
    if not getattr(config.option, "cov_source", None):
        return
    cases = Counter()
    for item in items:
        function = item.nodeid.partition("[")[0]
        cases[function] += 1
        if cases[function] > _COVERED_CASES:
            item.add_marker("no_cover")


def pytest_collection_finish():
    """Exempt the collected tests from garbage collection, and turn it on again."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Report expected failures with Python's own traceback, since pytest's parses every source file."""
    style = item.config.option.tbstyle
    if item.get_closest_marker("xfail"):
        item.config.option.tbstyle = "native"
    try:
        return (yield)
    finally:
        item.config.option.tbstyle = style


@pytest.fixture(autouse=True)
def no_warning_given(monkeypatch):
    """Let each test see the warnings that are given once in a process."""
    monkeypatch.setattr(_warn_once, "_given", set())


@pytest.fixture
def real_data():
    """Return a function that gives a file of the data folder, or skips the test with the reason."""

    def find(name):
        root = os.environ.get("DISTILLKIT_DATA")
        if not root:
            pytest.skip("real data: DISTILLKIT_DATA is not set")
        path = Path(root) / name
        if not path.exists():
            pytest.skip(f"real data: {path} is not there")
        return path

    return find


@pytest.fixture
def trouble(monkeypatch):
    """Make the plugin in tests/data/trouble known; return the folder to put on sys.path."""
    folder = Path(__file__).parent / "data" / "trouble"
    monkeypatch.syspath_prepend(str(folder))
    reset_manager()
    yield folder
    reset_manager()


@pytest.fixture
def is_alive():
    """Tell whether a process runs; one that has ended but was not waited for does not."""

    def ask(pid):
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return ask


@pytest.fixture
def wait_until():
    """Wait for a condition; return whether it came true within the seconds given."""

    def wait(condition, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.02)
        return bool(condition())

    return wait
