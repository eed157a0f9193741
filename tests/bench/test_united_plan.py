"""Plans of several runs in one folder: what stays on the leaderboard, and what leaves it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from distillkit.bench.planning._cell_keys import cell_keys
from distillkit.bench.planning._keys import PROTOCOL
from distillkit.bench.planning._united_plan import measured_otherwise, unite

FIELDS = {
    "suite": "s",
    "dataset_name": "iris",
    "dataset_params": {},
    "dataset_revision": "1",
    "task": "classification",
    "method_version": 1,
    "method_params": {},
    "plugin": "distillkit",
    "label_mode": "hard",
    "eval_seed": 0,
    "split": 0,
    "evaluator_version": 1,
    "evaluator_params": {},
    "metrics": ["accuracy@1"],
    "protocol": PROTOCOL,
    "threads": 1,
    "evaluator_plugin": "distillkit",
}


def cell(method="kmeans", seed=0, budget="1", evaluator="knn", dataset="iris", **fields):
    whole = FIELDS | {
        "dataset": dataset,
        "method": method,
        "method_name": method,
        "budget": budget,
        "distil_seed": seed,
        "evaluator": evaluator,
        "evaluator_name": evaluator,
    }
    whole |= fields
    return whole | cell_keys(whole)._asdict()


def grid(methods, seeds=(0, 1), **fields):
    return [cell(method, seed, **fields) for method, seed in itertools.product(methods, seeds)]


def keys(cells):
    return [each["key"] for each in cells]


def test_a_filtered_plan_changes_nothing():
    old = grid(["random", "kmeans", "gan"])
    united = unite(grid(["kmeans"]), old, whole=False)
    assert united.cells == old
    assert not united.replaced
    assert keys(united.left) == keys(grid(["random", "gan"]))


def test_a_filtered_plan_adds_what_is_new_at_the_end():
    old = grid(["random", "kmeans"])
    united = unite(grid(["herding"]) + grid(["random"], seeds=[2]), old, whole=False)
    assert keys(united.cells) == keys(old + grid(["herding"]) + grid(["random"], seeds=[2]))


def test_the_labels_of_the_new_plan_count_for_the_same_cells():
    old = grid(["random"])
    renamed = [each | {"method": "a random subset"} for each in old]
    assert [each["method"] for each in unite(renamed, old, whole=False).cells] == ["a random subset"] * 2


def test_a_whole_plan_has_its_own_order_and_what_is_left_comes_last():
    new, old = grid(["gan", "random"]), grid(["random", "kmeans", "gan"])
    united = unite(new, old)
    assert keys(united.cells) == keys(new + grid(["kmeans"]))
    assert keys(united.left) == keys(grid(["kmeans"]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method_version": 2}, "method kmeans version 1 in place of 2"),
        ({"method_params": {"k": 3}}, "method kmeans with other parameters"),
        ({"plugin": "mine"}, "method kmeans with other plugin"),
        ({"evaluator_version": 3}, "evaluator knn version 1 in place of 3"),
        ({"evaluator_plugin": "mine"}, "evaluator knn with other evaluator_plugin"),
        ({"dataset_revision": "9"}, "dataset iris revision 1 in place of 9"),
        ({"dataset_params": {"target": "x"}}, "dataset iris with other parameters"),
        ({"protocol": PROTOCOL + 1}, f"protocol {PROTOCOL} in place of {PROTOCOL + 1}"),
        ({"threads": 4}, "number of threads 1 in place of 4"),
        ({"metrics": ["accuracy@2"]}, "metric accuracy version 1 in place of 2"),
        ({"metrics": ["accuracy@1", "rmse@1"]}, "measured with other metrics or settings"),
    ],
)
def test_cells_that_were_measured_otherwise_are_replaced(change, words):
    old, new = grid(["kmeans"]), grid(["kmeans"], **change)
    assert set(keys(old)).isdisjoint(keys(new))
    united = unite(new, old)
    assert keys(united.cells) == keys(new)
    assert {reason: keys(cells) for reason, cells in united.replaced.items()} == {words: keys(old)}
    assert not united.lost


def test_no_comparison_mixes_two_revisions_of_its_data():
    old = grid(["random", "kmeans"]) + grid(["random"], dataset="wine", dataset_name="wine")
    new = grid(["kmeans"], dataset_revision="2")
    united = unite(new, old, whole=False)
    assert keys(united.lost["dataset iris revision 1 in place of 2"]) == keys(grid(["random"]))
    assert {each["dataset"] for each in united.left} == {"wine"}


def test_other_seeds_of_another_version_do_not_stay_in_an_entry():
    united = unite(grid(["kmeans"], seeds=[0], method_version=2), grid(["kmeans"], seeds=[0, 1]), whole=False)
    assert len(united.cells) == 1
    assert len(united.lost["method kmeans version 1 in place of 2"]) == 1


def test_the_place_of_a_file_is_no_change():
    old = grid(["kmeans"], dataset_params={"path": "/a/t.csv", "target": "x"})
    new = grid(["kmeans"], dataset_params={"path": "/b/t.csv", "target": "x"})
    assert keys(old) == keys(new)
    assert unite(new, old).cells == new


def test_plans_of_earlier_versions_lack_fields():
    old = [{name: value for name, value in each.items() if name not in ("protocol", "threads")} for each in grid(["a"])]
    assert not unite(grid(["b"]), old, whole=False).replaced
    assert measured_otherwise(grid(["a"]), old) == []


def test_reasons_are_said_once():
    assert measured_otherwise(grid(["a"], method_version=2), grid(["a"])) == ["method a version 1 in place of 2"]
    assert measured_otherwise(grid(["a"]), grid(["b"])) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_union_holds_each_cell_once(seed):
    draw = np.random.default_rng(seed)
    pool = [
        cell(method, number, method_version=version)
        for method, number, version in itertools.product("abc", range(3), (1, 2))
    ]
    one = {
        each["key"]: each
        for each in draw.choice([each for each in pool if each["method_version"] == 1], 5, replace=False)
    }
    two = {
        each["key"]: each
        for each in draw.choice([each for each in pool if each["method_version"] == 2], 5, replace=False)
    }
    for whole in (True, False):
        united = unite(list(two.values()), list(one.values()), whole=whole)
        found = keys(united.cells)
        assert len(found) == len(set(found))
        assert set(two) <= set(found) <= set(one) | set(two)
        replaced = {key for cells in united.replaced.values() for key in keys(cells)}
        assert replaced | set(found) == set(one) | set(two)
        versions = {each["method"]: set() for each in united.cells}
        for each in united.cells:
            versions[each["method"]].add(each["method_version"])
        assert all(len(several) == 1 for several in versions.values())
