"""What is loaded when: `import distillkit`, its plugins, bench and command line bring nothing heavy along."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "faiss", "ot", "skimage")


def loaded_by(code, among):
    """Run code in a fresh interpreter; return which of `among` it loaded."""
    report = f"{code}\nimport sys\nprint('loaded:', *(name for name in {among!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.rpartition("loaded:")[2].split()


def test_the_report_sees_what_is_loaded():
    assert loaded_by("import json, email.message", ("json", "email.message", "torch")) == ["json", "email.message"]


LIGHT = (
    "import distillkit",
    "import distillkit; dir(distillkit)",
    "import distillkit.specs, distillkit.hookspecs, distillkit.budget, distillkit.exceptions, distillkit.builtin",
    "import distillkit.plugins",
    "import distillkit.bench",
    "import distillkit.cli",
    "import distillkit; distillkit.report, distillkit.SetReport",
    "from distillkit.plugins import get_manager; [get_manager().specs(kind) for kind in ('method', 'dataset', 'metric')]",
    "from distillkit.plugins import get_manager; [get_manager().specs(kind) for kind in ('evaluator', 'reporter')]",
    "import distillkit; [getattr(distillkit, name) for name in distillkit.__all__ if 'Coreset' in name]",
    "from distillkit import RandomSubset; RandomSubset().fit([[0.0], [1.0]], [0, 1]).transform([[2.0]])",
)


@pytest.fixture(scope="module")
def loaded_after():
    """Run the statements in one fresh interpreter; return the heavy modules loaded after each.

    Modules stay loaded: what is absent after the last statement was not loaded by any before it.
    """
    script = (
        "import json, sys\n"
        "codes, among = json.load(sys.stdin)\n"
        "loaded = {}\n"
        "for code in codes:\n"
        "    exec(code, {})\n"
        "    loaded[code] = [name for name in among if name in sys.modules]\n"
        "print('loaded:' + json.dumps(loaded))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps([LIGHT, HEAVY]), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("loaded:")[2])


@pytest.mark.parametrize("code", LIGHT)
def test_nothing_heavy_is_loaded(code, loaded_after):
    assert loaded_after[code] == []


def test_import_distillkit_loads_not_even_numpy():
    assert loaded_by("import distillkit", ("numpy", "sklearn", "pandas", "scipy", "pluggy", "click")) == []


def test_the_help_of_the_command_line_loads_neither_scikit_learn_nor_pandas():
    code = (
        "import sys\n"
        "sys.argv = ['distillkit', '--help']\n"
        "from distillkit.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code"
    )
    assert loaded_by(code, (*HEAVY, "sklearn", "pandas", "matplotlib")) == []
