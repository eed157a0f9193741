"""The verdicts on published figures: which measured results they stand beside, and what is said of both."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from distillkit.bench.leaderboard import build_leaderboard
from distillkit.bench.leaderboard._published_verdicts import published_half_width, verdict
from distillkit.builtin._published import published_results
from distillkit.specs import MetricSpec, PublishedResult

METRICS = {"accuracy": MetricSpec(name="accuracy", target="x:y", stage="prediction")}


def cell(method: str = "gradient-matching:dc", seed: int = 0, **more: Any) -> dict[str, Any]:
    name, _, preset = method.partition(":")
    fields = {
        "suite": "test", "dataset": "mnist", "dataset_revision": "1", "task": "classification", "modality": "image",
        "method": method, "method_name": name, "method_version": 1, "method_params": {"preset": preset} if preset else {},
        "kind": "condensation", "plugin": "distillkit", "plugin_version": "0.1.0", "budget": "10", "distil_seed": seed,
        "evaluator": "convnet:standard", "evaluator_name": "convnet", "evaluator_version": 1,
        "evaluator_params": {"protocol": "standard"}, "eval_seed": 0, "label_mode": "hard",
        "split": seed, "n_test": 10_000, "n_train": 60_000,
    } | more  # fmt: skip
    return {**fields, "key": f"{fields['method']}/{fields['evaluator']}/{fields['budget']}/{seed}"}


def figure(**changes: Any) -> PublishedResult:
    fields: dict[str, Any] = {
        "method": "gradient-matching", "preset": "dc", "label": "DC", "dataset": "mnist", "budget": "10",
        "evaluator": "ConvNet-3", "network": "ConvNet-3", "judge": "convnet:standard", "metric": "accuracy", "value": 0.974,
        "std": 0.002, "n": 5, "label_mode": "hard", "source": "a paper",
    }  # fmt: skip
    return PublishedResult(**(fields | changes))


def compared(
    figures: list[PublishedResult], values: tuple[float, ...] = (0.972, 0.973, 0.975), **more: Any
) -> list[dict[str, Any]]:
    rows = [
        {**cell(seed=seed, **more), "status": "ok", "metrics": {"accuracy": value}, "n_concurrent": 1}
        for seed, value in enumerate(values)
    ]
    board = build_leaderboard(rows, {row["key"]: row for row in rows}, METRICS, title="t", published=figures)
    return board.published.to_dict("records")


@pytest.mark.parametrize(("std", "n"), [(0.03, None), (0.03, 1), (0.02, 5), (0.02, 100)])
def test_the_interval_of_a_published_mean_is_that_of_scipy(std: float, n: int | None) -> None:
    if n is None or n == 1:
        low, high = stats.norm.interval(0.95, scale=std)
    else:
        low, high = stats.t.interval(0.95, n - 1, scale=std / math.sqrt(n))
    assert published_half_width(std, n) == pytest.approx((high - low) / 2)


def test_two_samples_of_one_law_are_called_different_in_at_most_5_percent() -> None:
    """Published and measured means of the same normal law, with the intervals that each of them states."""
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(1000):
        published, measured = rng.normal(0.9, 0.02, 5), rng.normal(0.9, 0.05, 4)
        result = figure(value=published.mean(), std=published.std(ddof=1), n=5)
        low, high = stats.t.interval(0.95, 3, measured.mean(), stats.sem(measured))
        called += verdict(result, measured.mean(), low, high).name in ("reproduced", "undecided")
    assert called >= 950


@pytest.mark.parametrize(
    ("value", "std", "mean", "low", "high", "name", "tolerance"),
    [
        (
            0.90,
            0.02,
            0.93,
            0.91,
            0.95,
            "reproduced",
            math.hypot(0.02, 1.959964 * 0.02),
        ),  # the interval alone says above
        (0.90, 0.00, 0.93, 0.91, 0.95, "above", 0.02),
        (0.90, 0.00, 0.89, 0.87, 0.905, "reproduced", 0.015),  # the part of the interval on the side of the figure
        (0.90, 0.00, 0.89, 0.87, 0.93, "undecided", 0.04),  # more than 2 % of the figure
        (0.917, 0.005, 0.567, 0.0, 1.0, "undecided", math.hypot(0.433, 1.959964 * 0.005)),  # two runs that differ
        (0.90, 0.00, 0.89, 0.80, 0.895, "below", 0.005),
        (0.90, None, 0.89, 0.80, 0.95, "no published spread", None),
        (0.90, 0.02, 0.89, None, None, "no interval", None),
    ],
)
def test_the_verdict_follows_both_spreads(
    value: float, std: float | None, mean: float, low: float, high: float, name: str, tolerance: float | None
) -> None:
    found = verdict(figure(value=value, std=std, n=None), mean, low, high)
    assert found.name == name
    assert found.difference == pytest.approx(mean - value)
    assert found.tolerance == pytest.approx(tolerance)


def test_the_same_protocol_gives_a_verdict_with_its_tolerance() -> None:
    (record,) = compared([figure()])
    assert (record["verdict"], record["reason"]) == ("reproduced", "")
    assert record["difference"] == pytest.approx(0.97333 - 0.974, abs=1e-4)
    assert record["tolerance"] > abs(record["difference"])
    assert compared([figure(value=0.99)])[0]["verdict"] == "below"
    assert compared([figure(value=0.95)])[0]["verdict"] == "above"


def test_a_mean_without_an_interval_has_no_verdict() -> None:
    (record,) = compared([figure()], (0.97,))
    assert (record["verdict"], record["reason"]) == (
        "no interval",
        "one run, whose interval covers the test rows alone",
    )


def test_a_verdict_says_that_the_clock_ended_the_distillation() -> None:
    (record,) = compared([figure()], stopped_by="max_seconds")
    assert (record["verdict"], record["reason"]) == ("reproduced", "max_seconds ended the distillation")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"protocol": "pixels are whitened"}, "pixels are whitened"),
        ({"judge": ""}, "no evaluator here trains as ConvNet-3 in the source"),
        ({"judge": "convnet:siamese"}, "judged by the recipe of convnet:siamese"),
        ({"label_mode": ""}, "the source does not state the kind of labels"),
        ({"size_factor": None}, "rows are generated from stored parameters, and the budget counts bytes"),
        ({"judge": None, "evaluator": "ResNet"}, "judged by ResNet"),
    ],
)
def test_another_protocol_has_a_reason_and_no_verdict(changes: dict[str, Any], reason: str) -> None:
    (record,) = compared([figure(**changes)])
    assert (record["verdict"], record["reason"]) == ("other protocol", reason)
    assert record["measured"] == pytest.approx(0.97333, abs=1e-4)
    assert math.isnan(record["tolerance"])


def test_an_evaluator_with_settings_of_its_own_is_another_judge() -> None:
    params = {"protocol": "standard", "width": 32}
    (record,) = compared([figure()], evaluator_params=params)
    assert (record["verdict"], record["reason"]) == ("other protocol", "judged by the recipe of convnet:standard")


@pytest.mark.parametrize(
    ("changes", "cells"),
    [
        ({"preset": "dsa"}, {}),  # DSA does not stand beside DC
        ({"preset": ""}, {}),
        ({"size_factor": 0.25}, {}),  # nor do images at a quarter of the bytes beside whole ones
        ({"label_mode": "soft"}, {}),
        ({}, {"evaluator": "knn", "evaluator_name": "knn", "evaluator_params": {}}),  # nor a ConvNet beside neighbors
        ({"judge": ""}, {"evaluator": "mlp", "evaluator_name": "mlp", "evaluator_params": {}}),
        ({}, {"method_params": {"preset": "dc", "downscale": 2}}),
    ],
)
def test_figures_stand_beside_nothing_that_they_do_not_concern(changes: dict[str, Any], cells: dict[str, Any]) -> None:
    (record,) = compared([figure(**changes)], **cells)
    assert (record["verdict"], record["evaluator"], record["line_method"]) == ("not run", None, None)
    assert record["published"] == 0.974


def test_reduced_images_meet_figures_that_count_bytes() -> None:
    cells = {"method_params": {"downscale": 2}, "method": "gradient-matching", "budget": "40"}
    (record,) = compared([figure(preset=None, size_factor=0.25, budget="40")], **cells)
    assert record["verdict"] == "reproduced"


def test_learned_labels_meet_the_variant_that_learns_them() -> None:
    cells = {"method": "kernel-soft", "method_params": {"learn_labels": True}, "label_mode": "soft"}
    soft = figure(method="kernel", preset="", label_mode="soft", label="FRePo")
    (record,) = compared([soft], **cells)
    assert record["verdict"] == "reproduced"


@pytest.mark.parametrize(
    ("dataset", "original"), [("cifar10-jpeg", "cifar10"), ("fashion-mnist-subset", "fashion-mnist")]
)
def test_a_stand_in_for_the_published_data_has_no_verdict(dataset: str, original: str) -> None:
    (record,) = compared([figure(dataset=original)], dataset=dataset)
    assert record["verdict"] == "other protocol"
    assert record["reason"].startswith("other data: the source has ")


def test_at_least_ten_shipped_figures_can_get_a_verdict_on_mnist() -> None:
    """What the shipped suite ``published`` runs: seven lines at 1, 10 and 50 images a class, by two recipes."""
    lines = ("random", "herding", "kcenter", "forgetting:hard", "distribution-matching", "gradient-matching:dc", "gradient-matching:dsa")  # fmt: skip
    rows = []
    for recipe in ("standard", "siamese"):
        for method in lines:
            for seed, value in enumerate((0.899, 0.900, 0.901)):
                identity = cell(
                    method, seed, budget="10", evaluator=f"convnet:{recipe}", evaluator_params={"protocol": recipe}
                )
                if method == "forgetting:hard":
                    identity["method_params"] = {"keep": "hard"}
                rows.append({**identity, "status": "ok", "metrics": {"accuracy": value}, "n_concurrent": 1})
    board = build_leaderboard(
        rows, {row["key"]: row for row in rows}, METRICS, title="t", published=published_results()
    ).published
    decided = board[board["verdict"].isin(["reproduced", "above", "below"])]
    assert set(zip(decided["published_as"], decided["line_method"], decided["evaluator"], strict=True)) == {
        ("Random", "random", "convnet:standard"),
        ("Herding", "herding", "convnet:standard"),
        ("K-Center", "kcenter", "convnet:standard"),
        ("Forgetting", "forgetting:hard", "convnet:standard"),
        ("DC", "gradient-matching:dc", "convnet:standard"),
        ("DSA", "gradient-matching:dsa", "convnet:siamese"),
        ("DM", "distribution-matching", "convnet:siamese"),
    }
