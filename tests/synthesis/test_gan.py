from __future__ import annotations

import json
import pickle
import time
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from distillkit import Budget
from distillkit.exceptions import BudgetError, DataError, DistillkitWarning
from distillkit.synthesis import GANSynthesizer

pytestmark = pytest.mark.filterwarnings("ignore:the generator may not have learned")

TINY = {"max_iter": 4, "width": 2, "latent": 4, "batch_size": 8, "pool": 12, "random_state": 0, "device": "cpu"}


def problem(shape=(3,), n=40, seed=0):
    rng = np.random.RandomState(seed)
    y = np.repeat([0, 1, 2], [n // 2, n // 4, n - n // 2 - n // 4])
    X = rng.normal(size=(n, *shape)) + 4 * y.reshape(-1, *(1,) * len(shape))
    return X, y


def mixture():
    rng = np.random.RandomState(0)
    y = np.repeat(["a", "b", "c"], [300, 200, 100])
    centres = np.repeat([[0, 0], [6, 0], [0, 6]], [300, 200, 100], axis=0)
    return centres + rng.normal(size=(600, 2)), y


@pytest.fixture(scope="module")
def fitted():
    X, y = mixture()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing of it has collapsed
        return GANSynthesizer(5, max_iter=200, random_state=0, device="cpu").fit(X, y), X, y


@pytest.fixture(scope="module")
def gan():
    X, y = problem()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GANSynthesizer(1, **TINY).fit(X, np.array(["x", "y", "z"])[y])


class TestWhatIsLearned:
    def test_class_means_and_spreads(self, fitted):
        gan, X, y = fitted
        made, labels = gan.sample(1500)
        for label in "abc":
            real, own = X[y == label], made[labels == label]
            np.testing.assert_allclose(own.mean(axis=0), real.mean(axis=0), atol=0.7)
            ratio = own.var(axis=0).sum() / real.var(axis=0).sum()
            assert 0.4 < ratio < 2

    def test_distilled_rows_are_of_their_class(self, fitted):
        gan, X, y = fitted
        centres = np.stack([X[y == label].mean(axis=0) for label in "abc"])
        nearest = np.square(gan.X_distilled_[:, None] - centres).sum(axis=2).argmin(axis=1)
        assert np.array(list("abc"))[nearest].tolist() == gan.y_distilled_.tolist()
        assert len(np.unique(gan.X_distilled_, axis=0)) == 15

    def test_diagnostics_see_no_collapse(self, fitted):
        signs = fitted[0].diagnostics_
        assert 0.5 < signs["variance_ratio"]["lowest"] <= signs["variance_ratio"]["highest"] < 2
        assert signs["unique_ratio"] > 0.9
        assert signs["recognised"] > 0.9

    def test_one_seed_makes_the_same_rows_again(self, fitted):
        gan = fitted[0]
        np.testing.assert_array_equal(gan.sample(30)[0], gan.sample(30)[0])
        np.testing.assert_array_equal(gan.sample(30, random_state=5)[0], gan.sample(30, random_state=5)[0])
        assert not np.array_equal(gan.sample(30, random_state=5)[0], gan.sample(30)[0])

    def test_pickle_makes_the_same_rows(self, fitted):
        again = pickle.loads(pickle.dumps(fitted[0]))
        np.testing.assert_array_equal(again.sample(30)[0], fitted[0].sample(30)[0])


def test_numbers_are_conditioned_on():
    rng = np.random.RandomState(0)
    y = rng.uniform(-3, 3, size=500)
    X = np.column_stack([2 * y + 1, -y]) + rng.normal(0, 0.1, size=(500, 2))
    gan = GANSynthesizer(20, max_iter=200, random_state=0, device="cpu").fit(X, y)
    wanted = np.linspace(-2.5, 2.5, 200)
    made, given = gan.sample(200, wanted)
    np.testing.assert_array_equal(given, wanted)
    assert np.corrcoef(made[:, 0], wanted)[0, 1] > 0.95
    assert np.corrcoef(made[:, 1], wanted)[0, 1] < -0.95
    assert np.corrcoef(gan.X_distilled_[:, 0], gan.y_distilled_)[0, 1] > 0.95


def test_sine_waves_keep_their_frequency_and_their_size():
    rng = np.random.RandomState(0)
    y = np.repeat([0, 1], 100)
    cycles, steps = np.array([2, 5])[y][:, None], np.arange(32) / 32
    X = np.sin(2 * np.pi * (cycles * steps + rng.uniform(size=(200, 1)))) * rng.uniform(0.5, 1.5, (200, 1))
    X += rng.normal(0, 0.1, size=X.shape)
    gan = GANSynthesizer(5, max_iter=200, width=16, selection="random", random_state=0, device="cpu").fit(X[:, None], y)
    made, labels = gan.sample(200)
    spectrum = np.abs(np.fft.rfft(made[:, 0]))[:, 1:]
    assert (spectrum.argmax(axis=1) + 1 == np.array([2, 5])[labels]).mean() > 0.85
    assert 0.4 < made.var() / X.var() < 2


@pytest.mark.parametrize(
    "shape",
    [(1,), (2,), (20,), (1, 8), (2, 24), (1, 84), (1, 150), (1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 4, 4), (2, 3)],
)
def test_rows_of_any_shape(shape):
    X, y = problem(shape, n=16)
    gan = GANSynthesizer(2, **TINY | {"max_iter": 2}).fit(X.astype(np.float32), y)
    assert gan.X_distilled_.shape == (6, *shape)
    assert gan.X_distilled_.dtype == np.float32
    made, labels = gan.sample(5)
    assert (made.shape, made.dtype, labels.shape) == ((5, *shape), np.float32, (5,))
    assert (made >= X.min(axis=0) - 1e-6).all()
    assert (made <= X.max(axis=0) + 1e-6).all()


@pytest.mark.parametrize("selection", ["random", "kmeans", "filter+kmeans"])
@pytest.mark.parametrize("budget", [3, 0.25, {0: 1, 1: 4, 2: 2}], ids=str)
def test_class_counts_are_exact(selection, budget):
    X, y = problem()
    gan = GANSynthesizer(budget, selection=selection, **TINY).fit(X, y)
    labels, counts = np.unique(y, return_counts=True)
    expected = Budget(budget).per_class(dict(zip(labels.tolist(), counts.tolist(), strict=True)))
    got = dict(zip(*(part.tolist() for part in np.unique(gan.y_distilled_, return_counts=True)), strict=True))
    assert got == expected
    for label, count in zip(labels, counts, strict=True):
        assert gan.sample_weight_[gan.y_distilled_ == label].sum() == pytest.approx(count)
    assert not hasattr(gan, "sample_indices_")


def test_a_pool_smaller_than_the_budget_grows():
    X, y = problem()
    gan = GANSynthesizer(9, **TINY | {"pool": 1}).fit(X, y)
    assert np.bincount(gan.y_distilled_).tolist() == [9, 9, 9]
    assert len(np.unique(gan.X_distilled_, axis=0)) == 27


class TestSample:
    @pytest.mark.parametrize("n", [1, 2, 4, 40, 400])
    def test_shares_of_the_training_rows(self, gan, n):
        _, labels = gan.sample(n)
        got = {label: int((labels == label).sum()) for label in "xyz"}
        assert all(abs(got[label] - n * share) < 1 for label, share in zip("xyz", (0.5, 0.25, 0.25), strict=True))
        assert sum(got.values()) == n

    def test_labels_come_in_random_order(self, gan):
        labels = gan.sample(400)[1]
        assert labels.tolist() != sorted(labels.tolist())

    def test_given_labels_are_kept(self, gan):
        made, labels = gan.sample(3, ["z", "x", "z"])
        assert labels.tolist() == ["z", "x", "z"]
        assert made.shape == (3, 3)
        assert gan.sample(2, "y")[1].tolist() == ["y", "y"]
        assert gan.sample(y={"z": 2, "x": 1})[1].tolist() == ["z", "z", "x"]

    def test_rows_follow_their_labels(self, gan):
        forth, back = gan.sample(2, ["x", "z"])[0], gan.sample(2, ["z", "z"])[0]
        np.testing.assert_allclose(forth[1], back[1], rtol=1e-6)
        assert not np.allclose(forth[0], back[0])

    def test_unknown_label(self, gan):
        with pytest.raises(DataError, match="label 'w', which was not trained on"):
            gan.sample(1, ["w"])

    def test_before_fit(self):
        from sklearn.exceptions import NotFittedError

        with pytest.raises(NotFittedError):
            GANSynthesizer().sample(3)


class TestSeeds:
    @pytest.mark.parametrize("shape", [(3,), (1, 12), (1, 8, 8)], ids=str)
    def test_bit_for_bit(self, shape):
        X, y = problem(shape)
        first, again, other = (GANSynthesizer(3, **TINY | {"random_state": seed}).fit(X, y) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first.X_distilled_, again.X_distilled_)
        assert not np.array_equal(first.X_distilled_, other.X_distilled_)
        np.testing.assert_array_equal(first.sample(5)[0], again.sample(5)[0])

    def test_global_streams_are_left_alone(self):
        X, y = problem()
        torch_state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()
        GANSynthesizer(2, **TINY).fit(X, y).sample(3)
        assert torch.equal(torch_state, torch.random.get_rng_state())
        np.testing.assert_array_equal(numpy_state, np.random.get_state()[1])

    def test_without_a_seed_samples_differ(self):
        X, y = problem()
        gan = GANSynthesizer(2, **TINY | {"random_state": None}).fit(X, y)
        assert not np.array_equal(gan.sample(3)[0], gan.sample(3)[0])


class TestTargets:
    def test_no_target(self):
        X, _ = problem()
        gan = GANSynthesizer(5, **TINY).fit(X)
        assert gan.X_distilled_.shape == (5, 3)
        assert gan.y_distilled_ is None
        assert gan.sample(7)[1] is None
        with pytest.raises(DataError, match="without labels"):
            gan.sample(2, [0, 1])

    @pytest.mark.parametrize("selection", ["random", "kmeans"])
    def test_numbers_are_those_conditioned_on(self, selection):
        X, _ = problem()
        y = np.random.RandomState(1).normal(10, 3, size=len(X))
        gan = GANSynthesizer(5, selection=selection, **TINY).fit(X, y)
        assert gan.y_distilled_.shape == (5,)
        size = 5 if selection == "random" else TINY["pool"]
        quantiles = np.quantile(y, (np.arange(size) + 0.5) / size)
        assert set(gan.y_distilled_.tolist()) <= set(quantiles.tolist())
        assert len(set(gan.y_distilled_.tolist())) == 5
        np.testing.assert_allclose(np.sort(gan.sample(4)[1]), np.quantile(y, [0.125, 0.375, 0.625, 0.875]))

    def test_whole_numbers_as_numbers(self):
        X, _ = problem()
        gan = GANSynthesizer(5, task="regression", **TINY).fit(X, np.arange(40))
        assert gan.y_distilled_.dtype.kind == "f"

    def test_one_class(self):
        X, _ = problem()
        gan = GANSynthesizer(4, **TINY).fit(X, np.full(40, "only"))
        assert gan.y_distilled_.tolist() == ["only"] * 4
        assert gan.diagnostics_["recognised"] is None
        assert gan.sample(3)[1].tolist() == ["only"] * 3

    def test_a_class_of_one_row_warns(self):
        X, y = problem()
        y[0] = 7
        with pytest.warns(DistillkitWarning, match="one row of class 7: the generator can only learn to repeat it"):
            gan = GANSynthesizer(1, **TINY).fit(X, y)
        assert gan.y_distilled_.tolist() == [0, 1, 2, 7]

    def test_a_single_row(self):
        gan = GANSynthesizer(1, **TINY).fit(np.array([[1.0, 2.0]]))
        np.testing.assert_array_equal(gan.X_distilled_, [[1, 2]])


class TestUnits:
    def test_rows_made_from_integers_are_floats(self):
        rng = np.random.RandomState(0)
        X = rng.randint(0, 256, size=(30, 1, 8, 8)).astype(np.uint8)
        gan = GANSynthesizer(2, **TINY).fit(X, np.arange(30) % 2)
        assert gan.X_distilled_.dtype == np.float32
        assert gan.sample(3)[0].dtype == np.float32

    def test_levels_and_one_hot_blocks(self):
        rng = np.random.RandomState(0)
        frame = pd.DataFrame(np.eye(3)[rng.randint(3, size=60)], columns=["red", "green", "blue"])
        frame["grade"] = rng.choice([1.5, 2.5, 9.0], size=60)
        frame["age"] = rng.randint(18, 90, size=60)
        frame["size"] = rng.normal(size=60)
        made, labels = GANSynthesizer(8, **TINY).fit_resample(frame, pd.Series(rng.randint(2, size=60), name="kind"))
        assert list(made.columns) == list(frame.columns)
        assert (made[["red", "green", "blue"]].sum(axis=1) == 1).all()
        assert set(made["grade"]) <= {1.5, 2.5, 9.0}
        assert (made["age"] == made["age"].round()).all()
        assert labels.name == "kind"


class TestTheLoop:
    def test_history_is_plain_and_complete(self):
        X, y = problem()
        gan = GANSynthesizer(2, record_every=3, **TINY | {"max_iter": 8}).fit(X, y)
        assert [entry["iter"] for entry in gan.history_] == [3, 6, 8]
        assert json.loads(json.dumps(gan.history_)) == gan.history_
        keys = {"iter", "generator_loss", "discriminator_loss", "discriminator_accuracy", "seconds"}
        assert all(set(entry) == keys for entry in gan.history_)
        assert json.loads(json.dumps(gan.diagnostics_)) == gan.diagnostics_
        assert gan.n_iter_ == 8
        assert gan.distilled_.provenance["stopped_by"] == "max_iter"

    def test_the_clock_ends_it(self):
        X, y = problem()
        began = time.perf_counter()
        gan = GANSynthesizer(2, **TINY | {"max_iter": 10**9, "max_seconds": 0.3}).fit(X, y)
        assert time.perf_counter() - began < 60
        assert 1 <= gan.n_iter_ < 10**9
        assert gan.distilled_.provenance["stopped_by"] == "max_seconds"

    @pytest.mark.parametrize("target", ["classes", "numbers", "none"])
    def test_the_best_snapshot_is_kept(self, target, monkeypatch):
        """The scores are scripted: the generator after step 4 is to be the one that makes the rows."""
        from distillkit.synthesis import _held_out

        X, y = problem()
        y = {"classes": y, "numbers": X[:, 0].copy(), "none": None}[target]
        seen, scores = [], iter([0.1, 0.9, 0.3])
        real = _held_out.HeldOutScore.__call__

        def scripted(self, network):
            assert np.isfinite(real(self, network))
            seen.append(network.last.weight.detach().clone())
            return next(scores)

        monkeypatch.setattr(_held_out.HeldOutScore, "__call__", scripted)
        gan = GANSynthesizer(2, check_every=2, **TINY | {"max_iter": 6}).fit(X, y)
        assert [entry["held_out_score"] for entry in gan.history_] == [0.1, 0.9, 0.3]
        kept = gan.generator_.network.last.weight
        assert torch.equal(kept, seen[1])
        assert not torch.equal(kept, seen[2])

    def test_not_finite_keeps_the_state_before_and_names_the_step(self, monkeypatch):
        from distillkit.synthesis._adversaries import Adversaries

        step, calls, states = Adversaries.step, [], []

        def poisoned(self, real, places):
            calls.append(1)
            states.append(self.average.network.last.weight.detach().clone())
            return step(self, real * torch.nan if len(calls) == 3 else real, places)

        monkeypatch.setattr(Adversaries, "step", poisoned)
        X, y = problem()
        with pytest.warns(DistillkitWarning, match="loss of the discriminator is nan in step 3: .* lower generator_lr"):
            gan = GANSynthesizer(2, **TINY).fit(X, y)
        assert gan.n_iter_ == 2
        assert gan.distilled_.provenance["stopped_by"] == "not_finite"
        assert torch.equal(gan.generator_.network.last.weight, states[2])
        assert np.isfinite(gan.X_distilled_).all()

    @pytest.mark.parametrize("max_iter", [1, 4])
    @pytest.mark.parametrize("check_every", [None, 1])
    def test_weights_too_large_fall_back_to_the_last_that_make_finite_rows(self, max_iter, check_every):
        """The first step makes finite weights of 1e30, whose rows are not: noticed in the step after, or at the end."""
        X, y = problem()
        gan = GANSynthesizer(2, generator_lr=1e30, check_every=check_every, **TINY | {"max_iter": max_iter})
        with pytest.warns(
            DistillkitWarning, match="(not finite|is nan).*generator of step 0 is kept; lower generator_lr"
        ):
            gan.fit(X, y)
        assert np.isfinite(gan.X_distilled_).all()
        assert np.isfinite(gan.sample(20)[0]).all()
        assert gan.distilled_.provenance["stopped_by"] == "not_finite"

    def test_collapse_is_named(self):
        X, y = problem(n=200)
        with pytest.warns(DistillkitWarning, match="within-class variance ratio 0.0"):
            GANSynthesizer(2, generator_lr=1e-9, **TINY).fit(X, y)


class TestBadInput:
    def test_nan(self):
        X, y = problem()
        X[3, 1] = np.nan
        with pytest.raises(ValueError, match="NaN"):
            GANSynthesizer(2, **TINY).fit(X, y)

    def test_budget_over_the_rows(self):
        X, y = problem()
        with pytest.raises(BudgetError, match="lower the budget"):
            GANSynthesizer(30, **TINY).fit(X, y)

    def test_augmentation_needs_images(self):
        X, y = problem()
        with pytest.raises(DataError, match="augment=True is for images"):
            GANSynthesizer(2, augment=True, **TINY).fit(X, y)

    @pytest.mark.parametrize(
        ("name", "value"), [("selection", "best"), ("pool", 0), ("generator_lr", 0), ("augment", "yes")]
    )
    def test_parameters_are_checked_in_fit(self, name, value):
        X, y = problem()
        gan = GANSynthesizer(**{name: value})
        with pytest.raises(ValueError, match=name):
            gan.fit(X, y)

    def test_a_device_that_is_not_there(self):
        X, y = problem()
        with pytest.raises(DataError, match="device='nowhere'"):
            GANSynthesizer(2, **TINY | {"device": "nowhere"}).fit(X, y)


def test_augmentation_changes_what_is_learned():
    X, y = problem((1, 8, 8))
    plain, shifted = (GANSynthesizer(2, augment=augment, **TINY).fit(X, y) for augment in (False, True))
    assert not np.array_equal(plain.X_distilled_, shifted.X_distilled_)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_pickle_of_a_gpu_model_is_on_the_cpu():
    X, y = problem((1, 8, 8))
    gan = GANSynthesizer(2, **TINY | {"device": "cuda"}).fit(X, y)
    again = pickle.loads(pickle.dumps(gan))
    assert {weight.device.type for weight in again.generator_.network.parameters()} == {"cpu"}
    assert {weight.device.type for weight in gan.generator_.network.parameters()} == {"cuda"}
    np.testing.assert_allclose(again.sample(4)[0], gan.sample(4)[0], atol=1e-3)


def test_pickle_goes_through_a_copy_on_the_cpu():
    X, y = problem()
    gan = GANSynthesizer(2, **TINY).fit(X, y)
    state = gan.__getstate__()
    assert state["generator_"].network is not gan.generator_.network
    assert {tensor.device.type for tensor in state["generator_"].network.state_dict().values()} == {"cpu"}
