"""Models and their graphs in ONNX predict the same, by an independent runtime."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from distillkit import Distilled, KMeansCoreset, Preprocessing, TeacherStudentDistiller, make_pipeline, to_onnx
from distillkit.base import BaseDistiller, Outcome
from distillkit.exceptions import DataError
from distillkit.nn import NetworkClassifier, NetworkRegressor

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("skl2onnx")
pytestmark = pytest.mark.filterwarnings("ignore")


def run(model, X, path):
    to_onnx(model, X[:1], path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (rows,) = session.get_inputs()
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {rows.name: np.asarray(X, dtype=np.float32)}), strict=True))


def check(model, X, path):
    """Compare the graph with the model on rows that it has not seen."""
    found = run(model, X, path)
    if "variable" in found:
        expected = model.predict(X)
        np.testing.assert_allclose(found["variable"].ravel(), expected, rtol=1e-4, atol=1e-4 * np.std(expected))
        return
    expected = model.predict(X)
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(X)
        np.testing.assert_allclose(found["probabilities"], probabilities, atol=2e-4)
        # In float32, a tie of two classes may be decided otherwise.
        top = np.sort(probabilities, axis=1)
        clear = top[:, -1] - top[:, -2] > 1e-3
        np.testing.assert_array_equal(found["label"][clear], expected[clear])
        assert clear.mean() > 0.7
    else:
        assert np.mean(found["label"] == expected) == 1


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X.astype(np.float32) / 16, y, random_state=0)


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return train_test_split(X.astype(np.float32), y, random_state=0)


STUDENTS = {
    "network": (LogisticRegression(), None),
    "weights at a temperature": (RandomForestClassifier(10, random_state=0), LogisticRegression()),
    "tree": (RandomForestClassifier(10, random_state=0), DecisionTreeClassifier(max_depth=6, random_state=0)),
    "logits": (LogisticRegression(), Ridge()),
    "hard": (LogisticRegression(), KNeighborsClassifier(3)),
}


@pytest.mark.parametrize("name", STUDENTS)
def test_students_of_classes(name, digits, tmp_path):
    X_train, X_test, y_train, _ = digits
    teacher, student = STUDENTS[name]
    temperature = 3.0 if "temperature" in name else "auto"
    options = {"epochs": 5, "refit": False, "control": False, "n_augment": 200, "random_state": 0}
    model = TeacherStudentDistiller(teacher, student, temperature=temperature, **options)
    model.fit(X_train[:400], y_train[:400])
    check(model, X_test, tmp_path / "model.onnx")


@pytest.mark.parametrize("student", [None, Ridge(), "tree"])
def test_students_of_numbers(student, diabetes, tmp_path):
    X_train, X_test, y_train, _ = diabetes
    model = TeacherStudentDistiller("linear", student, epochs=20, refit=False, n_augment=200, random_state=0).fit(
        X_train, y_train
    )
    check(model, X_test, tmp_path / "model.onnx")


class TurnedRows(BaseDistiller):
    """Every third row, in a space in which they are scaled and turned."""

    def _distill(self, rows, run):
        d = rows.X.shape[1]
        rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(d, d)))[0]
        turned = Preprocessing(rows.X.mean(axis=0), np.linspace(1, 2, d), rotation)
        return Outcome(X=rows.X[::3], y=rows.y[::3], preprocessing=turned)


PIPELINES = {
    "a coreset between scaling and model": lambda: make_pipeline(
        StandardScaler(), KMeansCoreset(5, random_state=0), LogisticRegression(max_iter=500)
    ),
    "a space of the distiller": lambda: Distilled(TurnedRows(budget=0.9), LogisticRegression()),
    "a pipeline in a pipeline": lambda: Distilled(
        KMeansCoreset(5, random_state=0),
        make_pipeline(PCA(8, random_state=0), GradientBoostingClassifier(n_estimators=3)),
    ),
    "a network": lambda: make_pipeline(StandardScaler(), NetworkClassifier(hidden=(8,), epochs=3, device="cpu")),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_and_models_on_distilled_rows(name, digits, tmp_path):
    X_train, X_test, y_train, _ = digits
    model = PIPELINES[name]().fit(X_train[:400], y_train[:400])
    check(model, X_test, tmp_path / "model.onnx")


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 32)])
@pytest.mark.parametrize("student", [NetworkClassifier(width=8, epochs=5, batch_size=16), LogisticRegression()])
def test_rows_of_more_axes(shape, student, digits, tmp_path):
    X_train, X_test, y_train, _ = digits
    model = TeacherStudentDistiller(LogisticRegression(), student, refit=False, control=False, random_state=0)
    model.fit(X_train[:200].reshape(-1, *shape), y_train[:200])
    check(model, X_test[:50].reshape(-1, *shape), tmp_path / "model.onnx")


def test_numbers_of_networks_and_words_as_labels(diabetes, digits, tmp_path):
    X_train, X_test, y_train, _ = diabetes
    check(NetworkRegressor(hidden=(8,), epochs=5, device="cpu").fit(X_train, y_train), X_test, tmp_path / "a.onnx")
    X, y = load_iris(return_X_y=True)
    words = np.array(["setosa", "versicolor", "virginica"])[y]
    for model in (NetworkClassifier(epochs=20, device="cpu"), Distilled(KMeansCoreset(5), LogisticRegression())):
        check(model.fit(X.astype(np.float32), words), X, tmp_path / "b.onnx")


def test_what_cannot_be_exported_is_refused(digits):
    X_train, _, y_train, _ = digits
    with pytest.raises(NotFittedError):
        to_onnx(Distilled(KMeansCoreset(5), LogisticRegression()), X_train[:1])
    with pytest.raises(DataError, match="X has shape"):
        to_onnx(LogisticRegression().fit(X_train, y_train), X_train[0])
    frame = pd.DataFrame({"a": np.arange(40.0), "b": ["x", "y"] * 20})
    booster = HistGradientBoostingClassifier(categorical_features="from_dtype")
    mixed = Distilled(KMeansCoreset(2), booster).fit(frame, np.arange(40) % 2)
    with pytest.raises(DataError, match="KMeansCoreset was trained on a mixed table"):
        to_onnx(mixed, np.zeros((1, 2)))

    class Unknown(KMeans):
        pass

    with pytest.raises(DataError, match="Unknown cannot be converted to ONNX"):
        to_onnx(Unknown(2, n_init=1).fit(X_train[:20]), X_train[:1])
