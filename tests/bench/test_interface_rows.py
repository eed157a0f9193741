"""Rows of every container reach the methods as they do from a file, and wrong ones are named."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from distillkit import compare
from distillkit.bench.own._arrays import own_rows
from distillkit.bench.own._rows import store_rows
from distillkit.datasets import load_dataset
from distillkit.exceptions import DataError, DistillkitWarning

RNG = np.random.default_rng(0)
N = 80
NUMBERS = RNG.normal(size=(N, 3))
LABELS = np.where(NUMBERS[:, 0] + 0.3 * RNG.normal(size=N) > 0, "yes", "no")
MIXED = pd.DataFrame(
    {
        "size": NUMBERS[:, 0],
        "row_id": pd.array([None, *range(N - 1)], dtype="Int64"),
        "color": pd.Categorical(RNG.choice(["red", "blue"], N)),
        "grade": pd.Categorical(RNG.integers(3, size=N)),
        "word": np.where(NUMBERS[:, 1] > 0, "a", None),
        "either": [1, "one"] * (N // 2),
        "flag": NUMBERS[:, 2] > 0,
        "day": pd.Timestamp("2024-01-31") + pd.to_timedelta(RNG.integers(400, size=N), unit="D"),
        7: RNG.normal(size=N),
    }
)
FAST = {"methods": ["random"], "evaluators": ["knn"], "budgets": [3], "splits": 1, "seeds": 1}
FAST |= {"metrics": ["accuracy"], "controls": False, "verbose": False}


def stored(folder, X, y, task=None, **test):
    return store_rows(folder, own_rows(X, y, **test), task)


def test_a_mixed_frame_is_encoded_as_that_of_a_file(tmp_path):
    with pytest.warns(
        DistillkitWarning, match="^X: column 'row_id' looks like an identifier.*: leave it out of X if it is one"
    ):
        rows = stored(tmp_path, MIXED, LABELS)
    file = MIXED.rename(columns=str).assign(label=LABELS, either=MIXED["either"].map(str))
    file["grade"] = file["grade"].map({0: "g0", 1: "g1", 2: "g2"}).astype("category")
    file.to_parquet(tmp_path / "rows.parquet")
    with pytest.warns(DistillkitWarning, match="identifier"):
        expected = load_dataset(tmp_path / "rows.parquet", target="label")
    np.testing.assert_array_equal(rows.data.X_train, expected.X_train)
    np.testing.assert_array_equal(rows.data.y_train, expected.y_train)
    assert [name.replace("grade=", "grade=g").replace("x7", "7") for name in rows.data.feature_names] == list(
        expected.feature_names
    )


def test_equal_rows_of_any_container_are_one_file(tmp_path):
    torch, polars, pyarrow = (pytest.importorskip(name) for name in ("torch", "polars", "pyarrow"))
    single = NUMBERS.astype(np.float32)
    codes = (LABELS == "yes").astype(np.int64)
    arrays = [(single, codes), (torch.tensor(single), torch.tensor(codes)), (csr_matrix(single), pd.Series(codes))]
    assert len({stored(tmp_path, *pair).table["path"] for pair in arrays}) == 1
    frame = pd.DataFrame(NUMBERS, columns=list("abc"))
    columns = pyarrow.Table.from_pandas(frame)
    frames = [(frame, LABELS), (polars.from_pandas(frame), polars.Series(LABELS)), (columns, pyarrow.array(LABELS))]
    frames += [(frame.assign(target=LABELS), "target")]
    assert len({stored(tmp_path, *pair).table["path"] for pair in frames}) == 1


def test_gaps_in_an_array_are_marked_and_not_refused(tmp_path):
    holed = NUMBERS.copy()
    holed[:20, 1] = np.nan
    data = stored(tmp_path, holed, LABELS).data
    assert data.feature_names == ("x0", "x1", "x1=missing", "x2")
    assert data.X_train[:, 2].std() > 0


@pytest.mark.parametrize(
    ("X", "modality"),
    [(RNG.normal(size=(N, 2, 16)), "series"), (RNG.integers(256, size=(N, 1, 6, 6), dtype=np.uint8), "image")],
)
def test_series_and_images_are_told_by_their_axes(tmp_path, X, modality):
    rows = stored(tmp_path, X, LABELS)
    assert rows.data.modality == modality
    board = compare(X, LABELS, **FAST)
    assert set(board.frame.modality) == {modality}
    assert board.complete


def test_test_rows_of_their_own_are_used(tmp_path):
    mixed = MIXED.drop(columns="row_id")
    rows = stored(tmp_path, mixed[:60], LABELS[:60], X_test=mixed[60:], y_test=LABELS[60:])
    assert (len(rows.data.X_train), len(rows.data.X_test)) == (60, 20)
    rows = stored(tmp_path, NUMBERS[:60], LABELS[:60], X_test=NUMBERS[60:], y_test=LABELS[60:])
    np.testing.assert_allclose(
        rows.data.X_test * NUMBERS[:60].std(axis=0) + NUMBERS[:60].mean(axis=0), NUMBERS[60:], atol=1e-5
    )


def test_numbers_are_a_regression_and_a_task_can_be_said(tmp_path):
    assert stored(tmp_path, NUMBERS, NUMBERS[:, 0]).data.task == "regression"
    assert stored(tmp_path, NUMBERS, np.arange(N) % 4).data.task == "classification"
    assert stored(tmp_path, NUMBERS, np.arange(N) % 4, "regression").data.task == "regression"
    board = compare(
        NUMBERS,
        NUMBERS @ [1, 2, 3],
        evaluators=None,
        **{k: v for k, v in FAST.items() if k not in ("evaluators", "metrics")},
    )
    assert set(board.frame.evaluator) == {"ridge", "knn"}
    assert set(board.frame.metric) == {"r2"}


def test_weights_reach_the_methods(tmp_path):
    weight = np.ones(N)
    weight[: N // 2] = 3
    weighted = store_rows(tmp_path, own_rows(NUMBERS, LABELS, sample_weight=weight), None).data
    assert set(weighted.weight_train) == {1.0, 3.0}
    framed = store_rows(tmp_path, own_rows(MIXED[["size", "flag"]], LABELS, sample_weight=weight), None).data
    np.testing.assert_array_equal(framed.weight_train, weighted.weight_train)


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (NUMBERS[:, 0], LABELS, r"X has the shape \(80,\), but rows need two axes"),
        (NUMBERS, "label", "y='label' names a column, but X is no frame"),
        (MIXED, "colour", "X has no column 'colour', which y names: did you mean 'color'"),
        (NUMBERS, np.where(LABELS == "yes", np.nan, 1.0), "y contains NaN: .* of 80 values are missing"),
        (np.full((N, 1, 4, 4), np.inf), LABELS, "X holds 1280 values that are NaN or infinite"),
        (RNG.normal(size=(N, 5, 5, 3)), LABELS, "the channels last"),
        (NUMBERS, np.repeat("one", N), "X: all rows have the class 'one'"),
        (np.empty((0, 3)), [], "X is empty"),
    ],
)
def test_rows_that_cannot_be_used_are_named_without_their_file(tmp_path, X, y, words):
    with pytest.raises(DataError, match=words) as caught:
        stored(tmp_path, X, y)
    assert str(tmp_path) not in str(caught.value)
