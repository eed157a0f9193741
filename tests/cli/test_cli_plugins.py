"""Plugins that misbehave at import, seen from the command line: warnings, and the output as it should be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

import distillkit

BODIES = {
    "loud": "print('hello')",
    "ending": "import os\nos._exit(3)",
    "panicking": "class PanicException(BaseException):\n    pass\nraise PanicException('boom')",
    "leaving": "raise SystemExit(4)",
    "skipping": "import pytest\npytest.skip('no GPU', allow_module_level=True)",
    "good": "",
}
HOOK = """
from distillkit import hookimpl
from distillkit.specs import ExecutorSpec

@hookimpl
def distillkit_executors():
    return [ExecutorSpec(name="{name}", target="nowhere:run", summary="An engine")]
"""


def add_distribution(folder, name, body):
    info = folder / f"dk_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dk-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[distillkit]\nm = dk_{name}\n")
    (folder / f"dk_{name}.py").write_text(body + HOOK.format(name=name))


def distillkit_with(folder, *args):
    """Run the command line in a process of its own, with the distributions of a folder."""
    path = os.pathsep.join([str(folder), str(Path(distillkit.__file__).parents[1])])
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DISTILLKIT_")}
    return subprocess.run(
        [sys.executable, "-m", "distillkit", *args],
        env=environment | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_requirements_can_be_read_by_pip(tmp_path):
    for name in ("good", "ending"):
        add_distribution(tmp_path, name, BODIES[name])
    done = distillkit_with(tmp_path, "list", "plugins", "--requirements")
    requirements = {each.name: str(each.specifier) for each in map(Requirement, done.stdout.splitlines())}
    assert requirements["dk-good"] == "==1.0"
    assert "dk-ending" not in requirements  # it gives nothing
    assert requirements["distillkit"] in (f"=={distillkit.__version__}", "")
    refused = distillkit_with(tmp_path, "list", "methods", "--requirements")
    assert refused.returncode == 2
    assert "--requirements does not apply to methods" in refused.stderr


def test_misbehaving_plugins_cost_neither_output_nor_status(tmp_path):
    for name, body in BODIES.items():
        add_distribution(tmp_path, name, body)
    done = distillkit_with(tmp_path, "list", "executors", "--json")
    assert done.returncode == 0
    assert {entry["name"] for entry in json.loads(done.stdout)} >= {"local", "loud", "good"}
    lines = [line for line in done.stderr.splitlines() if "'dk-" in line]
    assert len(lines) == len(BODIES) - 1
    assert all(line.startswith("distillkit: warning: plugin 'dk-") for line in lines)
    causes = ("printed 'hello'", "os._exit(3)", "PanicException: boom", "SystemExit: 4", "Skipped: no GPU")
    assert all(cause in done.stderr for cause in causes)
    assert "Traceback" not in done.stderr
