"""Controls and references are roles that a registration gives, so that a plugin can bring its own."""

import dataclasses

import pytest

from distillkit import hookimpl
from distillkit.bench.leaderboard import build_leaderboard
from distillkit.bench.leaderboard._entry import is_control, is_reference, role_of
from distillkit.bench.planning import _make_plan
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.exceptions import PluginError
from distillkit.plugins import PluginManager, PluginRecord, get_manager
from distillkit.plugins._validation import check_results
from distillkit.specs import MethodSpec, MetricSpec

METRICS = {"accuracy": MetricSpec(name="accuracy", target=None, stage="prediction")}
SCORES = {"mine": (0.9, 0.91, 0.92, 0.95), "baseline": (0.5, 0.52, 0.51, 0.55), "all": (0.97, 0.97, 0.97, 0.97)}
SUITE = """
name = "s"
datasets = ["iris"]
methods = {methods}
evaluators = ["knn"]
budgets = [1]
metrics = ["accuracy"]
splits = 1
controls = false
seeds = 1
"""


def cell(method, seed, **fields):
    common = {
        "dataset": "iris", "task": "classification", "modality": "table", "evaluator": "knn", "label_mode": "hard", "budget": "1",
        "method": method, "method_name": method, "method_params": {}, "kind": "coreset", "distil_seed": seed, "eval_seed": 0, "skip": None, "split": seed, "n_test": 40, "n_train": 110,
    }  # fmt: skip
    return {**common, **fields, "key": f"{method}/{seed}"}


def board(roles):
    cells = [
        cell(method, seed, role=roles[method], rows=100 if method == "all" else 3, rows_seen=100)
        for method, scores in SCORES.items()
        for seed in range(len(scores))
    ]
    rows = {
        each["key"]: {
            **each,
            "status": "ok",
            "metrics": {"accuracy": SCORES[each["method"]][each["distil_seed"]]},
            "seconds_train": 1.0,
        }
        for each in cells
    }
    table = build_leaderboard(cells, rows, METRICS, title="t").table
    return {record["method"]: record for record in table.to_dict("records")}


def test_methods_are_tested_against_a_control_that_no_built_in_name_has():
    lines = board({"mine": "method", "baseline": "control", "all": "reference"})
    assert lines["mine"]["vs_random"] == "better"
    assert lines["baseline"]["vs_random"] == ""
    assert lines["all"]["reference"]
    assert lines["mine"]["gap_to_whole"] == pytest.approx(0.92 - 0.97)


def test_without_a_control_nothing_is_tested():
    lines = board(dict.fromkeys(SCORES, "method"))
    assert {line["vs_random"] for line in lines.values()} == {""}
    assert not any(line["reference"] for line in lines.values())


@pytest.mark.parametrize(
    ("name", "params", "role"),
    [
        ("random", {}, "control"),
        ("random", {"stratify": False}, "method"),
        ("soft-random", {"distiller": "random"}, "control"),
        ("student-alone", {"alpha": 1.0}, "control"),
        ("teacher", {}, "reference"),
        ("whole", {}, "reference"),
        ("kmeans", {}, "method"),
    ],
)
def test_rows_written_before_methods_had_roles_keep_theirs(name, params, role):
    row = {"method": name, "method_name": name, "method_params": params, "budget": "1", "label_mode": "hard"}
    assert role_of(row) == role
    assert is_control(row) == (role == "control")
    assert is_reference(row) == (role == "reference")


@pytest.mark.parametrize(
    ("methods", "roles"),
    [
        ('["random", "whole", "kmeans", "soft-random"]', ["control", "reference", "method", "control"]),
        ('[{name = "random", label = "certified", certify = true}]', ["method"]),
        ('["other"]', ["control"]),
    ],
)
def test_the_plan_gives_each_cell_the_role_of_its_method(monkeypatch, methods, roles):
    manager = PluginManager(disabled=True).load()

    class Plugin:
        @staticmethod
        @hookimpl
        def distillkit_methods():
            return [dataclasses.replace(get_manager().get("method", "kmeans"), name="other", role="control")]

    manager.register(Plugin(), PluginRecord("p:p", "p", "1"))
    monkeypatch.setattr(_make_plan, "get_manager", lambda: manager)
    plan = _make_plan.make_plan(parse_suite(SUITE.format(methods=methods), "s.toml"), None)
    assert [each.role for each in plan.cells] == roles


def test_an_unknown_role_is_refused():
    with pytest.raises(PluginError, match="role='baseline': it must be"):
        check_results([MethodSpec(name="x", target="a:b", role="baseline")], MethodSpec)
