"""Splits, seeds, controls, primary metrics and what parameters were tuned on, as a suite states them."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from distillkit.bench.execution._data_facts import data_facts
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.bench.planning._make_plan import make_plan
from distillkit.bench.planning._primary import primary_metric
from distillkit.bench.results._outcomes import decode
from distillkit.bench.results._store import ResultsStore
from distillkit.cli._options import load_narrowed
from distillkit.cli._report import write_reports
from distillkit.datasets import Dataset, load_dataset
from distillkit.exceptions import SuiteError
from distillkit.plugins import get_manager
from distillkit.plugins._methods import make_method

SUITE = {
    "name": '"s"',
    "datasets": '["iris", "gunpoint"]',
    "methods": '["kcenter"]',
    "evaluators": '["knn"]',
    "budgets": "[1]",
    "metrics": '["accuracy"]',
}


def suite_of(**keys):
    return parse_suite("\n".join(f"{key} = {value}" for key, value in (SUITE | keys).items()), "s.toml")


def plan_of(**keys):
    return make_plan(suite_of(**keys))


@pytest.fixture(autouse=True)
def data_root(real_data):
    real_data("ucr/GunPoint")


def places(plan, dataset, method="kmeans", evaluator="knn"):
    return [
        (cell.split, cell.distil_seed)
        for cell in plan.cells
        if (cell.dataset, cell.method, cell.evaluator) == (dataset, method, evaluator)
    ]


TEN = [(number, number) for number in range(10)]


@pytest.mark.parametrize(
    ("keys", "held_out", "own"),
    [
        ({}, TEN, [(None, seed) for seed in range(10)]),
        ({"splits": "3"}, TEN[:3], [(None, 0), (None, 1), (None, 2)]),
        ({"splits": "[7, 4]"}, [(7, 7), (4, 4)], [(None, 0), (None, 1)]),
        ({"splits": "1"}, [(0, 0), (0, 1), (0, 2)], [(None, 0), (None, 1), (None, 2)]),
        ({"splits": "2", "seeds": "[5, 8]"}, [(0, 5), (0, 8), (1, 5), (1, 8)], [(None, 5), (None, 8)]),
        ({"splits": "1", "seeds": "1"}, [(0, 0)], [(None, 0)]),
        ({"splits": "4", "seeds": "{kmeans = 2}"}, TEN[:4], [(None, 0), (None, 1)]),
        ({"splits": "2", "seeds": "{default = 3, kmeans = 1}"}, [(0, 0), (1, 0)], [(None, 0)]),
        (
            {"splits": "2", "seeds": "{default = 2, kcenter = 1}"},
            [(0, 0), (0, 1), (1, 0), (1, 1)],
            [(None, 0), (None, 1)],
        ),
    ],
)
def test_splits_and_seeds(keys, held_out, own):
    plan = plan_of(**keys)
    assert (places(plan, "iris"), places(plan, "gunpoint")) == (held_out, own)
    assert len({cell.key for cell in plan.cells}) == len(plan.cells)
    data_keys = {(cell.dataset, cell.split): cell.data_key for cell in plan.cells}
    assert len(set(data_keys.values())) == len(data_keys), "each split has data of its own"


def test_a_dataset_may_name_its_split():
    plan = plan_of(datasets='[{name = "iris", split = 6}]', seeds="1")
    assert places(plan, "iris") == [(6, 0)]
    (named,) = {cell.data_key for cell in plan.cells}
    assert named in {cell.data_key for cell in plan_of().cells if cell.split == 6}, "it is the same data"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"splits": "0"}, "splits must be how many"),
        ({"splits": "[1, 1]"}, "a list of different splits"),
        ({"splits": '"ten"'}, "splits must be how many"),
        ({"seeds": "{random = 0}"}, "seeds must have at least one seed of random"),
        ({"seeds": "{default = -1}"}, "seeds must be how many"),
        ({"controls": '"no"'}, "controls must be true or false"),
        ({"methods": '[{name = "kcenter", tuned_on = 3}]'}, "methods has a tuned_on that is not"),
    ],
)
def test_wrong_values_are_named_with_their_line(keys, message):
    with pytest.raises(SuiteError, match=message) as caught:
        suite_of(**keys)
    assert str(caught.value).startswith("s.toml, line ")


def test_options_narrow_splits_and_add_no_controls(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text("\n".join(f"{key} = {value}" for key, value in SUITE.items()))
    plan = make_plan(load_narrowed(str(path), {"splits": 2, "methods": ("random",)}))
    assert {cell.method for cell in plan.cells} == {"random"}
    assert [split for split, _ in places(plan, "iris", "random")] == [0] * 5 + [1] * 5


@pytest.mark.parametrize(
    ("keys", "seeds"),
    [
        ({"splits": "2"}, [(0, 0), (0, 1000), (0, 2000), (0, 3000), (0, 4000), (1, 1), (1, 1001)]),
        ({"splits": "2", "seeds": "{random = 2}"}, [(0, 0), (0, 1000), (1, 1), (1, 1001)]),
        ({"splits": "2", "seeds": "1"}, [(0, 0), (1, 0)]),
    ],
)
def test_the_control_has_several_seeds_a_split_unless_the_suite_says_otherwise(keys, seeds):
    found = places(plan_of(**keys), "iris", "random")
    assert found[: len(seeds)] == seeds
    assert len(found) == (10 if "seeds" not in keys else len(seeds))
    variant = plan_of(splits="2", methods='[{name = "random", label = "own", certify = true}]')
    assert places(variant, "iris", "own") == [(0, 0), (1, 1)], "a variant is a method like others"


def methods(plan, dataset="iris"):
    return list(dict.fromkeys(cell.method for cell in plan.cells if cell.dataset == dataset))


def test_controls_are_added_where_they_apply():
    assert methods(plan_of()) == ["kcenter", "whole", "random", "kmeans", "class-means"]
    assert methods(plan_of(controls="false")) == ["kcenter"]
    assert methods(plan_of(methods='["random", "kcenter", "whole"]')) == [
        *("random", "kcenter", "whole"),
        *("kmeans", "class-means"),
    ]
    both = plan_of(datasets='["iris", "diabetes"]', evaluators='["ridge"]', metrics='["r2"]')
    assert methods(both, "iris") == ["kcenter"], "which is skipped, but no control is"
    assert {cell.method for cell in both.cells if cell.skip} == {"kcenter"}
    assert len(methods(both, "diabetes")) == 5
    assert "whole" not in methods(plan_of(methods='"all"', exclude='["whole"]'))
    assert methods(plan_of(methods='["student-alone"]')) == ["student-alone"]


def test_a_variant_of_a_control_does_not_replace_it():
    plan = plan_of(methods='["kmeans:medoids", {name = "random", label = "kmeans", certify = true}]')
    assert methods(plan) == ["kmeans:medoids", "kmeans", "whole", "random", "kmeans (control)", "class-means"]
    roles = {cell.method: cell.role for cell in plan.cells}
    assert (roles["random"], roles["kmeans"]) == ("control", "method")


def test_a_method_without_randomness_is_distilled_once_where_the_data_do_not_change():
    plan = plan_of(evaluators='["knn", "forest"]', splits="3", seeds="2")
    for dataset, splits in (("iris", range(3)), ("gunpoint", [None])):
        # Neither k-center nor nearest neighbours depend on the seed, but a forest does.
        assert places(plan, dataset, "kcenter", "knn") == [(split, 0) for split in splits]
        assert places(plan, dataset, "kcenter", "forest") == list(product(splits, (0, 1)))
        for split in splits:
            cells = [c for c in plan.cells if (c.dataset, c.method, c.split) == (dataset, "kcenter", split)]
            assert len({cell.distil_key for cell in cells}) == 1
            assert len({cell.key for cell in cells}) == len(cells) == 3
    assert {cell.method: cell.deterministic for cell in plan.cells} == {
        "kcenter": True,
        "whole": True,
        "class-means": True,
        "random": False,
        "kmeans": False,
    }


SPECS = get_manager().specs("method")


@pytest.mark.parametrize("name", sorted(name for name, spec in SPECS.items() if spec.is_deterministic({})))
@pytest.mark.parametrize("dataset", ["iris", "digits", "diabetes"])
def test_methods_without_randomness_give_the_same_set_for_every_seed(name, dataset):
    data = load_dataset(dataset)
    sets = []
    for seed in (0, 1):
        given = {"budget": 3, "task": data.task, "random_state": seed}
        sets.append(make_method(name, {}, given).fit(data.X_train[:400], data.y_train[:400]).distilled_)
    first, second = sets
    for values in ("X", "y", "sample_weight"):
        np.testing.assert_array_equal(getattr(first, values), getattr(second, values))


def test_parameters_can_make_a_method_random():
    spec = SPECS["kcenter"]
    found = [spec.is_deterministic(params) for params in ({}, {"start": "medoid"}, {"start": "random"})]
    assert found == [True, True, False]
    assert not spec.is_deterministic({"feature_space": "network"})
    assert not SPECS["kmeans"].is_deterministic({})
    plan = plan_of(methods='[{name = "kcenter", start = "random"}]', splits="1", seeds="2", controls="false")
    assert len({cell.distil_key for cell in plan.cells if cell.dataset == "iris"}) == 2


def test_what_parameters_were_chosen_by_is_stated_once_for_all_sources():
    plan = plan_of(
        methods=(
            '["random", "soft-random", {name = "kcenter", tuned_on = "training rows"}, '
            '{name = "soft-kmeans", label = "s", tuned_on = ["iris", "nothing", "mnist"]}, "uncertainty:hard-fifth"]'
        ),
        evaluators='["logistic"]',
        settings='{soft-random = {temperature = 2.0, tuned_on = "digits"}}',
    )
    found = {cell.method: cell.tuned_on for cell in plan.cells}
    assert found["random"] == found["whole"] == ()
    assert found["kcenter"] == ("training rows",)
    assert found["soft-random"] == ("mnist", "digits")
    assert found["s"] == ("mnist", "iris")
    assert found["uncertainty:hard-fifth"] == ("mnist",)
    cell = next(cell for cell in plan.cells if cell.method == "soft-random")
    assert "tuned_on" not in cell.method_params
    assert json.loads(json.dumps(cell.identity()))["tuned_on"] == ["mnist", "digits"]
    other = plan_of(
        methods='["soft-random"]', evaluators='["logistic"]', settings="{soft-random = {temperature = 2.0}}"
    )
    assert cell.key in {cell.key for cell in other.cells}, "how parameters were chosen does not change a result"


@pytest.mark.parametrize(
    ("counts", "metric"),
    [([50, 50], "accuracy"), ([60, 40], "accuracy"), ([61, 40], "balanced-accuracy"), ([2, 0, 2], "accuracy")],
)
def test_uneven_classes_are_ranked_by_balanced_accuracy(counts, metric):
    y = np.repeat(np.arange(len(counts)), counts)
    X = np.zeros((len(y), 2), np.float32)
    data = Dataset("d", "classification", "table", X, y, X[:2], y[:2], classes=tuple("abcd"[: len(counts)]))
    assert primary_metric("classification", data_facts(data)["class_counts"]) == metric
    assert primary_metric("regression", None) == "r2"
    assert primary_metric("classification", None) == "accuracy"


def test_rows_name_the_metric_that_suits_their_data_unless_the_suite_does(do, tmp_path):
    keys = {"datasets": '["iris", "breast-cancer"]', "controls": "false", "splits": "1", "seeds": "1"}
    rows = do(plan_of(**keys), tmp_path / "a")
    assert [row["primary"] for row in rows] == ["accuracy", "balanced-accuracy"], "357 and 212 rows of a class"
    assert set(rows[0]["metrics"]) >= {"accuracy", "balanced-accuracy"}
    table = write_reports(ResultsStore(tmp_path / "a"), show=False, formats=("csv",)).table
    assert dict(zip(table["dataset"], table["metric"], strict=True)) == {
        "iris": "accuracy",
        "breast-cancer": "balanced-accuracy",
    }
    rows = do(plan_of(**keys, primary='{classification = "macro-f1"}'), tmp_path / "b")
    assert [row["primary"] for row in rows] == ["macro-f1", "macro-f1"]


def test_each_split_is_run_on_its_own_rows(do, tmp_path):
    plan = plan_of(datasets='["iris"]', methods='["kcenter"]', splits="[0, 3]", controls="false")
    rows = do(plan, tmp_path)
    store = ResultsStore(tmp_path)
    assert [row["split"] for row in rows] == [0, 3]
    for row in rows:
        data = load_dataset("iris", split=row["split"])
        truth = decode(store.targets(row["data_key"]))
        np.testing.assert_array_equal(truth, data.y_test)
        assert accuracy_score(truth, decode(row["outcome"])) == row["metrics"]["accuracy"]
        distilled = np.load(tmp_path / "data" / row["data_key"] / "X_train.npy")
        np.testing.assert_array_equal(distilled, data.X_train)


def test_a_student_that_is_the_control_has_one_seed_a_split_because_it_trains_a_teacher():
    plan = plan_of(datasets='["iris"]', methods='["student-alone", "random"]', splits="2")
    assert places(plan, "iris", "student-alone", "student") == [(0, 0), (1, 1)]
    assert len(places(plan, "iris", "random")) == 10
