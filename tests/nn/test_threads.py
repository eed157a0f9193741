from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from distillkit.nn import (
    ConvNet,
    LeNet,
    Mlp,
    Recipe,
    Threads,
    class_loss,
    make_generator,
    predict_rows,
    seeded,
    takes_threads,
    train_network,
)


def whereabouts(item):
    return item, threading.get_ident(), torch.get_num_threads()


@pytest.mark.usefixtures("two_threads")
def test_each_item_is_worked_on_by_one_thread_with_torch_to_itself():
    with Threads() as threads:
        found = threads.map(whereabouts, range(50))
    assert [item for item, _, _ in found] == list(range(50))
    assert threading.get_ident() not in {thread for _, thread, _ in found}
    assert {count for _, _, count in found} == {1}
    assert torch.get_num_threads() == 2
    counts = []
    later = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert counts == [2]


@pytest.mark.usefixtures("two_threads")
def test_a_pool_changes_the_setting_of_no_other_thread():
    counts = []
    with Threads() as threads:
        threads.map(whereabouts, range(4))
        later = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
        later.start()
        later.join()
        assert torch.get_num_threads() == 2
    assert counts == [2]


@pytest.mark.usefixtures("two_threads")
def test_a_setting_that_the_user_makes_meanwhile_stays():
    with Threads() as threads:
        threads.map(whereabouts, range(4))
        torch.set_num_threads(3)
        assert {count for _, _, count in threads.map(whereabouts, range(4))} == {1}
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("two_threads")
def test_many_pools_at_once_leave_the_setting_as_it_was():
    def use(_):
        with Threads() as threads:
            return {count for _, _, count in threads.map(whereabouts, range(6))} | {threads.count}

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(use, range(60))) == [{1, 2}] * 60
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(("allowed", "items"), [(False, range(4)), (True, range(1)), (True, ())])
def test_what_is_not_to_be_divided_stays_in_the_thread(allowed, items):
    with Threads(allowed=allowed) as threads:
        found = threads.map(whereabouts, items)
    assert found == [(item, threading.get_ident(), 2) for item in items]


@pytest.mark.usefixtures("two_threads")
def test_errors_come_through_and_threads_end():
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Threads() as threads:
        threads.map(lambda item: 1 // item, [1, 0, 1])
    assert threading.active_count() == before
    assert torch.get_num_threads() == 2


def test_networks_say_whether_their_rows_are_apart():
    assert takes_threads(ConvNet((1, 16, 16), 3, width=4))
    assert takes_threads(LeNet((1, 28, 28), 3))
    assert not takes_threads(Mlp((4,), 3))
    assert not takes_threads(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout()))


def trained(count, monkeypatch, dtype=torch.float32):
    torch.set_num_threads(count)
    monkeypatch.setattr("distillkit.nn.runtime._pieces._BYTES", 5 * 8 * 16 * 16 * 4)
    with seeded(0):
        network = ConvNet((1, 16, 16), 3, width=8).to(dtype)
    X = torch.rand(23, 1, 16, 16, generator=make_generator(0)).to(dtype)
    recipe = Recipe(4, 12, "sgd", 0.1, 0.9, 0.0, "constant", "float32")
    train_network(network, X, class_loss(torch.arange(23) % 3), recipe, generator=make_generator(2))
    return network, predict_rows(network, X)


@pytest.mark.usefixtures("two_threads")
def test_training_and_prediction_do_not_depend_on_threads(monkeypatch):
    (one, first), (two, second), (again, third) = (trained(count, monkeypatch) for count in (1, 2, 2))
    for a, b, c in zip(one.parameters(), two.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
        assert torch.equal(b, c)
    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-5)
    assert torch.equal(second, third)
    assert not second.requires_grad
