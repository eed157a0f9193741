"""The base of the distillers: what it validates, gives to a method, takes from it, and stores."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from distillkit import BaseDistiller, Budget, ClassMeans, Preprocessing, RandomSubset, WholeSet
from distillkit.base import Outcome
from distillkit.exceptions import BudgetError, DataError


class Made(BaseDistiller):
    """Gives what a test wants a method to have made, and keeps what it was given."""

    def __init__(self, outcome=None, budget=0.5, *, task="auto", max_iter=1, max_seconds=None, random_state=None):
        super().__init__(budget, task=task, random_state=random_state)
        self.outcome = outcome
        self.max_iter = max_iter
        self.max_seconds = max_seconds

    def _distill(self, rows, run):
        self.seen_ = rows
        run.n_iter = 2
        return self.outcome(rows, run)


def first_rows(rows, run):
    del run
    return Outcome(indices=np.concatenate([group.rows[: group.size] for group in rows.groups]))


def made_means(rows, run):
    del run
    means = np.stack([rows.X[group.rows].mean(axis=0) for group in rows.groups])
    if rows.task != "classification":
        return Outcome(X=means, y=None if rows.y is None else np.array([rows.y.mean()]))
    return Outcome(X=means, y=np.array([group.label for group in rows.groups]))


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def test_a_method_sees_validated_rows_in_groups_with_their_budget(iris):
    X, y = iris
    distiller = Made(first_rows, budget={0: 1, 1: 2, 2: 3}).fit(X.tolist(), y.tolist())
    seen = distiller.seen_
    np.testing.assert_array_equal(seen.X, X)
    assert seen.task == "classification"
    assert [group.size for group in seen.groups] == [1, 2, 3]
    assert seen.size == 6
    assert Made(first_rows).fit(X.reshape(150, 2, 2), y).seen_.flat.shape == (150, 4)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, bool])
def test_small_numbers_reach_a_method_as_float32_and_go_back_as_they_came(dtype):
    X = load_digits().images[:40, None].astype(dtype)
    distiller = Made(first_rows).fit(X, load_digits().target[:40])
    assert distiller.seen_.X.dtype == np.float32
    np.testing.assert_array_equal(distiller.seen_.X, X.astype(np.float32))
    assert distiller.X_distilled_.dtype == dtype
    np.testing.assert_array_equal(distiller.X_distilled_, X[distiller.sample_indices_])


def test_large_integers_are_picked_exactly_though_no_float_holds_them():
    X = np.arange(2**53, 2**53 + 8).reshape(4, 2)
    np.testing.assert_array_equal(Made(first_rows, budget=3).fit(X).X_distilled_, X[:3])


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, bool])
def test_made_rows_of_integers_stay_floats_as_those_of_a_list(dtype):
    values = [-3.0, 0.5, 1.5, 254.5, 300.0]
    distiller = Made(lambda *_: Outcome(X=np.array([values]))).fit(np.ones((4, 5), dtype))
    assert distiller.X_distilled_.dtype.kind == "f"
    np.testing.assert_array_equal(distiller.X_distilled_, [values])
    as_list = Made(lambda *_: Outcome(X=np.array([values]))).fit(np.ones((4, 5), dtype).tolist())
    np.testing.assert_array_equal(distiller.X_distilled_, as_list.X_distilled_)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_made_rows_of_floats_keep_their_dtype(dtype, iris):
    distiller = Made(made_means).fit(iris[0].astype(dtype), iris[1])
    assert distiller.X_distilled_.dtype == dtype
    assert distiller.distilled_.X.dtype == dtype


def test_weights_are_scaled_to_the_rows_seen(iris):
    weighted = Made(lambda *_: Outcome(indices=np.array([0, 60, 120]), weight=[1, 2, 3])).fit(*iris)
    np.testing.assert_allclose(weighted.sample_weight_, [25, 50, 75])
    np.testing.assert_allclose(Made(made_means).fit(*iris).sample_weight_, [50, 50, 50])


@pytest.mark.parametrize("weight", [[1, 2], [1, 2, 0], [1, 2, -1], [1, 2, np.nan], [1, 2, np.inf], [[1], [2], [3]]])
def test_weights_that_are_no_weights_are_refused(weight, iris):
    with pytest.raises(DataError, match="3 positive numbers, one per distilled row"):
        Made(lambda *_: Outcome(indices=np.array([0, 60, 120]), weight=weight)).fit(*iris)


def test_a_method_must_pick_rows_or_make_them():
    for both_or_none in ({}, {"X": np.ones((1, 2)), "indices": np.array([0])}):
        with pytest.raises(DataError, match="exactly one"):
            Outcome(**both_or_none)


def test_a_method_that_diverges_or_forgets_the_labels_is_refused(iris):
    with pytest.raises(DataError, match="diverged"):
        Made(lambda *_: Outcome(X=np.array([[1.0, np.nan, 0, 0]]), y=np.array([0]))).fit(*iris)
    with pytest.raises(DataError, match="without labels"):
        Made(lambda *_: Outcome(X=np.ones((1, 4)))).fit(*iris)


def test_a_refit_leaves_nothing_of_the_fit_before(iris):
    picks = Made(lambda *_: Outcome(indices=np.arange(3), soft_labels=np.ones((3, 3)) / 3)).fit(*iris)
    assert hasattr(picks, "sample_indices_")
    assert picks.soft_labels_.shape == (3, 3)
    picks.set_params(outcome=made_means).fit(*iris)
    assert not hasattr(picks, "sample_indices_")
    assert not hasattr(picks, "soft_labels_")
    assert picks.distilled_.indices is None


def test_provenance_says_what_was_seen_and_how(iris):
    X, y = iris
    distiller = Made(first_rows, budget={0: 1, 1: 1, 2: 1}, random_state=np.random.RandomState(0)).fit(X, y)
    provenance = json.loads(json.dumps(distiller.distilled_.provenance))
    assert provenance["method"].endswith(":Made")
    assert provenance["task"] == "classification"
    assert provenance["rows_seen"] == 150
    assert provenance["bytes_seen"] == X.nbytes + y.nbytes
    assert provenance["params"]["budget"] == {"0": 1, "1": 1, "2": 1}
    assert provenance["params"]["random_state"] == "RandomState"
    assert provenance["stopped_by"] is None
    assert provenance["versions"]["numpy"] == np.__version__
    assert distiller.n_iter_ == 2
    assert distiller.distilled_.classes.tolist() == [0, 1, 2]
    assert Made(first_rows).fit(X, X[:, 0]).distilled_.classes is None


def test_preprocessing_puts_distilled_and_new_rows_into_one_space(iris):
    X, y = iris

    def standardized(rows, run):
        return Outcome(**{**vars(made_means(rows, run)), "preprocessing": Preprocessing.standardize(rows.X)})

    distiller = Made(standardized).fit(X, y)
    scaling = Preprocessing.standardize(X)
    means = np.stack([X[y == label].mean(axis=0) for label in range(3)])
    np.testing.assert_allclose(distiller.X_distilled_, scaling.transform(means))
    np.testing.assert_allclose(distiller.transform(X[:5]), scaling.transform(X[:5]))
    np.testing.assert_allclose(distiller.distilled_.in_original_units(), means)
    np.testing.assert_allclose(distiller.distilled_.transform(X), distiller.transform(X))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_preprocessing_of_picked_rows_gives_floats_in_its_space_in_every_container(dtype):
    X = (load_iris().data * 10).astype(dtype)

    def picked(rows, run):
        return Outcome(indices=first_rows(rows, run).indices, preprocessing=Preprocessing.standardize(rows.X))

    distiller = Made(picked)
    rows = distiller.fit_transform(X)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(distiller.transform(X)[distiller.sample_indices_], rows, rtol=1e-5)
    frame = pd.DataFrame(X, columns=list("abcd"), index=np.arange(150) * 2)
    framed = distiller.fit_transform(frame)
    np.testing.assert_allclose(framed, rows, rtol=1e-5)
    assert framed.index.tolist() == (distiller.sample_indices_ * 2).tolist()
    tensor = distiller.fit_transform(torch.from_numpy(X))
    np.testing.assert_allclose(tensor.numpy(), rows, rtol=1e-5)


def test_picked_frames_keep_labels_and_the_dtype_of_each_column(iris):
    X = pd.DataFrame(
        {"whole": np.arange(20), "real": np.arange(20) / 3, "flag": np.arange(20) % 2 == 0},
        index=list("abcdefghijklmnopqrst"),
    )
    y = pd.Series(pd.Categorical(list("uv") * 10), index=X.index, name="kind")
    distiller = RandomSubset(budget=3, random_state=0)
    rows, labels = distiller.fit_resample(X, y)
    pd.testing.assert_frame_equal(rows, X.iloc[distiller.sample_indices_])
    pd.testing.assert_series_equal(labels, y.iloc[distiller.sample_indices_])
    assert distiller.distilled_.feature_names == ("whole", "real", "flag")


def test_made_frames_are_floats_with_labels_of_their_kind():
    X = pd.DataFrame({"whole": [0, 1, 2, 4], "real": [0.0, 1, 2, 3]})
    y = pd.Series(["v", "u", "v", "u"], dtype="category", name="kind")
    rows, labels = ClassMeans().fit_resample(X, y)
    pd.testing.assert_frame_equal(rows, pd.DataFrame({"whole": [2.5, 1.0], "real": [2.0, 1.0]}))
    pd.testing.assert_series_equal(labels, pd.Series(["u", "v"], dtype=y.dtype, name="kind"))


def test_made_targets_of_whole_numbers_stay_fractions_in_every_container():
    X, y = np.arange(4.0)[:, None], np.array([0, 1, 4, 9])
    means = ClassMeans(bins=2, task="regression")
    assert means.fit_resample(X, y)[1].tolist() == [0.5, 6.5]
    assert means.fit_resample(X, pd.Series(y))[1].tolist() == [0.5, 6.5]
    assert means.fit_resample(X, pd.Series(y, dtype="Int64"))[1].tolist() == [0.5, 6.5]
    assert means.fit_resample(X, torch.from_numpy(y))[1].tolist() == [0.5, 6.5]
    assert means.fit_resample(X, torch.from_numpy(y).float())[1].dtype == torch.float32


def test_a_target_frame_of_one_column_is_one_column():
    X, y = np.arange(8.0).reshape(4, 2), pd.DataFrame({"kind": list("abab")})
    with pytest.warns(UserWarning, match="column-vector y was passed"):
        labels = ClassMeans().fit_resample(X, y)[1]
    pd.testing.assert_frame_equal(labels, pd.DataFrame({"kind": ["a", "b"]}))


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.uint8, torch.int64]
)
def test_tensors_keep_their_dtype(dtype):
    X = torch.arange(24).reshape(6, 4).to(dtype)
    y = torch.tensor([0, 0, 0, 1, 1, 1], dtype=torch.int32)
    for distiller in (RandomSubset(budget=2, random_state=0), ClassMeans()):
        rows, labels = distiller.fit_resample(X, y)
        is_made_of_integers = isinstance(distiller, ClassMeans) and not X.is_floating_point()
        assert rows.is_floating_point() if is_made_of_integers else rows.dtype == dtype
        assert labels.dtype == torch.int32
        carried = distiller.transform(X)
        assert carried.dtype == dtype
        assert torch.equal(carried, X)


def test_tensors_that_are_being_trained_are_only_read():
    X = torch.ones(4, 2, requires_grad=True)
    rows = RandomSubset(budget=2, random_state=0).fit_transform(X)
    assert not rows.requires_grad
    assert X.grad is None


def test_set_output_reaches_every_way_to_get_rows(iris):
    distiller = RandomSubset(budget=2, random_state=0).set_output(transform="pandas")
    rows, labels = distiller.fit_resample(*iris)
    assert isinstance(rows, pd.DataFrame)
    assert isinstance(labels, np.ndarray)
    assert list(rows.columns) == list(distiller.transform(iris[0]).columns) == ["x0", "x1", "x2", "x3"]


def test_a_frame_is_carried_as_a_frame_so_that_models_meet_the_names_they_learned(iris):
    X = pd.DataFrame(iris[0], columns=list("abcd"), index=np.arange(150) + 7)
    carried = RandomSubset(random_state=0).fit(X, iris[1]).transform(X)
    pd.testing.assert_frame_equal(carried, X)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.eye(6) * 1j, "[Cc]omplex"),
        (np.eye(6).astype(str), "OneHotEncoder"),
        (np.array([["a"] * 3] * 6, dtype=object), "X holds text"),
        (pd.DataFrame({"n": range(6), "z": [1j] * 6, "city": list("abcdef")}), "complex"),
        (pd.DataFrame({"n": [np.inf] * 6, "city": list("abcdef")}), "column 'n' holds infinity in 6 rows"),
        (pd.DataFrame({"n": range(6), "parts": [[1]] * 6}), "column 'parts' holds values that cannot be compared"),
        (pd.DataFrame(np.eye(6), columns=list("abcabc")), "several columns named a, b, c"),
        (np.ones(6), "2D array"),
        (np.ones((0, 3)), "0 sample"),
        (np.ones((6, 0)), r"0 feature"),
    ],
)
def test_rows_that_no_method_can_use_are_refused(X, words):
    with pytest.raises((ValueError, TypeError), match=words):
        RandomSubset(budget=1).fit(X)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.zeros((6, 2)), "1d array"),
        (np.array(["a", "b", 1, 2, "a", "b"], dtype=object), "type int, str"),
        (np.array(["a", "b", None] * 2, dtype=object), "NoneType, str"),
        (pd.Series(["a", "b", None] * 2), "2 of 6 values are missing"),
        (pd.Series([1, 2, None] * 2, dtype="Int64"), "2 of 6 values are missing"),
        (pd.Series([1.0, np.nan] * 3), "3 of 6 values are missing"),
        (np.array([0.0, np.nan] * 3), "NaN"),
        (np.array([0.0, np.inf] * 3), "infinity"),
        (np.zeros(5), "inconsistent numbers of samples"),
    ],
)
def test_labels_that_no_method_can_use_are_refused(y, words):
    with pytest.raises(ValueError, match=words):
        RandomSubset(budget=1).fit(np.eye(6), y)


def test_text_cannot_be_regressed():
    with pytest.raises(DataError, match="task='regression' needs numbers"):
        RandomSubset(task="regression").fit(np.eye(4), list("abab"))


def test_a_method_that_needs_y_says_so():
    class NeedsY(RandomSubset):
        _needs_y = True

    with pytest.raises(ValueError, match="requires y to be passed"):
        NeedsY().fit(np.eye(4))
    NeedsY(budget=1).fit(np.eye(4), [0, 1, 0, 1])


def test_nullable_integers_follow_the_rule_of_integers():
    y = pd.Series(range(30), dtype="Int64")
    assert len(RandomSubset(budget=1).fit(np.eye(30), y).y_distilled_) == 1  # so many are a regression target
    distiller = RandomSubset(budget=1, task="classification").fit(np.eye(30), y)
    assert len(distiller.y_distilled_) == 30
    assert distiller.y_distilled_.dtype == np.int64


def test_task_decides_where_y_could_be_both(iris):
    X, y = iris
    assert len(RandomSubset(budget=2).fit(X, y).X_distilled_) == 6
    assert len(RandomSubset(budget=2, task="regression").fit(X, y).X_distilled_) == 2
    assert len(RandomSubset(budget=1, task="classification").fit(X, X[:, 1]).X_distilled_) == len(np.unique(X[:, 1]))
    assert len(RandomSubset(budget=2).fit(*load_diabetes(return_X_y=True)).X_distilled_) == 2


def test_parameters_are_refused_in_fit_not_before(iris):
    distiller = RandomSubset(budget="many", task="guess")
    with pytest.raises(ValueError, match="'task' parameter of RandomSubset"):
        distiller.fit(*iris)
    with pytest.raises(BudgetError, match="budget='many'"):
        distiller.set_params(task="auto").fit(*iris)
    assert Budget(3) == Budget(3)


@pytest.mark.parametrize("shape", [(5, 3), (5, 4, 1), (5, 2, 4), (5, 1, 8, 8)])
def test_transform_refuses_rows_of_another_shape(shape):
    distiller = RandomSubset(random_state=0).fit(np.ones((9, 4)))
    with pytest.raises(ValueError, match=r"features|shape"):
        distiller.transform(np.ones(shape))
    images = RandomSubset(random_state=0).fit(np.ones((9, 1, 8, 8)))
    with pytest.raises(
        DataError, match=r"rows of shape \(1, 8, 9\), but RandomSubset distilled rows of shape \(1, 8, 8\)"
    ):
        images.transform(np.ones((5, 1, 8, 9)))


def test_transform_needs_fit_and_finite_rows():
    with pytest.raises(NotFittedError):
        RandomSubset().transform(np.eye(3))
    distiller = RandomSubset().fit(np.eye(3))
    check_is_fitted(distiller)
    with pytest.raises(ValueError, match="NaN"):
        distiller.transform(np.full((1, 3), np.nan))


def test_methods_of_fixed_size_have_no_budget():
    for method in (WholeSet, ClassMeans):
        assert "budget" not in method().get_params()
        with pytest.raises(TypeError, match="budget"):
            method(budget=3)


def test_whole_set_copies_the_rows(iris):
    X = iris[0].copy()
    rows = WholeSet().fit_transform(X)
    rows[:] = 0
    np.testing.assert_array_equal(X, iris[0])


def test_nothing_is_warned_of_in_everyday_use(iris):
    X, y = pd.DataFrame(iris[0], columns=list("abcd")), pd.Series(iris[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for distiller in (RandomSubset(random_state=0), ClassMeans(), WholeSet()):
            distiller.fit_resample(X, y)
            distiller.transform(X)


@pytest.fixture
def listener():
    pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")

    class Listener:
        def __init__(self):
            self.heard = []

        def setup(self, estimator, context):
            self.heard.append(f"setup {type(estimator).__name__} {context.task_name}")

        def on_fit_task_begin(self, estimator, context):
            self.heard.append(f"begin {type(estimator).__name__} {context.task_name}")

        def on_fit_task_end(self, estimator, context):
            self.heard.append(f"end {type(estimator).__name__} {context.task_name}")

        def teardown(self, estimator, context):
            self.heard.append(f"teardown {type(estimator).__name__} {context.task_name}")

    return Listener()


def test_callbacks_hear_of_a_fit(iris, listener):
    RandomSubset(random_state=0).set_callbacks(listener).fit(*iris)
    assert listener.heard == [f"{what} RandomSubset fit" for what in ("setup", "begin", "end", "teardown")]


def test_callbacks_are_torn_down_where_a_method_fails(iris, listener):
    def fails(rows, run):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        Made(fails).set_callbacks(listener).fit(*iris)
    assert listener.heard == [f"{what} Made fit" for what in ("setup", "begin", "teardown")]
