from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine

from distillkit import metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference

torch = pytest.importorskip("torch")
network_gradients = pytest.importorskip("distillkit.metrics.models._network_gradients")


def linear(shape, n_outputs):
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(int(np.prod(shape)), n_outputs))


def normalized(shape, n_outputs):
    return torch.nn.Sequential(
        torch.nn.Linear(shape[0], 6), torch.nn.BatchNorm1d(6), torch.nn.Dropout(0.5), torch.nn.Linear(6, n_outputs)
    )


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True)
    return X, y


def softmax(values):
    values = np.exp(values - values.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)


def by_hand(module, X, targets, weight):
    """Return the gradient of the weighted cross-entropy of a linear softmax model."""
    W, b = (parameter.detach().numpy().astype(np.float64) for parameter in module.parameters())
    errors = (softmax(X @ W.T + b) - targets) * (weight / weight.sum())[:, None]
    return [errors.T @ X, errors.sum(axis=0)]


def test_the_gradient_of_a_linear_softmax_model_by_hand():
    rng = np.random.default_rng(0)
    module = linear((4,), 3)
    X, targets, weight = rng.normal(size=(900, 4)), rng.dirichlet(np.ones(3), 900), rng.uniform(0.5, 2, 900)
    values = network_gradients.loss_gradient(module, X, targets, weight)
    for value, expected in zip(values, by_hand(module, X, targets, weight), strict=True):
        np.testing.assert_allclose(value.numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("k", [1, 3])
def test_the_gradient_by_finite_differences_in_evaluation_mode(k):
    rng = np.random.default_rng(1)
    torch.manual_seed(0)
    module = normalized((4,), k).train()
    X = rng.normal(size=(20, 4)).astype(np.float32)
    targets = rng.normal(size=(20, 1)) if k == 1 else np.eye(3)[rng.integers(0, 3, 20)]
    values = network_gradients.loss_gradient(module, X, targets, np.ones(20))
    assert module.training
    double = normalized((4,), k)
    double.load_state_dict(module.state_dict())
    double = double.double().eval()
    rows, truth = torch.as_tensor(X, dtype=torch.float64), torch.as_tensor(targets)

    def loss():
        out = double(rows)
        each = (out - truth).square().sum(1) if k == 1 else -(truth * torch.log_softmax(out, 1)).sum(1)
        return float(each.mean())

    with torch.no_grad():
        for parameter, gradient in zip(double.parameters(), values, strict=True):
            flat = parameter.view(-1)
            for place in range(0, len(flat), 3):
                flat[place] += 1e-6
                above = loss()
                flat[place] -= 2e-6
                below = loss()
                flat[place] += 1e-6
                assert float(gradient.reshape(-1)[place]) == pytest.approx((above - below) / 2e-6, rel=1e-3, abs=1e-5)


def test_cosine_and_distance_of_a_linear_model_by_hand(wine):
    X, y = wine
    small = DistilledSet(X[::10], y[::10], np.linspace(1, 2, 18))
    options = {"network": linear, "checkpoints": [0], "n_networks": 1}
    result = metrics.compare_gradients(X, y, small, **options)
    seed = int(np.random.SeedSequence([0, 0]).generate_state(1)[0] >> 1)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    (module,) = network_gradients.checkpoints_of(linear, scaled, np.eye(3)[y], (0,), seed, None)
    whole = np.concatenate([part.ravel() for part in by_hand(module, scaled, np.eye(3)[y], np.ones(178))])
    own = np.concatenate(
        [part.ravel() for part in by_hand(module, scaled[::10], np.eye(3)[y[::10]], small.sample_weight)]
    )
    cosine = own @ whole / np.linalg.norm(own) / np.linalg.norm(whole)
    assert result.cosines[0, 0] == pytest.approx(cosine, rel=1e-4)
    assert result.distances[0, 0] == pytest.approx(np.linalg.norm(own - whole) / np.linalg.norm(whole), rel=1e-4)
    assert metrics.gradient_similarity(X, y, small, **options) == pytest.approx(cosine, rel=1e-4)
    assert metrics.gradient_distance(X, y, small, **options) == result.distances[0, 0]


def test_the_whole_set_and_wrong_labels(wine):
    X, y = wine
    options = {"network": "mlp", "checkpoints": (0, 5, 20), "n_networks": 2}
    whole = metrics.compare_gradients(X, y, DistilledSet(X, y), **options)
    assert whole.cosines.shape == (2, 3)
    np.testing.assert_allclose(whole.cosines, 1, atol=1e-4)
    np.testing.assert_allclose(whole.distances, 0, atol=1e-3)
    good = metrics.gradient_similarity(X, y, DistilledSet(X[::6], y[::6]), **options)
    wrong = metrics.gradient_similarity(X, y, DistilledSet(X[::6], (y[::6] + 1) % 3), **options)
    assert good > 0.8
    assert wrong < 0.3
    assert good.error > 0
    assert good.note.startswith("by steps of training: 0: ")


def test_the_order_of_rows_and_a_reference_change_nothing_and_networks_are_trained_once(wine, monkeypatch):
    X, y = wine
    calls, trained = [], network_gradients.checkpoints_of
    monkeypatch.setattr(network_gradients, "checkpoints_of", lambda *args: calls.append(1) or trained(*args))
    options = {"network": "mlp", "checkpoints": (0, 10), "n_networks": 1}
    small, reference = DistilledSet(X[::9], y[::9]), Reference(X, y)
    value = metrics.gradient_similarity(reference, None, small, **options)
    assert metrics.gradient_similarity(X[::-1], y[::-1], small, **options) == pytest.approx(value, rel=1e-4)
    assert len(calls) == 2
    metrics.gradient_distance(reference, None, DistilledSet(X[::7], y[::7]), **options)
    assert len(calls) == 2
    metrics.gradient_similarity(reference.without([0, 5]), None, small, **options)  # trained without these rows
    assert len(calls) == 3


def test_networks_of_many_rows_serve_references_without_a_few_of_them(monkeypatch):
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(400, 3)), np.arange(400) % 2
    calls, trained = [], network_gradients.checkpoints_of
    monkeypatch.setattr(network_gradients, "checkpoints_of", lambda *args: calls.append(1) or trained(*args))
    reference, small = Reference(X, y), DistilledSet(X[:20], y[:20])
    options = {"network": "mlp", "checkpoints": (0, 10), "n_networks": 1}
    whole = metrics.gradient_similarity(reference, None, small, **options)
    fresh = metrics.gradient_similarity(reference.without([0, 1]), None, small, **options)
    assert len(calls) == 1
    assert fresh == pytest.approx(whole, abs=0.05)
    assert fresh != whole  # the gradient of the training rows is that of the remaining ones
    metrics.gradient_similarity(reference.without(np.arange(20)), None, small, **options)
    metrics.gradient_similarity(reference.without([0, 1]), None, small, **{**options, "checkpoints": (0, 13)})
    assert len(calls) == 3


def test_numbers_soft_labels_and_images():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(60, 1, 12, 12)), rng.normal(size=60)
    options = {"checkpoints": (0, 2), "n_networks": 1, "width": 4}
    assert metrics.gradient_similarity(X, y, DistilledSet(X, y), **options) == pytest.approx(1, abs=1e-3)
    labels = rng.integers(0, 2, 60)
    soft = DistilledSet(X[:10], labels[:10], soft_labels=np.full((10, 2), 0.5))
    hard = DistilledSet(X[:10], labels[:10])
    values = [metrics.gradient_similarity(X, labels, each, **options) for each in (soft, hard)]
    assert values[0] != pytest.approx(values[1], abs=1e-3)


def test_errors_that_name_the_remedy(wine):
    X, y = wine
    with pytest.raises(DataError, match="need targets"):
        metrics.gradient_similarity(X, None, DistilledSet(X[:5]))
    for options in ({"checkpoints": ()}, {"checkpoints": (-1,)}, {"n_networks": 0}):
        with pytest.raises(DataError, match="give steps from 0 on"):
            metrics.gradient_similarity(X, y, DistilledSet(X[:5], y[:5]), **options)
