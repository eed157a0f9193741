from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from torch import nn

from distillkit import TeacherStudentDistiller
from distillkit import make_pipeline as make_distilling_pipeline
from distillkit.coresets import RandomSubset
from distillkit.exceptions import DataError, DistillkitWarning
from distillkit.knowledge._temperature import apply_temperature
from distillkit.nn import NetworkClassifier, NetworkRegressor

QUICK = {"epochs": 5, "batch_size": 64, "lr": 0.02, "random_state": 0}
NETWORK = {"hidden": (6,), "epochs": 4, "batch_size": 64, "random_state": 0}


def weights(model):
    return [weight.detach().numpy() for weight in model.network_.parameters()]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


def test_hard_labels_alone_are_plain_training_bit_for_bit(table, numbers):
    for data, cls, teacher in (
        (table, NetworkClassifier, GaussianNB()),
        (numbers, NetworkRegressor, LinearRegression()),
    ):
        student = cls(**NETWORK)
        model = TeacherStudentDistiller(teacher, student, alpha=1, validation_fraction=None).fit(*data)
        assert same(model.student_, clone(student).fit(*data))
        assert model.student_alone_ is model.student_
        held_out = TeacherStudentDistiller(teacher, student, alpha=1, random_state=3).fit(*data)
        control = TeacherStudentDistiller(teacher, student, alpha=0.5, random_state=3).fit(*data)
        assert same(held_out.student_, control.student_alone_)
        assert not same(control.student_, control.student_alone_)


def test_the_teachers_words_reach_the_student(table):
    """The student on logits of a teacher given, against the same in three lines."""
    X, y = table
    teacher = GaussianNB().fit(X, y)
    model = TeacherStudentDistiller(teacher, LinearRegression(), alpha=0, validation_fraction=None).fit(X, y)
    logits = np.log(np.clip(teacher.predict_proba(X), 1e-7, 1))
    logits -= logits.mean(1, keepdims=True)
    expected = LinearRegression().fit(X, logits).predict(X)
    np.testing.assert_allclose(model.predict_proba(X), softmax(expected, axis=1), atol=1e-5)
    assert (model.student_way_, model.teacher_) == ("logits", teacher)


def test_no_labels_are_needed_where_none_count(table, numbers):
    X, y = table
    teacher = GaussianNB().fit(X, y)
    with_y, without = (
        TeacherStudentDistiller(teacher, alpha=0, **QUICK, validation_fraction=None).fit(X, t) for t in (y, None)
    )
    assert same(with_y.student_, without.student_)
    assert without.classes_.tolist() == ["ant", "bee", "cow"]
    assert (without.student_score_, without.teacher_score_, without.student_alone_) == (None, None, None)
    assert 0 < without.agreement_ <= 1
    line = TeacherStudentDistiller(LinearRegression().fit(*numbers), alpha=0, **QUICK).fit(numbers[0])
    assert line.task_ == "regression"
    assert line.predict(numbers[0]).shape == (120,)
    module = TeacherStudentDistiller(nn.Linear(4, 3), alpha=0, **QUICK).fit(X)
    assert module.classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("alpha", "fitted"), [(0.1, True), (0, False)])
def test_labels_that_are_needed(alpha, fitted, table):
    teacher = GaussianNB().fit(*table) if fitted else GaussianNB()
    with pytest.raises(
        DataError, match=r"requires y to be passed, but the target y is None: only alpha=0 with a fitted"
    ):
        TeacherStudentDistiller(teacher, alpha=alpha).fit(table[0])


def test_it_learns_from_a_better_teacher():
    """200 noisy labels, and a teacher that knows the rule: the student follows the teacher."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(700, 5))
    truth = (X[:, 0] + X[:, 1] > 0).astype(int)
    teacher = LogisticRegression().fit(X, truth)
    noisy = np.where(rng.random(200) < 0.35, 1 - truth[:200], truth[:200])
    model = TeacherStudentDistiller(
        FrozenEstimator(teacher), LogisticRegression(C=100), temperature=1, alpha=0.1, random_state=0
    )
    model.fit(X[:200], noisy)
    test = X[200:], truth[200:]
    assert model.score(*test) > 0.95 > model.student_alone_.score(*test)


def test_the_history_has_both_terms(table, numbers):
    model = TeacherStudentDistiller(GaussianNB(), **QUICK).fit(*table)
    assert [entry["epoch"] for entry in model.history_] == [1, 2, 3, 4, 5]
    for entry in model.history_:
        assert entry["loss"] == pytest.approx(0.1 * entry["hard"] + 0.9 * entry["soft"], rel=1e-5)
        assert entry["seconds"] > 0
    assert model.history_[-1]["loss"] < model.history_[0]["loss"]
    assert model.stopped_by_ == "max_iter"
    line = TeacherStudentDistiller(LinearRegression(), **QUICK).fit(*numbers)
    assert set(line.history_[0]) == {"epoch", "loss", "hard", "soft", "seconds"}
    tree = TeacherStudentDistiller(GaussianNB(), DecisionTreeClassifier()).fit(*table)
    assert (tree.history_, tree.stopped_by_) == ([], None)


def test_figures_are_those_of_the_rows_held_out(table):
    X, y = table
    model = TeacherStudentDistiller(GaussianNB(), LogisticRegression(), random_state=0).fit(X, y)
    assert model.measured_on_ == "validation"
    everything = TeacherStudentDistiller(GaussianNB(), LogisticRegression(), validation_fraction=None).fit(X, y)
    assert everything.measured_on_ == "training"
    assert everything.student_score_ == everything.score(X, y)
    assert everything.teacher_score_ == everything.teacher_.score(X, y)
    assert everything.student_alone_score_ == LogisticRegression().fit(X, y).score(X, y)
    assert everything.agreement_ == np.mean(everything.predict(X) == everything.teacher_.predict(X))
    few = TeacherStudentDistiller(GaussianNB(), LogisticRegression()).fit(X[:30], y[:30])
    assert few.measured_on_ == "training"  # three rows would say nothing


def test_rows_held_out_are_seen_by_nobody(table):
    X, y = table
    seen = {"teacher": set(), "student": set()}

    class Spy(LogisticRegression):
        def __init__(self, role="teacher"):
            super().__init__()
            self.role = role

        def fit(self, X, y, sample_weight=None):
            seen[self.role] |= {tuple(row) for row in X}
            return super().fit(X, y, sample_weight)

    model = TeacherStudentDistiller(Spy("teacher"), Spy("student"), refit=False, random_state=0).fit(X, y)
    assert len(seen["teacher"]) == len(seen["student"]) == 135
    held = np.array([tuple(row) not in seen["teacher"] for row in X])
    assert {tuple(row) for row in X[held]}.isdisjoint(seen["student"])
    assert model.student_score_ == np.mean(model.predict(X[held]) == y[held])


def test_figures_of_numbers(numbers):
    X, y = numbers
    model = TeacherStudentDistiller(DecisionTreeRegressor(max_depth=4), Ridge(), validation_fraction=None).fit(X, y)
    assert model.agreement_ == pytest.approx(r2_score(model.teacher_.predict(X), model.predict(X)))
    assert model.student_score_ == pytest.approx(r2_score(y, model.predict(X)))
    assert model.score(X, y) == model.student_score_
    assert not hasattr(model, "classes_")


def test_sizes_and_times(table):
    model = TeacherStudentDistiller(
        RandomForestClassifier(20, random_state=0), LogisticRegression(), random_state=0
    ).fit(*table)
    assert model.n_parameters_teacher_ == sum(tree.tree_.node_count for tree in model.teacher_.estimators_)
    assert model.n_parameters_student_ == 15
    assert model.compression_ratio_ == model.n_parameters_teacher_ / 15
    assert model.n_bytes_student_ == model.student_.coef_.nbytes + model.student_.intercept_.nbytes
    assert model.byte_compression_ratio_ == model.n_bytes_teacher_ / model.n_bytes_student_
    assert model.latency_ratio_ > 0
    assert model.latency_ratio_single_ > 0
    assert list(model.costs_) == ["teacher", "student", "student_alone"]
    assert model.costs_["student"]["bytes"] == model.costs_["student_alone"]["bytes"] == model.n_bytes_student_
    assert all(costs["latency"] > 0 < costs["latency_single"] for costs in model.costs_.values())
    unknown = TeacherStudentDistiller(Oracle(), LogisticRegression(), alpha=0).fit(*table)
    assert (unknown.n_parameters_teacher_, unknown.compression_ratio_) == (None, None)
    assert (unknown.n_bytes_teacher_, unknown.byte_compression_ratio_) == (None, None)


def test_256_rows_and_a_single_one_are_timed_however_many_there_are(table):
    """Few validation rows are repeated, so that all latencies are those of the same numbers of rows."""
    sizes = set()

    class Counted(LogisticRegression):
        def predict(self, X):
            sizes.add(len(X))
            return super().predict(X)

    TeacherStudentDistiller(GaussianNB(), Counted(), refit=False, random_state=0).fit(*table)
    assert sizes == {15, 256, 1}


class Oracle:
    """A model of no known kind that has probabilities."""

    classes_ = np.array(["ant", "bee", "cow"])

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return softmax(np.asarray(X)[:, :3], axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(1)]


def test_a_model_of_no_known_kind_can_teach(table):
    X, y = table
    model = TeacherStudentDistiller(Oracle(), LinearRegression(), alpha=0, teacher_fit="if_unfitted").fit(X, y)
    np.testing.assert_array_equal(model.predict(X), Oracle().predict(X))


def test_out_of_fold_labels_only_for_teachers_trained_here(table):
    X, y = table
    y = np.random.default_rng(1).permutation(y)  # nothing to learn but by heart
    settings = {"alpha": 0, "temperature": 1, "validation_fraction": None, "augment": None, "random_state": 0}
    neighbours, student = KNeighborsClassifier(1), DecisionTreeClassifier(random_state=0)
    apart = TeacherStudentDistiller(neighbours, student, teacher_cv=5, **settings).fit(X, y)
    with pytest.warns(DistillkitWarning, match="Give the teacher unfitted and teacher_cv=5"):
        itself = TeacherStudentDistiller(neighbours, student, teacher_cv=None, **settings).fit(X, y)
    assert itself.score(X, y) == 1.0
    assert apart.score(X, y) < 0.6
    fitted = clone(neighbours).fit(X, y)
    with pytest.warns(
        DistillkitWarning, match=r"KNeighborsClassifier gives one class all the probability on 100% of the rows"
    ):
        given = TeacherStudentDistiller(fitted, student, teacher_cv=5, **settings).fit(X, y)
    assert given.teacher_ is fitted
    assert given.score(X, y) == 1.0


def test_a_teacher_with_doubts_gives_no_warning(table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TeacherStudentDistiller(GaussianNB().fit(*table), LogisticRegression(), random_state=0).fit(*table)


def test_when_the_teacher_is_trained(table):
    X, y = table
    fitted = GaussianNB().fit(X[:50], y[:50])
    for rule, trained in (("if_unfitted", False), ("never", False), ("always", True)):
        model = TeacherStudentDistiller(fitted, LogisticRegression(), teacher_fit=rule, random_state=0).fit(X, y)
        assert (model.teacher_ is not fitted) == trained
        assert model.teacher_.class_count_.sum() == (150 if trained else 50)  # trained once more on all rows
    assert fitted.class_count_.sum() == 50
    with pytest.raises(DataError, match=r"is not fitted, and teacher_fit='never'.*FrozenEstimator"):
        TeacherStudentDistiller(GaussianNB(), teacher_fit="never").fit(X, y)
    with pytest.raises(DataError, match="teacher=None is not fitted"):
        TeacherStudentDistiller(teacher_fit="never").fit(X, y)


def test_a_module_teaches_in_evaluation_mode(table):
    X, y = table
    module = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.9)).double()
    model = TeacherStudentDistiller(module, LinearRegression(), alpha=0, validation_fraction=None).fit(X, y)
    weight, bias = (part.detach().numpy() for part in module[0].parameters())
    np.testing.assert_allclose(model.predict_proba(X), softmax(X @ weight.T + bias, axis=1), atol=1e-6)
    assert module.training
    assert model.teacher_ is module
    assert model.n_parameters_teacher_ == 15
    trained = TeacherStudentDistiller(
        nn.Linear(4, 3), LogisticRegression(), teacher_fit="always", teacher_cv=None, random_state=0
    )
    assert isinstance(trained.fit(X, y).teacher_, NetworkClassifier)


def test_teachers_by_name_and_by_default(table, images):
    model = TeacherStudentDistiller(student=LogisticRegression(), teacher_cv=2, random_state=0).fit(*table)
    assert isinstance(model.teacher_, HistGradientBoostingClassifier)
    few = TeacherStudentDistiller(student=Ridge(), task="regression", teacher_cv=None).fit(
        table[0][:20], np.arange(20.0)
    )
    assert few.teacher_score_ > 0.5  # the leaves of the default follow the rows
    X, y = images
    shallow = {"teacher_cv": None, "random_state": 0}
    named = TeacherStudentDistiller("mlp", LogisticRegression(), **shallow).fit(X, y)
    assert type(named.teacher_.network_).__name__ == "Mlp"
    assert named.predict(X).shape == (40,)
    assert named.score(X, y) == 1.0


def test_images_keep_their_shape_for_networks_alone(images):
    X, y = images
    model = TeacherStudentDistiller(LogisticRegression(), "convnet", **QUICK | {"epochs": 3}).fit(X, y)
    assert type(model.student_.network_).__name__ == "ConvNet"
    assert model.teacher_.n_features_in_ == 64
    assert model.transform(X).shape == (40, 2)
    with pytest.raises(DataError, match=r"rows have shape \(1, 8, 9\), but the student was trained on \(1, 8, 8\)"):
        model.predict(np.zeros((2, 1, 8, 9)))


def test_transform_is_the_softened_student(table, numbers):
    X, y = table
    for student in (None, LogisticRegression(), LinearRegression()):
        model = TeacherStudentDistiller(GaussianNB(), student, temperature=3, **QUICK).fit(X, y)
        np.testing.assert_allclose(model.transform(X), apply_temperature(model.predict_proba(X), 3), atol=1e-6)
        assert model.get_feature_names_out().tolist() == [f"teacherstudentdistiller{i}" for i in range(3)]
    margins = TeacherStudentDistiller(GaussianNB(), LinearSVC(), temperature=3, random_state=0).fit(X, y)
    assert not hasattr(margins, "predict_proba")
    np.testing.assert_allclose(margins.transform(X), softmax(margins.student_.decision_function(X), axis=1))
    line = TeacherStudentDistiller(LinearRegression(), Ridge()).fit(*numbers)
    np.testing.assert_array_equal(line.transform(numbers[0]), line.predict(numbers[0])[:, None])
    assert len(line.get_feature_names_out()) == 1
    assert not hasattr(line, "predict_proba")


def test_students_taught_by_weights_soften_once(table):
    """A deep tree learns the soft labels by heart, so it must give back the teacher's probabilities."""
    X, y = table
    teacher = GaussianNB().fit(X, y)
    student = DecisionTreeClassifier(random_state=0)
    settings = {"temperature": 4, "alpha": 0, "augment": None, "validation_fraction": None}
    model = TeacherStudentDistiller(teacher, student, **settings).fit(X, y)
    assert model.student_way_ == "weights"
    p = teacher.predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), p, atol=1e-6)
    np.testing.assert_allclose(model.transform(X), p**0.25 / (p**0.25).sum(1, keepdims=True), atol=1e-6)
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("student", [Ridge(), GradientBoostingRegressor(n_estimators=3)])
def test_a_control_of_logits_predicts_labels(student, table):
    X, y = table
    model = TeacherStudentDistiller(GaussianNB(), student, random_state=0).fit(X, y)
    for part in (model.student_, model.student_alone_):
        assert part.predict(X).shape == (150,)
        assert part.score(X, y) > 0.6
        np.testing.assert_allclose(part.predict_proba(X).sum(1), 1)
    np.testing.assert_array_equal(model.student_.predict(X), model.predict(X))


def test_set_output_names_the_columns(table):
    pandas = pytest.importorskip("pandas")
    X, y = table
    model = TeacherStudentDistiller(GaussianNB(), LogisticRegression()).set_output(transform="pandas")
    assert isinstance(model.fit(X, y).transform(X), pandas.DataFrame)


@pytest.mark.parametrize("student", [None, RandomForestClassifier(3)])
def test_same_seed_same_answers(student, table):
    X, y = table
    state = torch.get_rng_state()
    teacher = DecisionTreeClassifier(max_features=1, max_depth=3)
    first, again, other = (
        TeacherStudentDistiller(teacher, student, **QUICK | {"random_state": seed}).fit(X, y).predict_proba(X)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)
    assert teacher.random_state is None


def test_the_students_seed_does_not_hang_on_the_teacher(table):
    models = [
        TeacherStudentDistiller(GaussianNB(), teacher_cv=cv, alpha=alpha, **QUICK).fit(*table)
        for cv, alpha in ((None, 0.5), (5, 0.5), (5, 0.1))
    ]
    assert same(models[0].student_alone_, models[1].student_alone_)
    assert same(models[0].student_alone_, models[2].student_alone_)


def test_a_grid_over_temperature_and_alpha(table, numbers):
    X, y = table
    teacher = FrozenEstimator(GaussianNB().fit(X, y))
    grid = {"temperature": [1.0, 4.0], "alpha": [0.0, 0.5, 1.0]}
    search = GridSearchCV(TeacherStudentDistiller(teacher, LogisticRegression(), control=False), grid, cv=2).fit(X, y)
    assert search.best_score_ > 0.6
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.teacher_.estimator is teacher.estimator  # frozen, so what it learned is still there
    nested = GridSearchCV(TeacherStudentDistiller(GaussianNB(), LogisticRegression()), {"student__C": [0.1, 1]}, cv=2)
    assert nested.fit(X, y).score(X, y) > 0.6
    line = GridSearchCV(
        TeacherStudentDistiller(LinearRegression(), Ridge(), random_state=0), {"temperature": [1, 4]}, cv=2
    ).fit(*numbers)
    assert np.ptp(line.cv_results_["mean_test_score"]) == 0  # numbers have no temperature


def test_in_pipelines(table):
    X, y = table
    model = TeacherStudentDistiller(GaussianNB(), LogisticRegression(), random_state=0)
    assert make_pipeline(StandardScaler(), model).fit(X, y).score(X, y) > 0.6
    relabelled = make_pipeline(clone(model), LogisticRegression()).fit(
        X, y
    )  # as a transformer: soft labels as features
    assert relabelled.score(X, y) > 0.6
    distilled = make_distilling_pipeline(RandomSubset(budget=10, random_state=0), clone(model)).fit(X, y)
    assert distilled.score(X, y) > 0.5


def test_weights_reach_teacher_and_student(table):
    X, y = table
    weight = np.linspace(0, 3, 150)
    model = TeacherStudentDistiller(GaussianNB(), LogisticRegression(), alpha=1, validation_fraction=None)
    model.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.student_.coef_, LogisticRegression().fit(X, y, weight).coef_, atol=1e-3)
    np.testing.assert_allclose(model.teacher_.theta_, GaussianNB().fit(X, y, weight).theta_)
    only_two = TeacherStudentDistiller(GaussianNB(), LogisticRegression()).fit(X, y, sample_weight=(y != "cow") * 1.0)
    assert only_two.classes_.tolist() == ["ant", "bee"]


@pytest.mark.parametrize("student", [None, LogisticRegression(), Ridge()])
def test_pickle_and_clone(student, table):
    X, y = table
    model = TeacherStudentDistiller(nn.Linear(4, 3), student, **QUICK).fit(X, y)
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(back.transform(X), model.transform(X))
    copied = clone(model)
    assert torch.equal(copied.teacher.weight, model.teacher.weight)
    assert not hasattr(copied, "student_")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_everything_from_a_gpu_is_pickled_on_the_cpu(table):
    X, y = table
    model = TeacherStudentDistiller(nn.Linear(4, 3).cuda(), device="cuda", **QUICK).fit(X, y)
    back = pickle.loads(pickle.dumps(model))
    for part in (back.teacher, back.teacher_, back.student_.network_, back.student_alone_.network_):
        assert not next(part.parameters()).is_cuda
    np.testing.assert_allclose(back.predict_proba(X), model.predict_proba(X), atol=1e-3)


def test_containers(table):
    pandas = pytest.importorskip("pandas")
    X, y = table
    frame = pandas.DataFrame(X, columns=list("abcd"))
    teacher = GaussianNB().fit(frame, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the teacher gets the names that it was fitted with
        model = TeacherStudentDistiller(teacher, **QUICK).fit(frame, pandas.Series(y))
    expected = TeacherStudentDistiller(GaussianNB().fit(X, y), **QUICK).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(model.predict_proba(frame), expected)
    tensors = TeacherStudentDistiller(GaussianNB().fit(X, np.arange(150) % 3), **QUICK).fit(
        torch.tensor(X), torch.arange(150) % 3
    )
    np.testing.assert_array_equal(tensors.predict_proba(torch.tensor(X)), expected)


def test_what_it_is(table, numbers):
    assert is_classifier(TeacherStudentDistiller())
    assert is_regressor(TeacherStudentDistiller(LinearRegression()))
    assert is_classifier(TeacherStudentDistiller(student=LogisticRegression()))
    assert is_regressor(TeacherStudentDistiller(student=Ridge()))
    assert is_classifier(TeacherStudentDistiller(student=Ridge(), task="classification"))
    rounded = np.round(numbers[1]).astype(int)
    assert is_regressor(TeacherStudentDistiller(LinearRegression(), Ridge()).fit(numbers[0], rounded))
    inferred = TeacherStudentDistiller(student=Ridge(), random_state=0, teacher_cv=None).fit(*table)
    assert is_classifier(inferred)
    assert inferred.student_way_ == "logits"
    changed = inferred.fit(*numbers)
    assert is_regressor(changed)
    assert not hasattr(changed, "classes_")


def test_the_clock_ends_the_student_and_the_control(table):
    settings = QUICK | {"epochs": 10**6}
    model = TeacherStudentDistiller(GaussianNB(), max_seconds=0.05, **settings).fit(*table)
    assert model.stopped_by_ == "max_seconds"
    assert model.student_alone_.stopped_by_ == "max_seconds"
    given = NetworkClassifier(hidden=(4,), epochs=10**6)
    assert TeacherStudentDistiller(GaussianNB(), given, max_seconds=0.05).fit(*table).stopped_by_ == "max_seconds"


class Breaks(nn.Module):
    """A linear model whose outputs are infinite after 20 batches of training."""

    def __init__(self, shape, n_outputs):
        super().__init__()
        self.head = nn.Linear(*shape, n_outputs)
        self.batches = 0

    def forward(self, x):
        self.batches += self.training
        return self.head(x) * (np.inf if self.training and self.batches > 20 else 1)


def test_a_loss_that_is_not_finite_leaves_the_best_epoch(table):
    X, y = table
    student = NetworkClassifier(network=Breaks, epochs=50, schedule="constant", random_state=0)
    with pytest.warns(DistillkitWarning, match=r"in step \d+ \(epoch \d+\): the network is left as it was after epoch"):
        model = TeacherStudentDistiller(GaussianNB(), student, alpha=0.5, control=False).fit(X, y)
    assert model.stopped_by_ == "not_finite"
    assert np.isfinite(model.predict_proba(X)).all()


def test_a_class_of_one_row(table):
    X, y = table[0], table[1].astype(object)
    y[0] = "dog"
    for student in (None, LogisticRegression()):
        model = TeacherStudentDistiller(DecisionTreeClassifier(max_depth=4), student, **QUICK).fit(X, y)
        assert model.classes_.tolist() == ["ant", "bee", "cow", "dog"]
        np.testing.assert_allclose(model.predict_proba(X).sum(1), 1)


def test_one_class_alone(table):
    with pytest.raises(DataError, match="y holds one class only, 'ant'"):
        TeacherStudentDistiller(GaussianNB()).fit(table[0], np.full(150, "ant"))


def test_a_teacher_may_know_more_classes_but_not_fewer(table):
    X, y = table
    model = TeacherStudentDistiller(GaussianNB().fit(X, y), **QUICK).fit(X[y != "cow"], y[y != "cow"])
    assert model.predict_proba(X).shape == (150, 3)
    knows_two = GaussianNB().fit(X[y != "cow"], y[y != "cow"])
    with pytest.raises(DataError, match=r"y holds the classes \['cow'\], which the teacher does not know"):
        TeacherStudentDistiller(knows_two).fit(X, y)
    with pytest.raises(DataError, match=r"values of shape \(135, 2\) for 135 rows of 3 classes"):
        TeacherStudentDistiller(nn.Linear(4, 2)).fit(X, y)


@pytest.mark.parametrize(
    ("teacher", "student", "message"),
    [
        (NearestCentroid, None, "cannot teach"),
        (3, None, "teacher=3 cannot teach"),
        (Ridge(), None, "is a regressor, but y holds class labels"),
        ("convnet", None, "takes images"),
        ("perceptron", None, "'perceptron' is not known"),
        (nn.Linear(9, 3), None, r"does not take rows of shape \(4,\)"),
        (GaussianNB(), "lenet", "takes images"),
        (GaussianNB(), nn.Linear(9, 3), r"Linear does not take rows of shape \(4,\)"),
        (GaussianNB(), lambda _, n: nn.Linear(4, n + 1), r"returns \(4,\) for a row, but 3 outputs"),
        (GaussianNB(), 3, "student=3 cannot be taught"),
    ],
)
def test_what_does_not_fit(teacher, student, message, table):
    with pytest.raises(DataError, match=message):
        TeacherStudentDistiller(teacher, student, task="classification").fit(*table)


def test_teachers_without_probabilities(table):
    X, y = table

    class Silent(GaussianNB):
        @property
        def predict_proba(self):
            raise AttributeError

    with pytest.raises(DataError, match="Silent has neither predict_proba nor decision_function"):
        TeacherStudentDistiller(Silent()).fit(X, y)
    assert TeacherStudentDistiller(Silent(), alpha=1, **QUICK).fit(X, y).agreement_ > 0  # nobody asks it for them
    margins = TeacherStudentDistiller(
        SVC(), LinearRegression(), alpha=0, temperature=1, validation_fraction=None, teacher_cv=None
    )
    margins.fit(X, y)
    logits = log_softmax(margins.teacher_.decision_function(X), axis=1)
    logits -= logits.mean(1, keepdims=True)
    np.testing.assert_allclose(
        margins.predict_proba(X), softmax(LinearRegression().fit(X, logits).predict(X), axis=1), atol=1e-4
    )


def test_classes_and_numbers_do_not_mix(table, numbers):
    with pytest.raises(DataError, match="is a classifier, but y holds numbers"):
        TeacherStudentDistiller(GaussianNB(), task="regression").fit(*numbers)
    with pytest.raises(DataError, match="is a classifier, but y holds numbers"):
        TeacherStudentDistiller(LinearRegression(), LogisticRegression()).fit(*numbers)
    with pytest.raises(DataError, match="needs numbers in y, but y holds text"):
        TeacherStudentDistiller(LinearRegression()).fit(*table)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        TeacherStudentDistiller(GaussianNB()).fit(*numbers)


@pytest.mark.parametrize(
    ("name", "value"), [("temperature", 0), ("alpha", 1.5), ("teacher_cv", 1), ("teacher_fit", "?")]
)
def test_parameters_are_checked_in_fit(name, value, table):
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        TeacherStudentDistiller(**{name: value}).fit(*table)


def test_parameters_of_teacher_and_student_are_checked_too(table):
    with pytest.raises(ValueError, match="'var_smoothing' parameter of GaussianNB"):
        TeacherStudentDistiller(GaussianNB(var_smoothing=-1)).fit(*table)


def test_nothing_is_done_before_fit(table):
    with pytest.raises(ValueError, match="not fitted yet"):
        TeacherStudentDistiller().predict(table[0])
