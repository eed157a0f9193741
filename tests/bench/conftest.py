"""A plugin that makes trouble, and waiting for processes."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest

from distillkit.bench.execution._run_plan import run_plan
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.bench.planning._make_plan import make_plan
from distillkit.bench.results._store import ResultsStore
from distillkit.plugins import reset_manager


@pytest.fixture(scope="module")
def trouble():
    """Put the fake distribution of `tests/data/trouble` on `sys.path`, where child processes find it as well."""
    folder = Path(__file__).parents[1] / "data" / "trouble"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("STRICT", "DISABLE", "BLOCK"):
            patch.delenv(f"DISTILLKIT_{name}_PLUGINS", raising=False)
        patch.setenv("PYTHONPATH", str(folder))  # of command lines started by tests
        patch.syspath_prepend(str(folder))
        reset_manager()
        yield folder
    reset_manager()
    sys.modules.pop("distillkit_trouble", None)


@pytest.fixture(scope="session")
def is_alive():
    """Return a function that tells whether a process runs; a zombie that nobody has buried does not."""

    def check(pid):
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return check


@pytest.fixture(scope="session")
def wait_until():
    """Return a function that waits for what other processes bring about, and tells whether it came."""

    def wait(condition, seconds=15.0):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    return wait


@pytest.fixture(scope="session")
def plan_for():
    """Return a function that plans a suite on the tiny dataset; keys are TOML."""
    defaults = {
        "name": '"s"',
        "datasets": '["tiny"]',
        "evaluators": '["nearest"]',
        "budgets": "[2]",
        "seeds": "1",
        "splits": "1",
        "controls": "false",
        "metrics": '["right", "rows", "farthest"]',
        "primary": '{classification = "right"}',
        "limits": "{seconds = 60, memory_mb = 700}",
    }

    def make(methods, **keys):
        lines = defaults | {"methods": methods} | keys
        return make_plan(parse_suite("\n".join(f"{key} = {value}" for key, value in lines.items()), "s.toml"))

    return make


@pytest.fixture(scope="session")
def do():
    """Return a function that runs a plan into a folder and returns the rows."""

    def run(plan, folder, **options):
        with ResultsStore(folder) as store:
            return list(run_plan(plan, store, **options))

    return run
