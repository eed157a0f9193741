"""DistilledSet: what it holds, and its ways out to pandas, torch and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from distillkit import DistilledSet, Preprocessing, RandomSubset
from distillkit.exceptions import DataError


@pytest.fixture
def small():
    return DistilledSet(
        X=np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        y=np.array(["b", "a", "b"]),
        sample_weight=np.array([2.0, 3.0, 5.0]),
        classes=np.array(["a", "b", "c"]),
        feature_names=("width", "height"),
        provenance={"method": "package:Thing", "rows_seen": 10},
    )


def test_what_it_is_can_be_read(small):
    assert len(small) == 3
    assert repr(small) == "<DistilledSet (3, 2) float64 of 10 rows by Thing>"
    assert repr(DistilledSet(np.ones((2, 3)))) == "<DistilledSet (2, 3) float64 of ? rows by ?>"


def test_lists_become_arrays_and_weights_are_ones_if_not_given():
    made = DistilledSet([[1, 2], [3, 4]], y=[0, 1])
    assert made.X.shape == (2, 2)
    assert made.y.tolist() == [0, 1]
    assert made.sample_weight.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", ["y", "sample_weight", "indices", "soft_labels"])
def test_lengths_that_differ_are_refused_by_name(name):
    with pytest.raises(DataError, match=f"{name} has 2 rows, but X has 3"):
        DistilledSet(np.ones((3, 2)), **{name: np.ones(2)})


def test_bytes_are_those_of_rows_and_of_the_labels_that_are_trained_on(small):
    weights = 3 * 8  # they differ
    assert small.nbytes == 3 * 2 * 8 + 3 * 4 + weights  # <U1 takes four bytes
    small.soft_labels = np.ones((3, 3), np.float32) / 3
    assert small.nbytes == 3 * 2 * 8 + 3 * 3 * 4 + weights
    assert DistilledSet(np.ones((4, 5), np.uint8)).nbytes == 20


def test_size_counts_weights_that_differ_and_the_preprocessing() -> None:
    X = np.arange(8.0).reshape(4, 2)
    assert DistilledSet(X, sample_weight=np.full(4, 3.0)).nbytes == X.nbytes  # equal weights are one number at most
    assert DistilledSet(X, sample_weight=np.array([1.0, 1, 1, 2])).nbytes == X.nbytes + 4 * 8
    scaled = Preprocessing(np.zeros(2), np.ones(2), np.eye(2))
    assert DistilledSet(X, preprocessing=scaled).nbytes == X.nbytes + (2 + 2 + 4) * 8


def test_rows_of_the_data_are_carried_into_its_space_and_back():
    X = load_iris().data
    scaling = Preprocessing.standardize(X)
    carried = DistilledSet(scaling.transform(X[:4]), preprocessing=scaling)
    np.testing.assert_allclose(carried.transform(X[:4]), carried.X)
    np.testing.assert_allclose(carried.in_original_units(), X[:4])
    plain = DistilledSet(X[:4])
    assert plain.transform(X) is X
    assert plain.in_original_units() is plain.X


def test_pandas_has_features_target_and_weight(small):
    expected = pd.DataFrame({"width": [1.0, 3, 5], "height": [2.0, 4, 6], "kind": ["b", "a", "b"], "mass": [2.0, 3, 5]})
    pd.testing.assert_frame_equal(small.to_pandas(target="kind", weight="mass"), expected)
    pd.testing.assert_frame_equal(small.to_pandas("kind", None), expected.drop(columns="mass"))
    assert list(DistilledSet(np.ones((2, 1, 2, 2))).to_pandas().columns) == [
        *("pixel_0_0", "pixel_0_1", "pixel_1_0", "pixel_1_1"),
        "sample_weight",
    ]
    assert list(DistilledSet(np.ones((2, 2, 2))).to_pandas().columns[:4]) == ["c0_t0", "c0_t1", "c1_t0", "c1_t1"]
    assert list(DistilledSet(np.ones((2, 2))).to_pandas().columns[:2]) == ["x0", "x1"]


def test_names_that_do_not_fit_the_flattened_rows_are_not_used():
    images = DistilledSet(np.ones((2, 1, 2)), feature_names=("one",))
    assert list(images.to_pandas(weight=None).columns) == ["t0", "t1"]


@pytest.mark.parametrize(
    ("target", "weight", "name"), [("width", "w", "width"), ("t", "height", "height"), ("t", "t", "t")]
)
def test_columns_of_one_name_are_refused(small, target, weight, name):
    with pytest.raises(DataError, match=f"already named '{name}'"):
        small.to_pandas(target, weight)


def test_torch_has_positions_of_the_classes_and_float32(small):
    X, y, weight = small.to_torch().tensors
    assert (X.dtype, y.dtype, weight.dtype) == (torch.float32, torch.int64, torch.float32)
    assert y.tolist() == [1, 0, 1]
    assert weight.tolist() == [2, 3, 5]
    np.testing.assert_array_equal(X.numpy(), small.X)


def test_torch_has_soft_labels_where_there_are_any(small):
    small.soft_labels = np.full((3, 3), 1 / 3)
    assert small.to_torch().tensors[1].shape == (3, 3)
    assert small.to_torch().tensors[1].dtype == torch.float32


@pytest.mark.parametrize(
    ("dtype", "result"), [(np.uint8, torch.uint8), (np.float64, torch.float32), (np.int64, torch.int64)]
)
def test_torch_keeps_integers(dtype, result):
    assert DistilledSet(np.ones((2, 2), dtype)).to_torch().tensors[0].dtype == result


def test_torch_has_numbers_as_float32_and_nothing_without_targets():
    numbers = DistilledSet(np.ones((2, 2)), y=np.array([0.5, 2.0])).to_torch().tensors
    assert numbers[1].dtype == torch.float32
    assert numbers[1].tolist() == [0.5, 2.0]
    assert len(DistilledSet(np.ones((2, 2))).to_torch().tensors) == 2


def test_tensors_are_copies(small):
    before = small.X.copy(), small.sample_weight.copy()
    small.X.flags.writeable = False
    for tensor in small.to_torch().tensors:
        tensor.zero_()
    np.testing.assert_array_equal(small.X, before[0])
    np.testing.assert_array_equal(small.sample_weight, before[1])


def test_text_without_classes_cannot_be_a_tensor():
    with pytest.raises(DataError, match=r"classes=np\.unique"):
        DistilledSet(np.ones((2, 2)), y=np.array(["a", "b"])).to_torch()


def test_a_loader_serves_it(small):
    batches = list(torch.utils.data.DataLoader(small.to_torch(), batch_size=2))
    assert [len(batch[0]) for batch in batches] == [2, 1]


def test_fit_trains_with_the_weights_where_the_model_takes_them():
    X, y = load_iris(return_X_y=True)
    kept = RandomSubset(budget={0: 5, 1: 10, 2: 20}, random_state=0).fit(X, y).distilled_
    model = kept.fit(LogisticRegression(max_iter=1000))
    weighted = LogisticRegression(max_iter=1000).fit(kept.X, kept.y, sample_weight=kept.sample_weight)
    plain = LogisticRegression(max_iter=1000).fit(kept.X, kept.y)
    np.testing.assert_array_equal(model.coef_, weighted.coef_)
    assert not np.allclose(model.coef_, plain.coef_)
    assert kept.fit(KNeighborsClassifier(1)).predict(kept.X).tolist() == kept.y.tolist()


class Shape(BaseEstimator):
    """Notes the shape it is fitted on."""

    def __init__(self, *, three=False):
        self.three = three

    def fit(self, X, y):
        del y
        self.shape_ = X.shape
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = self.three
        return tags


def test_fit_flattens_rows_unless_the_model_takes_more_axes():
    series = DistilledSet(np.ones((4, 2, 3)), y=np.arange(4))
    assert series.fit(Shape()).shape_ == (4, 6)
    assert series.fit(Shape(three=True)).shape_ == (4, 2, 3)


def test_pandas_has_a_column_for_the_probability_of_each_class():
    soft = np.array([[0.9, 0.1], [0.2, 0.8]])
    small = DistilledSet(np.eye(2), y=np.array(["no", "yes"]), soft_labels=soft, classes=np.array(["no", "yes"]))
    frame = small.to_pandas(target="churn")
    assert frame.columns.tolist() == ["x0", "x1", "churn", "sample_weight", "p_no", "p_yes"]
    np.testing.assert_array_equal(frame[["p_no", "p_yes"]], soft)


def test_pandas_has_a_column_for_the_predictions_of_a_continuous_target():
    small = DistilledSet(np.eye(2), y=np.array([1.5, 2.5]), soft_labels=np.array([[1.25], [2.75]]))
    assert small.to_pandas(target="price")["p_price"].tolist() == [1.25, 2.75]


def test_a_column_named_like_a_probability_is_refused():
    small = DistilledSet(
        np.eye(2), y=np.array([0, 1]), soft_labels=np.eye(2), classes=np.array([0, 1]), feature_names=("p_0", "b")
    )
    with pytest.raises(DataError, match="already named 'p_0'"):
        small.to_pandas()
