"""Runs that run out of memory, simulated by networks that refuse too many rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from distillkit.condensation import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GradientMatchingDistiller,
    KernelDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.condensation.loop._batch_size import BatchSize, out_of_memory, within_memory
from distillkit.exceptions import DistillkitWarning, NotEnoughMemoryError

COMMON = {"random_state": 0, "device": "cpu", "record_every": 2, "patience": None, "max_iter": 6}
# (estimator, parameter, its size with 30 rows in each of two classes, rows that a network takes,
# rows that fit)
METHODS = {
    "gradient": (GradientMatchingDistiller(2, outer_steps=3, inner_steps=2, **COMMON), "real_batch", 30, 16, 15),
    "distribution": (DistributionMatchingDistiller(2, gradient_weight=0.1, **COMMON), "real_batch", 30, 10, 8),
    "trajectory": (
        TrajectoryMatchingDistiller(12, n_experts=1, expert_epochs=3, student_steps=3, **COMMON),
        "student_batch",
        24,
        16,
        12,
    ),
    "kernel": (KernelDistiller(2, pool_size=2, updates=2, **COMMON), "real_batch", 60, 20, 15),
    "bilevel": (BilevelDistiller(2, inner_steps=3, **COMMON), "real_batch", 54, 30, 27),
}
each = pytest.mark.parametrize("method", METHODS)


def of_gpu(_):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def of_machine(_):
    torch.empty(2**60, dtype=torch.uint8)  # more than any machine can address


def hungry(limit, fail=of_gpu, at=0):
    """A network that takes at most so many rows, from the n-th look on."""
    looks = []

    class Hungry(nn.Module):
        def __init__(self, shape, n_outputs):
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 6), nn.Tanh())
            self.head = nn.Linear(6, n_outputs)

        def embed(self, rows):
            looks.append(len(rows))
            if len(looks) > at and len(rows) > limit:
                fail(rows)
            return self.body(rows)

        def forward(self, rows):
            return self.head(self.embed(rows))

    Hungry.looks = looks
    return Hungry


def quick(method, **params):
    estimator = METHODS[method][0]
    return type(estimator)(**{**estimator.get_params(), **params})


@pytest.mark.parametrize("fail", [of_gpu, of_machine])
def test_errors_that_tell_of_memory_are_known(fail):
    with pytest.raises(RuntimeError) as caught:
        fail(None)
    assert out_of_memory(caught.value)
    with pytest.raises(MemoryError) as caught:
        np.empty(2**60, dtype=np.uint8)
    assert out_of_memory(caught.value)
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not out_of_memory(ValueError("out of memory"))


def test_a_batch_is_halved_until_it_fits_and_one_warning_says_so():
    batch, tried, undone = BatchSize("real_batch", 100, "lower width"), [], []

    def work():
        tried.append(batch.size)
        if batch.size > 30:
            of_machine(None)
        return batch.size

    with pytest.warns(DistillkitWarning) as caught:
        assert batch.fit(work, lambda: undone.append(1), "iteration 3 of a test") == 25
    assert [str(warning.message) for warning in caught] == [
        "memory ran out in iteration 3 of a test with real_batch=100; the run continues with real_batch=25."
    ]
    assert tried == [100, 50, 25]
    assert len(undone) == 2
    assert batch.fit(work, undone.clear, "iteration 4 of a test") == 25


@pytest.mark.parametrize(("size", "tried"), [(33, [33, 16, 8]), (9, [9, 8]), (8, [8]), (3, [3])])
def test_the_fewest_rows_that_are_tried(size, tried):
    batch, sizes = BatchSize("real_batch", size, "lower width"), []

    def work():
        sizes.append(batch.size)
        raise torch.OutOfMemoryError

    with pytest.raises(NotEnoughMemoryError, match=rf"in a test with real_batch={tried[-1]}: lower width\."):
        batch.fit(work, lambda: None, "a test")
    assert sizes == tried


def test_other_errors_pass():
    batch = BatchSize("real_batch", 100, "lower width")
    for error in (RuntimeError("shapes"), NotEnoughMemoryError("for a single row"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            batch.fit(lambda error=error: (_ for _ in ()).throw(error), lambda: None, "a test")
    assert batch.size == 100


@each
@pytest.mark.parametrize("fail", [of_gpu, of_machine])
def test_every_condenser_goes_on_with_half_the_batch(method, fail, images):
    _, name, before, limit, after = METHODS[method]
    message = rf"memory ran out in iteration 1 of .* with {name}={before}; the run continues with {name}={after}\."
    with pytest.warns(DistillkitWarning, match=message) as caught:
        fitted = quick(method, network=hungry(limit, fail)).fit(*images)
    assert len(caught) == 1
    assert fitted.n_iter_ == 6
    assert fitted.distilled_.provenance[name] == after
    assert np.isfinite(fitted.X_distilled_).all()
    if method != "kernel":  # takes some of the rows that it has drawn, rather than draw again
        small = quick(method, network=hungry(10**6), **{name: after}).fit(*images)
        assert name not in small.distilled_.provenance
        np.testing.assert_allclose(fitted.X_distilled_, small.X_distilled_, rtol=1e-5, atol=1e-4)


@each
def test_a_run_whose_batch_was_halved_resumes_to_the_bit(method, images, tmp_path):
    limit = METHODS[method][3]
    with pytest.warns(DistillkitWarning, match="memory ran out"):
        whole = quick(method, network=hungry(limit)).fit(*images)
    with pytest.warns(DistillkitWarning, match="memory ran out"):
        quick(method, network=hungry(limit), max_iter=3, checkpoint=tmp_path / "run").fit(*images)
    parts = quick(method, network=hungry(10**6), checkpoint=tmp_path / "run").fit(*images)
    assert parts.X_distilled_.tobytes() == whole.X_distilled_.tobytes()


@each
def test_memory_that_does_not_suffice_for_the_fewest_rows(method, images, tmp_path):
    """Before the first update no rows are kept; later the best ones are, also on disk."""
    settings = {"max_iter": 16, "checkpoint": tmp_path / "run"}
    unfitted = quick(method, network=hungry(2), **settings)
    with pytest.raises(NotEnoughMemoryError, match=r"lower .*width"):
        unfitted.fit(*images)
    assert not hasattr(unfitted, "distilled_")
    whole = hungry(10**6)
    expected = quick(method, network=whole, max_iter=16).fit(*images)
    (tmp_path / "run").unlink(missing_ok=True)
    fitted = quick(method, network=hungry(2, at=len(whole.looks) * 4 // 5), **settings)
    message = (
        r"memory ran out in iteration \d+ of .* lower .*width.* The rows of iteration \d+ are kept in distilled_\."
    )
    with pytest.raises(NotEnoughMemoryError, match=message):
        fitted.fit(*images)
    assert 1 <= fitted.n_iter_ < 16
    assert fitted.distilled_.provenance["stopped_by"] == "out_of_memory"
    assert np.isfinite(fitted.X_distilled_).all()
    assert quick(method, network=hungry(10**6), **settings).fit(*images).n_iter_ == expected.n_iter_ == 16


def test_experts_are_trained_in_smaller_batches(images, tmp_path):
    settings = {"expert_batch": 40, "network": hungry(10), "experts_dir": tmp_path}
    with pytest.warns(
        DistillkitWarning,
        match=r"in the training of expert 0 with expert_batch=40; the run continues with expert_batch=10\.",
    ):
        fitted = quick("trajectory", student_batch=5, **settings).fit(*images)
    assert fitted.n_experts_trained_ == 1


@each
@pytest.mark.parametrize("fail", [of_gpu, of_machine])
def test_a_device_too_full_for_a_network_is_named_with_the_remedy(method, fail, images):
    unfitted = quick(method, network=lambda *shapes: fail(shapes))
    with pytest.raises(
        NotEnoughMemoryError, match=r"memory of cpu ran out before the first update.*lower width or budget"
    ):
        unfitted.fit(*images)


def test_of_a_gpu_the_way_out_is_named_and_other_errors_pass():
    with pytest.raises(NotEnoughMemoryError, match=r"memory of cuda:0 ran out.*device='cpu'"):
        raise_within(torch.OutOfMemoryError("CUDA out of memory."))
    error = NotEnoughMemoryError("said already")
    with pytest.raises(NotEnoughMemoryError, match=r"^said already$"):
        raise_within(error)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        raise_within(RuntimeError("shapes do not match"))


def raise_within(error):
    with within_memory(torch.device("cuda:0")):
        raise error
