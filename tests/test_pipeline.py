"""Pipeline: distils while fitting, changes no rows afterwards, and is scikit-learn's pipeline in everything else."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cluster import DBSCAN, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.pipeline import make_pipeline as make_sklearn_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from distillkit import ClassMeans, Distilled, KMeansCoreset, Pipeline, RandomSubset, WholeSet, make_pipeline
from distillkit.base import BaseDistiller, Outcome
from distillkit.exceptions import DataError


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture
def subset():
    return RandomSubset(budget={0: 5, 1: 10, 2: 20}, random_state=0)


class Note(TransformerMixin, BaseEstimator):
    """Passes rows on and notes what it was fitted on."""

    def fit(self, X, y=None, sample_weight=None):
        self.X_, self.y_, self.weight_ = X, y, sample_weight
        return self

    def transform(self, X):
        return X


class Plain(Note):
    """The same, without weights."""

    def fit(self, X, y=None):
        return super().fit(X, y)


class UniformPick(BaseDistiller):
    """Picks the first rows of each class, and takes no weights."""

    def _distill(self, rows, run):
        return Outcome(indices=np.concatenate([group.rows[: group.size] for group in rows.groups]))


def test_it_is_the_steps_by_hand(iris, subset):
    X, y = iris
    pipe = make_pipeline(StandardScaler(), subset, PCA(2), LogisticRegression()).fit(X, y)
    scaler = StandardScaler().fit(X)
    small = clone(subset)
    rows, labels = small.fit_resample(scaler.transform(X), y)
    pca = PCA(2).fit(rows)
    model = LogisticRegression().fit(pca.transform(rows), labels, sample_weight=small.sample_weight_)
    expected = model.predict_proba(pca.transform(scaler.transform(X)))
    np.testing.assert_allclose(pipe.predict_proba(X), expected, rtol=1e-6)
    assert pipe.predict(X).shape == (150,)
    assert pipe.score(X, y) == model.score(pca.transform(scaler.transform(X)), y)
    np.testing.assert_array_equal(pipe.classes_, [0, 1, 2])
    assert pipe.n_features_in_ == 4


def test_steps_after_a_distiller_are_fitted_on_what_it_left(iris, subset):
    X, y = iris
    note = Note()
    make_pipeline(subset, note, LogisticRegression()).fit(X, y)
    np.testing.assert_array_equal(note.X_, X[subset.sample_indices_])
    np.testing.assert_array_equal(note.y_, y[subset.sample_indices_])


def test_weights_go_to_the_steps_that_take_them_and_to_no_other(iris, subset):
    X, y = iris
    before, after, without = Note(), Note(), Plain()
    make_pipeline(before, subset, after, without, DecisionTreeClassifier(random_state=0)).fit(X, y)
    assert before.weight_ is None
    np.testing.assert_array_equal(after.weight_, subset.sample_weight_)
    assert without.weight_ is None
    neighbours = make_pipeline(subset, KNeighborsClassifier(1)).fit(X, y)
    assert neighbours[-1].n_samples_fit_ == 35
    assert neighbours.score(X, y) > 0.85


def test_weights_given_by_the_caller_are_taken_instead(iris, subset):
    note = Note()
    own = np.arange(35.0) + 1
    make_pipeline(subset, note).fit(*iris, note__sample_weight=own)
    np.testing.assert_array_equal(note.weight_, own)


def test_weights_change_the_model(iris, subset):
    X, y = iris
    weighted = make_pipeline(subset, LogisticRegression(max_iter=1000)).fit(X, y)
    plain = LogisticRegression(max_iter=1000).fit(*clone(subset).fit_resample(X, y))
    assert not np.allclose(weighted[-1].coef_, plain.coef_)


@pytest.mark.parametrize("params", [{"note__nonsense": 1}, {"randomsubset__nonsense": np.ones(150)}])
def test_parameters_that_a_step_does_not_take_are_refused(iris, subset, params):
    with pytest.raises(TypeError, match="unexpected keyword"):
        make_pipeline(subset, Note()).fit(*iris, **params)


def test_parameters_without_a_step_are_refused(iris, subset):
    with pytest.raises(ValueError, match="write randomsubset__sample_weight="):
        make_pipeline(subset, Note()).fit(*iris, sample_weight=np.ones(150))


def test_two_distillers_chain_and_their_weights_speak_for_all_rows(iris):
    X, y = iris
    first, second = RandomSubset(budget={0: 10, 1: 20, 2: 40}, random_state=0), RandomSubset(budget=5, random_state=1)
    note = Note()
    pipe = make_pipeline(first, second, note).fit(X, y)
    assert len(note.X_) == 15
    again = clone(second).fit(X[first.sample_indices_], y[first.sample_indices_], first.sample_weight_)
    np.testing.assert_array_equal(note.weight_, again.sample_weight_)
    for label in range(3):  # each class had 50 rows, however many were left in between
        assert note.weight_[note.y_ == label].sum() == pytest.approx(50)
    np.testing.assert_array_equal(pipe.sample_weight_, note.weight_)
    np.testing.assert_array_equal(second.distilled_.sample_weight, note.weight_)


def test_the_weights_of_a_second_distiller_that_takes_none_are_scaled(iris):
    X, y = iris
    first, second, note = RandomSubset(budget=10, random_state=0), UniformPick(budget=2), Note()
    make_pipeline(first, second, note).fit(X, y)
    expected = 5 * first.sample_weight_[second.sample_indices_]
    np.testing.assert_allclose(note.weight_, expected * 150 / expected.sum())


def test_weights_of_the_rows_go_to_the_distiller_and_its_own_to_later_steps(iris):
    X, y = iris
    weight, note = np.arange(150.0), Note()
    distiller = KMeansCoreset(budget=3, random_state=0)
    make_pipeline(distiller, note).fit(X, y, kmeanscoreset__sample_weight=weight)
    alone = clone(distiller).fit(X, y, weight)
    np.testing.assert_array_equal(note.X_, alone.X_distilled_)
    np.testing.assert_array_equal(note.weight_, alone.sample_weight_)
    assert note.weight_.sum() == pytest.approx(weight.sum())


@pytest.mark.parametrize("nested", [False, True])
def test_weights_of_the_rows_are_never_put_on_as_many_distilled_rows(iris, nested):
    order = np.random.RandomState(0).permutation(150)
    X, y = iris[0][order], iris[1][order]
    weight, note = np.arange(150.0) + 1, Note()
    last, name = (make_pipeline(note), "pipeline__note") if nested else (note, "note")
    pipe = make_pipeline(RandomSubset(budget=50, random_state=0), last)  # all 150 rows, class by class
    with pytest.raises(DataError, match="give the weights to 'randomsubset'"):
        pipe.fit(X, y, **{f"{name}__sample_weight": weight})
    with pytest.raises(DataError, match="give the weights to 'randomsubset'"):
        pipe.fit(X, y, **{f"{name}__sample_weight": weight, "randomsubset__sample_weight": weight})
    pipe.fit(X, y, randomsubset__sample_weight=weight)
    np.testing.assert_array_equal(note.weight_, weight[pipe[0].sample_indices_])


@pytest.mark.parametrize("request_last", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_routed_weights_go_to_the_distiller_and_its_own_to_later_steps(iris, request_last, nested):
    X, y = iris
    weight = np.arange(150.0) + 1
    with config_context(enable_metadata_routing=True):
        before = StandardScaler().set_fit_request(sample_weight=True)
        distiller = RandomSubset(budget=50, random_state=0).set_fit_request(sample_weight=True)
        note = Note().set_fit_request(sample_weight=request_last)
        pipe = make_pipeline(before, distiller, make_pipeline(note) if nested else note)
        pipe.fit(X, y, sample_weight=weight)
        np.testing.assert_allclose(before.mean_, np.average(X, axis=0, weights=weight))
        np.testing.assert_array_equal(note.weight_, weight[distiller.sample_indices_])
        rows, labels = make_pipeline(before, distiller).fit_resample(X, y, sample_weight=weight)
        assert len(rows) == len(labels) == 150
        distiller.set_fit_request(sample_weight=False)
        if request_last:
            with pytest.raises(DataError, match="give the weights to 'randomsubset'"):
                pipe.fit(X, y, sample_weight=weight)


def test_weights_reach_the_folds_of_a_search(iris):
    X, y = iris
    weight = np.arange(150.0) + 1
    with config_context(enable_metadata_routing=True):
        distiller = KMeansCoreset(random_state=0).set_fit_request(sample_weight=True)
        model = LogisticRegression(max_iter=500).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        search = GridSearchCV(make_pipeline(distiller, model), {"kmeanscoreset__budget": [2, 4]}, cv=3)
        search.fit(X, y, sample_weight=weight)
        assert search.best_estimator_.sample_weight_.sum() == pytest.approx(weight.sum())


def test_made_rows_after_picked_ones_keep_the_sum(iris):
    note = Note()
    make_pipeline(RandomSubset(budget=10, random_state=0), ClassMeans(), note).fit(*iris)
    np.testing.assert_allclose(note.weight_, [50, 50, 50])


def test_a_pipeline_is_a_step_of_a_pipeline(iris):
    X, y = iris
    steps = [
        StandardScaler(),
        RandomSubset(budget=20, random_state=0),
        RandomSubset(budget=5, random_state=1),
        LogisticRegression(),
    ]
    flat = make_pipeline(*map(clone, steps)).fit(X, y)
    inner = make_pipeline(
        clone(steps[0]), make_pipeline(clone(steps[1])), make_pipeline(clone(steps[2])), clone(steps[3])
    ).fit(X, y)
    last = make_pipeline(clone(steps[0]), clone(steps[1]), make_pipeline(clone(steps[2]), clone(steps[3]))).fit(X, y)
    for nested in (inner, last):
        np.testing.assert_array_equal(nested.predict_proba(X), flat.predict_proba(X))


def test_weights_reach_a_model_inside_an_inner_pipeline(iris, subset):
    note = Note()
    make_pipeline(subset, make_pipeline(StandardScaler(), note)).fit(*iris)
    np.testing.assert_array_equal(note.weight_, subset.sample_weight_)


def test_a_distiller_last_gives_the_distilled_rows(iris, subset):
    X, y = iris
    pipe = make_pipeline(StandardScaler(), subset)
    rows, labels = pipe.fit_resample(X, y)
    np.testing.assert_array_equal(rows, StandardScaler().fit_transform(X)[subset.sample_indices_])
    np.testing.assert_array_equal(labels, y[subset.sample_indices_])
    np.testing.assert_array_equal(pipe.fit_transform(X, y), rows)
    assert pipe.fit(X, y).transform(X).shape == (150, 4)
    np.testing.assert_array_equal(pipe.sample_weight_, subset.sample_weight_)


def test_a_transformer_after_the_distiller_still_gives_the_pair(iris, subset):
    X, y = iris
    rows, labels = make_pipeline(subset, PCA(2)).fit_resample(X, y)
    np.testing.assert_array_equal(rows, PCA(2).fit_transform(X[subset.sample_indices_]))
    np.testing.assert_array_equal(labels, y[subset.sample_indices_])


def test_methods_are_there_where_they_can_work(subset):
    model = make_pipeline(subset, LogisticRegression())
    assert not hasattr(model, "fit_resample")
    assert not hasattr(model, "fit_transform")
    assert not hasattr(model, "fit_predict")
    assert not hasattr(make_pipeline(StandardScaler(), PCA()), "fit_resample")
    assert not hasattr(make_pipeline(StandardScaler(), PCA()), "sample_weight_")
    assert hasattr(make_pipeline(subset, "passthrough"), "fit_resample")
    assert hasattr(make_pipeline(subset, KMeans(2)), "fit_predict")


def test_a_clusterer_last_learns_from_the_distilled_rows_and_labels_every_row(iris):
    X, _ = iris
    pipe = make_pipeline(RandomSubset(budget=30, random_state=0), KMeans(3, n_init=3, random_state=0))
    labels = pipe.fit_predict(X)
    assert labels.shape == (150,)
    distiller = clone(pipe[0]).fit(X)
    alone = KMeans(3, n_init=3, random_state=0).fit(distiller.X_distilled_, sample_weight=distiller.sample_weight_)
    np.testing.assert_array_equal(labels, alone.predict(X))


def test_a_clusterer_that_cannot_predict_says_what_to_take_instead(iris):
    with pytest.raises(AttributeError, match="fit_predict") as error:
        make_pipeline(RandomSubset(), DBSCAN()).fit_predict(iris[0])
    assert "DBSCAN cannot predict rows on which it was not fitted" in str(error.value.__cause__)


@pytest.mark.parametrize("nothing", ["passthrough", None])
def test_passthrough_is_passed_through_in_any_place(iris, nothing):
    X, y = iris
    steps = [("a", nothing), ("b", RandomSubset(budget=5, random_state=0)), ("c", nothing), ("d", GaussianNB())]
    pipe = Pipeline(steps).fit(X, y)
    assert pipe.predict(X).shape == (150,)
    assert Pipeline(steps[:3]).fit_transform(X, y).shape == (15, 4)
    assert Pipeline(steps[:3]).fit(X, y).transform(X).shape == (150, 4)
    rows, labels = Pipeline(steps[:3]).fit_resample(X, y)
    assert (len(rows), len(labels)) == (15, 15)
    pipe.set_params(b="passthrough").fit(X, y)
    np.testing.assert_array_equal(pipe.predict(X), GaussianNB().fit(X, y).predict(X))


def test_slices_share_the_fitted_steps(iris, subset):
    X, y = iris
    pipe = make_pipeline(StandardScaler(), subset, LogisticRegression()).fit(X, y)
    head = pipe[:-1]
    assert isinstance(head, Pipeline)
    assert head.transform(X).shape == (150, 4)
    np.testing.assert_array_equal(pipe[-1].predict(head.transform(X)), pipe.predict(X))
    assert pipe["randomsubset"] is subset


def test_cross_validation_distils_the_training_folds_alone(iris):
    X, y = iris
    seen = []
    notes = FunctionTransformer(lambda rows: seen.append(len(rows)) or rows)
    pipe = make_pipeline(RandomSubset(budget=5, random_state=0), notes, GaussianNB())
    scores = cross_val_score(pipe, X, y, cv=5)
    assert seen == [15, 30] * 5  # distilled rows at fit, every row of the fold at score
    assert scores.mean() > 0.85


def test_cross_validation_in_processes_gives_the_same_scores(iris):
    pipe = make_pipeline(RandomSubset(budget=5, random_state=0), GaussianNB())
    expected = cross_val_score(pipe, *iris, cv=3)
    np.testing.assert_array_equal(cross_val_score(pipe, *iris, cv=3, n_jobs=2), expected)


def test_a_grid_search_chooses_the_budget(iris):
    pipe = Pipeline([("small", RandomSubset(random_state=0)), ("model", KNeighborsClassifier(1))])
    search = GridSearchCV(pipe, {"small__budget": [1, 5, 0.5], "model__n_neighbors": [1]}, cv=3).fit(*iris)
    assert search.best_params_["small__budget"] == 0.5
    assert search.best_estimator_[-1].n_samples_fit_ == 75
    assert search.predict(iris[0]).shape == (150,)


class Counting(RandomSubset):
    """Counts how often it distils, over all clones."""

    fits = 0

    def _distill(self, rows, run):
        type(self).fits += 1
        return super()._distill(rows, run)


def test_memory_keeps_distillations_with_their_weights(iris, tmp_path):
    X, y = iris
    Counting.fits = 0
    distiller = Counting(budget={0: 5, 1: 10, 2: 20}, random_state=0)
    note = Note()
    pipe = Pipeline(
        [("scale", StandardScaler()), ("small", distiller), ("model", note)], memory=str(tmp_path / "cache")
    )
    pipe.fit(X, y)
    first = note.weight_
    pipe.fit(X, y)
    assert Counting.fits == 1
    np.testing.assert_array_equal(note.weight_, first)
    assert not hasattr(distiller, "X_distilled_"), "what is cached is a clone, as in scikit-learn"
    assert pipe["small"].sample_weight_.sum() == pytest.approx(150)
    pipe.set_params(small__budget=3).fit(X, y)
    assert Counting.fits == 2
    assert len(note.X_) == 9


def test_memory_tells_chained_weights_apart(iris, tmp_path):
    X, y = iris
    note = Note()
    for budget in ({0: 10, 1: 10, 2: 10}, {0: 10, 1: 20, 2: 30}):
        steps = [
            ("first", RandomSubset(budget=budget, random_state=0)),
            ("second", RandomSubset(budget=5, random_state=0)),
            ("note", note),
        ]
        Pipeline(steps, memory=str(tmp_path / "cache")).fit(X, y)
        assert note.weight_.sum() == pytest.approx(150)
        for label in range(3):
            assert note.weight_[note.y_ == label].sum() == pytest.approx(50)


def test_set_output_reaches_every_step_without_a_warning(iris, subset):
    X, y = iris
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for pipe in (
            make_pipeline(StandardScaler(), subset, LogisticRegression()),
            make_pipeline(subset, LogisticRegression(max_iter=1000)),
        ):
            pipe.set_output(transform="pandas").fit(X, y)
            assert pipe.predict(X).shape == (150,)
            assert isinstance(pipe[:-1].transform(X), pd.DataFrame)


def test_frames_go_through_without_a_warning(iris, subset):
    X, y = pd.DataFrame(iris[0], columns=list("abcd")), pd.Series(iris[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for pipe in (
            make_pipeline(subset, LogisticRegression(max_iter=1000)),
            make_pipeline(StandardScaler(), subset, Ridge()),
        ):
            assert pipe.fit(X, y).predict(X).shape == (150,)
    assert list(pipe.feature_names_in_) == list("abcd")


def test_it_survives_pickling_and_cloning(iris, subset):
    pipe = make_pipeline(StandardScaler(), subset, LogisticRegression()).fit(*iris)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pipe)).predict(iris[0]), pipe.predict(iris[0]))
    np.testing.assert_array_equal(clone(pipe).fit(*iris).predict(iris[0]), pipe.predict(iris[0]))


def test_images_are_flattened_by_a_step():
    images, y = load_digits().images[:300, None], load_digits().target[:300]
    flatten = FunctionTransformer(lambda rows: rows.reshape(len(rows), -1))
    pipe = make_pipeline(RandomSubset(budget=8, random_state=0), flatten, KNeighborsClassifier(1)).fit(images, y)
    assert pipe.score(images, y) > 0.7


def test_metadata_routing_reaches_steps_before_and_after(iris):
    X, y = iris
    with config_context(enable_metadata_routing=True):
        before = Note().set_fit_request(sample_weight="mass")
        after = Note().set_fit_request(sample_weight=False)
        pipe = make_pipeline(before, RandomSubset(budget=5, random_state=0), after).fit(X, y, mass=np.arange(150.0))
        np.testing.assert_array_equal(before.weight_, np.arange(150.0))
        np.testing.assert_array_equal(after.weight_, pipe.sample_weight_)
        assert cross_val_score(make_pipeline(RandomSubset(budget=5), GaussianNB()), X, y).mean() > 0.8


def test_transform_input_needs_routing_and_then_goes_through_the_steps(iris, subset):
    X, y = iris

    class Validates(BaseEstimator):
        def fit(self, X, y, X_val=None):
            self.X_, self.y_, self.X_val_ = X, y, X_val
            return self

    with pytest.raises(ValueError, match="enable_metadata_routing"):
        Pipeline([("a", subset), ("b", Validates())], transform_input=["X_val"]).fit(X, y)
    with config_context(enable_metadata_routing=True):
        last = Validates().set_fit_request(X_val=True)
        Pipeline([("a", StandardScaler()), ("b", subset), ("c", last)], transform_input=["X_val"]).fit(
            X, y, X_val=X[:7]
        )
        np.testing.assert_array_equal(last.X_val_, StandardScaler().fit(X).transform(X[:7]))
        assert len(last.X_) == 35


def test_verbose_prints_every_step_with_its_seconds(iris, subset, capsys):
    make_pipeline(StandardScaler(), subset, LogisticRegression(), verbose=True).fit(*iris)
    lines = capsys.readouterr().out.splitlines()
    assert all(f"(step {number} of 3)" in line for number, line in enumerate(lines, 1))
    assert "randomsubset" in lines[1]


def test_without_a_distiller_it_is_scikit_learns_pipeline(iris):
    X, y = iris
    ours, theirs = (
        make(StandardScaler(), PCA(2), LogisticRegression()).fit(X, y)
        for make in (make_pipeline, make_sklearn_pipeline)
    )
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    np.testing.assert_array_equal(
        make_pipeline(StandardScaler(), PCA(2)).fit_transform(X),
        make_sklearn_pipeline(StandardScaler(), PCA(2)).fit_transform(X),
    )
    clusters = [make(StandardScaler(), DBSCAN()).fit_predict(X) for make in (make_pipeline, make_sklearn_pipeline)]
    np.testing.assert_array_equal(*clusters)


@pytest.mark.parametrize(
    ("steps", "error", "words"),
    [
        ([], ValueError, "empty"),
        ([("a", RandomSubset()), ("a", LogisticRegression())], ValueError, "not unique"),
        pytest.param(
            [("a", RandomSubset), ("b", LogisticRegression())],
            TypeError,
            "instance",
            marks=pytest.mark.skipif(
                not hasattr(SklearnPipeline, "_check_estimators_are_instances"),
                reason="older versions of scikit-learn do not look whether a step is a class",
            ),
        ),
        ([("a", LogisticRegression()), ("b", RandomSubset())], TypeError, "transformers"),
        ("abc", ValueError, "'steps' parameter"),
    ],
)
def test_steps_that_cannot_work_are_refused_as_in_scikit_learn(iris, steps, error, words):
    with pytest.raises(error, match=words):
        Pipeline(steps).fit(*iris)


def test_a_distiller_in_a_plain_pipeline_fails_loudly(iris, subset):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        SklearnPipeline([("small", subset), ("model", LogisticRegression())]).fit(*iris)


@pytest.mark.parametrize(
    "side_by_side",
    [
        FeatureUnion([("small", RandomSubset(budget=5)), ("all", StandardScaler())]),
        ColumnTransformer([("small", RandomSubset(budget=5), [0, 1]), ("all", StandardScaler(), [2, 3])]),
    ],
)
def test_a_distiller_beside_other_transformers_fails_loudly(iris, side_by_side):
    with pytest.raises(ValueError, match="dimensions"):
        side_by_side.fit_transform(*iris)


def size(rows):
    return None if rows is None else len(rows)


@pytest.fixture
def listener():
    pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")

    class Listener:
        max_propagation_depth = None

        def __init__(self):
            self.heard = []

        def setup(self, estimator, context):
            self.heard.append(("setup", type(estimator).__name__, context.task_name))

        def on_fit_task_begin(self, estimator, context, *, X, y):
            del estimator
            self.heard.append(("begin", context.estimator_name, context.task_name, *map(size, (X, y))))

        def on_fit_task_end(self, estimator, context, *, X, y):
            del estimator
            self.heard.append(("end", context.estimator_name, context.task_name, *map(size, (X, y))))

        def teardown(self, estimator, context):
            self.heard.append(("teardown", type(estimator).__name__, context.task_name))

    return Listener()


def test_callbacks_hear_the_same_as_in_scikit_learns_pipeline(iris, listener):
    steps = [StandardScaler(), WholeSet(), "passthrough", LogisticRegression()]
    theirs, ours = type(listener)(), listener
    # every row is kept, so that scikit-learn's pipeline can be the oracle
    make_sklearn_pipeline(*map(clone, steps[:2]), *steps[2:]).set_callbacks(theirs).fit(*iris)
    make_pipeline(*map(clone, steps[:2]), *steps[2:]).set_callbacks(ours).fit(*iris)
    assert len(ours.heard) > 10
    assert ours.heard == theirs.heard


def test_callbacks_see_the_distilled_rows(iris, listener):
    make_pipeline(StandardScaler(), RandomSubset(budget=5, random_state=0), LogisticRegression()).set_callbacks(
        listener
    ).fit(*iris)
    assert ("begin", "RandomSubset", "fit", 150, 150) in listener.heard
    assert ("begin", "LogisticRegression", "fit", 15, 15) in listener.heard
    assert listener.heard[0][0] == "setup"
    assert listener.heard[-2:] == [("end", "Pipeline", "fit", 15, 15), ("teardown", "Pipeline", "fit")]


def test_callbacks_do_not_spoil_the_cache(iris, listener, tmp_path):
    Counting.fits = 0
    steps = [
        ("scale", StandardScaler()),
        ("small", Counting(budget=5, random_state=0)),
        ("model", LogisticRegression()),
    ]
    for _ in range(2):
        Pipeline(steps, memory=str(tmp_path)).set_callbacks(listener).fit(*iris)
    assert Counting.fits == 1


def test_distilled_seeds_the_parts_that_have_no_seed_of_their_own():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), np.repeat([0, 1], 30)
    model = Distilled(KMeansCoreset(3), DecisionTreeClassifier(random_state=5), random_state=0)
    first, second = clone(model).fit(X, y), clone(model).fit(X, y)
    np.testing.assert_array_equal(first.distiller_.X_distilled_, second.distiller_.X_distilled_)
    assert first.estimator_.random_state == 5
    assert first.distiller_.random_state is not None
    assert model.distiller.random_state is None
    other = clone(model).set_params(random_state=1).fit(X, y)
    assert not np.array_equal(first.distiller_.X_distilled_, other.distiller_.X_distilled_)
