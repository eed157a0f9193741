from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline as sk_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from distillkit import Distilled, DistilledSet, SoftLabels, make_pipeline
from distillkit.base import BaseDistiller, Outcome
from distillkit.coresets import ClassMeans, KMeansCoreset, RandomSubset, WholeSet
from distillkit.exceptions import BudgetError, DataError, DistillkitWarning
from distillkit.knowledge import TeacherStudentDistiller
from distillkit.knowledge._cross_fitting import assign_folds
from distillkit.knowledge._temperature import apply_temperature
from distillkit.nn import NetworkClassifier
from distillkit.utils._preprocessing import Preprocessing

SUBSET = RandomSubset(budget=4, random_state=0)


def taught(distiller, teacher=None, **options):
    """Make one whose labels are the teacher's own words, unless told otherwise."""
    return SoftLabels(distiller, teacher, **{"temperature": 1.0, "alpha": 0.0, **options})


def test_by_default_labels_are_softened_and_a_tenth_is_the_sets_own(table):
    X, y = table
    model = SoftLabels(SUBSET, GaussianNB()).fit(X, y)
    soft = GaussianNB().fit(X, y).predict_proba(model.X_distilled_) ** 0.25
    hard = model.y_distilled_[:, None] == np.array(["ant", "bee", "cow"])
    np.testing.assert_allclose(model.soft_labels_, 0.1 * hard + 0.9 * soft / soft.sum(1, keepdims=True), atol=1e-3)


def test_a_teacher_of_all_rows_labels_the_distilled_ones(table):
    X, y = table
    model = taught(SUBSET, GaussianNB()).fit(X, y)
    plain = clone(SUBSET).fit(X, y)
    for name in ("X_distilled_", "y_distilled_", "sample_indices_", "sample_weight_"):
        np.testing.assert_array_equal(getattr(model, name), getattr(plain, name))
    teacher = GaussianNB().fit(X, y)
    np.testing.assert_allclose(model.soft_labels_, teacher.predict_proba(plain.X_distilled_), atol=1e-6)
    np.testing.assert_array_equal(model.distilled_.soft_labels, model.soft_labels_)
    assert model.distilled_.classes.tolist() == ["ant", "bee", "cow"]
    assert model.teacher_.class_count_.sum() == 150
    np.testing.assert_array_equal(model.transform(X), X)


@pytest.mark.parametrize("temperature", [2.0, 8.0])
def test_labels_are_softened_by_the_power(temperature, table):
    X, y = table
    model = taught(SUBSET, GaussianNB(), temperature=temperature).fit(X, y)
    expected = GaussianNB().fit(X, y).predict_proba(model.X_distilled_) ** (1 / temperature)
    np.testing.assert_allclose(model.soft_labels_, expected / expected.sum(1, keepdims=True), atol=1e-3)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_alpha_mixes_the_labels_of_the_set_in(alpha, table):
    X, y = table
    model = taught(SUBSET, GaussianNB(), alpha=alpha, temperature=2).fit(X, y)
    soft = taught(SUBSET, GaussianNB(), temperature=2).fit(X, y).soft_labels_
    hard = model.y_distilled_[:, None] == np.array(["ant", "bee", "cow"])
    np.testing.assert_allclose(model.soft_labels_, alpha * hard + (1 - alpha) * soft, atol=1e-6)


def test_alpha_mixes_numbers_as_well():
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = X @ [1.0, 2.0, 3.0] + np.sin(9 * X[:, 0])
    model = taught(RandomSubset(10, random_state=0), Ridge(), alpha=0.25).fit(X, y)
    expected = 0.25 * model.y_distilled_ + 0.75 * Ridge().fit(X, y).predict(model.X_distilled_)
    np.testing.assert_allclose(model.soft_labels_[:, 0], expected, rtol=1e-5)


def test_the_linear_teacher_is_that_of_scikit_learn(table):
    X, y = table
    model = taught(SUBSET, "linear").fit(X, y)
    teacher = sk_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(X, y)
    np.testing.assert_allclose(model.soft_labels_, teacher.predict_proba(model.X_distilled_), atol=1e-6)
    images = np.random.default_rng(0).normal(size=(40, 1, 4, 4)) + (np.arange(40) % 2)[:, None, None, None]
    assert taught(SUBSET, "linear").fit(images, np.arange(40) % 2).soft_labels_.shape == (8, 2)
    numbers = taught(RandomSubset(4, random_state=0), "linear").fit(X, X[:, 0])
    np.testing.assert_allclose(numbers.soft_labels_[:, 0], numbers.y_distilled_, atol=0.2)


def test_boosting_can_be_named(table):
    model = taught(SUBSET, "boosting", random_state=0).fit(*table)
    assert isinstance(model.teacher_, HistGradientBoostingClassifier)


def test_made_rows_are_labelled_where_they_are(table):
    X, y = table
    model = taught(ClassMeans(), GaussianNB(), teacher_cv=3).fit(X, y)  # nobody has seen made rows: no folds
    means = np.stack([X[y == label].mean(0) for label in model.distilled_.classes])
    np.testing.assert_allclose(model.soft_labels_, GaussianNB().fit(X, y).predict_proba(means), atol=1e-6)
    assert not hasattr(model, "sample_indices_")


def test_rows_in_another_space_are_labelled_in_their_own_units(table):
    X, y = table

    class Scaled(BaseDistiller):
        def __init__(self, picks=True):
            self.picks = picks

        def _distill(self, rows, run):
            scaling = Preprocessing.standardize(rows.X)
            if self.picks:
                return Outcome(indices=np.arange(6), preprocessing=scaling)
            return Outcome(X=rows.X[:6], y=rows.y[:6], preprocessing=scaling)

    for picks in (True, False):
        model = taught(Scaled(picks), GaussianNB()).fit(X, y)
        np.testing.assert_allclose(model.soft_labels_, GaussianNB().fit(X, y).predict_proba(X[:6]), atol=1e-6)
        np.testing.assert_allclose(model.X_distilled_, ((X - X.mean(0)) / X.std(0))[:6])
        np.testing.assert_allclose(model.transform(X[:6]), model.X_distilled_)


def test_picked_rows_out_of_fold(table):
    X, y = table
    y = np.random.default_rng(1).permutation(y)  # nothing to learn but by heart
    tree = DecisionTreeClassifier(random_state=0)
    subset = RandomSubset(budget=20, random_state=0)
    with pytest.warns(DistillkitWarning, match="DecisionTreeClassifier gives one class all the probability on 100%"):
        itself = taught(subset, tree, random_state=0).fit(X, y)
    assert (itself.distilled_.classes[itself.soft_labels_.argmax(1)] == itself.y_distilled_).all()
    with pytest.warns(DistillkitWarning):  # a tree has no doubts about other rows either
        apart = taught(subset, tree, teacher_cv=4, random_state=0).fit(X, y)
    folds = assign_folds(y, 150, 4, np.random.RandomState(0))
    for fold in range(4):
        model = clone(tree).fit(X[folds != fold], y[folds != fold])
        mine = folds[apart.sample_indices_] == fold
        np.testing.assert_allclose(apart.soft_labels_[mine], model.predict_proba(apart.X_distilled_[mine]), atol=1e-5)


def test_numbers_have_the_teachers_beside_them(numbers):
    X, y = numbers
    model = taught(RandomSubset(budget=10, random_state=0), Ridge()).fit(X, y)
    np.testing.assert_array_equal(model.y_distilled_, y[model.sample_indices_])
    np.testing.assert_allclose(model.soft_labels_, Ridge().fit(X, y).predict(model.X_distilled_)[:, None])
    centroids = taught(KMeansCoreset(budget=10, random_state=0), Ridge()).fit(X, y)
    expected = Ridge().fit(X, y).predict(centroids.X_distilled_)
    np.testing.assert_allclose(centroids.soft_labels_[:, 0], expected)


def test_the_budget_is_the_inner_one(table):
    X, y = table
    model = taught(RandomSubset(random_state=0), GaussianNB())
    for budget, rows in ((3, 9), (0.2, 30), ({"ant": 1, "bee": 2, "cow": 3}, 6)):
        assert len(model.set_params(distiller__budget=budget).fit(X, y).distilled_) == rows
    assert "budget" not in model.get_params(deep=False)
    with pytest.raises(BudgetError, match="budget=99"):
        model.set_params(distiller__budget=99).fit(X, y)


def test_images_keep_their_shape(images):
    X, y = images
    model = taught(SUBSET, LogisticRegression()).fit(X, y)  # a teacher that takes tables
    flat = X.reshape(40, -1)
    expected = LogisticRegression().fit(flat, y).predict_proba(flat[model.sample_indices_])
    np.testing.assert_allclose(model.soft_labels_, expected, atol=1e-5)
    assert model.X_distilled_.shape == (8, 1, 8, 8)
    assert model.X_distilled_.dtype == np.float32
    small = taught(SUBSET, NetworkClassifier(width=2, epochs=1, random_state=0)).fit((X * 100).astype(np.uint8), y)
    assert small.X_distilled_.dtype == np.uint8
    np.testing.assert_allclose(small.soft_labels_, small.teacher_.predict_proba(small.X_distilled_), atol=1e-5)


def test_fitted_teachers_are_used_as_they_are(table):
    X, y = table
    teacher = GaussianNB().fit(X[:60], y[:60])
    for given in (teacher, FrozenEstimator(teacher)):
        model = taught(SUBSET, given, teacher_cv=3).fit(X, y)
        assert model.teacher_ is given
        np.testing.assert_allclose(model.soft_labels_, teacher.predict_proba(model.X_distilled_), atol=1e-6)
    module = nn.Linear(4, 3).double()
    model = taught(SUBSET, module).fit(X, y)
    logits = model.X_distilled_ @ module.weight.detach().numpy().T + module.bias.detach().numpy()
    np.testing.assert_allclose(model.soft_labels_, softmax(logits, axis=1))
    student = TeacherStudentDistiller(GaussianNB(), LogisticRegression(), random_state=0).fit(X, y)
    model = taught(SUBSET, student).fit(X, y)
    np.testing.assert_allclose(model.soft_labels_, student.predict_proba(model.X_distilled_), atol=1e-6)


def test_the_default_teacher(table):
    model = taught(SUBSET, random_state=0).fit(*table)
    assert (model.teacher_.score(*table)) > 0.8
    assert type(model.teacher_).__name__ == "HistGradientBoostingClassifier"


def test_same_seed_same_labels(table):
    X, y = table
    models = [
        taught(RandomSubset(budget=4), RandomForestClassifier(5), teacher_cv=3, random_state=seed).fit(X, y)
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(models[0].sample_indices_, models[1].sample_indices_)
    np.testing.assert_array_equal(models[0].soft_labels_, models[1].soft_labels_)
    assert not np.array_equal(models[0].sample_indices_, models[2].sample_indices_)
    own = taught(SUBSET, GaussianNB(), random_state=9).fit(X, y)
    np.testing.assert_array_equal(own.sample_indices_, clone(SUBSET).fit(X, y).sample_indices_)


def test_the_record_of_the_inner_distiller(table):
    X, y = table
    inner = KMeansCoreset(budget=5, random_state=0)
    model, plain = taught(inner, GaussianNB()).fit(X, y), clone(inner).fit(X, y)
    untimed = [[{k: v for k, v in e.items() if k != "seconds"} for e in m.history_] for m in (model, plain)]
    assert untimed[0] == untimed[1]
    assert model.history_
    assert model.n_iter_ == plain.n_iter_
    assert model.distilled_.provenance["stopped_by"] == plain.distilled_.provenance["stopped_by"]
    assert not hasattr(model.set_params(distiller=SUBSET).fit(X, y), "n_iter_")


def test_samples_where_the_inner_distiller_can(table):
    class Sampler(RandomSubset):
        def sample(self, n, y=None):
            return self.X_distilled_[:n], y

    X, y = table
    assert not hasattr(taught(SUBSET), "sample")
    model = taught(Sampler(budget=4, random_state=0), GaussianNB()).fit(X, y)
    np.testing.assert_array_equal(model.sample(3)[0], model.X_distilled_[:3])


def test_whole_set_keeps_all_rows(table):
    X, y = table
    model = taught(WholeSet(), GaussianNB(), temperature=4).fit(X, y)
    np.testing.assert_allclose(
        model.soft_labels_, apply_temperature(GaussianNB().fit(X, y).predict_proba(X), 4), atol=1e-6
    )
    assert model._keeps_rows
    assert not taught(SUBSET)._keeps_rows


def test_in_compositions(table):
    X, y = table
    model = taught(SUBSET, GaussianNB())
    assert make_pipeline(clone(model), LogisticRegression()).fit(X, y).score(X, y) > 0.5
    search = GridSearchCV(Distilled(model, LogisticRegression()), {"distiller__distiller__budget": [1, 5]}, cv=2).fit(
        X, y
    )
    assert search.best_params_["distiller__distiller__budget"] in (1, 5)


def test_pickle_and_artefact(table, tmp_path):
    model = taught(SUBSET, GaussianNB()).fit(*table)
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.soft_labels_, model.soft_labels_)
    loaded = DistilledSet.load(model.distilled_.save(tmp_path / "set.safetensors"))
    np.testing.assert_array_equal(loaded.soft_labels, model.soft_labels_)
    assert loaded.classes.tolist() == ["ant", "bee", "cow"]


def test_soft_labels_train_better_than_hard_ones():
    """A few rows with noisy labels say less than what a teacher of all rows says of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    truth = (X[:, 0] > 0).astype(int)
    y = np.where(rng.random(600) < 0.3, 1 - truth, truth)
    gains = []
    for seed in range(5):
        model = taught(RandomSubset(budget=10, random_state=seed), LogisticRegression()).fit(X, y)
        hard, soft = (
            NetworkClassifier(network="mlp", hidden=(), epochs=200, lr=0.05, random_state=0) for _ in range(2)
        )
        hard.fit(model.X_distilled_, model.y_distilled_)
        soft.fit(model.X_distilled_, model.y_distilled_, soft_labels=model.soft_labels_)
        gains.append(soft.score(X, truth) - hard.score(X, truth))
    assert np.mean(gains) > 0.05


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (GaussianNB, "cannot teach"),
        (Ridge(), "is a regressor, but y holds class labels"),
        (nn.Linear(9, 3), r"does not take rows of shape \(4,\)"),
        (nn.Linear(4, 2), "of 3 classes: one column per class"),
        ("convnet", "takes images"),
    ],
)
def test_teachers_that_do_not_fit(teacher, message, table):
    with pytest.raises(DataError, match=message):
        taught(SUBSET, teacher).fit(*table)


def test_classes_that_differ(table, numbers):
    X, y = table
    two = y != "cow"
    with pytest.raises(DataError, match=r"y holds the classes \['cow'\], which the teacher does not know"):
        taught(SUBSET, GaussianNB().fit(X[two], y[two])).fit(X, y)
    with pytest.raises(DataError, match=r"the teacher knows the classes \['cow'\], which y does not hold"):
        taught(SUBSET, GaussianNB().fit(X, y)).fit(X[two], y[two])
    with pytest.raises(DataError, match="one class only, 'ant'"):
        taught(SUBSET, GaussianNB()).fit(X, np.full(150, "ant"))
    with pytest.raises(DataError, match="is a classifier, but y holds numbers"):
        taught(RandomSubset(), GaussianNB()).fit(*numbers)


def test_a_class_of_one_row(table):
    X, y = table[0], table[1].astype(object)
    y[0] = "dog"
    model = taught(RandomSubset(budget=1, random_state=0), GaussianNB(), teacher_cv=3).fit(X, y)
    assert model.soft_labels_.shape == (4, 4)


def test_y_is_needed(table):
    with pytest.raises(ValueError, match="requires y to be passed"):
        taught(SUBSET, GaussianNB().fit(*table)).fit(table[0])


def test_parameters_are_checked_those_of_the_parts_too(table):
    with pytest.raises(ValueError, match="'temperature' parameter"):
        taught(SUBSET, temperature=0).fit(*table)
    with pytest.raises(ValueError, match="'distiller' parameter"):
        taught(LinearRegression()).fit(*table)
    with pytest.raises(ValueError, match="'task' parameter of RandomSubset"):
        taught(RandomSubset(task="ranking")).fit(*table)
    with pytest.raises(ValueError, match="'n_neighbors' parameter of KNeighborsClassifier"):
        taught(SUBSET, KNeighborsClassifier(0)).fit(*table)


def test_weights_reach_the_distiller_and_the_teacher(table):
    X, y = table
    weight = np.random.RandomState(0).randint(0, 4, size=len(X))
    model = taught(KMeansCoreset(budget=1, random_state=0), GaussianNB()).fit(X, y, weight)
    alone = KMeansCoreset(budget=1, random_state=0).fit(X, y, weight)
    np.testing.assert_array_equal(model.X_distilled_, alone.X_distilled_)
    np.testing.assert_array_equal(model.sample_weight_, alone.sample_weight_)
    teacher = GaussianNB().fit(X, y, weight)
    np.testing.assert_allclose(model.soft_labels_, teacher.predict_proba(alone.X_distilled_), atol=1e-6)


def test_weights_for_an_inner_distiller_that_takes_none_are_refused(table):
    class Unweighted(BaseDistiller):
        def _distill(self, rows, run):
            return Outcome(indices=np.array([group.rows[0] for group in rows.groups]))

    with pytest.raises(DataError, match="distiller=Unweighted cannot use the weights"):
        SoftLabels(Unweighted(), GaussianNB()).fit(*table, sample_weight=np.ones(len(table[1])))
