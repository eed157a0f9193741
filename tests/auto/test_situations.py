"""Twelve situations: which methods take part, which one the rules choose, and the reasons they give."""

import dataclasses

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from distillkit import AutoDistiller
from distillkit.advice import Situation
from distillkit.auto._blind import NO_ROWS, NO_TARGET, NO_TIME, blind_order
from distillkit.auto._choice import choose
from distillkit.auto._contenders import select_contenders
from distillkit.auto._scoreboard import Scoreboard
from distillkit.auto._trial import Trial

TABLE = Situation(
    n_rows=20_000,
    n_features=12,
    modality="table",
    task="classification",
    n_classes=2,
    budget_rows=200,
    score_all=0.9,
    score_random=0.8,
    seconds_all=2.0,
    seconds=60.0,
)
FAST = "It is fast, and hard to beat on most data."
GENERATOR = "It draws new rows from a model of the data."
CONDENSERS = ("gradient-matching", "bilevel", "kernel", "distribution-matching", "trajectory-matching")
GENERATORS = ("gan", "trees", "forest", "mixture", "interpolation", "copula")
PIXELS = {"modality": "image", "n_features": 784}


def leaving_out(names, reason):
    return dict.fromkeys(names, reason)


SITUATIONS = [
    pytest.param(
        {"n_rows": 120, "budget_rows": 20},
        "kmeans",
        "There are only 120 rows, so that a simple method is enough.",
        leaving_out([*CONDENSERS, *GENERATORS], "There are only 120 rows, too few to learn from."),
        id="tiny",
    ),
    pytest.param(
        {"score_random": 0.899}, "random", "Random rows lose only 0.001 against all rows.", {}, id="homogeneous"
    ),
    pytest.param({"imbalance": 40.0}, "kmeans", FAST, {}, id="imbalanced"),
    pytest.param(
        {"n_rows": 800, "n_features": 2000, "budget_rows": 20},
        "kmeans",
        "Averages reduce the noise of many columns.",
        leaving_out([*CONDENSERS, *GENERATORS], "There are too few rows to model 2000 columns."),
        id="wide",
    ),
    pytest.param({"n_classes": 100}, "kmeans", "It works on each of the 100 classes apart.", {}, id="many classes"),
    pytest.param(
        {"task": "regression", "n_classes": 0},
        "kmeans",
        FAST,
        leaving_out(["forgetting", "uncertainty"], "It does not work for regression."),
        id="regression",
    ),
    pytest.param(
        {"modality": "series", "n_features": 150},
        "kmeans",
        FAST,
        leaving_out(["trees", "forest", "copula"], "It does not work on series data."),
        id="series",
    ),
    pytest.param(
        PIXELS,
        "kmeans",
        FAST,
        leaving_out(["trees", "forest", "copula", "surrogates"], "It does not work on image data."),
        id="images",
    ),
    pytest.param(
        {"privacy": True},
        "forest",
        GENERATOR,
        leaving_out(["kcenter", "herding", "interpolation"], "It publishes training rows as they are.")
        | {
            "kmeans": "It averages rows, and the average of one row is that row.",
            "mixture": "Its rows start as training rows, and may stay close to them.",
        },
        id="privacy",
    ),
    pytest.param(
        {"gradients": False},
        "kmeans",
        "It does not depend on the gradients of a model.",
        leaving_out(CONDENSERS, "The model has no gradients, and these rows are made for networks."),
        id="no gradients",
    ),
    pytest.param(
        {"seconds": 1.0},
        "kmeans",
        "It needs little time.",
        leaving_out([*CONDENSERS, "gan"], "Networks need more than 1 seconds."),
        id="one second",
    ),
    pytest.param(
        PIXELS | {"seconds": 3600.0},
        "distribution-matching",
        "The rows are varied, and there is time to optimize.",
        {"trees": "It does not work on image data."},
        id="an hour",
    ),
]
NETWORKS = {*CONDENSERS, "gan"}


def contenders_of(changes):
    return select_contenders(dataclasses.replace(TABLE, **changes), labels="hard", names=None, weighted=False)


@pytest.mark.parametrize(("changes", "first", "reason", "left_out"), SITUATIONS)
def test_the_rules_choose_and_say_why(changes, first, reason, left_out):
    pytest.importorskip("torch")
    found, out = contenders_of(changes)
    best = blind_order(found, cheapest=False)[0]
    assert best.name == first
    assert reason in best.judged.reasons
    reasons = {one.name: " ".join(one.reasons) for one in out}
    assert {name: reasons.get(name) for name in left_out} == left_out
    taking_part = {one.name for one in found if one.eligible}
    assert not taking_part & set(reasons)
    assert first in taking_part
    # The random subset is what all others are measured against, even where it may not be chosen.
    assert found[0].name == "random"


@pytest.mark.parametrize(("changes", "first", "reason", "left_out"), SITUATIONS)
def test_measurements_overrule_the_order_of_the_rules_but_not_what_they_leave_out(changes, first, reason, left_out):
    pytest.importorskip("torch")
    found, out = contenders_of(changes)
    last = blind_order(found, cheapest=False)[-1].name
    names = [*(one.name for one in found), *(one.name for one in out)]
    # What is left out scores best, and of the others the one that the rules put last.
    scores = dict.fromkeys(left_out, 0.99) | {last: 0.9, "random": 0.5}
    trials = [
        Trial(method=name, rung=0, split=split, seed=0, rows=100, scores=(scores.get(name, 0.6) + split / 1000,))
        for name in names
        for split in range(3)
    ]
    choice = choose(Scoreboard(trials), found, "balanced accuracy")
    assert choice.contender.name == last
    assert f"{last} has the highest balanced accuracy, 0.901" in choice.reason
    assert "0.400 ± 0.000 above random on 3 validation splits" in choice.reason


@pytest.mark.parametrize("seconds", [1.0, 29.0, 30.0, 3600.0])
def test_networks_take_part_from_thirty_seconds_on(seconds):
    pytest.importorskip("torch")
    found, _ = contenders_of({"seconds": seconds})
    taking_part = {one.name for one in found} & NETWORKS
    assert taking_part == (NETWORKS if seconds >= 30 else set())


def blobs(n_rows=400):
    rng = np.random.default_rng(0)
    y = np.arange(n_rows) % 2
    return rng.normal(size=(n_rows, 3)) + 2 * y[:, None], y


def test_all_rows_as_budget_leave_the_choice_to_the_rules():
    X, y = load_iris(return_X_y=True)
    report = AutoDistiller(50, max_seconds=20, device="cpu", random_state=0).fit(X, y).report_
    assert (report.reason, report.trials, report.chosen) == (NO_ROWS, (), "kmeans")


def test_a_private_set_without_a_target_is_drawn_by_a_generator():
    X, _ = blobs()
    auto = AutoDistiller(20, privacy=True, max_seconds=20, device="cpu", random_state=0).fit(X)
    assert auto.report_.reason == NO_TARGET  # 400 rows are few for a generator, but all else reveals rows
    assert "kmeans" in {one.name for one in auto.report_.left_out}
    assert auto.report_.candidates[0].name == auto.report_.chosen == "forest"
    assert not (auto.X_distilled_[:, None] == X[None]).all(axis=2).any()


def test_a_private_choice_never_takes_what_publishes_rows():
    X, y = blobs()
    names = ["kcenter", "kmeans", "mixture", "copula"]
    auto = AutoDistiller(5, privacy=True, candidates=names, n_splits=2, device="cpu", random_state=0).fit(X, y)
    assert auto.report_.chosen == "copula"
    assert {"random", "kcenter", "mixture"} <= {one.name for one in auto.report_.left_out}
    assert {trial.method for trial in auto.report_.trials} >= {"random", "copula"}  # measured, not chosen


def test_without_time_the_method_of_least_cost_is_taken():
    X, y = blobs()
    report = AutoDistiller(5, max_seconds=1e-6, device="cpu", random_state=0).fit(X, y).report_
    assert (report.chosen, report.reason) == ("random", NO_TIME)


def test_one_second_leaves_out_networks_and_ends_soon():
    pytest.importorskip("torch")
    X, y = blobs()
    report = AutoDistiller(5, max_seconds=1, device="cpu", random_state=0).fit(X, y).report_
    reasons = {one.name: one.reasons[0] for one in report.left_out}
    assert {reasons[name] for name in CONDENSERS} == {"Networks need more than 1 seconds."}
    assert report.trials or report.reason == NO_TIME
    assert report.seconds < 20  # a fit or a judge that has begun is not stopped, and other programs may run


def test_a_model_without_gradients_leaves_out_condensed_rows():
    X, y = blobs()
    names = ["kmeans"]
    report = (
        AutoDistiller(
            5, estimator=RandomForestClassifier(5), candidates=names, n_splits=1, device="cpu", random_state=0
        )
        .fit(X, y)
        .report_
    )
    assert not report.situation.gradients
    assert report.judges == ("RandomForestClassifier",)
