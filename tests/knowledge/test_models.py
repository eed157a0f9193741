from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from torch import nn

from distillkit.exceptions import DataError
from distillkit.knowledge._models import (
    class_logits,
    is_fitted,
    model_input,
    predicted_numbers,
)
from distillkit.knowledge._sizes import count_bytes, count_parameters
from distillkit.nn import NetworkClassifier
from distillkit.utils._seeds import seed_model
from distillkit.utils._weights import sample_weight_name


def normalised(z):
    return log_softmax(z, axis=1)


def test_logits_of_probabilities_decisions_networks_and_modules(table):
    X, y = table
    classes = np.unique(y)
    forest = ExtraTreesClassifier(5, max_depth=2, random_state=0).fit(X, y)
    np.testing.assert_allclose(np.exp(class_logits(forest, X, classes, classes)), forest.predict_proba(X), atol=1e-6)
    machine = SVC().fit(X, y)
    np.testing.assert_allclose(class_logits(machine, X, classes, classes), normalised(machine.decision_function(X)))
    network = NetworkClassifier(epochs=1, hidden=(4,), random_state=0).fit(X, y)
    for model in (network, FrozenEstimator(network)):
        np.testing.assert_allclose(class_logits(model, X, classes, classes), normalised(network.decision_function(X)))
    module = nn.Linear(4, 3).double()
    expected = normalised(X @ module.weight.detach().numpy().T + module.bias.detach().numpy())
    np.testing.assert_allclose(class_logits(module, X, classes, classes), expected)


def test_two_classes_by_one_value(table):
    X, y = table[0], table[1] == "ant"
    machine = RidgeClassifier().fit(X, y)
    logits = class_logits(machine, X, machine.classes_, machine.classes_)
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], machine.decision_function(X))
    module = nn.Linear(4, 1)
    logits = class_logits(module, X, [False, True], np.array([False, True]))
    odds = module(torch.tensor(X, dtype=torch.float32)).detach()
    np.testing.assert_allclose(np.exp(logits[:, 1:]), torch.sigmoid(odds), rtol=1e-5)


def test_columns_follow_the_labels(table):
    X, y = table
    model = LogisticRegression().fit(X, y)
    expected = model.predict_log_proba(X)
    turned = class_logits(model, X, model.classes_[::-1], model.classes_)
    np.testing.assert_allclose(turned[:, ::-1], expected, atol=1e-6)


def test_modules_answer_in_evaluation_mode_and_keep_their_own(table):
    module = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.9), nn.BatchNorm1d(3))
    first, second = (class_logits(module, table[0], range(3), np.arange(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert module.training
    assert module[2].num_batches_tracked == 0


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Linear(4, 2), r"values of shape \(150, 2\) for 150 rows of 3 classes"),
        (nn.Linear(9, 3), r"Linear does not take rows of shape \(4,\)"),
        (nn.LSTM(4, 3), "does not take rows"),
        (Ridge(), "neither predict_proba nor decision_function"),
    ],
)
def test_models_without_logits(model, message, table):
    with pytest.raises(DataError, match=message):
        class_logits(model, table[0], range(3), np.arange(3))


def test_answers_that_are_not_finite(table, numbers):
    module = nn.Linear(4, 3)
    nn.init.constant_(module.bias, torch.nan)
    with pytest.raises(DataError, match="Linear gives NaN or infinity"):
        class_logits(module, table[0], range(3), np.arange(3))
    line = nn.Linear(3, 1)
    nn.init.constant_(line.bias, torch.inf)
    with pytest.raises(DataError, match="Linear gives NaN or infinity"):
        predicted_numbers(line, numbers[0])


def test_numbers(numbers):
    X, y = numbers
    model = Ridge().fit(X, y)
    np.testing.assert_array_equal(predicted_numbers(model, X), model.predict(X))
    np.testing.assert_array_equal(predicted_numbers(Ridge().fit(X, y[:, None]), X), model.predict(X))
    line = nn.Linear(3, 1).double()
    np.testing.assert_allclose(predicted_numbers(line, X), (X @ line.weight.detach().numpy()[0]) + line.bias.item())
    with pytest.raises(DataError, match=r"values of shape \(120, 2\) for 120 rows: one number"):
        predicted_numbers(nn.Linear(3, 2), X)


def test_rows_take_the_shape_of_the_model(images):
    X, _ = images
    assert model_input(LogisticRegression(), X).shape == (40, 64)
    assert model_input(NetworkClassifier(), X).shape == model_input(nn.Flatten(), X).shape == X.shape
    assert model_input(FrozenEstimator(NetworkClassifier()), X).shape == X.shape


def test_rows_get_their_names_back_where_the_model_knows_them(table):
    pandas = pytest.importorskip("pandas")
    X, y = table
    frame = pandas.DataFrame(X, columns=list("abcd"))
    named = GaussianNB().fit(frame, y)
    assert model_input(named, X, named.feature_names_in_).columns.tolist() == list("abcd")
    assert isinstance(model_input(GaussianNB().fit(X, y), X, list("abcd")), np.ndarray)


def test_fitted_or_not(table):
    assert not is_fitted(LogisticRegression())
    assert is_fitted(LogisticRegression().fit(*table))
    assert is_fitted(nn.Linear(1, 1))
    assert is_fitted(FrozenEstimator(LogisticRegression().fit(*table)))
    assert not is_fitted(FrozenEstimator(LogisticRegression()))

    class Answers:
        def predict(self, X):
            return X

    assert is_fitted(Answers())

    class Learns(Answers):
        def fit(self, X, y):
            self.seen_ = X

    learns = Learns()
    assert not is_fitted(learns)
    learns.fit(1, 2)
    assert is_fitted(learns)


def test_names_of_weights():
    assert sample_weight_name(LogisticRegression()) == "sample_weight"
    assert sample_weight_name(KNeighborsClassifier()) is None
    assert (
        sample_weight_name(make_pipeline(StandardScaler(), LogisticRegression())) == "logisticregression__sample_weight"
    )
    assert sample_weight_name(make_pipeline(StandardScaler(), KNeighborsClassifier())) is None


def test_only_missing_seeds_are_set():
    model = make_pipeline(StandardScaler(), SVC(random_state=7), ExtraTreesClassifier())
    first, again = (
        seed_model(model, np.random.RandomState(1)).get_params()["extratreesclassifier__random_state"] for _ in range(2)
    )
    assert model.get_params()["svc__random_state"] == 7
    assert first == again == np.random.RandomState(1).randint(np.iinfo(np.int32).max)  # set once, then left alone


def test_sizes_of_models(table, numbers):
    X, y = table
    tree = DecisionTreeClassifier(max_depth=3).fit(X, y)
    assert count_parameters(tree) == tree.tree_.node_count
    forest = ExtraTreesClassifier(4, max_depth=3).fit(X, y)
    assert count_parameters(forest) == sum(t.tree_.node_count for t in forest.estimators_)
    stages = GradientBoostingRegressor(n_estimators=3).fit(*numbers)
    assert count_parameters(stages) == sum(t.tree_.node_count for t in stages.estimators_.ravel())
    hist = HistGradientBoostingClassifier(max_iter=2).fit(X, y)
    assert count_parameters(hist) == sum(len(p.nodes) for stage in hist._predictors for p in stage)
    assert count_parameters(LogisticRegression().fit(X, y)) == 3 * 4 + 3
    assert count_parameters(Ridge().fit(*numbers)) == 3 + 1
    assert count_parameters(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)) == 8 + 15
    assert count_parameters(KNeighborsClassifier().fit(X, y)) == X.size
    machine = SVC().fit(X, y)
    expected = machine.support_vectors_.size + machine.dual_coef_.size + machine.intercept_.size
    assert count_parameters(machine) == expected
    assert count_parameters(GaussianNB().fit(X, y)) == 2 * 12
    perceptron = MLPClassifier((5,), max_iter=2).fit(X, y)
    assert count_parameters(perceptron) == 4 * 5 + 5 + 5 * 3 + 3
    network = NetworkClassifier(epochs=1, hidden=(5,)).fit(X, y)
    assert count_parameters(network) == count_parameters(network.network_) == 43
    assert count_parameters(FrozenEstimator(tree)) == tree.tree_.node_count
    search = GridSearchCV(LogisticRegression(), {"C": [1]}, cv=2).fit(X, y)
    assert count_parameters(search) == 15
    vote = VotingClassifier([("tree", DecisionTreeClassifier(max_depth=1)), ("line", LogisticRegression())]).fit(X, y)
    assert count_parameters(vote) == 3 + 15
    assert count_parameters(FunctionTransformer().fit(X)) is None
    assert count_parameters(object()) is None


def test_bytes_of_models(table, numbers):
    """Every size is that of the arrays, and of a large model close to that of its pickle."""
    X, y = table
    line = LogisticRegression().fit(X, y)
    assert count_bytes(line) == line.coef_.nbytes + line.intercept_.nbytes == 8 * 15
    assert count_bytes(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)) == 8 * (8 + 15)
    assert count_bytes(KNeighborsClassifier().fit(X, y)) == X.nbytes
    network = NetworkClassifier(epochs=1, hidden=(5,)).fit(X, y)
    scaling = network.preprocessing_.mean.nbytes + network.preprocessing_.scale.nbytes
    assert count_bytes(network) == 4 * 43 + scaling == count_bytes(network.network_) + scaling
    assert count_bytes(nn.BatchNorm1d(3)) == 4 * 4 * 3 + 8, "buffers count, with the counter of batches"
    assert count_bytes(FunctionTransformer().fit(X)) is None
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=(3000, 3)), rng.normal(size=3000)
    for model in (DecisionTreeRegressor(), RandomForestRegressor(5), HistGradientBoostingRegressor(max_iter=200)):
        size = len(pickle.dumps(model.fit(rows, targets)))
        assert count_bytes(model) == pytest.approx(size, rel=0.1), model


def test_sparse_coefficients_count_what_is_stored():
    X, y = make_classification(60, random_state=0)
    model = LogisticRegression(l1_ratio=1, C=0.1, solver="liblinear").fit(X, y).sparsify()
    assert count_parameters(model) == np.count_nonzero(model.coef_.toarray()) + 1 < 21
    assert count_bytes(model) < 12 * 20 + 8 + 8
