"""No method sees the test rows: permuted, replaced by noise or absent, they change nothing of what is learned.

The test rows are edited in the prepared files, with renewed checksums, as anything that read them would meet them.
"""

from __future__ import annotations

import hashlib
import json
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from distillkit.bench.execution import _jobs
from distillkit.bench.execution._prepared_data import is_intact, store_prepared
from distillkit.datasets import Dataset
from distillkit.distilled import DistilledSet
from distillkit.plugins import PluginManager

pytestmark = pytest.mark.filterwarnings("ignore:the generator may not have learned")  # two steps are too few

MANAGER = PluginManager(strict=True, disabled=True).load()
METHODS = MANAGER.short_specs("method")
REDUCERS = sorted(name for name, spec in METHODS.items() if spec.reduces == "rows")
STUDENTS = sorted(name for name, spec in METHODS.items() if spec.reduces == "model")
FEW_STEPS: dict[str, dict[str, Any]] = {
    name: {"max_iter": 2}
    for name, spec in METHODS.items()
    if spec.kind in ("condensation", "synthesis") and "max_iter" in signature(spec.load()).parameters
}
FEW_STEPS["bilevel"] |= {"inner_steps": 4, "hidden": (8,)}
FEW_STEPS["trajectory-matching"] |= {"n_experts": 1, "expert_epochs": 4, "student_steps": 4}
TIMED = ("seconds", "latency", "time")
"""Parts of the names of measured times, which differ between any two runs."""


def dataset(images: bool = False) -> Dataset:
    """Take 45 training and 30 test rows of three classes: flowers as a table, or digits as images."""
    X, y = load_digits(n_class=3, return_X_y=True) if images else load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))[:75]
    X = X[order].astype(np.float32)
    X = X.reshape(-1, 1, 8, 8) if images else X
    return Dataset(
        name="tiny", task="classification", modality="image" if images else "table", classes=("a", "b", "c"),
        X_train=X[:45], y_train=y[order][:45], X_test=X[45:], y_test=y[order][45:],
    )  # fmt: skip


def permute_labels(folder: Path) -> None:
    labels = np.load(folder / "y_test.npy")
    permuted = np.roll(np.sort(labels), len(labels) // 3)
    assert not np.array_equal(permuted, labels)
    np.save(folder / "y_test.npy", permuted)


def make_noise(folder: Path) -> None:
    rows = np.load(folder / "X_test.npy")
    np.save(folder / "X_test.npy", np.random.default_rng(1).normal(0, 1e3, rows.shape).astype(rows.dtype))


def remove(folder: Path) -> None:
    for path in folder.glob("?_test.npy"):
        path.unlink()


def permute_labels_and_make_noise(folder: Path) -> None:
    permute_labels(folder)
    make_noise(folder)


EDITS = {
    "labels permuted": permute_labels,
    "rows are noise": make_noise,
    "both": permute_labels_and_make_noise,
    "absent": remove,
}


def prepared(folder: Path, edit: str | None, images: bool = False) -> Path:
    """Store the prepared dataset, edit its test rows, and renew the checksums."""
    store_prepared(dataset(images), folder)
    if edit is not None:
        EDITS[edit](folder)
        names = sorted(path.name for path in folder.iterdir() if path.name != "checksums.json")
        sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
        (folder / "checksums.json").write_text(json.dumps(sums))
        assert is_intact(folder) == (edit != "absent")
    return folder


def content(value: Any, seen: set[int] | None = None) -> Any:
    """Return the numbers and texts that an object holds, without measured times, as nested plain values."""
    seen = set() if seen is None else seen
    if isinstance(value, bool | int | float | str | type(None)):
        return repr(value)
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind != "O":
        array = np.asarray(value)
        return (str(array.dtype), array.shape, hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest())
    if id(value) in seen:
        return "seen before"
    seen.add(id(value))
    if hasattr(value, "state_dict"):
        return content(dict(value.state_dict()), seen)
    if isinstance(value, list | tuple | np.ndarray):
        return [content(item, seen) for item in value]
    items = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return {
        str(name): content(item, seen)
        for name, item in items.items()
        if not any(part in str(name) for part in TIMED) and not isinstance(item, np.random.RandomState)
    }


def distilled(method: str, folder: Path, target: Path, metrics: list[str] | None = None) -> Any:
    """Run a job of kind "distil", and return the distilled set and its record with all histories and choices."""
    record = _jobs.distil(
        data=str(folder), method=method, params=FEW_STEPS.get(method, {}), task="classification", budget=2, seed=0,
        artefact=str(target), metrics=metrics or [],
    )  # fmt: skip
    small = _jobs.load_distilled(target, record, _jobs.load_prepared(folder, "train"))
    assert isinstance(small, DistilledSet)
    return content([vars(small), record])


@pytest.mark.parametrize("method", REDUCERS)
def test_distilled_sets_do_not_depend_on_test_rows(method: str, tmp_path: Path) -> None:
    found = {
        edit: distilled(method, prepared(tmp_path / f"data-{number}", edit), tmp_path / f"{number}.safetensors")
        for number, edit in enumerate((None, "both", "absent"))
    }
    assert len(str(found[None])) > 500  # there is something to compare
    for edit in ("both", "absent"):
        assert found[edit] == found[None], edit


@pytest.mark.parametrize("method", ["gradient-matching", "distribution-matching", "gan"])
def test_condensed_images_do_not_depend_on_test_rows(method: str, tmp_path: Path) -> None:
    plain = distilled(method, prepared(tmp_path / "data", None, images=True), tmp_path / "a.safetensors")
    assert plain == distilled(method, prepared(tmp_path / "absent", "absent", images=True), tmp_path / "b.safetensors")


def test_metrics_of_the_data_do_not_read_test_rows(tmp_path: Path) -> None:
    specs = MANAGER.short_specs("metric").items()
    names = [f"{name}@{spec.version}" for name, spec in specs if spec.stage == "data" and _cheap(spec)]
    assert len(names) > 2
    plain = distilled("kmeans", prepared(tmp_path / "data", None), tmp_path / "a.safetensors", names)
    assert plain == distilled("kmeans", prepared(tmp_path / "absent", "absent"), tmp_path / "b.safetensors", names)


def _cheap(spec: Any) -> bool:
    needs = getattr(spec, "needs", frozenset())
    return getattr(spec, "standard", True) and not needs & {"images", "series"}


def fitted(method: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a job that fits a student, and return what the model holds and predicts for the training rows."""
    models = []

    def measure(model: Any, *_args: Any, **_options: Any) -> dict[str, Any]:
        models.append(model)
        return {}

    monkeypatch.setattr(_jobs, "measure_model", measure)
    _jobs.fit_model(
        data=str(folder), method=method, params={}, task="classification", seed=[0, 0], metrics=["accuracy"]
    )
    (model,) = models
    X_train = _jobs.load_prepared(folder, "train").X_train
    answers = [
        getattr(model, name)(X_train)
        for name in ("predict", "predict_proba", "predict_teacher")
        if hasattr(model, name)
    ]
    return content([vars(model), answers])


@pytest.mark.parametrize("method", STUDENTS)
def test_students_do_not_depend_on_test_rows(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = fitted(method, prepared(tmp_path / "data", None), monkeypatch)
    assert len(str(plain)) > 500
    assert fitted(method, prepared(tmp_path / "edited", "both"), monkeypatch) == plain


def test_a_student_is_fitted_before_the_test_rows_are_opened(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "data", "absent")
    with pytest.raises(FileNotFoundError) as caught:
        _jobs.fit_model(
            data=str(folder), method="teacher", params={}, task="classification", seed=[0, 0], metrics=["accuracy"]
        )
    assert caught.value.__notes__ == ["after the fit, on the test rows"]


def test_the_comparison_notices_a_method_that_peeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that reads the stored test rows differs under every edit, and fails where they are absent."""
    folders = {edit: prepared(tmp_path / f"data-{number}", edit) for number, edit in enumerate((None, *EDITS))}

    def peeking(folder: Path) -> Any:
        real = _jobs.build_distiller

        def build(*args: Any) -> Any:
            distiller = real(*args)
            fit = distiller.fit

            def fit_and_peek(X: Any, y: Any) -> Any:
                X_test, y_test = np.load(folder / "X_test.npy"), np.load(folder / "y_test.npy")
                return fit(X + (X_test.mean(axis=0) * (1 + y_test[0])).astype(X.dtype), y)

            distiller.fit = fit_and_peek
            return distiller

        with monkeypatch.context() as patch:
            patch.setattr(_jobs, "build_distiller", build)
            return distilled("kmeans", folder, folder.with_suffix(".safetensors"))

    plain = peeking(folders[None])
    assert peeking(folders["labels permuted"]) != plain
    assert peeking(folders["rows are noise"]) != plain
    with pytest.raises(FileNotFoundError):
        peeking(folders["absent"])


def test_the_judge_alone_opens_the_test_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = prepared(tmp_path / "data", None)
    opened: list[str] = []
    real = np.load

    def load(path: Any, *args: Any, **options: Any) -> Any:
        opened.append(Path(path).name)
        return real(path, *args, **options)

    monkeypatch.setattr(np, "load", load)
    distilled("random", folder, tmp_path / "a.safetensors")
    assert {"X_train.npy", "y_train.npy"} <= set(opened)
    assert not {"X_test.npy", "y_test.npy"} & set(opened)
    _jobs.evaluate(
        data=str(folder), artefact=str(tmp_path / "a.safetensors"), evaluator="knn", params={}, seed=[0, 0], metrics=[]
    )
    assert {"X_test.npy", "y_test.npy"} <= set(opened)
