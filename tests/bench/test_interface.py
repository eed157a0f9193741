"""The functions of Python: what they take, that they resume, and what they say of wrong input."""

import pickle
import threading
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier

import distillkit
from distillkit import KMeansCoreset, RandomSubset, compare, load_results, run_suite
from distillkit.exceptions import BudgetError, DataError, DistillkitWarning, ResultsError, SuiteError, UnknownNameError

X, Y = load_iris(return_X_y=True)
FAST = {"budgets": [2], "splits": 1, "seeds": 1, "metrics": ["accuracy"], "controls": False, "verbose": False}


class Centroids(ClassifierMixin, BaseEstimator):
    """Predicts the class whose mean is nearest; as `p` says, in the city block metric or squared."""

    def __init__(self, p=2):
        self.p = p

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.array([X[y == label].mean(axis=0) for label in self.classes_])
        return self

    def predict(self, X):
        distances = (np.abs(X[:, None] - self.means_) ** self.p).sum(axis=-1)
        return self.classes_[distances.argmin(axis=1)]


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """A comparison of names and own objects in a folder."""
    return compare(
        X,
        Y,
        methods={"mine": RandomSubset(budget=7), "named": "random"},
        evaluators=[Centroids(), "knn"],
        name="iris",
        folder=tmp_path_factory.mktemp("board"),
        **FAST | {"metrics": ["accuracy", "rows"]},
    )


def test_own_objects_have_the_scores_of_the_same_computation_by_hand(board):
    from distillkit.datasets import load_dataset

    data = load_dataset("iris")
    small = RandomSubset(budget=2, random_state=0).fit(data.X_train, data.y_train).distilled_
    expected = Centroids().fit(small.X, small.y).score(data.X_test, data.y_test)
    scores = board.frame.set_index(["evaluator", "method"])["mean"]
    assert scores["Centroids()", "mine"] == pytest.approx(expected)
    assert scores["Centroids()", "named"] == scores["Centroids()", "mine"]
    assert set(board.frame["rows"]) == {6}


def test_a_comparison_goes_on_where_nothing_has_changed(board):
    stamps = {path: path.stat().st_mtime_ns for path in (board.folder / "cells").iterdir()}
    methods = {"mine": RandomSubset(budget=7), "named": "random"}
    options = {"name": "iris", "folder": board.folder, **FAST, "metrics": ["accuracy", "rows"]}
    again = compare(X, Y, methods=methods, evaluators=[Centroids(), "knn"], **options)
    assert {path: path.stat().st_mtime_ns for path in (board.folder / "cells").iterdir()} == stamps
    pd.testing.assert_frame_equal(again.frame, board.frame)
    with pytest.warns(DistillkitWarning, match=r"2 cells of earlier runs .* and prune=True takes them off"):
        more = compare(X, Y, methods=methods, evaluators=[Centroids(p=1), "knn"], **options)
    assert len(list((board.folder / "cells").iterdir())) == len(stamps) + 2
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert set(more.frame.evaluator) == {"Centroids()", "Centroids(p=1)", "knn"}
    pruned = compare(X, Y, methods=methods, evaluators=[Centroids(), "knn"], prune=True, **options)
    pd.testing.assert_frame_equal(pruned.frame, board.frame)


def test_results_are_read_again_and_saved_without_own_objects(board, tmp_path):
    read = load_results(board.folder)
    assert "iris" in repr(read)
    saved = board.save(tmp_path / "saved")
    assert not (saved / "own").exists()
    assert (saved / "leaderboard.html").is_file()
    pd.testing.assert_frame_equal(load_results(saved).frame, read.frame)
    with pytest.raises(ResultsError, match="holds something already"):
        board.save(saved)
    with pytest.raises(ResultsError, match="holds no results"):
        load_results(tmp_path)


def test_every_view_shows_the_methods(board, tmp_path):
    for text in (repr(board), board.to_text(), board.to_markdown(), board.to_csv(), board._repr_html_()):
        assert "mine" in text
        assert "named" in text
    board.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == board.to_html()
    assert len(board.cells) == 4
    assert not len(board.failures)
    assert not len(board.skipped)
    ax = board.plot(evaluator="knn")
    assert {label.get_text() for label in ax.get_yticklabels()} == {"mine", "named"}
    with pytest.raises(DataError, match="is not on this leaderboard: it has iris with Centroids"):
        board.plot(dataset="wine")


def test_text_is_returned_and_not_shown_in_a_notebook(board, monkeypatch):
    text = board.to_text()
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert board.to_text() == text
    assert repr(board) in text


def test_names_are_text_in_the_view_of_a_notebook(board):
    board.data.title, before = "<script>", board.data.title
    try:
        page = board._repr_html_()
    finally:
        board.data.title = before
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    parsed = ET.fromstring(page.replace("<br>", "<br/>"))  # noqa: S314 (our own page, whose elements are all closed)
    assert [caption.text.strip() for caption in parsed.iter("caption")] == ["iris · Centroids()", "iris · knn"]
    assert {cell.text for cell in parsed.iter("th")} >= {"method", "mine", "named"}


def test_a_temporary_folder_goes_with_its_leaderboard():
    board = compare(X, Y, methods=["random"], evaluators=["knn"], **FAST)
    folder, frame, copied = board.folder, board.frame, pickle.loads(pickle.dumps(board))
    assert folder.is_dir()
    del board
    assert not folder.exists()
    pd.testing.assert_frame_equal(copied.frame, frame)
    assert "random" in copied.to_html()
    with pytest.raises(ResultsError, match="the folder of these results is gone"):
        copied.save(folder)


def test_a_suite_is_a_dict_with_the_same_forms(tmp_path):
    suite = {
        "name": "both",
        "datasets": ["iris", {"label": "mine", "X": X, "y": Y}],
        "methods": [KMeansCoreset()],
        "evaluators": [KNeighborsClassifier(1), "knn"],
        "budgets": (np.int64(1),),
        "splits": 1,
        "seeds": range(1),
        "controls": False,
        "metrics": ["accuracy"],
    }
    board = run_suite(suite, folder=tmp_path, verbose=False)
    assert board.complete
    scores = board.frame.pivot_table(index="dataset", columns="evaluator", values="mean")
    assert scores.loc["iris", "knn"] == scores.loc["mine", "KNeighborsClassifier(n_neighbors=1)"]
    part = run_suite(suite, folder=tmp_path, datasets=["mine"], budgets=[1], verbose=False)
    assert set(part.frame.dataset) == {"iris", "mine"}


class Refusing(Centroids):
    """Refuses every row, with a word that is markup."""

    def fit(self, X, y):
        raise ValueError("<none> will do")


def test_a_model_that_fails_ends_its_own_cells_alone():
    board = compare(X, Y, methods=["random"], evaluators=[Refusing(), Centroids()], **FAST)
    assert board.complete
    assert board.failures[["evaluator", "status", "error"]].to_numpy().tolist() == [
        ["Refusing()", "failed", "ValueError: <none> will do"]
    ]
    assert "random on data: failed, ValueError: &lt;none&gt; will do" in board._repr_html_()
    assert board.frame.set_index("evaluator")["mean"].notna().to_dict() == {"Refusing()": False, "Centroids()": True}


def test_data_can_be_a_name_or_a_file(tmp_path):
    named = compare("iris", methods="random", evaluators="knn", **FAST | {"budgets": 2, "metrics": "accuracy"})
    frame = pd.DataFrame(X, columns=list("abcd")).assign(kind=np.array(["x", "y", "z"])[Y])
    frame.to_csv(tmp_path / "flowers.csv", index=False)
    read = compare(tmp_path / "flowers.csv", "kind", methods=["random"], evaluators=["knn"], **FAST)
    assert (set(named.frame.dataset), set(read.frame.dataset)) == ({"iris"}, {"flowers"})
    assert named.complete
    assert read.frame["mean"].notna().all()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"methods": ["kmean"]}, UnknownNameError, "unknown method 'kmean': did you mean 'kmeans'"),
        ({"y": Y[:-1]}, DataError, "X has 150 rows, but y has 149 values: give as many"),
        ({"y": None}, DataError, "y is missing"),
        ({"evaluators": [object()]}, DataError, r"evaluators: object\(\) has no fit and no predict: give a registered"),
        ({"methods": [KNeighborsClassifier()]}, DataError, r"nor a distiller: give it as evaluators=\[\.\.\.\]"),
        ({"methods": [KMeansCoreset]}, DataError, r"KMeansCoreset is a class: give an object of it"),
        ({"methods": []}, DataError, "methods is empty: name at least one"),
        ({"budgets": [60]}, BudgetError, r"asks for 60 rows of class '0'.*\(11\d training rows remain"),
        ({"budgets": ["many"]}, BudgetError, "budget 'many' is not understood"),
        ({"evaluators": [Ridge()]}, DataError, r"nothing of comparison can run: evaluator Ridge\(\) does not do class"),
        ({"X_test": X}, DataError, "X_test is given without y_test"),
        ({"n_jobs": 0}, DataError, "n_jobs=0 must be"),
        ({"max_seconds": -1}, DataError, "max_seconds=-1 must be a positive number"),
        ({"limits": {"minutes": 1}}, DataError, "'minutes' is not a limit: known are seconds and memory_mb"),
        ({"retry": "lost"}, DataError, "lost is not a status"),
        ({"metrics": ["acuracy"]}, UnknownNameError, "did you mean 'accuracy'"),
        ({"X": "iris", "y": None, "X_test": X, "y_test": Y}, DataError, "X_test goes with rows, but X='iris'"),
        ({"X": "irises", "y": None}, UnknownNameError, "did you mean 'iris'"),
        ({"methods": [{"name": "kmeans", "centers": 1}]}, SuiteError, "centers is not a parameter of 'kmeans'"),
    ],
)
def test_wrong_input_is_named(changes, error, words):
    given = {"X": X, "y": Y, "methods": ["random"], "evaluators": ["knn"], **FAST, **changes}
    with pytest.raises(error, match=words):
        compare(**given)


def test_an_object_that_cannot_be_pickled_is_named():
    class Locked(Centroids):
        def __init__(self, lock=None):
            self.lock = lock

    with pytest.raises(DataError, match=r"evaluators: Locked\(lock=.*cannot be.*pickle.*locks"):
        compare(X, Y, methods=["random"], evaluators=[Locked(threading.Lock())], **FAST)


def test_what_is_not_begun_in_time_is_left_for_the_next_call(tmp_path):
    options = {**FAST, "splits": 3, "folder": tmp_path}
    first = compare(X, Y, methods=["random"], evaluators=["knn"], max_seconds=1e-9, **options)
    assert not first.complete
    assert first.data.n_done == 0
    assert compare(X, Y, methods=["random"], evaluators=["knn"], **options).complete


def test_the_functions_are_found_without_torch():
    assert {"compare", "run_suite", "load_results", "Leaderboard"} <= set(distillkit.__all__)


def test_an_interrupt_says_what_is_done(tmp_path, monkeypatch):
    def stop(self, progress, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("distillkit.bench.interface._suite_run.SuiteRun.run", stop)
    with pytest.raises(KeyboardInterrupt) as interrupt:
        compare(X, Y, methods=["random"], evaluators=["knn"], **FAST, folder=tmp_path)
    assert interrupt.value.__notes__ == [f"0 of 1 cells are done in {tmp_path}; the same call goes on."]
    with pytest.raises(KeyboardInterrupt) as interrupt:
        compare(X, Y, methods=["random"], evaluators=["knn"], **FAST)
    assert not hasattr(interrupt.value, "__notes__")
