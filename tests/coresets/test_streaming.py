"""StreamingCoreset: the same rows give the same coreset however they come, in memory that does not grow."""

from __future__ import annotations

import itertools
import math
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from distillkit import DistilledSet
from distillkit.coresets import ClassMeans, KCenterCoreset, KMeansCoreset, StreamingCoreset
from distillkit.coresets.streaming._merge_reduce import Tree
from distillkit.exceptions import BudgetError, DataError
from distillkit.plugins import get_manager

PICKING = ["kmeans:medoids", "kcenter", "herding", "facility-location", "lightweight", "sensitivity", "random"]
METHODS = ["kmeans", *PICKING, "kmeans of samples"]
method = pytest.mark.parametrize("coreset", METHODS)


@pytest.fixture
def rows():
    """Return 500 rows of three classes that come in random order."""
    rng = np.random.default_rng(3)
    y = rng.choice(3, size=500, p=[0.6, 0.3, 0.1])
    return (rng.normal(size=(500, 4)) + 4 * y[:, None]).astype(np.float32), y


def make(coreset="kmeans", **params):
    if coreset == "kmeans of samples":
        coreset, params = "kmeans", {"summary": "random", "oversampling": 5, **params}
    return StreamingCoreset(**{"budget": 6, "coreset": coreset, "chunk_size": 64, "random_state": 0, **params})


def chunks_of(X, y=None, sizes=(1, 130, 7, 64, 65, 0, 233)):
    cuts = np.cumsum((0, *sizes))
    for begin, end in itertools.pairwise(cuts):
        yield X[begin:end] if y is None else (X[begin:end], y[begin:end])


def same(first, second):
    for name in ("X_distilled_", "y_distilled_", "sample_weight_"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert hasattr(first, "sample_indices_") == hasattr(second, "sample_indices_")
    if hasattr(first, "sample_indices_"):
        np.testing.assert_array_equal(first.sample_indices_, second.sample_indices_)


@pytest.mark.parametrize("y_is", ["classes", "numbers", "absent"])
@pytest.mark.parametrize("budget", [6, 0.1])
@method
def test_one_block_is_what_the_method_makes_of_it(coreset, budget, y_is, rows):
    X = rows[0]
    y = {"classes": rows[1], "numbers": X @ np.arange(4.0) + 0.5, "absent": None}[y_is]
    name, _, preset = coreset.removesuffix(" of samples").partition(":")
    plain = get_manager().specs("method")[name].load()(budget)
    plain.set_params(**({"random_state": 0} if "random_state" in plain.get_params() else {}))
    if preset:
        plain.set_params(representative="member")
    streamed = make(coreset, budget=budget, chunk_size=500)
    same(streamed.fit(X, y), plain.fit(X, y))
    same(
        clone(streamed)
        .partial_fit(X[:100], None if y is None else y[:100])
        .partial_fit(X[100:], None if y is None else y[100:]),
        plain,
    )


@method
def test_cuts_do_not_matter(coreset, rows):
    X, y = rows
    same(make(coreset).fit(chunks_of(X, y)), make(coreset).fit(X, y))


# Where rows come from is the same for all methods, which get them in chunks.
@pytest.mark.parametrize("y_is", ["classes", "numbers", "absent"])
@pytest.mark.parametrize("coreset", ["kmeans", "random"])
def test_it_does_not_matter_where_rows_come_from_or_how_they_are_cut(coreset, y_is, rows, tmp_path):
    X = rows[0]
    y = {"classes": rows[1], "numbers": X @ np.arange(4.0) + 0.5, "absent": None}[y_is]
    expected = make(coreset).fit(X, y)
    mapped = np.memmap(tmp_path / "X.bin", dtype=np.float32, mode="w+", shape=X.shape)
    mapped[:] = X
    mapped.flush()
    same(make(coreset).fit(np.memmap(tmp_path / "X.bin", dtype=np.float32, mode="r", shape=X.shape), y), expected)
    np.save(tmp_path / "X.npy", X)
    same(make(coreset).fit(tmp_path / "X.npy", y), expected)
    same(make(coreset).fit(chunks_of(X, y)), expected)
    table = pd.DataFrame(X, columns=list("pqrs"))
    if y is not None:
        table.insert(2, "kind", y)
    table.to_parquet(tmp_path / "rows.parquet", row_group_size=90)
    parquet = make(coreset).fit(str(tmp_path / "rows.parquet"), None if y is None else "kind")
    same(parquet, expected)
    assert parquet.feature_names_in_.tolist() == list("pqrs")
    partial = make(coreset)
    for chunk in chunks_of(X, y):
        partial.partial_fit(*(chunk if y is not None else (chunk,)))
    same(partial, expected)
    assert partial.distilled_.provenance["bytes_seen"] == expected.distilled_.provenance["bytes_seen"]


@pytest.mark.parametrize("y_is", ["classes", "numbers", "absent"])
@pytest.mark.parametrize("container", [list, tuple, iter])
def test_chunks_come_in_any_iterable(y_is, container, rows):
    X = rows[0]
    y = {"classes": rows[1], "numbers": X @ np.arange(4.0) + 0.5, "absent": None}[y_is]
    expected = make().fit(X, y)
    same(make().fit(container(list(chunks_of(X, y)))), expected)
    frames = [pd.DataFrame(part) for part in chunks_of(X)]
    if y is None:
        same(make().fit(container(frames)), expected)
    else:
        labels = [part.tolist() for _, part in chunks_of(X, y)]
        same(make().fit(container(list(zip(frames, labels, strict=True)))), expected)
        if container is not iter:
            same(make().fit(container(frames), container(labels)), expected)


def test_lists_of_rows_stay_arrays(rows):
    X, y = rows[0].astype(float), rows[1]
    expected = make().fit(X, y)
    same(make().fit(list(X), list(y)), expected)  # a list of arrays of one axis
    images = np.arange(60.0).reshape(10, 2, 3)
    labels = np.arange(10) % 2
    same(make(budget=2).fit(list(images), labels), make(budget=2).fit(images, labels))  # a label for each item
    same(make(budget=2).fit(images.tolist()), make(budget=2).fit(images))


@method
def test_looking_at_the_result_in_between_changes_nothing_after(coreset, rows):
    X, y = rows
    silent, watched = make(coreset), make(coreset)
    for chunk in chunks_of(X, y):
        silent.partial_fit(*chunk)
        watched.partial_fit(*chunk)
        if watched.n_rows_seen_ > 100:
            assert watched.distilled_.sample_weight.sum() == pytest.approx(watched.n_rows_seen_)
            assert len(watched.transform(X)) == 500
    same(watched, silent)


@method
def test_weights_sum_to_the_rows_of_each_class(coreset, rows):
    X, y = rows
    model = make(coreset).fit(X, y)
    np.testing.assert_allclose(np.bincount(model.y_distilled_, weights=model.sample_weight_), np.bincount(y))
    assert np.bincount(model.y_distilled_).tolist() == [6, 6, 6]
    assert model.distilled_.provenance["class_rows"] == np.bincount(y).tolist()
    assert model.distilled_.classes.tolist() == [0, 1, 2]


@pytest.mark.parametrize("coreset", PICKING)
def test_picked_rows_are_rows_of_the_stream_at_the_positions_said(coreset, rows):
    X, y = rows
    model = make(coreset).fit(chunks_of(X, y))
    assert len(set(model.sample_indices_.tolist())) == 18
    np.testing.assert_array_equal(model.X_distilled_, X[model.sample_indices_])
    np.testing.assert_array_equal(model.y_distilled_, y[model.sample_indices_])


def test_centroids_keep_the_mean_of_each_class_and_of_the_target(rows):
    X, y = rows
    model = make("kmeans").fit(X.astype(np.float64), y)
    for label in range(3):
        own = model.y_distilled_ == label
        mean = np.average(model.X_distilled_[own], axis=0, weights=model.sample_weight_[own])
        np.testing.assert_allclose(mean, X[y == label].mean(axis=0, dtype=np.float64), rtol=1e-9)
    target = X.astype(np.float64).sum(axis=1)
    numbers = make("kmeans").fit(X.astype(np.float64), target)
    assert np.average(numbers.y_distilled_, weights=numbers.sample_weight_) == pytest.approx(target.mean())


def test_the_offset_makes_the_cost_of_one_centre_exact_through_all_levels(rows):
    # sum_i |x_i - q|^2 = sum_j w_j |c_j - q|^2 + offset for every q, for clusters of clusters, too
    X = rows[0].astype(np.float64)
    small = make("kmeans", chunk_size=32).fit(X).distilled_
    for q in (X[0], np.zeros(4), X.mean(axis=0)):
        whole = ((X - q) ** 2).sum()
        assert small.sample_weight @ ((small.X - q) ** 2).sum(axis=1) + small.provenance["offset"] == pytest.approx(
            whole
        )


def test_the_k_means_cost_of_centres_is_that_of_all_rows():
    rng = np.random.default_rng(0)
    centres = 10 * rng.normal(size=(5, 8))
    X = centres[rng.integers(5, size=6000)] + rng.normal(size=(6000, 8))

    def cost(rows, weight):
        return weight @ ((rows[:, None] - centres) ** 2).sum(axis=2).min(axis=1)

    whole = cost(X, np.ones(len(X)))
    kmeans = make("kmeans", budget=50, chunk_size=500).fit(X).distilled_
    assert cost(kmeans.X, kmeans.sample_weight) + kmeans.provenance["offset"] == pytest.approx(whole, rel=1e-3)
    both = make("kmeans of samples", budget=50, oversampling=9, chunk_size=500).fit(X).distilled_
    # a sample of at least 450 rows: a deviation of 2.4 %
    assert cost(both.X, both.sample_weight) + both.provenance["offset"] == pytest.approx(whole, rel=0.1)
    assert cost(both.X, both.sample_weight) < 0.9 * whole
    sampled = [
        cost(small.X, small.sample_weight)
        for small in (make("random", budget=100, chunk_size=500, random_state=s).fit(X).distilled_ for s in range(20))
    ]
    # squares of 8 normals: deviation 4 of a mean of 8, so 5 % for 100 rows and 1.1 % for the mean of 20 sets
    assert np.mean(sampled) == pytest.approx(whole, rel=0.04)


def test_samples_through_all_levels_are_unbiased():
    # each row's expected weight is one, whether it came first or last
    X = np.arange(40.0)[:, None]
    total, runs = np.zeros(40), 600
    for seed in range(runs):
        model = make("random", budget=4, chunk_size=8, oversampling=1, random_state=seed).fit(X)
        total[model.sample_indices_] += model.sample_weight_
    weight = total / runs  # a row is in one of 10 sets with weight 10: variance 9 / 600, deviation 0.12
    assert np.abs(weight - 1).max() < 5 * 0.125
    assert abs(weight[:8].mean() - 1) < 0.2
    assert abs(weight[-8:].mean() - 1) < 0.2


@pytest.mark.parametrize("n_classes", [1, 3])
@pytest.mark.parametrize("oversampling", [1, 2.5])
def test_rows_held_stay_below_the_documented_bound(oversampling, n_classes):
    rng = np.random.default_rng(0)
    model = make("random", budget=5, chunk_size=50, oversampling=oversampling)
    most = math.ceil(oversampling * 5) * n_classes
    for chunk in range(1, 60):
        y = np.arange(37) % n_classes
        model.partial_fit(rng.normal(size=(37, 2)), None if n_classes == 1 else y)
        assert model.n_rows_seen_ == 37 * chunk
        assert model.n_rows_held_ <= 50 + most * (math.log2(max(1, model.n_rows_seen_ / 50)) + 1)


def test_a_share_keeps_its_proportion_for_streams_of_unknown_length(rows):
    X, y = rows
    model = make(budget=0.1, chunk_size=32).fit(chunks_of(X, y))
    assert len(model.X_distilled_) == 50
    expected = KMeansCoreset(0.1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(np.bincount(model.y_distilled_), np.bincount(expected.y_distilled_))


def test_a_dict_of_rows_per_class_and_classes_that_come_late():
    X = np.arange(120.0)[:, None]
    y = np.repeat(["early", "late", "later still"], [70, 40, 10])
    budget = {"early": 3, "late": 2, "later still": 5}
    model = make("random", budget=budget, chunk_size=16)
    for begin in range(0, 120, 20):
        model.partial_fit(X[begin : begin + 20], y[begin : begin + 20])
    labels, sizes = np.unique(model.y_distilled_, return_counts=True)
    assert dict(zip(labels.tolist(), sizes.tolist(), strict=True)) == budget
    assert model.distilled_.classes.tolist() == list(budget)
    with pytest.raises(BudgetError, match="leaves out class 'late'"):
        make("random", budget={"early": 3}, chunk_size=16).fit(iter([(X, y)]))


def test_weighted_rows_are_as_good_as_repeated_ones():
    # clusters so far apart that k-means finds them from any start: their means are then those of the repeated rows
    rng = np.random.default_rng(0)
    X = np.repeat([[0.0], [1000.0], [5000.0]], 20, axis=0) + rng.normal(size=(60, 1))
    weight = rng.integers(1, 6, size=60).astype(float)
    from distillkit.base import Group, Run, TrainingRows

    for model in (KMeansCoreset(), KCenterCoreset()):
        groups = (Group(None, np.arange(60), 3),)
        found = model._distill(TrainingRows(X, None, None, groups, weight=weight), Run(None, 0))
        order = np.argsort(found.X.ravel() if found.X is not None else X[found.indices].ravel())
        np.testing.assert_allclose(found.weight[order], [weight[:20].sum(), weight[20:40].sum(), weight[40:].sum()])
        if found.X is not None:
            expected = [np.average(X[part, 0], weights=weight[part]) for part in np.split(np.arange(60), 3)]
            np.testing.assert_allclose(found.X[order].ravel(), expected, rtol=1e-10)


def test_images_keep_their_shape_and_picked_integers_their_dtype():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, size=(90, 1, 3, 3)).astype(np.uint8)
    for coreset in METHODS:
        whole = make(coreset, budget=7, chunk_size=20).fit(X)
        parts = make(coreset, budget=7, chunk_size=20).fit(iter(np.split(X, 9)))
        assert parts.X_distilled_.shape == (7, 1, 3, 3)
        assert parts.X_distilled_.dtype == whole.X_distilled_.dtype
        assert parts.X_distilled_.dtype == (np.uint8 if hasattr(whole, "sample_indices_") else np.float32)
        same(whole, parts)


def test_a_loader_of_tensors_is_a_stream(rows):
    X, y = rows
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
    same(make().fit(torch.utils.data.DataLoader(data, batch_size=33)), make().fit(X, y))


def test_memory_maps_of_every_mode_are_left_alone(tmp_path):
    X = np.random.default_rng(0).normal(size=(300, 3))
    np.save(tmp_path / "X.npy", X)
    for mode in ("r", "r+", "c"):
        mapped = np.load(tmp_path / "X.npy", mmap_mode=mode)
        if mode == "c":
            mapped[:10] = 7  # in memory only: must not be lost
        make().fit(mapped)
        np.testing.assert_array_equal(mapped[10:], X[10:])
        np.testing.assert_array_equal(mapped[:10], np.full((10, 3), 7) if mode == "c" else X[:10])


def test_chunks_may_be_changed_after_they_were_given(rows):
    X, y = rows
    buffer, model = np.empty((50, 4), np.float32), make()
    for begin in range(0, 500, 50):
        buffer[:] = X[begin : begin + 50]
        model.partial_fit(buffer, y[begin : begin + 50])
        buffer[:] = np.nan
    same(model, make().fit(X, y))


def test_a_fit_starts_anew_and_partial_fit_goes_on_after_it(rows):
    X, y = rows
    model = make().fit(X[:200], y[:200]).partial_fit(X[200:], y[200:])
    same(model, make().fit(X, y))
    same(model.fit(X[:300], y[:300]), make().fit(X[:300], y[:300]))


def test_pickles_go_on_where_they_were(rows):
    X, y = rows
    half = make().partial_fit(X[:250], y[:250])
    again = pickle.loads(pickle.dumps(half))
    same(again.partial_fit(X[250:], y[250:]), make().fit(X, y))
    same(half, make().fit(X[:250], y[:250]))


def test_it_can_be_saved(rows, tmp_path):
    small = make("kmeans").fit(chunks_of(*rows)).distilled_
    loaded = DistilledSet.load(small.save(tmp_path / "small.safetensors"))
    np.testing.assert_array_equal(loaded.X, small.X)
    assert loaded.provenance == small.provenance


def test_history_tells_of_the_summaries_held(rows):
    model = make("random", chunk_size=40).fit(rows[0])  # 500 rows: 12 blocks of 40, the last 20 rows wait
    held = [step for step in model.history_ if "level" in step]
    assert [(step["level"], step["rows"]) for step in held] == [(3, 320), (2, 160)]
    assert all(step["size"] == 12 for step in held)


def test_nan_in_the_third_chunk_names_it_and_leaves_the_rest_usable(rows):
    X, y = rows
    bad = X[200:300].copy()
    bad[5, 1] = np.nan
    model = make().partial_fit(X[:100], y[:100]).partial_fit(X[100:200], y[100:200])
    with pytest.raises(DataError, match="chunk 3: Input X contains NaN"):
        model.partial_fit(bad, y[200:300])
    assert model.n_rows_seen_ == 200
    same(model, make().fit(X[:200], y[:200]))
    same(model.partial_fit(X[200:], y[200:]), make().fit(X, y))
    stream = make()
    with pytest.raises(DataError, match="chunk 3: Input X contains NaN"):
        stream.fit(iter([(X[:100], y[:100]), (X[100:200], y[100:200]), (bad, y[200:300])]))
    same(stream, make().fit(X[:200], y[:200]))


def test_an_interrupted_chunk_leaves_everything_as_it_was(rows, monkeypatch):
    X, y = rows
    model = make().partial_fit(X[:100], y[:100])
    carry, calls = Tree._carry, []

    def interrupted(self, block):
        calls.append(block)
        if len(calls) == 3:
            raise KeyboardInterrupt
        carry(self, block)

    monkeypatch.setattr(Tree, "_carry", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X[100:], y[100:])
    assert len(calls) == 3
    monkeypatch.undo()
    assert model.n_rows_seen_ == 100
    same(model, make().fit(X[:100], y[:100]))
    same(model.partial_fit(X[100:], y[100:]), make().fit(X, y))


def test_empty_chunks_are_passed_over(rows):
    X, y = rows
    model = make().partial_fit(X[:250], y[:250]).partial_fit(X[:0], y[:0]).partial_fit(X[250:], y[250:])
    same(model, make().fit(X, y))
    with pytest.raises(ValueError, match="n_samples = 0"):
        make().fit(iter([]))


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ((np.ones((5, 3)), [0] * 5), "X has 3 features, but StreamingCoreset is expecting 4"),
        ((np.ones((5, 4, 2)), [0] * 5), r"shape \(4, 2\), but those before had \(4,\)"),
        ((np.ones((5, 4)), None), "has no y, but those before had"),
        ((np.ones((5, 4)), ["a"] * 5), "y is of type <U1, but before it was int64"),
        ((np.ones((5, 4)), [0.5] * 5), "y has fractions, .* set task='regression'"),
        ((np.ones((5, 4)), [0] * 4), "inconsistent numbers of samples"),
        ((np.full((5, 4), "x"), [0] * 5), "X holds text"),
    ],
)
def test_chunks_that_do_not_fit_are_refused_by_number(chunk, words, rows):
    X, y = rows
    model = make().partial_fit(X, y)
    with pytest.raises(DataError, match=f"chunk 2: .*{words}"):
        model.partial_fit(*chunk)
    same(model, make().fit(X, y))


def test_labels_after_chunks_without_are_refused(rows):
    with pytest.raises(DataError, match="chunk 2: it has y, but those before had none"):
        make().partial_fit(rows[0]).partial_fit(*rows)


def test_columns_in_another_order_are_refused(rows):
    frame = pd.DataFrame(rows[0], columns=list("pqrs"))
    with pytest.raises(DataError, match="chunk 2: The feature names"):
        make().partial_fit(frame).partial_fit(frame[list("qprs")])


def test_too_few_rows_for_the_budget_are_said_when_the_result_is_asked_for(rows):
    X, y = rows
    model = make(budget=10).partial_fit(X[:5], y[:5])
    with pytest.raises(BudgetError, match=r"n_samples|1 sample"):
        model.distilled_  # noqa: B018
    assert len(model.partial_fit(X[5:], y[5:]).distilled_) == 30


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"coreset": "nonsense"}, "unknown method 'nonsense'"),
        ({"coreset": "class-means"}, "has no budget"),
        ({"coreset": ClassMeans()}, "has no budget"),
        ({"coreset": "kmeans:large"}, "unknown preset of kmeans"),
        ({"coreset": 3}, "'coreset' parameter"),
        ({"summary": "whole"}, "summary='whole' has no budget"),
        ({"summary": 3}, "'summary' parameter"),
        ({"coreset": KMeansCoreset(max_iter=0)}, "'max_iter' parameter of KMeansCoreset"),
        ({"chunk_size": 0}, "'chunk_size' parameter"),
        ({"oversampling": 0.5}, "'oversampling' parameter"),
        ({"budget": -1}, "budget=-1"),
    ],
)
def test_parameters_are_checked_in_fit_and_partial_fit(params, words, rows):
    for call in (
        lambda model: model.fit(*rows),
        lambda model: model.fit(iter([rows])),
        lambda model: model.partial_fit(*rows),
    ):
        with pytest.raises((ValueError, LookupError), match=words):
            call(make(**params))


def test_sources_that_cannot_be_read_say_so(rows, tmp_path, monkeypatch):
    X, y = rows
    frame = pd.DataFrame(X, columns=list("pqrs"))
    frame.to_parquet(tmp_path / "rows.parquet")
    frame.to_csv(tmp_path / "rows.csv")
    (tmp_path / "broken.parquet").write_bytes(b"no parquet")
    np.save(tmp_path / "X.npy", X)
    for source, target, words in (
        (tmp_path / "none.parquet", None, "there is no file"),
        (tmp_path / "rows.csv", None, "cannot be streamed: give a .parquet or .npy file"),
        (tmp_path / "rows.parquet", "t", "has no column 't'; it has p, q, r, s"),
        (tmp_path / "rows.parquet", y, "must be the name of its label column"),
        (tmp_path / "broken.parquet", None, "cannot be read as Parquet"),
        (tmp_path / "X.npy", y[:-1], "X has 500 rows .* but y has 499"),
        (iter([X]), y, "let the iterable yield pairs"),
    ):
        with pytest.raises(DataError, match=words):
            make().fit(source, target)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"needs pyarrow, .* pip install pyarrow"):
        make().fit(tmp_path / "rows.parquet")


def test_time_ends_the_reading_between_blocks_and_weights_are_of_the_rows_read(rows):
    X, y = rows
    for source in ((X, y), (chunks_of(X, y, (100,) * 5),)):
        model = make("random", budget=2, max_seconds=1e-9).fit(*source)
        assert model.distilled_.provenance["stopped_by"] == "max_seconds"
        assert model.n_rows_seen_ == (64 if len(source) == 2 else 100)
        assert model.sample_weight_.sum() == pytest.approx(model.n_rows_seen_)
        assert model.distilled_.provenance["rows_seen"] == model.n_rows_seen_


def test_nothing_is_fitted_before_the_first_chunk():
    model = make()
    assert not hasattr(model, "distilled_")
    with pytest.raises(AttributeError, match="'StreamingCoreset' object has no attribute 'colour'"):
        model.colour  # noqa: B018


def test_a_first_chunk_that_leaves_the_task_open_is_refused_and_nothing_is_lost():
    X, y = np.arange(10.0).reshape(5, 2), np.array([0, 3, 7, 3, 0])
    with pytest.raises(DataError, match="too few to tell whether its whole numbers are class labels"):
        StreamingCoreset(budget=1).partial_fit(X, y)
    labels = StreamingCoreset(budget=1, task="classification", random_state=0).partial_fit(X, y)
    assert labels.distilled_.y.tolist() == [0, 3, 7]
    numbers = StreamingCoreset(budget=2, task="regression", random_state=0).partial_fit(X, y)
    assert len(numbers.distilled_) == 2
    many = StreamingCoreset(budget=2, random_state=0).partial_fit(np.arange(60.0).reshape(30, 2), np.arange(0, 90, 3))
    assert many.distilled_.provenance["task"] == "regression"


def test_weights_of_a_stream_count_as_repeated_rows(rows):
    X, y = rows
    weight = np.random.RandomState(0).randint(0, 4, size=len(X))
    model = StreamingCoreset(budget=3, coreset="kcenter", chunk_size=25, random_state=0).fit(X, y, weight)
    assert model.sample_weight_.sum() == pytest.approx(weight.sum())
    assert model.n_rows_seen_ == (weight > 0).sum()
    assert (weight[model.sample_indices_] > 0).all()
    for label in np.unique(y):
        assert model.sample_weight_[model.y_distilled_ == label].sum() == pytest.approx(weight[y == label].sum())
    np.testing.assert_array_equal(X[model.sample_indices_], model.X_distilled_)
    # one block is distilled by the method itself
    alone = KCenterCoreset(budget=3).fit(X, y, weight)
    block = StreamingCoreset(budget=3, coreset="kcenter", chunk_size=1000).fit(X, y, weight)
    np.testing.assert_array_equal(block.sample_indices_, alone.sample_indices_)
    np.testing.assert_array_equal(block.sample_weight_, alone.sample_weight_)


def test_weights_of_chunks_are_those_of_the_rows_together(rows, tmp_path):
    X, y = rows
    weight = np.random.RandomState(0).randint(0, 4, size=len(X)).astype(float)
    weight[:10] = 0  # the first chunk has no row of positive weight
    model = StreamingCoreset(budget=4, coreset="random", chunk_size=16, task="classification", random_state=0)
    expected = clone(model).fit(X, y, weight)
    parts = [slice(begin, begin + 10) for begin in range(0, len(X), 10)]
    streamed = clone(model).fit(iter([(X[part], y[part], weight[part]) for part in parts]))
    partial = clone(model)
    for part in parts:
        partial.partial_fit(X[part], y[part], weight[part])
    np.save(tmp_path / "X.npy", X)
    mapped = clone(model).fit(tmp_path / "X.npy", y, weight)
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).assign(y=y, mass=weight)
    frame.to_parquet(tmp_path / "X.parquet")
    stored = clone(model).fit(tmp_path / "X.parquet", "y", "mass")
    for other in (streamed, partial, mapped, stored):
        np.testing.assert_array_equal(other.X_distilled_, expected.X_distilled_)
        np.testing.assert_array_equal(other.sample_weight_, expected.sample_weight_)
        np.testing.assert_array_equal(other.sample_indices_, expected.sample_indices_)
    assert expected.sample_weight_.sum() == pytest.approx(weight.sum())


def test_unusable_weights_of_a_chunk_are_refused_and_leave_the_state(rows):
    X, y = rows
    model = StreamingCoreset(budget=2, chunk_size=50, random_state=0).partial_fit(X, y)
    with pytest.raises(DataError, match=r"chunk 2: sample_weight cannot be used"):
        model.partial_fit(X, y, -np.ones(len(X)))
    assert model.n_rows_seen_ == len(X)
    with pytest.raises(DataError, match="weight zero"):
        StreamingCoreset(budget=2).partial_fit(X, y, np.zeros(len(X))).distilled_  # noqa: B018
    with pytest.raises(DataError, match="triples"):
        StreamingCoreset(budget=2).fit(iter([(X, y)]), sample_weight=np.ones(len(X)))


def test_pages_damaged_behind_a_sound_footer_are_named(tmp_path):
    path = tmp_path / "rows.parquet"
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(2000, 4)), columns=list("pqrs"))
    frame.to_parquet(path, row_group_size=500, compression="gzip")
    content = bytearray(path.read_bytes())
    start = len(content) // 2
    content[start : start + 400] = b"\xff" * 400
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"rows\.parquet is damaged: its rows cannot be read"):
        StreamingCoreset(budget=5, coreset=KMeansCoreset(), chunk_size=300).fit(str(path))
