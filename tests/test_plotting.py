"""What is drawn is what was recorded and distilled."""

from __future__ import annotations

import pickle

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from distillkit import DistilledSet, KMeansCoreset, Preprocessing, WholeSet, plot_history, plot_rows
from distillkit.exceptions import DataError, UnknownNameError
from distillkit.nn import NetworkClassifier

HISTORY = [
    {"iteration": 10 * i, "similarity": 0.5 + i / 10, "loss": 3.0 - i, "seconds": 0.5 * i, "backend": "cpu"}
    for i in range(1, 4)
]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def data_of(ax):
    (line,) = ax.get_lines()
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


# plot_history


def test_the_lines_are_the_history_losses_first_against_the_steps():
    axes = plot_history(HISTORY).axes
    assert [ax.get_ylabel() for ax in axes] == ["loss", "similarity"]
    for ax in axes:
        x, y = data_of(ax)
        assert x.tolist() == [10, 20, 30]
        assert y.tolist() == [step[ax.get_ylabel()] for step in HISTORY]
    assert [ax.get_xlabel() for ax in axes] == ["", "iteration"]


def test_the_history_of_a_fitted_network_is_drawn_under_its_name():
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = NetworkClassifier(epochs=3, random_state=0).fit(X, (X[:, 0] > 0).astype(int))
    figure = plot_history(model)
    x, y = data_of(figure.axes[0])
    assert x.tolist() == [step["epoch"] for step in model.history_] == [1, 2, 3]
    assert y.tolist() == [step["loss"] for step in model.history_]
    assert figure.get_suptitle() == "NetworkClassifier"


def test_a_history_per_class_is_drawn_by_entry():
    X = np.random.default_rng(0).normal(size=(60, 2))
    coreset = KMeansCoreset(3, random_state=0).fit(X, np.arange(60) % 3)
    (ax,) = plot_history(coreset).axes
    x, y = data_of(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("entry", "inertia")
    assert x.tolist() == [1, 2, 3]
    assert y.tolist() == [step["inertia"] for step in coreset.history_]


def test_the_horizontal_axis_can_be_any_number():
    (ax,) = plot_history(HISTORY, keys="loss", x="seconds").axes
    assert data_of(ax)[0].tolist() == [0.5, 1.0, 1.5]
    assert ax.get_xlabel() == "seconds"


def test_several_series_on_given_axes_are_told_apart_by_a_legend():
    _, ax = plt.subplots()
    figure = plot_history(HISTORY, ax)
    assert figure is ax.figure
    assert {line.get_label(): line.get_ydata()[0] for line in ax.get_lines()} == {"loss": 2.0, "similarity": 0.6}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["loss", "similarity"]


def test_several_fits_on_the_same_axes_are_told_apart_by_their_labels():
    _, axes = plt.subplots(2)
    plot_history(HISTORY, axes, keys=["similarity", "loss"], label="a")
    plot_history(HISTORY[:2], list(axes), keys=["similarity", "loss"], label="b")
    assert [[line.get_label() for line in ax.get_lines()] for ax in axes] == [["a", "b"], ["a", "b"]]
    assert [len(line.get_xdata()) for line in axes[1].get_lines()] == [3, 2]
    _, ax = plt.subplots()
    plot_history(HISTORY, ax, label="a")
    assert [line.get_label() for line in ax.get_lines()] == ["a loss", "a similarity"]


def test_parts_of_a_figure_give_the_whole_figure():
    figure = plt.figure()
    part = figure.subfigures(1, 2)[0]
    assert plot_history(HISTORY, part.subplots(), keys="loss") is figure


def test_what_is_not_finite_is_a_gap_and_a_single_step_is_a_dot():
    history = [{"iter": 1, "loss": 1.0}, {"iter": 2, "loss": float("nan")}, {"iter": 3}, {"iter": 4, "loss": 2.0}]
    (ax,) = plot_history(history).axes
    np.testing.assert_array_equal(data_of(ax)[1], [1.0, np.nan, np.nan, 2.0])
    assert ax.get_xlabel() == "iteration"
    (ax,) = plot_history(history[:1]).axes
    assert ax.get_lines()[0].get_marker() == "."


def test_a_set_that_keeps_its_history_can_be_drawn_after_loading(tmp_path):
    small = DistilledSet(np.zeros((2, 3)), provenance={"history": HISTORY})
    small.save(tmp_path / "a.safetensors")
    loaded = DistilledSet.load(tmp_path / "a.safetensors")
    assert data_of(plot_history(loaded, keys="loss").axes[0])[1].tolist() == [2.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("fitted", "options", "error", "message"),
    [
        (KMeansCoreset(), {}, NotFittedError, "not fitted yet"),
        (LogisticRegression().fit([[0.0], [1.0]], [0, 1]), {}, DataError, "no history_ of LogisticRegression: give a fitted"),
        (DistilledSet(np.zeros((2, 3))), {}, DataError, r"no provenance\['history'\] of this DistilledSet: give the fitted"),
        (WholeSet().fit([[0.0], [1.0]]), {}, DataError, "history_ of WholeSet is empty"),
        ([], {}, DataError, "the list given is empty"),
        ([1, 2], {}, DataError, "the list given is not a list of dicts"),
        (7, {}, DataError, "no history_ of int"),
        ([{"backend": "cpu"}], {}, DataError, r"no series to plot: its keys are \['backend'\]"),
        (HISTORY, {"keys": "similarty"}, UnknownNameError, "unknown key of the history 'similarty': did you mean 'similarity'"),
        (HISTORY, {"x": "second"}, UnknownNameError, "did you mean 'seconds'"),
        (HISTORY, {"keys": ["loss", "backend"]}, DataError, "keys='backend' holds no numbers; with numbers: iteration, loss"),
        (HISTORY, {"x": "backend"}, DataError, "x='backend' holds no numbers"),
        (HISTORY, {"keys": []}, DataError, "keys is empty"),
        (HISTORY, {"ax": "axes"}, DataError, "ax must be a matplotlib Axes, or a sequence of 2"),
        (HISTORY, {"ax": []}, DataError, "got none"),
    ],
)  # fmt: skip
def test_what_cannot_be_plotted_is_said_with_the_remedy(fitted, options, error, message):
    with pytest.raises(error, match=message):
        plot_history(fitted, **options)


# plot_rows


def images(n=6, channels=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, size=(n, channels, 5, 4)).astype(np.uint8)


def labels_of(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


@pytest.mark.parametrize("channels", [1, 3])
def test_images_stand_in_the_row_of_their_class(channels):
    X, y = images(channels=channels), np.array(["b", "a", "c", "a", "b", "a"])
    soft = np.eye(3)[[2, 2, 2, 2, 2, 2]]
    (ax,) = plot_rows(DistilledSet(X, y, soft_labels=soft, classes=np.array(["a", "b", "c"]))).axes
    canvas = np.asarray(ax.get_images()[0].get_array())
    canvas = canvas[..., None] if channels == 1 else canvas
    assert canvas.shape == (3 * 6 - 1, 3 * 5 - 1, channels)
    for i, label in enumerate("abc"):
        for j, index in enumerate(np.flatnonzero(y == label)):
            tile = canvas[i * 6 : i * 6 + 5, j * 5 : j * 5 + 4]
            np.testing.assert_array_equal(tile, X[index].transpose(1, 2, 0))
    assert labels_of(ax) == ["a", "b", "c"]
    assert ax.get_yticks().tolist() == [2, 8, 14]  # the middle of each row of images


def test_at_most_so_many_of_a_class_are_drawn():
    (ax,) = plot_rows(DistilledSet(images(9), np.arange(9) % 3), per_class=2).axes
    assert np.asarray(ax.get_images()[0].get_array()).shape == (3 * 6 - 1, 2 * 5 - 1)


def test_rows_without_classes_are_drawn_in_order():
    X = images(5)
    (ax,) = plot_rows(DistilledSet(X, np.linspace(0, 1, 5)), per_class=3).axes
    canvas = np.asarray(ax.get_images()[0].get_array())
    np.testing.assert_array_equal(canvas[6:11, 0:4], X[3, 0])
    assert labels_of(ax) == ["0", "3"]
    assert ax.get_ylabel() == "row"


def test_flattened_images_are_drawn_in_the_shape_given_and_in_the_units_of_the_data():
    X = images(4).reshape(4, -1) / 255
    scaling = Preprocessing.standardize(X)
    small = DistilledSet(scaling.transform(X), np.arange(4), preprocessing=scaling)
    (ax,) = plot_rows(small, shape=(1, 5, 4)).axes
    canvas = np.asarray(ax.get_images()[0].get_array())
    assert np.abs(canvas[:5].astype(int) - images(4)[0, 0]).max() <= 1


def test_a_fitted_distiller_is_drawn_where_asked():
    X = np.random.default_rng(0).random((30, 1, 4, 4))
    _, ax = plt.subplots()
    assert plot_rows(KMeansCoreset(2, random_state=0).fit(X, np.arange(30) % 3), ax) is ax.figure
    assert labels_of(ax) == ["0", "1", "2"]


def test_series_are_drawn_on_one_scale_in_the_cell_of_their_class_and_place():
    X = np.random.default_rng(0).normal(size=(4, 2, 30))
    X[3] *= 5
    (ax,) = plot_rows(DistilledSet(X, np.array([0, 1, 0, 1]))).axes
    lines = ax.get_lines()
    assert len(lines) == 4 * 2
    low, high = X.min(), X.max()
    for line, (index, channel, i, j) in zip(
        lines, [(0, 0, 0, 0), (0, 1, 0, 0), (2, 0, 0, 1), (2, 1, 0, 1), (1, 0, 1, 0), (1, 1, 1, 0), (3, 0, 1, 1), (3, 1, 1, 1)], strict=True
    ):  # fmt: skip
        assert j < line.get_xdata()[0] < line.get_xdata()[-1] < j + 1
        restored = low + (i + 0.95 - line.get_ydata()) / 0.9 * (high - low)
        np.testing.assert_allclose(restored, X[index, channel], atol=1e-9)
    assert ax.get_ylim() == (2, 0)
    assert labels_of(ax) == ["0", "1"]


@pytest.mark.parametrize(
    ("small", "options", "error", "message"),
    [
        (KMeansCoreset(), {}, NotFittedError, "not fitted yet"),
        ([1, 2], {}, DataError, "a DistilledSet or a fitted distiller is needed, not list"),
        (DistilledSet(np.zeros((3, 20))), {}, DataError, r"rows of shape \(20,\) are neither images nor series: give shape="),
        (DistilledSet(np.zeros((3, 20))), {"shape": (1, 5, 5)}, DataError, r"shape=\(1, 5, 5\) does not fit rows of shape \(20,\)"),
        (DistilledSet(np.zeros((3, 20))), {"shape": (20,)}, DataError, r"shape=\(20,\) does not fit"),
        (DistilledSet(np.zeros((0, 1, 5, 5))), {}, DataError, "the set has no rows"),
        (DistilledSet(np.zeros((3, 1, 5, 5))), {"per_class": 0}, DataError, "per_class=0 must be an int of at least 1"),
        (DistilledSet(np.zeros((3, 1, 5, 5))), {"per_class": True}, DataError, "per_class=True must be"),
        (DistilledSet(np.zeros((3, 1, 5, 5))), {"ax": 3}, DataError, "ax must be a matplotlib Axes; got 1 of type int"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said_with_the_remedy(small, options, error, message):
    with pytest.raises(error, match=message):
        plot_rows(small, **options)


# in notebooks


def show_as_ipython_does(figure, shown):
    """Show an object: by its own method unless that declines, and else in the registered format."""
    try:
        figure._ipython_display_()
    except NotImplementedError:
        shown.append(figure)


def draw(kind, ax=None):
    if kind == "history":
        return plot_history(HISTORY, ax, keys="loss")
    return plot_rows(DistilledSet(np.random.default_rng(0).random((4, 1, 8, 8))), ax)


@pytest.mark.parametrize("kind", ["history", "rows"])
@pytest.mark.parametrize("own_axes", [False, True])
@pytest.mark.parametrize("is_value", [False, True], ids=["within a cell", "value of a cell"])
def test_a_notebook_shows_a_figure_once(monkeypatch, kind, own_axes, is_value):
    monkeypatch.setattr("matplotlib.get_backend", lambda: "module://matplotlib_inline.backend_inline")
    shown = []
    figure = draw(kind, plt.subplots()[1] if own_axes else None)
    if is_value:
        show_as_ipython_does(figure, shown)
    for number in plt.get_fignums():  # what the inline backend does at the end of a cell
        show_as_ipython_does(plt.figure(number), shown)
    assert shown == [figure]
    assert plt.get_fignums() == []
    show_as_ipython_does(figure, shown)  # as the value of a later cell
    assert shown == [figure, figure]


def test_a_figure_in_a_window_stays_open():
    figure = draw("rows")
    show_as_ipython_does(figure, [])
    assert plt.get_fignums() == [figure.number]


def test_figures_can_be_pickled():
    figure = draw("rows")
    again = pickle.loads(pickle.dumps(figure))
    assert len(again.axes) == len(figure.axes)
    assert again._ipython_display_.args[0] is again
