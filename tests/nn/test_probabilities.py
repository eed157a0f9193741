"""Networks that return probabilities where logits are needed are refused, wherever a module is taken."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from distillkit import GradientMatchingDistiller, RandomSubset, SoftLabels, TeacherStudentDistiller
from distillkit.exceptions import DataError
from distillkit.nn import NetworkClassifier

RNG = np.random.default_rng(0)
Y = np.arange(40) % 2


def softened(last=None, n_inputs=6, n_outputs=2):
    torch.manual_seed(0)
    layers = [nn.Flatten(), nn.Linear(n_inputs, n_outputs), *([] if last is None else [last])]
    return nn.Sequential(*layers)


ROWS = RNG.normal(size=(40, 6)).astype(np.float32)


class Functional(nn.Module):
    """Takes the softmax in `forward`, where no layer shows it."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 2)

    def forward(self, x):
        return self.linear(x).softmax(dim=1)


PLACES = {
    "teacher of soft labels": lambda module: SoftLabels(RandomSubset(budget=2), teacher=module).fit(ROWS, Y),
    "teacher of a student": lambda module: TeacherStudentDistiller(teacher=module, student="mlp", epochs=1).fit(
        ROWS, Y
    ),
    "student": lambda module: TeacherStudentDistiller(teacher="linear", student=module, epochs=1).fit(ROWS, Y),
    "network of a condenser": lambda module: GradientMatchingDistiller(
        budget=1, max_iter=1, network=lambda *_: module
    ).fit(ROWS, Y),
    "network of an estimator": lambda module: NetworkClassifier(network=module, epochs=1).fit(ROWS, Y),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("make", [lambda: softened(nn.Softmax(1)), lambda: softened(nn.Sigmoid()), Functional])
def test_modules_that_return_probabilities_are_refused(place, make):
    with pytest.raises(DataError, match=r"returns probabilities, but logits are needed.*leave out its last softmax"):
        PLACES[place](make())


@pytest.mark.parametrize("last", [None, nn.LogSoftmax(1), nn.ReLU()])
@pytest.mark.parametrize("place", ["teacher of soft labels", "network of an estimator"])
def test_modules_that_return_logits_or_their_logarithms_are_taken(place, last):
    PLACES[place](softened(last))


def test_a_single_column_of_probabilities_is_refused_and_one_of_log_odds_is_not():
    with pytest.raises(DataError, match="returns probabilities"):
        PLACES["teacher of soft labels"](softened(nn.Sigmoid(), n_outputs=1))
    PLACES["teacher of soft labels"](softened(n_outputs=1))
