from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from distillkit.nn import (
    ConvNet,
    Mlp,
    Recipe,
    class_loss,
    in_pieces,
    make_generator,
    predict_rows,
    rows_per_piece,
    seeded,
    train_network,
)
from distillkit.nn.runtime import _pieces as pieces


@pytest.fixture
def rows():
    return torch.rand(23, 1, 16, 16, generator=make_generator(0)), torch.arange(23) % 3


def convnet():
    with seeded(0):
        return ConvNet((1, 16, 16), 3, width=8)


@pytest.mark.parametrize(("n", "most"), [(10, 8), (8, 8), (7, 8), (256, 8), (23, 4), (5, 1), (1, 100)])
def test_pieces_hold_every_row_once_and_are_even(n, most):
    parts = in_pieces(n, most)
    sizes = [part.stop - part.start for part in parts]
    assert [row for part in parts for row in range(n)[part]] == list(range(n))
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) == -(-n // most)


def test_the_largest_output_of_one_row_counts(rows, monkeypatch):
    monkeypatch.setattr(
        pieces, "_BYTES", 10 * 8 * 16 * 16 * 4
    )  # ten rows of eight channels after the first convolution
    assert rows_per_piece(convnet(), rows[0]) == 10


def test_threads_share_batches_from_a_size_on(rows, monkeypatch):
    monkeypatch.setattr(pieces, "_SHARED_BYTES", 10 * 8 * 16 * 16 * 4)
    assert pieces.rows_to_share(convnet(), rows[0]) == 10
    assert pieces.rows_to_share(Mlp((256,), 3), rows[0].flatten(1)) == 64
    monkeypatch.setattr(pieces, "_SHARED_BYTES", 1)
    assert pieces.rows_to_share(convnet(), rows[0]) == 2


def test_sizes_are_those_of_the_way_that_many_rows_go():
    network = ConvNet(
        (1, 16, 16), 3, width=32
    )  # by tiles the first outputs stay in the cache: the pooled ones are the largest
    X = torch.rand(40, 1, 16, 16)
    assert rows_per_piece(network, X) == pieces._BYTES // (32 * 8 * 8 * 4)


class Busy(nn.Module):
    """A network that another thread passes many rows through whenever a first thread passes a few."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 4, 3, padding=1)
        self.other = torch.zeros(500, 1, 16, 16)

    def forward(self, rows):
        if len(rows) < len(self.other):
            thread = threading.Thread(target=self, args=(self.other,))
            thread.start()
            thread.join()
        return self.layer(rows)


def test_rows_of_other_threads_do_not_count():
    assert rows_per_piece(Busy(), torch.rand(40, 1, 16, 16)) == pieces._BYTES // (4 * 16 * 16 * 4)


@pytest.mark.parametrize("n_rows", [5, 15, 17, 400])
def test_sizes_do_not_depend_on_the_batch_that_comes_first(n_rows):
    first, later = ConvNet((1, 16, 16), 3, width=32), torch.rand(400, 1, 16, 16)
    rows_per_piece(first, later[:n_rows])
    assert rows_per_piece(first, later) == rows_per_piece(ConvNet((1, 16, 16), 3, width=32), later)


def test_networks_that_would_compute_something_else_get_whole_batches(rows, monkeypatch):
    monkeypatch.setattr(pieces, "_BYTES", 1)
    X = rows[0]
    normed = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    assert rows_per_piece(normed, X) == 23
    assert rows_per_piece(normed.eval(), X) == 4
    assert rows_per_piece(Mlp((256,), 3), X.flatten(1)) == 23
    assert rows_per_piece(convnet(), X) == 4
    assert rows_per_piece(convnet(), X[:2]) == 2


def test_measuring_leaves_the_network_as_it_was(rows):
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    pieces._largest_output(network, rows[0][:1])
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("weighted", [False, True])
def test_training_in_pieces_is_training(rows, monkeypatch, weighted):
    X, y = (part.double() if part.is_floating_point() else part for part in rows)
    weight = torch.rand(23, dtype=torch.float64, generator=make_generator(1)) if weighted else None
    trained = []
    for size in (2**40, 1):
        monkeypatch.setattr(pieces, "_BYTES", size)
        network, losses = convnet().double(), []
        recipe = Recipe(3, 9, "sgd", 0.1, 0.9, 0.0, "constant", "float32")
        train_network(
            network,
            X,
            class_loss(y),
            recipe,
            generator=make_generator(2),
            weight=weight,
            on_epoch=lambda _epoch, loss, losses=losses: losses.append(loss),
        )
        trained.append((network, losses, predict_rows(network, X)))
    (one, first, outputs), (other, second, in_parts) = trained
    assert first == pytest.approx(second, rel=1e-6)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(outputs, in_parts, rtol=1e-4, atol=1e-5)
    assert len(first) == 3
