from __future__ import annotations

import pytest
import torch

from distillkit.exceptions import DataError
from distillkit.nn import make_generator, mixed_precision, resolve_device, seeded


def test_seeding_is_undone_even_after_an_error():
    state = torch.get_rng_state()
    with seeded(3):
        first = torch.rand(3)
    again = []
    with pytest.raises(ZeroDivisionError), seeded(3):
        again.append(torch.rand(3)) or 1 / 0
    assert torch.equal(again[0], first)
    assert torch.equal(torch.get_rng_state(), state)


def test_seeding_leaves_no_seed_behind_for_a_gpu_first_used_later(monkeypatch):
    seeds = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    with seeded(3):
        first = torch.rand(1)
    assert not seeds
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        assert torch.equal(torch.rand(1), first)
    assert seeds == [3]  # torch's own function would have left it


def test_generators_are_apart():
    a, b = make_generator(1), make_generator(1)
    assert torch.equal(torch.rand(2, generator=a), torch.rand(2, generator=b))
    assert a is not b


def test_devices():
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(DataError, match="'abacus' is not a device"):
        resolve_device("abacus")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there():
    with pytest.raises(DataError, match="sees no GPU here"):
        resolve_device("cuda")


def test_precision():
    with mixed_precision(torch.device("cpu"), "bfloat16"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.bfloat16
    with mixed_precision(torch.device("cpu"), "float32"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32
