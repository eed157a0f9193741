"""Any generated table gives a right result, or an error that was meant for its user.

``DISTILLKIT_EXAMPLES=2000 pytest tests/generated`` generates that many random tables for each test.
The default is a smaller number of tables, the same ones each time.
"""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import traceback
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import scipy.sparse
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from scipy.linalg import LinAlgWarning
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from distillkit import (
    ClassMeans,
    Distilled,
    DistilledSet,
    KCenterCoreset,
    KMeansCoreset,
    RandomSubset,
    SoftLabels,
    StreamingCoreset,
    TeacherStudentDistiller,
    make_pipeline,
)
from distillkit.exceptions import ArtefactError, DistillkitError, DistillkitWarning
from distillkit.plugins import get_manager
from distillkit.tables import TableEncoder
from distillkit.tables._frames import container_of, is_frame, take_rows, to_pandas

CHEAP = {
    "max_iter": 2,
    "epochs": 1,
    "n_models": 1,
    "n_experts": 1,
    "expert_epochs": 2,
    "pool": 10,
    "width": 8,
    "n_networks": 1,
    "student_epochs": 1,
    "expert_steps": 1,
    "synthetic_steps": 1,
    "max_start_epoch": 1,
    "random_state": 0,
}
METHODS = [name for name, spec in get_manager().short_specs("method").items() if spec.reduces == "rows"]
N_EXAMPLES = int(os.environ.get("DISTILLKIT_EXAMPLES", "150"))
generated_examples = settings(
    max_examples=N_EXAMPLES,
    derandomize="DISTILLKIT_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),  # to draw a table takes long
)


def made(name, budget):
    """A distiller by its name, with settings that make it quick."""
    cls = get_manager().get("method", name).load()
    params = {key: value for key, value in CHEAP.items() if key in inspect.signature(cls).parameters}
    if "distiller" in inspect.signature(cls).parameters:
        return SoftLabels(RandomSubset(budget, random_state=0), DecisionTreeClassifier(max_depth=2), random_state=0)
    if "budget" in inspect.signature(cls).parameters:
        params["budget"] = budget
    return cls(**params)


def refused(call):
    """The result of a call, or None if it raised an error of distillkit, or of scikit-learn's own making."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for category in (DistillkitWarning, ConvergenceWarning, DataConversionWarning, LinAlgWarning):
            warnings.simplefilter("ignore", category)
        warnings.filterwarnings("ignore", message="pandas.DataFrame with sparse columns found")
        try:
            return call()
        except DistillkitError as exc:
            event(type(exc).__name__)
        except (ValueError, TypeError, Warning) as exc:
            frames = traceback.extract_tb(exc.__traceback__)
            if not is_worded_by_sklearn(frames):
                raise
            event("scikit-learn's")
    return None


def is_worded_by_sklearn(frames):
    """Whether scikit-learn raised an error, or raised it in its validation of the rows or targets."""
    where = [frame for frame in frames if "sklearn" in Path(frame.filename).parts]
    in_validation = bool(where) and where[-1].name in ("_asarray_with_order", "column_or_1d", "_check_y")
    return in_validation or "sklearn" in Path(frames[-1].filename).parts


def snapshot(value):
    return copy.deepcopy(value) if container_of(value) != "pyarrow" else value


def assert_same(actual, expected):
    """Two containers have the same types, values, names and index labels."""
    assert type(actual) is type(expected)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(actual, expected, check_freq=False)
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(actual, expected, check_freq=False)
    elif is_frame(expected):
        # equals of pyarrow tells NaN from NaN
        pd.testing.assert_frame_equal(to_pandas(actual), to_pandas(expected))
        assert actual.schema == expected.schema
    elif scipy.sparse.issparse(expected):
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual.toarray(), expected.toarray())
    elif isinstance(expected, np.ndarray):
        assert actual.dtype == expected.dtype
        if expected.dtype.kind in "OM":  # where a gap differs from itself
            assert repr(actual.tolist()) == repr(expected.tolist())
        else:
            np.testing.assert_array_equal(actual, expected)
    elif hasattr(expected, "to_pandas"):
        pd.testing.assert_series_equal(pd.Series(actual.to_pandas()), pd.Series(expected.to_pandas()))
    else:
        assert repr(actual) == repr(expected)


def taken(values, indices):
    """Elements of any column or table by position."""
    if isinstance(values, list):
        return np.array(values)[indices]
    if isinstance(values, (pd.Series, pd.DataFrame)):
        return values.iloc[indices]
    if is_frame(values):
        return take_rows(values, indices)
    if hasattr(values, "gather"):
        return values.gather(indices)
    return values.take(indices) if hasattr(values, "take") and not isinstance(values, np.ndarray) else values[indices]


def check_distilled(distiller, X, y, weight, rows, labels):
    """The rows, labels and weights that a distiller returned fit the table."""
    n, m = len(X) if isinstance(X, list) else X.shape[0], len(distiller.sample_weight_)
    total = n if weight is None else np.asarray(weight, dtype=float).sum()
    assert np.isclose(distiller.sample_weight_.sum(), total, rtol=1e-6)
    assert (distiller.sample_weight_ >= 0).all()
    assert rows.shape[0] == m
    assert (labels is None) == (y is None)
    indices = getattr(distiller, "sample_indices_", None)
    if indices is not None:
        picked = taken(X, indices)
        if isinstance(X, list) or getattr(X, "dtype", "") == "object":
            np.testing.assert_array_equal(rows, np.asarray(picked, dtype=rows.dtype))
        else:
            assert_same(rows, picked)
        if y is not None:
            expected = taken(y, indices)
            if isinstance(expected, np.ndarray):
                np.testing.assert_array_equal(np.ravel(labels), np.ravel(expected))
            else:
                assert_same(labels, expected)
    else:
        check_made(distiller, X, y)
    if y is not None and distiller.distilled_.provenance["task"] == "classification":
        seen = np.ravel(y.to_pylist() if hasattr(y, "to_pylist") else y)
        assert set(np.asarray(distiller.y_distilled_).tolist()) <= set(seen.tolist())


def check_made(distiller, X, y):
    """Made rows have the columns and types of the table, and values as its columns have them."""
    X_made = distiller.distilled_.X
    assert np.isfinite(X_made.toarray() if scipy.sparse.issparse(X_made) else X_made).all()
    if distiller.distilled_.table is None:
        return
    rows = distiller.distilled_.to_frame()
    assert type(rows) is type(X)
    assert getattr(rows, "schema", None) == getattr(X, "schema", None)
    source, rows = to_pandas(X), to_pandas(rows)
    assert list(rows.columns) == list(source.columns)
    for position in range(source.shape[1]):
        column, values = source.iloc[:, position], rows.iloc[:, position]
        assert values.dtype == column.dtype or container_of(X) != "pandas"
        if pd.api.types.is_integer_dtype(column.dtype) and "encoder_" in vars(distiller):
            low, high = int(column.min()), int(column.max())
            low, high = low - abs(low) // 2**52, high + abs(high) // 2**52  # numbers are float64 inside
            assert ((values.dropna() >= low) & (values.dropna() <= high)).all()
        if isinstance(column.dtype, pd.CategoricalDtype):
            assert set(values.dropna()) <= set(column.dropna())


def check_file(distiller):
    """A saved set is loaded as it was, or a message says that a file cannot hold its columns."""
    small = distiller.distilled_
    with TemporaryDirectory() as folder:
        try:
            path = small.save(Path(folder) / "small.safetensors")
        except ArtefactError as exc:
            if "into text" not in str(exc):
                raise
            return
        again = DistilledSet.load(path)
    np.testing.assert_array_equal(again.X, small.X)
    np.testing.assert_array_equal(again.sample_weight, small.sample_weight)
    if small.y is not None:
        assert again.y.dtype == small.y.dtype
        np.testing.assert_array_equal(again.y, small.y)
    if small.table is not None:
        # A file knows one kind of missing value for each column.
        assert_same(
            *(
                frame.mask(frame.isna()) if container_of(frame) == "pandas" else frame
                for frame in (again.to_frame(), small.to_frame())
            )
        )


def fit_keywords(weight):
    return {} if weight is None else {"sample_weight": weight}


@generated_examples
@given(data=st.data())
def test_every_method_gives_right_rows_or_a_clear_error(data, generated):
    X, y, weight = data.draw(generated["problem"])
    budget = data.draw(generated["budget"])
    distiller = made(data.draw(st.sampled_from(METHODS), label="method"), budget)
    before = snapshot((X, y, weight))
    result = refused(lambda: distiller.fit_resample(X, y, **fit_keywords(weight)))
    for value, old in zip((X, y, weight), before, strict=True):
        assert_same(value, old)
    if result is None:
        return
    check_distilled(distiller, X, y, weight, *result)
    moved = refused(lambda: distiller.transform(X))
    n = len(X) if isinstance(X, list) else X.shape[0]
    assert moved is not None
    assert moved.shape[0] == n
    assert not is_frame(X) or type(moved) is type(X)
    check_file(distiller)
    again = pickle.loads(pickle.dumps(distiller))
    np.testing.assert_array_equal(again.distilled_.X, distiller.distilled_.X)


TREE, LOGISTIC = DecisionTreeClassifier(max_depth=3, random_state=0), LogisticRegression(max_iter=5)
NUMBER_TREE = DecisionTreeRegressor(max_depth=3, random_state=0)
MODELS = {
    "tree": Distilled(KMeansCoreset(random_state=0), TREE),
    "regression tree": Distilled(KCenterCoreset(), NUMBER_TREE),
    "logistic": Distilled(KCenterCoreset(), LOGISTIC),
    "ridge": Distilled(RandomSubset(random_state=0), Ridge()),
    "stream": Distilled(StreamingCoreset(chunk_size=5, random_state=0), TREE),
    "pipeline": make_pipeline(TableEncoder(), KMeansCoreset(random_state=0), LOGISTIC),
    "pipeline of a table": make_pipeline(RandomSubset(random_state=0), TableEncoder(), TREE),
    "soft labels": Distilled(SoftLabels(ClassMeans(), "linear", random_state=0), TREE),
    "student": TeacherStudentDistiller(TREE, LOGISTIC, random_state=0),
    "student of numbers": TeacherStudentDistiller(Ridge(), NUMBER_TREE, random_state=0),
}


def composed(name, budget):
    """A clone of a composition with a budget for its rows."""
    model = clone(MODELS[name])
    budgets = [key for key in model.get_params() if key.endswith("__budget")]
    return model.set_params(**dict.fromkeys(budgets, budget))


@generated_examples
@given(data=st.data())
def test_every_composition_predicts_each_row_or_gives_a_clear_error(data, generated):
    X, y, weight = data.draw(generated["problem"])
    model = composed(data.draw(st.sampled_from(list(MODELS)), label="model"), data.draw(generated["budget"]))
    before = snapshot((X, y))
    keywords = fit_keywords(weight) if hasattr(model, "distiller") else {}
    fitted = refused(lambda: model.fit(X, y, **keywords))
    for value, old in zip((X, y), before, strict=True):
        assert_same(value, old)
    if fitted is None:
        return
    predictions = refused(lambda: model.predict(X))
    if predictions is None:
        return
    assert len(predictions) == (len(X) if isinstance(X, list) else X.shape[0])
    if is_classifier(model):
        assert set(np.asarray(predictions).tolist()) <= set(np.asarray(model.classes_).tolist())
