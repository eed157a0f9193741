"""What a report reads, and one clear sentence for what it cannot."""

import re

import numpy as np
import pandas as pd
import pytest

from distillkit import DistilledSet, KMeansCoreset, Preprocessing, RandomSubset, report
from distillkit.exceptions import ArtefactError, DataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
Y = np.repeat(["no", "yes"], 40)
SERIES = RNG.normal(size=(40, 1, 12))


def same(first, second):
    pd.testing.assert_frame_equal(first.frame, second.frame)
    assert first.lights == second.lights


def test_frames_of_any_library_arrays_and_files_give_one_report(table, picked, tmp_path):
    import polars as pl

    frame, y = table[0]
    whole = frame.assign(answer=y)
    expected = report(whole, picked, target="answer", metrics=[])
    whole.to_parquet(tmp_path / "real.parquet")
    path = picked.save(tmp_path / "small.safetensors")
    small = picked.to_pandas(target="answer")
    same(report(whole, picked, metrics=[]), expected)  # the only column that the set does not have
    same(report(pl.from_pandas(whole), picked, metrics=[]), expected)
    same(report(str(tmp_path / "real.parquet"), path, metrics=[]), expected)
    same(report(whole, small, target="answer", metrics=[]), expected)


def test_arrays_lists_and_frames_without_names_are_matched_by_place():
    small = RandomSubset(5, random_state=0).fit(X, Y)
    expected = report((X, Y), small, metrics=[])
    same(report(X.tolist(), small.distilled_, list(Y), metrics=[]), expected)
    named = pd.DataFrame(X, columns=list("abc"))
    assert report((named, Y), small, metrics=[]).frame.index.tolist() == ["a", "b", "c", "target"]


def test_a_set_in_a_space_of_its_own_is_brought_back():
    scaling = Preprocessing.standardize(5 + 3 * X)
    small = DistilledSet(scaling.transform(5 + 3 * X[:10]), Y[:10], preprocessing=scaling)
    about = report((5 + 3 * X, Y), small, metrics=[])
    assert about.frame.loc["x0", "max_small"] == pytest.approx(5 + 3 * X[:10, 0].max())
    assert about.lights["copies"].color == "red"


def test_the_weights_of_a_file_count_but_are_no_column(tmp_path):
    small = KMeansCoreset(5, random_state=0).fit(X, Y).distilled_
    expected = report((X, Y), small, metrics=[]).frame
    found = report((pd.DataFrame(X, columns=["x0", "x1", "x2"]), Y), small.save(tmp_path / "small.csv"), metrics=[])
    assert found.frame.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(found.frame["drift"], expected["drift"], atol=1e-9)


FRAME = pd.DataFrame(X, columns=["a", "b", "c"])


@pytest.mark.parametrize(
    ("real", "small", "message"),
    [
        ((FRAME, Y), (FRAME.rename(columns={"b": "z"}), Y), r"small set lacks the columns 'b' and has also 'z'"),
        ((X, Y), (X[:, :2], Y), r"small set has 2 columns, the real rows have 3"),
        ((X, Y), X[:5], r"small set has no labels, but the real rows have"),
        (X, (X[:5], Y[:5]), r"small set has labels, but the real rows have none"),
        ((X, Y), (X[:0], Y[:0]), r"small set has no rows"),
        ((X[:0], Y[:0]), (X, Y), r"real rows are empty"),
        ((X, Y), (X[:5], Y[:4]), r"small set have 5 rows and 4 targets|has 5 rows and 4 targets"),
        ((X, Y), (X[:5], np.array(["maybe"] * 5)), r"labels 'maybe', which no real row has"),
        ((X, Y), (X[:5], np.arange(5)), r"labels of the small set are numbers, those of the real rows text"),
        ((SERIES, None), (SERIES[:5, :, :9], None), r"rows of shape \(1, 9\), the real rows of shape \(1, 12\)"),
        ((X, Y), (SERIES[:5], Y[:5]), r"rows of shape \(1, 12\), the real rows of shape \(3,\)"),
        ((np.arange(5), None), (X, None), r"have the shape \(5,\): give a table"),
        ((X, np.where(np.arange(80) == 3, None, Y)), (X, Y), r"target of the real rows has 1 gaps"),
        (FRAME, (FRAME[["a"]], Y), r"2 columns that the small set does not have, 'b', 'c': name the target"),
        ((FRAME, Y), (FRAME.assign(a="text"), Y), r"column 'a' holds text"),
        (DistilledSet(X, y=Y), (X, Y), r"give the rows first"),
        ((np.full((9, 1, 4), np.nan), None), (np.zeros((3, 1, 4)), None), r"NaN or infinite"),
    ],
)
def test_bad_input_is_told_in_one_sentence(real, small, message):
    with pytest.raises(DataError, match=message) as caught:
        report(real, small, metrics=[])
    assert len(str(caught.value).splitlines()) == 1


def test_bad_arguments_are_told():
    with pytest.raises(DataError, match="give the targets once"):
        report((X, Y), (X, Y), Y)
    with pytest.raises(DataError, match="target='d' is no column of the real rows"):
        report(FRAME, (X, Y), target="d")
    with pytest.raises(DataError, match="draws=1"):
        report((X, Y), (X, Y), draws=1)
    with pytest.raises(DataError, match="cannot be fitted"):
        report((X, Y), (X, Y), estimator=KMeansCoreset, metrics=[])
    with pytest.raises(ArtefactError, match=re.escape("missing.safetensors")):
        report((X, Y), "missing.safetensors")
    with pytest.raises(DataError, match=r"the test rows lack the columns 'c'"):
        report((FRAME, Y), (FRAME, Y), test=(FRAME[["a", "b"]], Y))


def test_one_class_leaves_nothing_to_learn():
    about = report((X, np.full(80, "no")), (X[:5], np.full(5, "no")), metrics=[])
    assert about.utility.scores.empty
    assert "All real rows are of the class no: nothing can be learned." in str(about)


def test_a_set_of_one_class_says_which_are_lost():
    about = report((X, Y), (X[:5], Y[:5]), metrics=["mmd"])
    assert about.frame.loc["target", "levels_lost"] == 1
    assert "1 of 2 levels lost" in str(about)
    assert "no rows of 1 of 2 classes (yes)" in about.fidelity.loc["mmd", "note"]


def test_gaps_everywhere_are_reported_as_gaps():
    empty = pd.DataFrame({"a": [np.nan] * 80, "b": [None] * 80})
    about = report(empty, empty[:5], metrics=["mmd"])
    assert about.frame["gaps_real"].tolist() == [1.0, 1.0]
    assert set(about.frame["kind"]) == {"empty"}
    one = report(empty.assign(c=X[:, 0]), empty[:5].assign(c=np.nan), metrics=[])
    assert one.frame.loc["c", "gaps_small"] == 1.0
    assert np.isnan(one.frame.loc["c", "drift"])
