"""The plugin package that ``distillkit new-plugin`` writes: its files, its own tests, and the names it refuses."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import distillkit
from distillkit import __version__
from distillkit.cli._new_plugin import write_plugin
from distillkit.cli._plugin_kinds import PLUGIN_KINDS
from distillkit.exceptions import PluginError


def files_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_files(tmp_path):
    written = write_plugin("my-method", tmp_path / "new")
    root = tmp_path / "new" / "distillkit-my-method"
    assert sorted(str(path.relative_to(root)) for path in written) == files_of(root)
    assert files_of(root) == [
        ".gitignore",
        "README.md",
        "distillkit_my_method/__init__.py",
        "distillkit_my_method/_coreset.py",
        "distillkit_my_method/plugin.py",
        "distillkit_my_method/py.typed",
        "pyproject.toml",
        "tests/test_distillkit_my_method.py",
        "tests/test_distillkit_my_method_registration.py",
    ]
    text = "".join(path.read_text() for path in written)
    assert "${" not in text
    assert "$m" not in text
    assert "$c" not in text
    assert "class MyMethodCoreset(BaseDistiller)" in text


def test_the_project_file_fits_this_version_and_its_entry_point_is_there(tmp_path):
    write_plugin("my-method", tmp_path)
    root = tmp_path / "distillkit-my-method"
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["name"] == "distillkit-my-method"
    (needs,) = (Requirement(each) for each in project["dependencies"] if each.startswith("distillkit"))
    assert needs.specifier.contains(__version__, prereleases=True)
    assert not needs.specifier.contains("99.0")
    (module,) = project["entry-points"]["distillkit"].values()
    assert (root / (module.replace(".", "/") + ".py")).exists()
    assert compileall.compile_dir(root, quiet=2)


def run_its_tests(root, *options):
    """Without installing it: PYTHONPATH alone makes it importable, and this distillkit is the one that it finds."""
    path = os.pathsep.join([str(root), str(Path(distillkit.__file__).parents[1])])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *options]
    return subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)


def style_faults(root):
    """Return the lines that are too wide and the placeholders that are left."""
    lines = [line for path in root.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if len(line) > 120 or "$" in line]


@pytest.mark.parametrize("kind", PLUGIN_KINDS)
def test_its_own_tests_pass_without_installing(tmp_path, kind):
    write_plugin("my-own", tmp_path, kind)
    root = tmp_path / "distillkit-my-own"
    assert style_faults(root) == []
    done = run_its_tests(root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("dataset", "rows[train].mean(axis=0)", "rows.mean(axis=0)"),
        ("metric", "y_pred[y_true == label] == label", "y_true[y_pred == label] == label"),
        ("reporter", 'orient="records"', 'orient="split"'),
        ("engine", "reverse=True", "reverse=False"),
    ],
)
def test_its_tests_fail_where_the_code_is_wrong(tmp_path, kind, right, wrong):
    module = next(path for path in write_plugin("my-own", tmp_path, kind) if path.stem == PLUGIN_KINDS[kind].file)
    text = module.read_text()
    assert right in text
    module.write_text(text.replace(right, wrong))
    assert run_its_tests(tmp_path / "distillkit-my-own", "-x").returncode == 1


@pytest.mark.parametrize(
    ("name", "cls"), [("none", "NoneCoreset"), ("x2-y3", "X2Y3Coreset"), ("import", "ImportCoreset")]
)
def test_names_become_identifiers(tmp_path, name, cls):
    write_plugin(name, tmp_path)
    root = tmp_path / f"distillkit-{name}"
    assert compileall.compile_dir(root, quiet=2)
    module = root / f"distillkit_{name.replace('-', '_')}"
    assert f"class {cls}(BaseDistiller)" in (module / "_coreset.py").read_text()
    assert f'"{module.name}:{cls}"' in (module / "plugin.py").read_text()


def test_its_tests_fail_where_the_method_is_wrong(tmp_path):
    write_plugin("my-method", tmp_path)
    root = tmp_path / "distillkit-my-method"
    method = root / "distillkit_my_method" / "_coreset.py"
    method.write_text(method.read_text().replace("np.argsort(distance", "np.argsort(-distance"))
    done = run_its_tests(root, "-k", "nearest")
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout


@pytest.mark.parametrize("kind", PLUGIN_KINDS)
def test_listing_it_imports_nothing_heavy(tmp_path, kind):
    write_plugin("my-own", tmp_path, kind)
    call = f"import sys, distillkit_my_own.plugin as p; p.{PLUGIN_KINDS[kind].hook}(); "
    code = call + "assert not {'numpy', 'sklearn', 'pandas'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "distillkit-my-own", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "",
        "My-Method",
        "my_method",
        "3d",
        "-a",
        "a-",
        "a--b",
        "a b",
        "../up",
        "a/b",
        "a.b",
        "é",
        "$name",
        "{cls}",
        "a\n",
        "x" * 51,
        "distillkit-",
    ],
)
def test_names_that_are_refused(tmp_path, name):
    with pytest.raises(PluginError, match="is not a name for a plugin: use lower case words"):
        write_plugin(name, tmp_path)
    assert files_of(tmp_path) == []


@pytest.mark.parametrize("name", ["kmeans", "class-means", "distillkit-random"])
def test_names_of_builtin_methods_are_refused(tmp_path, name):
    with pytest.raises(PluginError, match="is built in as a method"):
        write_plugin(name, tmp_path)
    assert files_of(tmp_path) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [("dataset", "digits"), ("metric", "accuracy"), ("evaluator", "knn"), ("reporter", "csv"), ("engine", "local")],
)
def test_names_of_other_builtin_things_are_refused(tmp_path, kind, name):
    with pytest.raises(PluginError, match=f"is built in as an? {kind}"):
        write_plugin(name, tmp_path, kind)
    assert len(write_plugin(name, tmp_path)) == 9  # as a method the name is free


def test_the_prefix_of_the_package_may_be_given(tmp_path):
    write_plugin("distillkit-my-method", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["distillkit-my-method"]


def test_nothing_is_overwritten(tmp_path):
    root = tmp_path / "distillkit-my-method"
    (root / "distillkit_my_method").mkdir(parents=True)
    mine = root / "distillkit_my_method" / "plugin.py"
    mine.write_text("mine")
    with pytest.raises(PluginError, match=r"plugin\.py is there already: nothing was written"):
        write_plugin("my-method", tmp_path)
    assert files_of(root) == ["distillkit_my_method/plugin.py"]
    assert mine.read_text() == "mine"


def test_a_folder_with_other_files_is_fine(tmp_path):
    root = tmp_path / "distillkit-my-method"
    root.mkdir()
    (root / "LICENSE").write_text("mine")
    write_plugin("my-method", tmp_path)
    assert (root / "LICENSE").read_text() == "mine"
    assert len(files_of(root)) == 10


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PluginError, match=r"cannot write the plugin into .*file"):
        write_plugin("my-method", tmp_path / "file")
