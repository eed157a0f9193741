"""Files that the version before the packages were rearranged wrote still load, and runs still resume from them.

`tests/data/before_rooms` was written by the last commit in which checkpoints and provenance named private modules.
"""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from distillkit import (
    BilevelDistiller,
    DistilledSet,
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    KernelDistiller,
    KMeansCoreset,
    Preprocessing,
    TrajectoryMatchingDistiller,
    make_pipeline,
)
from distillkit.cli._group import cli
from distillkit.exceptions import ArtefactError, DataError

BEFORE = Path(__file__).parent / "data" / "before_rooms"
IMAGES = {"width": 4, "depth": 2}
RUNS = {
    "gradient": (GradientMatchingDistiller, "images", {**IMAGES, "inner_steps": 2}),
    "gradient-init": (
        GradientMatchingDistiller,
        "X",
        {"init": KMeansCoreset(representative="member"), "inner_steps": 2, "hidden": [8]},
    ),
    "distribution": (DistributionMatchingDistiller, "images", IMAGES),
    "bilevel": (BilevelDistiller, "X", {"hidden": [8]}),
    "kernel": (KernelDistiller, "X", {"hidden": [8]}),
    "trajectory": (
        TrajectoryMatchingDistiller,
        "X",
        {"hidden": [8], "n_experts": 1, "expert_epochs": 4, "student_steps": 2},
    ),
}


@pytest.fixture
def data():
    with np.load(BEFORE / "data.npz") as file:
        return dict(file)


def distiller(name, checkpoint, **params):
    cls, _, own = RUNS[name]
    return cls(budget=2, checkpoint=checkpoint, max_iter=4, record_every=1, random_state=0, **(own | params))


@pytest.mark.parametrize("name", RUNS)
def test_a_checkpoint_resumes_and_ends_like_an_uninterrupted_run(name, data, tmp_path):
    path = tmp_path / "run"
    shutil.copy(BEFORE / f"{name}.ckpt", path)
    experts = BEFORE / f"{name}.ckpt.experts"  # networks of trajectory matching lie beside its checkpoint
    if experts.is_dir():
        shutil.copytree(experts, f"{path}.experts")
    resumed = distiller(name, path).fit(data[RUNS[name][1]], data["y"])
    assert resumed.n_iter_ == 4
    whole = np.load(BEFORE / f"{name}-4.npy")  # of the old version, on another machine
    # Steps of unit size turn the rounding of another processor into larger differences of few values.
    assert np.linalg.norm(resumed.X_distilled_ - whole) < 0.01 * np.linalg.norm(whole)


@pytest.mark.parametrize(("change", "named"), [({"hidden": [9]}, "hidden"), ({"lr": 0.123}, "lr")])
def test_a_checkpoint_of_other_settings_is_still_refused(change, named, data, tmp_path):
    path = tmp_path / "run"
    shutil.copy(BEFORE / "kernel.ckpt", path)
    with pytest.raises(DataError, match=rf"belongs to a run with another {named}"):
        distiller("kernel", path, **change).fit(data["X"], data["y"])


@pytest.mark.parametrize(
    ("name", "method"), [("kmeans", "KMeansCoreset"), ("kcenter", "KCenterCoreset"), ("soft", "SoftLabels")]
)
def test_an_artefact_loads_and_names_its_method_publicly(name, method, data):
    small = DistilledSet.load(BEFORE / f"{name}.safetensors")
    assert small.provenance["method"] == f"distillkit:{method}"
    assert small.X.shape == (4, 4)
    assert sorted(small.y.tolist()) == ["cat", "cat", "dog", "dog"]
    assert small.sample_weight.sum() == pytest.approx(40)
    if name != "kmeans":
        np.testing.assert_array_equal(small.X, data["X"][small.indices])


def test_a_results_folder_is_reported_and_its_rows_are_kept_under_a_new_protocol(tmp_path):
    folder = tmp_path / "results"
    shutil.copytree(BEFORE / "results", folder)
    rows = {path: path.read_bytes() for path in (folder / "cells").glob("*.json")}
    # 1. The rows of the earlier protocol, which have no stored predictions, are reported.
    report = CliRunner().invoke(cli, ["report", str(folder)], catch_exceptions=False)
    assert report.exit_code == 0
    for method in ("whole", "random", "kmeans", "kcenter", "kernel:linear"):
        assert method in report.output
    # 2. The suite runs its cells anew, because rows of two protocols do not compare.
    suite = tmp_path / "suite.toml"
    text = (BEFORE / "suite.toml").read_text(encoding="utf-8")
    suite.write_text(f"splits = 1\ncontrols = false\n{text}", encoding="utf-8")
    run = CliRunner().invoke(cli, ["run", str(suite), "--output", str(folder)], catch_exceptions=False)
    assert run.exit_code == 0, run.output
    new = {path for path in (folder / "cells").glob("*.json") if path not in rows}
    assert new
    assert f"{len(new)} of {len(new)} cells to run" in run.output
    assert {path: path.read_bytes() for path in rows} == rows


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_name_public_classes_alone(protocol, data):
    fitted = make_pipeline(KMeansCoreset(budget=2, random_state=0)).fit(data["X"], data["y"])
    text = pickle.dumps(fitted, protocol)
    assert b"distillkit:KMeansCoreset" in text
    assert b"distillkit:DistilledSet" in text
    for private in (b"._kmeans", b"._distilled", b"distillkit.distilled", b"distillkit.coresets"):
        assert private not in text
    again = pickle.loads(text)
    np.testing.assert_array_equal(again[0].X_distilled_, fitted[0].X_distilled_)
    assert again[0].distilled_.provenance == fitted[0].distilled_.provenance


def test_a_frozen_part_of_a_pickle_comes_back_as_it_was():
    made = Preprocessing.standardize(np.arange(6.0).reshape(3, 2))
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again.mean, made.mean)
    assert again.kind == made.kind


def test_a_pickle_of_a_class_that_is_gone_says_so():
    text = pickle.dumps(KMeansCoreset()).replace(b"distillkit:KMeansCoreset", b"distillkit:KMeansCorezet")
    with pytest.raises(ArtefactError, match="cannot be imported"):
        pickle.loads(text)
