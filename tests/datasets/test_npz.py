from __future__ import annotations

import numpy as np
import pytest

from distillkit.datasets._npz import load_npz
from distillkit.exceptions import DatasetError, DatasetNotFoundError

RNG = np.random.default_rng(0)
Y = np.array([0, 1] * 8)


@pytest.fixture
def save(tmp_path):
    def write(**arrays):
        path = tmp_path / "rows.npz"
        np.savez(path, **arrays)
        return str(path)

    return write


@pytest.mark.parametrize(("axes", "modality"), [((3,), "table"), ((2, 5), "series"), ((1, 4, 4), "image")])
def test_modality_follows_the_axes(save, axes, modality):
    data = load_npz(None, path=save(X=RNG.normal(size=(16, *axes)), y=Y))

    assert (data.modality, data.task, data.name) == (modality, "classification", "rows")
    assert data.X_train.shape == (12, *axes)
    assert data.X_test.shape == (4, *axes)
    assert data.X_train.dtype == np.float32


@pytest.mark.parametrize(
    ("axes", "modality", "shape"),
    [((4, 4), "image", (1, 4, 4)), ((6,), "series", (1, 6)), ((2, 3, 4), "table", (24,)), ((2, 3), "table", (6,))],
)
def test_modality_may_be_given(save, axes, modality, shape):
    data = load_npz(None, path=save(X=RNG.normal(size=(16, *axes)), y=Y), modality=modality)

    assert (data.modality, data.X_train.shape[1:]) == (modality, shape)


def test_given_test_rows_are_used_and_scaled_like_the_training_rows(save):
    X, X_test = RNG.normal(size=(16, 3)), RNG.normal(size=(4, 3))

    data = load_npz(None, path=save(X_train=X, y_train=Y, X_test=X_test, y_test=Y[:4]))

    np.testing.assert_allclose(data.X_test, (X_test - X.mean(0)) / X.std(0), rtol=1e-4, atol=1e-6)
    assert data.y_test.tolist() == [0, 1, 0, 1]
    assert "held out" not in data.preparation


def test_images_stay_as_they_are(save):
    pixels = RNG.integers(0, 256, size=(16, 3, 4, 4))
    scaled = RNG.random((16, 3, 4, 4))

    whole, floats = load_npz(None, path=save(X=pixels, y=Y)), load_npz(None, path=save(X=scaled, y=Y))

    assert whole.X_train.dtype == np.uint8
    everything = np.concatenate([whole.X_train, whole.X_test])
    assert sorted(everything.sum(axis=(1, 2, 3)).tolist()) == sorted(pixels.sum(axis=(1, 2, 3)).tolist())
    assert floats.X_train.dtype == np.float32
    assert 0 <= floats.X_train.min() < floats.X_train.max() <= 1


def test_text_labels_and_a_column_of_labels(save):
    data = load_npz(None, path=save(X=RNG.normal(size=(16, 3)), y=np.array(["b", "a"] * 8)[:, None]))

    assert data.classes == ("a", "b")


def test_regression_by_value_and_by_option(save):
    X = RNG.normal(size=(16, 3))

    assert load_npz(None, path=save(X=X, y=RNG.normal(size=16))).task == "regression"
    assert load_npz(None, path=save(X=X, y=Y), task="regression").y_train.dtype == np.float64


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": Y}, r"no array X or X_train \(it holds y\)"),
        ({"X": np.zeros((16, 2))}, "no array y or y_train"),
        ({"X": np.zeros((16, 2)), "y": Y, "X_test": np.zeros((1, 2))}, "no array y_test"),
        ({"X": np.full((16, 2), np.nan), "y": Y}, "X holds 32 values that are NaN or infinite"),
        ({"X": np.full((16, 2), np.inf), "y": Y}, "X holds 32 values that are NaN or infinite"),
        ({"X": np.array([["a", "b"]] * 16), "y": Y}, "X holds text, but only numbers"),
        ({"X": np.array([[None, 1]] * 16), "y": Y}, "cannot be read .*save arrays of numbers or text"),
        ({"X": np.zeros((15, 2)), "y": Y}, "X and y have 15 and 16 rows"),
        ({"X": np.zeros(16), "y": Y}, "X has 1 axes"),
        ({"X": np.zeros((16, 1, 1, 1, 1)), "y": Y}, "X having 5 axes"),
        ({"X": np.zeros((16, 2)), "y": np.eye(16)}, r"y has shape \(16, 16\)"),
        ({"X": np.zeros((16, 8, 8, 3)), "y": Y}, "the channels last: save numpy.moveaxis"),
        (
            {"X": np.zeros((16, 2)), "y": Y, "X_test": np.zeros((1, 3)), "y_test": Y[:1]},
            r"shape \(2,\), those of X_test \(3,\)",
        ),
        ({"X": np.zeros((0, 2)), "y": Y[:0]}, "has no rows or no features"),
        ({"X": np.zeros((16, 2)), "y": Y * 0}, "all rows have the class '0'"),
        ({"X": np.zeros((16, 2)), "y": Y * np.nan}, "16 targets are not finite"),
    ],
)
def test_bad_arrays_are_named(save, arrays, message):
    with pytest.raises(DatasetError, match=message):
        load_npz(None, path=save(**arrays))


def test_an_unknown_modality_and_one_that_does_not_fit_are_errors(save):
    path = save(X=np.zeros((16, 2, 3, 4)), y=Y)

    with pytest.raises(DatasetError, match="modality 'sound'"):
        load_npz(None, path=path, modality="sound")
    with pytest.raises(DatasetError, match="which is no series"):
        load_npz(None, path=path, modality="series")


def test_damaged_missing_and_single_array_files(tmp_path, save):
    path = save(X=RNG.normal(size=(16, 3)), y=Y)
    content = (tmp_path / "rows.npz").read_bytes()
    (tmp_path / "rows.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(DatasetError, match=r"rows.npz cannot be read"):
        load_npz(None, path=path)

    with pytest.raises(DatasetNotFoundError, match=r"no file or folder .*gone.npz"):
        load_npz(None, path=str(tmp_path / "gone.npz"))

    np.save(tmp_path / "one.npy", Y)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    with pytest.raises(DatasetError, match=r"single array, not an .npz file"):
        load_npz(None, path=str(tmp_path / "one.npz"))
