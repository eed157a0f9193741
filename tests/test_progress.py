"""Progress: how long is left, where it is shown, and that nothing else depends on it."""

from __future__ import annotations

import inspect
import io
import sys
import threading
import types
from html import unescape

import numpy as np
import pytest
from sklearn.base import clone

import distillkit
from distillkit import GradientMatchingDistiller, HerdingCoreset, KMeansCoreset, RandomSubset, StreamingCoreset
from distillkit.nn import NetworkClassifier
from distillkit.plugins import get_manager
from distillkit.utils import _progress, _progress_displays, _progress_task
from distillkit.utils._progress import progress_task, shown_progress
from distillkit.utils._progress_task import SILENT, Task, format_seconds

QUICK = {"max_iter": 3, "hidden": (8,), "expert_epochs": 2, "experts": 1, "epochs": 2, "pool": 20}
ITERATIVE = sorted(
    {
        spec.target
        for spec in get_manager().specs("method").values()
        if "max_seconds" in inspect.signature(spec.load()).parameters
    }
)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless a test moves it."""
    now = types.SimpleNamespace(seconds=1000.0)
    stopped = types.SimpleNamespace(perf_counter=lambda: now.seconds)
    monkeypatch.setattr(_progress_task, "time", stopped)
    monkeypatch.setattr(_progress_displays, "time", stopped)
    return now


class Recorder:
    """A display that notes what it is to show."""

    def __init__(self):
        self.shown, self.finished, self.closed = [], [], 0

    def show(self, tasks):
        self.shown.append([(task.name, task.step, task.total) for task in tasks])

    def finish(self, task):
        self.finished.append(task.name)

    def close(self):
        self.closed += 1


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(_progress, "make_display", lambda: recorder)
    return recorder


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    return rng.normal(size=(60, 3)) + 2 * y[:, None], y


def made(target, **params):
    module, name = target.split(":")
    cls = getattr(__import__(module, fromlist=[name]), name)
    known = inspect.signature(cls).parameters
    quick = {key: value for key, value in QUICK.items() if key in known}
    if name == "StreamingCoreset":
        quick["chunk_size"] = 20
    if "hidden" in known and isinstance(known["hidden"].default, int):
        quick["hidden"] = 8
    if "budget" in known:
        quick["budget"] = 3
    return cls(**quick, random_state=0, **params) if "random_state" in known else cls(**quick, **params)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (61.4, "1:01"), (3725, "1:02:05")])
def test_durations_are_read_as_on_a_clock(seconds, text):
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("total", "limit", "steps_left", "expected"),
    [
        (30, None, None, 40.0),  # 20 steps of 2 seconds
        (None, 50.0, None, 29.0),
        (30, 50.0, None, 29.0),
        (30, 100.0, None, 40.0),
        (30, 100.0, 3, 6.0),
        (None, None, 3, 6.0),
        (None, None, None, None),
        (30, 10.0, None, 0.0),
    ],
)
def test_the_time_left_is_that_of_the_limit_that_comes_first(clock, total, limit, steps_left, expected):
    task = Task("fit", max_seconds=limit)
    clock.seconds += 3  # preparations are no part of the pace
    task.update(1, total, steps_left=steps_left)
    clock.seconds += 18
    task.update(10, total, steps_left=steps_left)
    assert task.seconds == 21
    assert task.seconds_left == (None if expected is None else pytest.approx(expected))


def test_the_share_is_the_larger_one_of_steps_and_time(clock):
    task = Task("fit", max_seconds=100.0)
    clock.seconds += 30
    task.update(1, 10)
    assert task.share == pytest.approx(0.3)
    task.update(5, 10)
    assert task.share == 0.5
    assert Task("fit").share is None


def test_a_run_that_is_resumed_counts_the_seconds_before(clock):
    task = Task("fit", max_seconds=100.0)
    task.update(50, None, seconds=60.0)
    assert task.seconds_left == pytest.approx(40)
    clock.seconds += 5
    assert (task.seconds, task.seconds_left) == (pytest.approx(65), pytest.approx(35))


def test_a_share_of_time_stands_for_a_limit_that_is_not_known(clock):
    task = Task("fit")
    clock.seconds += 10
    task.update(1, None, time_share=0.25)
    assert task.seconds_left == pytest.approx(30)


def test_the_text_says_steps_figures_and_times(clock):
    task = Task("fit")
    task.update(0, 20)
    clock.seconds += 65
    task.update(5, 20, loss=0.12345, student_lr=2)
    assert str(task) == "step 5 of 20, loss 0.1235, student lr 2, 1:05 elapsed, about 3:15 left"


def test_lines_come_every_ten_seconds_and_at_the_end(clock):
    stream = io.StringIO()
    lines = _progress_displays.Lines(stream)
    outer, inner = Task("fit"), Task("training")
    for step in range(1, 26):
        clock.seconds += 1
        outer.update(step, 25)
        lines.show([outer, inner] if step > 15 else [outer])
    lines.finish(outer)
    written = stream.getvalue().splitlines()
    assert len(written) == 3
    assert written[0].startswith("fit: step 10 of 25, 0:10 elapsed, about 0:15 left")
    assert "; training: step 0" in written[1]
    assert written[2] == "fit: ended, step 25, 0:25 elapsed"


def test_a_stream_that_is_closed_or_missing_ends_nothing():
    stream = io.StringIO()
    stream.close()
    for given in (stream, None):
        _progress_displays.Lines(given).finish(Task("fit"))


def test_tasks_nest_and_the_outermost_display_shows_all(recorder):
    with shown_progress(), progress_task("outer") as outer:
        outer.update(1, 2)
        with shown_progress(), progress_task("inner") as inner:
            inner.update(3, 4)
        outer.update(2, 2)
    assert recorder.shown[0] == [("outer", 0, None)]
    assert recorder.shown[1:] == [[("outer", 1, 2)], [("outer", 1, 2), ("inner", 3, 4)], [("outer", 2, 2)]]
    assert (recorder.finished, recorder.closed) == (["outer"], 1)


def test_without_a_display_a_task_is_silent():
    with progress_task("fit") as task:
        task.update(1, 2, loss=3.0)
    assert task is SILENT
    assert task.step == 0


def test_the_display_closes_where_the_work_fails(recorder):
    with pytest.raises(KeyboardInterrupt), shown_progress(), progress_task("fit"):
        raise KeyboardInterrupt
    assert recorder.closed == 1
    with progress_task("fit") as task:
        assert task is SILENT


def test_other_threads_do_not_write_into_the_display(recorder):
    def work():
        with progress_task("in a thread") as task:
            task.update(1, 1)

    with shown_progress(), progress_task("outer") as outer:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        outer.update(1, 1)
    assert recorder.shown == [[("outer", 0, None)], [("outer", 1, 1)]]


def test_every_method_with_a_time_limit_can_show_its_progress():
    assert len(ITERATIVE) > 12
    for target in ITERATIVE:
        assert made(target).verbose is False


@pytest.mark.parametrize("target", ITERATIVE, ids=lambda target: target.partition(":")[2])
def test_the_result_does_not_depend_on_it(recorder, rows, target):
    X, y = rows
    plain, verbose = made(target).fit(X, y), made(target, verbose=True).fit(X, y)
    assert max(step for tasks in recorder.shown for _, step, _ in tasks) > 0
    assert recorder.closed == 1
    assert recorder.finished == [type(verbose).__name__]
    if not hasattr(plain, "distilled_"):
        np.testing.assert_array_equal(plain.predict_proba(X), verbose.predict_proba(X))
        return
    for name in ("X_distilled_", "y_distilled_", "sample_weight_"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(verbose, name))
    assert plain.distilled_.provenance["params"] == verbose.distilled_.provenance["params"]
    steps = [
        [{key: value for key, value in step.items() if not key.startswith("seconds")} for step in fit.history_]
        for fit in (plain, verbose)
    ]
    assert steps[0] == steps[1]


def test_a_condenser_shows_updates_loss_and_patience(recorder, rows):
    GradientMatchingDistiller(2, hidden=(8,), max_iter=5, verbose=True, random_state=0).fit(*rows)
    own = [tasks[0] for tasks in recorder.shown if len(tasks) == 1 and tasks[0][1]]
    assert own == [("GradientMatchingDistiller", step, 5) for step in range(1, 6)]


def test_a_selection_counts_its_rows(recorder, rows):
    HerdingCoreset(3, verbose=True).fit(*rows)
    counts = [tasks[0][1:] for tasks in recorder.shown[1:]]
    assert counts[-1] == (6, 6)
    assert [count for count, _ in counts] == sorted(count for count, _ in counts)


def test_a_stream_counts_its_chunks(recorder):
    chunks = (np.random.default_rng(i).normal(size=(50, 2)) for i in range(4))
    StreamingCoreset(5, coreset="random", chunk_size=50, verbose=True, random_state=0).fit(chunks)
    assert [tasks[0][1] for tasks in recorder.shown] == [0, 1, 2, 3, 4]


def test_networks_and_evaluations_show_theirs(recorder, rows):
    X, y = rows
    network = NetworkClassifier(epochs=2, batch_size=30, hidden=(4,), verbose=True, random_state=0).fit(X, y)
    assert recorder.shown[-1] == [("training of a network", 4, 4)]
    assert clone(network).verbose is True
    small = RandomSubset(5, random_state=0).fit(X, y).distilled_
    distillkit.evaluate(small, X, y, evaluators=["knn", "logistic"], verbose=True)
    assert recorder.shown[-1] == [("evaluate", 2, 2)]


def test_one_display_shows_all_of_a_soft_labelled_fit(recorder, rows):
    X, y = rows
    teacher = NetworkClassifier(epochs=2, hidden=(4,), verbose=True, random_state=0)
    inner = KMeansCoreset(3, verbose=True, random_state=0)
    distillkit.SoftLabels(inner, teacher, verbose=True, random_state=0).fit(X, y)
    names = {name for tasks in recorder.shown for name, _, _ in tasks}
    assert {"SoftLabels", "KMeansCoreset", "training of a network"} <= names
    assert recorder.finished == ["SoftLabels"]


def test_a_checkpoint_is_resumed_with_other_verbosity(rows, tmp_path, capsys):
    settings = {"hidden": (8,), "checkpoint": tmp_path / "run", "patience": None, "random_state": 0}
    GradientMatchingDistiller(2, max_iter=3, **settings).fit(*rows)
    resumed = GradientMatchingDistiller(2, max_iter=6, verbose=True, **settings).fit(*rows)
    whole = GradientMatchingDistiller(2, max_iter=6, **{**settings, "checkpoint": None}).fit(*rows)
    np.testing.assert_array_equal(resumed.X_distilled_, whole.X_distilled_)
    assert "GradientMatchingDistiller: ended, step 6" in capsys.readouterr().err


def test_nothing_is_printed_unless_asked_for(rows, capsys):
    KMeansCoreset(3, random_state=0).fit(*rows)
    assert capsys.readouterr() == ("", "")
    KMeansCoreset(3, random_state=0, verbose=True).fit(*rows)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("KMeansCoreset: ended, ")


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self):
        return True


def terminal(monkeypatch):
    """Make standard error a terminal; pytest captures it anew for each test."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    return screen


def test_a_terminal_shows_a_bar_and_leaves_one_line(monkeypatch, clock):
    screen = terminal(monkeypatch)
    with shown_progress(), progress_task("fit [bold]") as task:
        for step in range(1, 4):
            clock.seconds += 1
            task.update(step, 3, loss=0.5)
    text = screen.getvalue()
    assert "step 3 of 3, loss 0.5" in text
    assert text.endswith("fit [bold]: ended, step 3, 0:03 elapsed, loss 0.5\n")


def test_a_terminal_that_shows_other_bars_gets_lines(monkeypatch, clock):
    screen = terminal(monkeypatch)

    def fails(self, *, refresh=False):
        raise RuntimeError("Only one live display may be active at once")

    monkeypatch.setattr("rich.live.Live.start", fails)
    with shown_progress(), progress_task("fit") as task:
        clock.seconds += 11
        task.update(1, 3)
    assert screen.getvalue().splitlines()[0].startswith("fit: step 1 of 3, 0:11 elapsed")


def test_the_last_line_can_be_left_out(monkeypatch):
    screen = terminal(monkeypatch)
    with shown_progress(ending=False), progress_task("fit") as task:
        task.update(1, 1)
    assert "ended" not in screen.getvalue()


def test_a_notebook_shows_one_element_that_is_updated(monkeypatch, clock):
    shown, updates = [], []
    handle = types.SimpleNamespace(update=updates.append)
    ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    ipython.display = display
    display.HTML = str
    display.display = lambda html, **_: shown.append(html) or handle
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    with shown_progress(), progress_task("fit <b>") as task:
        for step in range(1, 5):
            clock.seconds += 1
            task.update(step, 4)
    assert len(shown) == 1
    assert 'value="0.250"' in updates[0]
    assert "fit <b>" not in shown[0]
    assert "fit <b> " in unescape(shown[0])
    assert updates[-1] == "<div>fit &lt;b&gt;: ended, step 4, 0:04 elapsed</div>"


class Listener:
    """A callback of scikit-learn that counts the subtasks."""

    def __init__(self):
        self.begun, self.ended, self.most = 0, 0, None

    def setup(self, estimator, context):
        self.most = context.max_subtasks

    def on_fit_task_begin(self, estimator, context):
        self.begun += context.parent is not None

    def on_fit_task_end(self, estimator, context):
        self.ended += context.parent is not None

    def teardown(self, estimator, context):
        pass


@pytest.mark.parametrize("n_steps", [4, 250])
def test_callbacks_hear_of_a_hundred_parts_of_a_fit(rows, n_steps):
    pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")
    listener = Listener()
    distiller = HerdingCoreset(n_steps).set_callbacks(listener)
    distiller.fit(np.random.default_rng(0).normal(size=(n_steps, 2)))
    assert (listener.most, listener.begun, listener.ended) == (100, 100, 100)
    few = Listener()
    RandomSubset(3).set_callbacks(few).fit(*rows)
    assert (few.most, few.begun) == (0, 0)


def test_the_progress_bar_of_scikit_learn_follows_a_fit(rows, capsys):
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")
    distiller = HerdingCoreset(5, verbose=True).set_callbacks(callback.ProgressBar())
    assert len(distiller.fit(*rows).X_distilled_) == 10
    assert "HerdingCoreset - fit" in capsys.readouterr().out
