"""Fits beside other threads, and under settings of torch and scikit-learn, in one process."""

from __future__ import annotations

import hashlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache

import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from torch import nn

import distillkit
from distillkit import (
    BilevelDistiller,
    Distilled,
    DistributionMatchingDistiller,
    GANSynthesizer,
    GradientMatchingDistiller,
    KernelDistiller,
    KMeansCoreset,
    RandomSubset,
    SoftLabels,
    StreamingCoreset,
    TeacherStudentDistiller,
    TrajectoryMatchingDistiller,
    make_pipeline,
)
from distillkit.nn import NetworkClassifier, NetworkRegressor
from distillkit.utils._process_settings import standard_settings

pytestmark = pytest.mark.filterwarnings("ignore")

rng = np.random.default_rng(0)
TABLE = rng.normal(size=(48, 4)), np.arange(48) % 3
NUMBERS = TABLE[0], TABLE[0] @ np.arange(1.0, 5.0)
IMAGES = rng.random((24, 1, 8, 8)).astype(np.float32), np.arange(24) % 2
SERIES = rng.normal(size=(24, 2, 16)), np.arange(24) % 2


class Dropping(nn.Module):
    """A network of the user, whose dropout draws from torch's global generator."""

    def __init__(self, shape, n_outputs):
        super().__init__()
        self.first = nn.Linear(int(np.prod(shape)), 8)
        self.dropout = nn.Dropout(0.3)
        self.last = nn.Linear(8, n_outputs)

    def forward(self, x):
        return self.last(self.dropout(self.first(x.flatten(1)).relu()))


def seeded_function(shape, n_outputs):
    """Build a network with a seed of its own, as functions of users may do."""
    torch.manual_seed(5)
    return Dropping(shape, n_outputs)


SEED = {"random_state": 0}
CPU = {"device": "cpu", **SEED}
NET = {"width": 4, "hidden": (8,), "max_iter": 2, **CPU}
LOOPS = {"outer_steps": 2, "inner_steps": 1}
EXPERTS = {"n_experts": 1, "expert_epochs": 2, "student_steps": 2}
GAN = {"max_iter": 3, "pool": 10, "width": 4, "latent": 4, **CPU}
DROPPING = {"network": Dropping, "max_iter": 2, **CPU}
SMALL = NetworkClassifier(width=4, epochs=1, device="cpu")

FITS = {
    "gradient": (GradientMatchingDistiller(2, **LOOPS, **NET), TABLE),
    "gradient differences": (GradientMatchingDistiller(2, derivative="differences", **LOOPS, **NET), TABLE),
    "gradient images": (GradientMatchingDistiller(2, **LOOPS, **NET), IMAGES),
    "gradient series": (GradientMatchingDistiller(2, **LOOPS, **NET), SERIES),
    "distribution": (DistributionMatchingDistiller(2, validation_fraction=0.2, **NET), TABLE),
    "distribution images": (DistributionMatchingDistiller(2, **NET), IMAGES),
    "trajectory": (TrajectoryMatchingDistiller(2, **EXPERTS, **NET), TABLE),
    "trajectory numbers": (TrajectoryMatchingDistiller(4, **EXPERTS, **NET), NUMBERS),
    "kernel": (KernelDistiller(2, pool_size=2, updates=1, **NET), TABLE),
    "kernel images": (KernelDistiller(2, pool_size=2, updates=1, norm="none", **NET), IMAGES),
    "kernel linear": (KernelDistiller(2, feature_map="linear", **SEED), TABLE),
    "bilevel": (BilevelDistiller(2, inner_steps=2, **NET), TABLE),
    "gan": (GANSynthesizer(2, **GAN), TABLE),
    "gan images": (GANSynthesizer(2, augment=True, check_every=2, **GAN), IMAGES),
    "gan series": (GANSynthesizer(2, **GAN), SERIES),
    "soft": (SoftLabels(RandomSubset(2), teacher="linear", **SEED), TABLE),
    "soft images": (SoftLabels(RandomSubset(2), teacher=SMALL, **SEED), IMAGES),
    "teacher-student": (TeacherStudentDistiller(teacher="linear", epochs=2, **CPU), TABLE),
    "teacher-student images": (TeacherStudentDistiller(teacher=SMALL, epochs=2, **CPU), IMAGES),
    "streaming": (StreamingCoreset(4, chunk_size=16, **SEED), TABLE),
    "clusters": (KMeansCoreset(2, representative="member", **SEED), IMAGES),
    "distilled": (Distilled(RandomSubset(2, **SEED), LogisticRegression()), TABLE),
    "pipeline": (make_pipeline(RandomSubset(2, **SEED), LogisticRegression()), TABLE),
    "classifier": (NetworkClassifier(hidden=(8,), epochs=2, **CPU), TABLE),
    "classifier images": (NetworkClassifier(width=4, epochs=2, augment="auto", **CPU), IMAGES),
    "regressor": (NetworkRegressor(hidden=(8,), epochs=2, **CPU), NUMBERS),
}
for _name in distillkit.__all__:  # coresets and controls, whose defaults are cheap
    _cls = getattr(distillkit, _name)
    if isinstance(_cls, type) and _name.endswith(("Coreset", "Subset", "Means", "WholeSet")):
        _estimator = _cls()
        _seed = SEED if "random_state" in _estimator.get_params(deep=False) else {}
        FITS[_name] = (_estimator.set_params(**_seed), TABLE)
for _name in distillkit.__all__:  # generators that need no torch
    if _name.endswith("Synthesizer") and _name not in {type(estimator).__name__ for estimator, _ in FITS.values()}:
        _rows = SERIES if _name == "SurrogateSynthesizer" else TABLE
        FITS[_name] = (getattr(distillkit, _name)(2, pool=10, **SEED), _rows)
# Enough seconds that the clock, which counts other threads too, decides nothing.
FITS["automatic"] = (
    distillkit.AutoDistiller(2, candidates=["kmeans", "herding"], max_seconds=3600, **SEED),
    TABLE,
)
FITS["uneven scores"] = (FITS["GraNdCoreset"][0], IMAGES)

GLOBAL_DRAWS = {
    "gradient of dropout": (GradientMatchingDistiller(2, **LOOPS, **DROPPING), TABLE),
    "differences of dropout": (GradientMatchingDistiller(2, derivative="differences", **LOOPS, **DROPPING), TABLE),
    "bilevel dropout": (BilevelDistiller(2, inner_steps=2, **DROPPING), TABLE),
    "trajectory of dropout": (TrajectoryMatchingDistiller(2, **EXPERTS, **DROPPING), TABLE),
    "student with dropout": (TeacherStudentDistiller(teacher="linear", student=Dropping, epochs=2, **CPU), TABLE),
    "classifier with dropout": (NetworkClassifier(network=Dropping, epochs=2, **CPU), TABLE),
    "function with a seed": (NetworkClassifier(network=seeded_function, epochs=2, **CPU), TABLE),
}
"""Networks of the user that draw from torch's global generator, as distillkit's own do not."""


def digest(name: str) -> str:
    """Fit one of the estimators anew, and return a digest of every number of its result."""
    estimator, (X, y) = {**FITS, **GLOBAL_DRAWS}[name]
    fitted = clone(estimator).fit(X, y)
    numbers = hashlib.sha256()
    for attribute in ("X_distilled_", "y_distilled_", "sample_weight_", "soft_labels_"):
        values = getattr(fitted, attribute, None)
        numbers.update(b"" if values is None else np.ascontiguousarray(values).tobytes())
    if hasattr(fitted, "predict"):
        numbers.update(np.asarray(fitted.predict(X), dtype=float).tobytes())
    for model in (fitted, getattr(fitted, "student_", None)):
        if hasattr(model, "network_"):
            for weight in model.network_.state_dict().values():
                numbers.update(weight.contiguous().numpy().tobytes())
    return numbers.hexdigest()


def global_states():
    """Return the states of the generators of torch, NumPy and Python."""
    return torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate()


@pytest.fixture
def one_thread():
    """Let torch compute each operation in one thread, so that eight fits do not start dozens."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(count)


def test_every_public_method_is_fitted():
    public = {
        name
        for name in distillkit.__all__
        if isinstance(getattr(distillkit, name), type) and issubclass(getattr(distillkit, name), BaseEstimator)
    }
    assert {type(estimator).__name__ for estimator, _ in FITS.values()} >= public - {"BaseDistiller"}


@pytest.mark.parametrize("name", [*FITS, *GLOBAL_DRAWS])
def test_a_fit_leaves_the_global_generators_as_they_were(name):
    before = global_states()
    digest(name)
    assert global_states() == before


def digests_of_threads(name, n_fits):
    """Fit in 8 threads that start together, and return the different results."""
    start = threading.Barrier(8)

    def fit_in_thread(_):
        torch.set_num_threads(1)
        start.wait()
        return {digest(name) for _ in range(n_fits)}

    with ThreadPoolExecutor(8) as pool:
        return set().union(*pool.map(fit_in_thread, range(8)))


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", [*FITS, *GLOBAL_DRAWS])
def test_fits_in_8_threads_are_bit_identical(name):
    before = global_states()
    assert digests_of_threads(name, 1) == {digest(name)}
    assert global_states() == before


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", ["gradient", "classifier", "classifier with dropout", "function with a seed"])
def test_64_fits_in_8_threads_are_bit_identical(name):
    assert digests_of_threads(name, 8) == {digest(name)}


@pytest.mark.parametrize("name", ["gradient images", "kernel images", "soft images", "classifier images"])
def test_fits_at_once_that_share_batches_among_threads_are_bit_identical(name):
    """Each fit starts threads of its own, which must not change the threads of the others."""
    count = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        expected = digest(name)
        with ThreadPoolExecutor(3) as pool:
            assert set(pool.map(lambda _: digest(name), range(6))) == {expected}
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(count)


@pytest.mark.usefixtures("one_thread")
def test_the_stream_of_another_thread_is_not_disturbed_nor_does_it_disturb():
    """Draws of a thread of the user neither change while distillkit fits, nor change its fits."""
    names = ["gradient", "gradient images", "kernel", "gan", "classifier", "bilevel"]
    expected, ended, drawn = [digest(name) for name in names], threading.Event(), []
    torch.manual_seed(3)

    def draw():
        while not ended.is_set():
            drawn.append(torch.rand(4))

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        assert [digest(name) for name in names] == expected
    finally:
        ended.set()
        thread.join()
    torch.manual_seed(3)
    assert all(torch.equal(numbers, torch.rand(4)) for numbers in drawn)
    assert len(drawn) > 100


@contextmanager
def float64_by_default():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


SETTINGS = {
    "no gradients": lambda: torch.set_grad_enabled(False),
    "inference mode": torch.inference_mode,
    "float64": float64_by_default,
    "pandas": lambda: sklearn.config_context(transform_output="pandas"),
}
expected_digest = cache(digest)


@pytest.mark.parametrize("name", [*FITS, *GLOBAL_DRAWS])
def test_a_fit_does_not_depend_on_settings(name):
    expected = expected_digest(name)
    with ExitStack() as stack:
        for setting in SETTINGS.values():
            stack.enter_context(setting())
        assert digest(name) == expected


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ["gradient images", "gan", "soft images", "classifier with dropout"])
def test_a_fit_does_not_depend_on_one_setting(name, setting):
    expected = expected_digest(name)
    with SETTINGS[setting]():
        assert digest(name) == expected


@pytest.mark.parametrize("setting", SETTINGS)
def test_generated_rows_do_not_depend_on_settings(setting):
    gan = GANSynthesizer(2, max_iter=2, pool=5, width=4, latent=4, device="cpu", random_state=0).fit(*TABLE)
    expected, _ = gan.sample(5)
    with SETTINGS[setting]():
        np.testing.assert_array_equal(gan.sample(5)[0], expected)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_stream_does_not_depend_on_settings(setting):
    def stream():
        model = StreamingCoreset(4, chunk_size=16, random_state=0)
        return model.partial_fit(TABLE[0][:24], TABLE[1][:24]).partial_fit(TABLE[0][24:], TABLE[1][24:]).X_distilled_

    expected = stream()
    with SETTINGS[setting]():
        np.testing.assert_array_equal(stream(), expected)


@pytest.mark.parametrize("rows", [IMAGES, SERIES])
def test_pandas_output_is_for_tables_and_leaves_images_and_series_as_arrays(rows):
    X, y = rows
    model = KMeansCoreset(2, random_state=0)
    expected = model.fit_resample(X, y)[0]
    with sklearn.config_context(transform_output="pandas"):
        for values in (model.fit_transform(X, y), model.fit_resample(X, y)[0]):
            assert type(values) is np.ndarray
            np.testing.assert_array_equal(values, expected)
        np.testing.assert_array_equal(model.transform(X), X)
        assert KMeansCoreset(2, random_state=0).fit_transform(*TABLE).columns.tolist() == ["x0", "x1", "x2", "x3"]
    assert not hasattr(model, "get_feature_names_out")


def test_settings_come_back_after_the_context_and_after_an_error():
    with float64_by_default(), torch.inference_mode(), sklearn.config_context(transform_output="pandas"):
        with pytest.raises(ZeroDivisionError), standard_settings():  # noqa: PT012
            assert torch.is_grad_enabled()
            assert not torch.is_inference_mode_enabled()
            assert sklearn.get_config()["transform_output"] == "default"
            for tensor in (torch.zeros(1), torch.tensor([0.5]), torch.full((1,), 0.5), torch.arange(0.0, 1.0)):
                assert tensor.dtype is torch.float32
            assert torch.tensor([1]).dtype is torch.arange(3).dtype is torch.int64
            assert torch.as_tensor(np.zeros(1)).dtype is torch.zeros(1, dtype=torch.float64).dtype is torch.float64
            raise ZeroDivisionError
        assert torch.is_inference_mode_enabled()
        assert sklearn.get_config()["transform_output"] == "pandas"
        assert torch.zeros(1).dtype is torch.float64
