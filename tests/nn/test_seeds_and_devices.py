from __future__ import annotations

import multiprocessing
import threading

import pytest
import torch
from torch import nn

from distillkit.exceptions import DataError
from distillkit.nn import (
    NETWORKS,
    DrawsFrom,
    draws_random_numbers,
    make_generator,
    make_network,
    mixed_precision,
    resolve_device,
    seeded,
    seeded_layers,
)


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


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("name", NETWORKS)
def test_weights_are_those_of_the_global_generator_with_the_same_seed(name, norm):
    shape = (2, 16) if name == "convnet1d" else (1, 16, 16)
    with seeded(7):
        options = {} if name in ("mlp", "lenet") else {"norm": norm}
        expected = NETWORKS[name][0](shape, 3, **options).state_dict()
    network = make_network(name, shape, 3, seed=7, norm=norm)
    assert all(torch.equal(weight, expected[key]) for key, weight in network.state_dict().items())


def test_draws_come_from_the_generator_alone():
    state, generator = torch.get_rng_state(), make_generator(3)
    with DrawsFrom(generator):
        first, layer = torch.randn(4), nn.Linear(3, 2)
        apart = torch.rand(2, generator=make_generator(1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(apart, torch.rand(2, generator=make_generator(1)))
    with seeded(3):
        assert torch.equal(first, torch.randn(4))
        assert torch.equal(layer.weight, nn.Linear(3, 2).weight)
    assert not torch.equal(generator.get_state(), make_generator(3).get_state())


def test_networks_that_may_draw_are_told_from_those_that_do_not():
    class Custom(nn.Linear):
        pass

    for name in NETWORKS:
        assert not draws_random_numbers(make_network(name, (2, 16) if name == "convnet1d" else (1, 16, 16), 3, seed=0))
    assert not draws_random_numbers(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
    assert draws_random_numbers(nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)))
    assert draws_random_numbers(Custom(3, 2))


def test_layers_are_seeded_only_where_they_may_draw():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    with seeded_layers(nn.Sequential(nn.ReLU()), 5):
        assert torch.equal(torch.rand(1), expected)
    with seeded_layers(nn.Dropout(0.5), 5), seeded(5):
        numbers = torch.rand(1)
    with seeded_layers(nn.Dropout(0.5), 5):
        assert torch.equal(torch.rand(1), numbers)


def test_threads_take_turns_at_the_global_generators():
    results = []

    def draw(seed):
        for _ in range(200):
            with seeded(seed):
                results.append((seed, float(torch.rand(1)), float(torch.rand(1))))

    threads = [threading.Thread(target=draw, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 800
    assert len(set(results)) == 4


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
def test_a_forked_process_does_not_wait_for_a_lock_of_a_thread_of_its_parent():
    held, release = threading.Event(), threading.Event()

    def hold():
        with seeded(0):
            held.set()
            release.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    process = multiprocessing.get_context("fork").Process(target=seeded(1).__enter__)
    try:
        process.start()
        process.join(30)
        assert process.exitcode == 0
    finally:
        process.kill()
        release.set()
        thread.join()


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
