"""Twelve situations and the family that the rules put first in each."""

import dataclasses

import pytest

import distillkit.specs
from distillkit.advice import Situation
from distillkit.advice._cost_estimate import CostEstimate
from distillkit.advice._method_candidate import MethodCandidate
from distillkit.advice._ranking import judge, rank
from distillkit.advice._recommend import candidates
from distillkit.advice.rules import RULES
from distillkit.specs import MethodSpec

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
)
IMAGES = dataclasses.replace(TABLE, modality="image", n_features=784, n_classes=10)


def judged(situation, estimate=None):
    return [judge(dataclasses.replace(one, estimate=estimate), situation) for one in candidates()]


def ranked(situation):
    return rank(one for one in judged(situation) if not one.excluded)


def place(methods, name):
    return [one.name for one in methods].index(name)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"n_rows": 120, "budget_rows": 20}, {"coreset", "control"}, id="tiny"),
        pytest.param({"score_random": 0.899}, {"control"}, id="homogeneous"),
        pytest.param({"imbalance": 40.0}, {"coreset"}, id="imbalanced"),
        pytest.param({"n_rows": 800, "n_features": 2000, "budget_rows": 20}, {"coreset"}, id="wide"),
        pytest.param({"n_classes": 100}, {"coreset"}, id="many classes"),
        pytest.param({"task": "regression", "n_classes": 0, "seconds": 600.0}, {"condensation"}, id="regression"),
        pytest.param({"modality": "series", "n_features": 150, "seconds": 600.0}, {"condensation"}, id="series"),
        pytest.param({"modality": "image", "n_features": 784, "seconds": 600.0}, {"condensation"}, id="images"),
        pytest.param({"privacy": True}, {"synthesis"}, id="privacy"),
        pytest.param({"gradients": False}, {"coreset"}, id="no gradients"),
        pytest.param({"seconds": 1.0}, {"coreset"}, id="one second"),
        pytest.param({"modality": "image", "n_features": 784, "seconds": 3600.0}, {"condensation"}, id="an hour"),
    ],
)
def test_the_family_of_a_situation(changes, expected):
    if expected == {"condensation"}:
        pytest.importorskip("torch")
    first = ranked(dataclasses.replace(TABLE, **changes))[0]
    assert first.kind in expected
    assert first.reasons


def test_privacy_excludes_what_publishes_or_starts_from_rows():
    by_name = {one.name: one for one in candidates()}
    methods = judged(dataclasses.replace(TABLE, privacy=True))
    for one in methods:
        if not one.excluded:
            assert not by_name[one.name].exposes_originals
            assert not by_name[one.name].starts_from_real
    assert {one.name for one in methods if one.excluded} >= {"random", "kcenter", "interpolation", "mixture"}


def test_without_torch_no_method_that_needs_it_is_left(monkeypatch):
    missing = {"torch"}
    monkeypatch.setattr(distillkit.specs.Spec, "missing", lambda spec: [one for one in spec.requires if one in missing])
    methods = ranked(IMAGES)
    assert {one.kind for one in methods} <= {"coreset", "control", "synthesis"}
    assert methods[0].kind == "coreset"


def test_distances_are_no_guide_in_wide_tables():
    wide = dataclasses.replace(TABLE, n_rows=800, n_features=2000)
    points = {one.name: one.points for one in ranked(wide)}
    assert points["kcenter"] < points["random"] < points["kmeans"]
    assert points["trees"] < points["random"]


def test_rare_classes_are_covered():
    assert place(ranked(dataclasses.replace(TABLE, imbalance=40.0)), "kcenter") < place(ranked(TABLE), "kcenter")


def test_an_hour_brings_condensation_forward_and_a_second_takes_it_back():
    pytest.importorskip("torch")

    def best(seconds):
        methods = ranked(dataclasses.replace(IMAGES, seconds=seconds))
        return min(place(methods, one.name) for one in methods if one.kind == "condensation")

    assert best(3600.0) == 0
    assert best(1.0) > 5


def test_a_method_that_takes_too_long_is_left_out_unless_it_can_be_stopped():
    situation = dataclasses.replace(TABLE, seconds=5.0)
    slow = CostEstimate(seconds=8.0, memory_mb=1.0)
    spec = MethodSpec(name="one", target="a:B")
    assert judge(MethodCandidate(name="one", spec=spec, estimate=slow), situation).excluded
    assert not judge(MethodCandidate(name="one", spec=spec, estimate=slow, time_bound=True), situation).excluded
    assert not judge(MethodCandidate(name="one", spec=spec, estimate=CostEstimate(4.0, 1.0)), situation).excluded


def test_every_rule_speaks_somewhere_and_is_silent_elsewhere():
    situations = [
        TABLE,
        IMAGES,
        dataclasses.replace(TABLE, n_rows=100, budget_rows=10, n_features=60, seconds=1.0),
        dataclasses.replace(TABLE, n_rows=2_000_000, budget_rows=200_000, imbalance=20.0, seconds=900.0),
        dataclasses.replace(TABLE, score_random=0.9, privacy=True, gradients=False, linear=True, n_classes=30),
        dataclasses.replace(TABLE, modality="series", task="regression", n_classes=0),
    ]
    slow = CostEstimate(seconds=5000.0, memory_mb=1.0)
    methods = [dataclasses.replace(one, estimate=slow) for one in candidates()]
    for rule in RULES:
        spoken = [rule.judge(one, situation) for situation in situations if rule.applies(situation) for one in methods]
        assert any(verdict is not None for verdict in spoken), type(rule).__name__
        assert any(verdict is None for verdict in spoken), type(rule).__name__
        assert all(verdict.reason.endswith(".") for verdict in spoken if verdict is not None)


def test_equal_methods_are_in_order_of_their_seconds():
    spec = MethodSpec(name="one", target="a:B")
    judged = [
        judge(MethodCandidate(name=str(s), spec=spec, estimate=CostEstimate(s, 1.0)), TABLE) for s in (3.0, 1.0, 2.0)
    ]
    assert [one.name for one in rank(judged)] == ["1.0", "2.0", "3.0"]
