"""Columns that no method can read are refused in one sentence, and unusual names survive a file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from distillkit import DistilledSet, KMeansCoreset, RandomSubset, TeacherStudentDistiller
from distillkit.exceptions import DataError
from distillkit.nn import NetworkClassifier

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
y = ["a", "b"] * 3


def test_arrow_columns_of_an_extension_type_are_refused():
    frame = pd.DataFrame({"month": pd.period_range("2001-01", periods=6, freq="M"), "n": range(6)})
    for table in (pa.Table.from_pandas(frame), pl.from_arrow(pa.Table.from_pandas(frame))):
        with pytest.raises(DataError, match=r"column 'month' holds values of type .*: turn them into text"):
            KMeansCoreset(2).fit(table)


def test_arrow_columns_from_which_no_rows_can_be_selected_are_refused():
    table = pa.table({"word": pa.array(["a", "b", "c"] * 2, pa.string_view())})
    with pytest.raises(DataError, match=r"string_view.*cast the columns of this type"):
        RandomSubset(2).fit(table)


@pytest.mark.parametrize("container", [lambda frame: frame, pl.from_pandas, pa.Table.from_pandas])
@pytest.mark.parametrize("columns", [False, True], ids=["no rows", "no columns"])
@pytest.mark.parametrize("model", [KMeansCoreset(2), TeacherStudentDistiller("linear", "linear")])
def test_empty_frames_are_refused_alike(container, columns, model):
    frame = pd.DataFrame({"n": range(6), "day": pd.date_range("2020-01-01", periods=6)})
    frame = frame[[]] if columns else frame[:0]
    with pytest.raises(DataError, match=r"X has \d rows and \d columns, .*at least one of each is needed"):
        model.fit(container(frame), y[: len(frame)])


@pytest.mark.parametrize("text", [pd.Series(list("xyz") * 2), range(6)], ids=["text", "numbers"])
def test_a_polars_column_without_a_name_keeps_it_in_a_file(text, tmp_path):
    frame = pl.DataFrame({"": list(text), "n": range(6)})
    for distiller in (RandomSubset(2, random_state=0), KMeansCoreset(2, random_state=0)):
        small = distiller.fit(frame).distilled_
        again = DistilledSet.load(small.save(tmp_path / "small.safetensors"))
        assert small.to_polars(weight=None).columns == again.to_polars(weight=None).columns == ["", "n"]
        assert again.to_frame().equals(small.to_frame())


def test_complex_columns_are_refused_and_not_cut_to_their_real_part():
    with pytest.raises(DataError, match=r"column 'z' of X holds complex numbers"):
        KMeansCoreset(2).fit(pd.DataFrame({"z": np.arange(4) + 1j, "n": range(4)}))


@pytest.mark.parametrize("container", [list, lambda X: np.array(X, dtype=object)])
@pytest.mark.parametrize(
    "model", [KMeansCoreset(2), TeacherStudentDistiller("linear", "linear"), NetworkClassifier(epochs=1)]
)
def test_words_among_numbers_are_refused_with_the_remedy(container, model):
    with pytest.raises(DataError, match=r"X holds text: give a pandas, polars or pyarrow frame"):
        model.fit(container([[1, "Oslo"], [2, "Rome"]] * 3), y)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_infinities_of_both_signs_are_refused_without_a_warning():
    with pytest.raises(ValueError, match=r"infinity"):
        KMeansCoreset(1).fit(np.array([[np.inf, -np.inf], [0, 1]]))


def test_sparse_columns_that_are_filled_with_something_else_are_refused():
    frame = pd.DataFrame({"n": pd.arrays.SparseArray([1.0, 0.0, 2.0])})  # filled with NaN
    with pytest.raises(DataError, match=r"fill value other than 0: give X\.sparse\.to_dense"):
        KMeansCoreset(1).fit(frame)
