"""Without torch and the packages that only networks use: what works, and what says that it needs them."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from distillkit.exceptions import MissingPackageError, PluginError
from distillkit.plugins import get_manager
from distillkit.specs import MethodSpec

ROOT = Path(__file__).parent.parent
ABSENT = ("numba", "skimage", "torch", "torchvision", "vl_convert")

# A package that no finder finds is not installed, for `import` and for `find_spec`.
SCRIPT = f"""
import contextlib, io, json, sys, warnings


class Hiding:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name in {ABSENT!r} else self.finder.find_spec(name, path, target)


sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]
warnings.simplefilter("error")
import numpy as np
import pandas as pd
import distillkit
from distillkit.cli import main
from distillkit.plugins import get_manager
from distillkit.testing import check_distiller

said = dict()
said["checked"] = []
for name, spec in get_manager().specs("method").items():
    if name == "kmeans":
        check_distiller(spec.load()())
        said["checked"].append(name)
    elif "torch" not in spec.requires:
        spec.load()(**spec.params)

random = np.random.default_rng(0)
frame = pd.DataFrame(dict(city=random.choice(["Rome", "Oslo"], 80), size=random.normal(size=80)))
y = np.repeat(["no", "yes"], 40)
small = distillkit.KMeansCoreset(3, random_state=0).fit(frame, y).distilled_
small.save("small.safetensors")
said["evaluators"] = list(distillkit.evaluate(distillkit.DistilledSet.load("small.safetensors"), frame, y).index)

for name in distillkit.__all__:
    try:
        getattr(distillkit, name)
    except ImportError as error:
        said[name] = str(error)


def command(*words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            sys.argv = ["distillkit", *words]
            status = main()
        except SystemExit as end:
            status = end.code
    return [status or 0, out.getvalue(), err.getvalue()]


frame.assign(label=y).to_csv("table.csv", index=False)
said["distill"] = command("distill", "kmeans", "table.csv", "--target", "label", "--budget", "2", "-o", "small.csv")
said["distilled"] = len(pd.read_csv("small.csv"))
said["distill gan"] = command("distill", "gan", "table.csv", "--target", "label", "-o", "small.csv")
said["distill mnist"] = command("distill", "random", "mnist", "--data-root", ".", "-o", "small.npz")
said["run"] = command(
    "run", "quickstart", "--methods", "kmeans,random,gan", "--evaluators", "knn", "--budgets", "1", "--seeds", "1", "-q"
)
said["loaded"] = [name for name in {ABSENT!r} if name in sys.modules]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Run the script above in a fresh interpreter; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path_factory.mktemp("light"), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_coresets_pass_the_checks_of_distillers_and_the_others_can_be_made(said):
    assert said["checked"] == ["kmeans"]
    assert said["loaded"] == []


def test_a_mixed_table_is_distilled_saved_loaded_and_evaluated(said):
    assert {"logistic", "knn", "forest"} <= set(said["evaluators"])


def test_every_name_that_needs_torch_says_so_in_one_sentence(said):
    needing = [
        spec.target.rpartition(":")[2] for spec in get_manager().specs("method").values() if "torch" in spec.requires
    ]
    names = {name for name in needing if name in said}
    assert {"GANSynthesizer", "GradientMatchingDistiller", "SoftLabels", "TeacherStudentDistiller"} <= names
    for name in names:
        assert said[name] == f"distillkit.{name} needs torch, which is not installed: pip install torch."


def test_the_command_line_distils_tables_and_names_what_is_missing(said):
    assert said["distill"][0] == 0, said["distill"]
    assert said["distilled"] == 4
    assert said["distill gan"] == [
        2,
        "",
        "distillkit: method 'gan' needs torch, which is not installed: pip install torch.\n",
    ]
    status, _, err = said["distill mnist"]
    assert (status, err) == (
        2,
        "distillkit: 'mnist' needs torchvision, which is not installed: pip install torchvision.\n",
    )


def test_a_run_skips_the_methods_that_cannot_run_and_ranks_the_others(said):
    status, out, err = said["run"]
    assert status == 0, err
    assert "method gan needs torch, which is not installed" in " ".join(out.split())
    assert "kmeans" in out


def test_the_light_group_is_the_dependencies_without_what_only_networks_use():
    path = ROOT / "pyproject.toml"
    if not path.exists():
        pytest.skip("the project file is not beside the tests")
    project = tomllib.loads(path.read_text())
    whole = {Requirement(text).name: Requirement(text).specifier for text in project["project"]["dependencies"]}
    light = {Requirement(text).name: Requirement(text).specifier for text in project["dependency-groups"]["light"]}
    assert set(whole) - set(light) == {
        "faiss-gpu",
        "numba",
        "scikit-image",
        "torch",
        "torchvision",
        "vl-convert-python",
    }
    assert light == {name: whole[name] for name in light}


def test_the_error_is_an_import_error_that_names_what_to_install_and_can_be_pickled():
    error = MissingPackageError("the index", ["faiss", "ot"])
    assert isinstance(error, ImportError)
    assert isinstance(error, PluginError)
    assert str(error) == "the index needs faiss and ot, which are not installed: pip install faiss-cpu pot."
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_spec_whose_package_is_missing_is_not_loaded():
    spec = MethodSpec(name="mine", target="json:JSONEncoder", requires=("no_such_package",))
    with pytest.raises(MissingPackageError, match="'mine' needs no_such_package, which is not installed"):
        spec.load()
