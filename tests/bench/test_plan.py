"""Plans: which cells there are, what their keys depend on, and what is skipped or refused."""

from __future__ import annotations

import dataclasses
import os
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from distillkit.bench.planning import _make_plan as plan_module
from distillkit.bench.planning._keys import PROTOCOL
from distillkit.bench.planning._load_suite import parse_suite
from distillkit.bench.planning._make_plan import make_plan
from distillkit.exceptions import PluginError, SuiteError, UnknownNameError
from distillkit.hookspecs import hookimpl
from distillkit.plugins import PluginManager, PluginRecord
from distillkit.specs import DatasetSpec, EvaluatorSpec, MethodSpec, MetricSpec

SUITE = """
name = "s"
datasets = ["rows"]
methods = ["mine"]
evaluators = ["judge"]
budgets = [1]
splits = 1
seeds = 1
controls = false
metrics = ["accuracy"]
"""


class Method:
    def __init__(self, budget=1, *, depth=1, width=1, task="auto", random_state=None):
        pass


def make_judge(task, random_state, depth=1):
    raise NotImplementedError


def load_nothing(root, **options):
    raise NotImplementedError


SPECS = {
    "methods": [
        MethodSpec(name="mine", target=Method, presets={"deep": {"depth": 9, "width": 2}}),
        MethodSpec(name="fixed", target=Method, budgeted=False),
        MethodSpec(name="numbers", target=Method, tasks=frozenset({"regression"})),
        MethodSpec(name="pictures", target=Method, modalities=frozenset({"image"})),
        MethodSpec(name="far-off", target="nowhere:Thing", requires=("no_such_package",)),
    ],
    "datasets": [
        DatasetSpec(name="rows", target=load_nothing, task="classification", modality="table"),
        DatasetSpec(name="prices", target=load_nothing, task="regression", modality="table"),
    ],
    "evaluators": [
        EvaluatorSpec(name="judge", target=make_judge, presets={"deep": {"depth": 9}}),
        EvaluatorSpec(name="sorter", target=make_judge, tasks=frozenset({"classification"})),
    ],
    "metrics": [
        MetricSpec(name="gain", target=max, stage="prediction", tasks=frozenset({"classification"})),
        MetricSpec(name="drift", target=max, stage="data", requires=("no_such_package",)),
    ],
}


def make_plugin(specs):
    """An object with hooks that give `specs`."""

    def hook(kind):
        @hookimpl
        def provide():
            return specs.get(kind, [])

        provide.__name__ = f"distillkit_{kind}"
        return provide

    return SimpleNamespace(
        **{f"distillkit_{kind}": hook(kind) for kind in ("methods", "datasets", "evaluators", "metrics")}
    )


@pytest.fixture
def plan(monkeypatch):
    """Plan a suite with the built-ins and an in-memory plugin whose specs may be changed."""

    def make(text=SUITE, dist="dk-mine", more=(), root=None, **changed):
        manager = PluginManager(disabled=True).load()
        specs = {
            kind: [dataclasses.replace(spec, **changed.get(spec.name.replace("-", "_"), {})) for spec in listed]
            for kind, listed in SPECS.items()
        }
        manager.register(make_plugin(specs), PluginRecord(f"{dist}:m", dist, "2.5"))
        for other, extra in more:
            manager.register(make_plugin(extra), PluginRecord(f"{other}:m", other, "1.0"))
        monkeypatch.setattr(plan_module, "get_manager", lambda: manager)
        return make_plan(parse_suite(text, "s.toml"), root)

    return make


def one(made):
    (cell,) = made.cells
    return cell


def swapped(old, new):
    assert old in SUITE
    return SUITE.replace(old, new)


def test_cells_are_the_product_in_order(plan):
    text = SUITE.replace("budgets = [1]", 'budgets = [1, "50%"]').replace(
        "seeds = 1", "seeds = [4, 2]\nevaluation_seeds = 2"
    )
    text = text.replace('["judge"]', '["judge", "sorter"]').replace('["rows"]', '["rows", "iris"]')
    made = plan(text)
    found = [
        (cell.dataset, cell.method, cell.budget, cell.distil_seed, cell.evaluator, cell.eval_seed)
        for cell in made.cells
    ]
    assert found == list(product(["rows", "iris"], ["mine"], ["1", "0.5"], [4, 2], ["judge", "sorter"], [0, 1]))
    assert len({cell.key for cell in made.cells}) == len(found)


def test_groups_share_a_distilled_set(plan):
    text = SUITE.replace("seeds = 1", "seeds = 2\nevaluation_seeds = 3").replace('["judge"]', '["judge", "sorter"]')
    made = plan(text)
    groups = made.groups()
    assert [len(group.cells) for group in groups] == [6, 6]
    for group in groups:
        assert len({(cell.distil_key, cell.distil_seed) for cell in group.cells}) == 1
    assert [len(group.cells) for group in made.groups(list(made.cells[:7]))] == [6, 1]


def test_a_cell_tells_what_it_is(plan):
    cell = one(plan())
    told = cell.identity()
    assert told | {"key": 0, "distil_key": 0, "data_key": 0} == {
        "suite": "s",
        "dataset": "rows",
        "dataset_name": "rows",
        "dataset_params": {},
        "dataset_revision": "1",
        "task": "classification",
        "modality": "table",
        "method": "mine",
        "method_name": "mine",
        "method_version": 1,
        "method_params": {},
        "kind": "coreset",
        "role": "method",
        "plugin": "dk-mine",
        "plugin_version": "2.5",
        "budget": "1",
        "budget_value": 1,
        "distil_seed": 0,
        "evaluator": "judge",
        "evaluator_name": "judge",
        "evaluator_version": 1,
        "evaluator_params": {},
        "eval_seed": 0,
        "label_mode": "hard",
        "metrics": ["accuracy@1", "balanced-accuracy@1"],
        "key": 0,
        "distil_key": 0,
        "data_key": 0,
        "skip": None,
        "failure": None,
        "task_note": "",
        "split": None,
        "deterministic": False,
        "tuned_on": [],
        "primary": None,
        "protocol": PROTOCOL,
        "threads": 1,
        "evaluator_plugin": "dk-mine",
    }
    assert cell.key != cell.distil_key != cell.data_key


def test_keys_are_stable(plan):
    first, again = one(plan()), one(plan())
    assert (first.key, first.distil_key, first.data_key) == (again.key, again.distil_key, again.data_key)
    assert len(first.key) == 16
    assert set(first.key) <= set("0123456789abcdef")


# what changes -> which of the keys change: (data, distil, cell)
CHANGES = {
    "dataset": ({"text": swapped('["rows"]', '["iris"]')}, (1, 1, 1)),
    "dataset option": ({"text": swapped('["rows"]', '[{name = "rows", option = 3}]')}, (1, 1, 1)),
    "dataset revision": ({"rows": {"revision": "2"}}, (1, 1, 1)),
    "method": ({"text": swapped('["mine"]', '["kmeans"]')}, (0, 1, 1)),
    "method version": ({"mine": {"version": 2}}, (0, 1, 1)),
    "method parameter": ({"text": swapped('["mine"]', '[{name = "mine", depth = 2}]')}, (0, 1, 1)),
    "preset": ({"text": swapped('["mine"]', '["mine:deep"]')}, (0, 1, 1)),
    "budget": ({"text": swapped("budgets = [1]", "budgets = [2]")}, (0, 1, 1)),
    "seed": ({"text": swapped("seeds = 1", "seeds = [1]")}, (0, 1, 1)),
    "evaluator": ({"text": swapped('["judge"]', '["sorter"]')}, (0, 0, 1)),
    "evaluator version": ({"judge": {"version": 2}}, (0, 0, 1)),
    "evaluator parameter": ({"text": swapped('["judge"]', '[{name = "judge", depth = 2}]')}, (0, 0, 1)),
    "evaluation seed": ({"text": SUITE + "evaluation_seeds = [1]"}, (0, 0, 1)),
    "metrics": ({"text": swapped('["accuracy"]', '["accuracy", "gain"]')}, (0, 0, 1)),
    "another plugin of that name": ({"dist": "dk-other"}, (0, 1, 1)),
    "threads": ({"text": SUITE + "threads = 2"}, (0, 1, 1)),
    "default threads": ({"text": SUITE + "threads = 1"}, (0, 0, 0)),
    "label": ({"text": swapped('["mine"]', '[{name = "mine", label = "other"}]')}, (0, 0, 0)),
    "name of the suite": ({"text": swapped('"s"', '"t"')}, (0, 0, 0)),
    "limits": ({"text": SUITE + "[limits]\nseconds = 5"}, (0, 0, 0)),
    "summary": ({"mine": {"summary": "better words"}}, (0, 0, 0)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_keys_change_with_what_decides_the_result_and_with_nothing_else(plan, change):
    options, expected = CHANGES[change]
    before, after = one(plan()), one(plan(**options))
    keys = ("data_key", "distil_key", "key")
    assert tuple(int(getattr(before, key) != getattr(after, key)) for key in keys) == expected


def test_keys_change_with_the_version_of_a_metric(plan):
    text = swapped('["accuracy"]', '["gain"]')
    before, after = one(plan(text)), one(plan(text, gain={"version": 2}))
    assert before.metrics == ("gain@1", "accuracy@1", "balanced-accuracy@1"), "the metric to rank by is always measured"
    assert after.metrics == ("gain@2", "accuracy@1", "balanced-accuracy@1")
    assert (before.key != after.key, before.distil_key) == (True, after.distil_key)


def test_data_may_move_but_not_change(plan, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "x.npz", X=np.eye(6), y=np.arange(6) % 2)

    def key(place):
        return one(plan(swapped('["rows"]', f'[{{path = "{place}", task = "classification", label = "x"}}]'))).key

    before = key(tmp_path / "a" / "x.npz")
    assert before == key(tmp_path / "b" / "x.npz")
    os.utime(tmp_path / "a" / "x.npz", (1, 1))
    assert before == key(tmp_path / "a" / "x.npz"), "only contents count"
    np.savez(tmp_path / "a" / "x.npz", X=2 * np.eye(6), y=np.arange(6) % 2)
    assert before != key(tmp_path / "a" / "x.npz")


def test_of_a_file_only_the_rows_tell_the_task(plan, tmp_path):
    for name, y in (("labels", np.arange(12) % 2), ("numbers", np.linspace(0.1, 0.9, 12))):
        np.savez(tmp_path / f"{name}.npz", X=np.random.default_rng(0).normal(size=(12, 1, 5)), y=y)
        cell = one(plan(swapped('["rows"]', f'[{{path = "{tmp_path / name}.npz"}}]')))
        assert cell.task == {"labels": "classification", "numbers": "regression"}[name]
        assert cell.modality == "series"


def test_methods_of_fixed_size_run_once_and_not_per_budget(plan):
    text = (
        SUITE.replace('["mine"]', '["mine", "fixed"]').replace("[1]", "[1, 10, 20]").replace("seeds = 1", "seeds = 2")
    )
    cells = plan(text).cells
    assert [(cell.budget, cell.distil_seed) for cell in cells if cell.method == "fixed"] == [("-", 0), ("-", 1)]
    assert [cell.budget for cell in cells if cell.method == "mine"] == ["1", "1", "10", "10", "20", "20"]
    other = plan(SUITE.replace('["mine"]', '["fixed"]').replace("[1]", "[7]")).cells
    fixed = next(cell for cell in cells if cell.method == "fixed")
    assert other[0].key == fixed.key
    assert other[0].budget_value is None, "the suite's budgets must not reach it, since its key does not know them"


def test_a_budget_per_class_reaches_the_method_as_a_dict(plan):
    assert one(plan(swapped("[1]", '["a=1,b=2"]'))).budget_value == {"a": 1, "b": 2}
    assert one(plan(swapped("[1]", '["5%"]'))).budget_value == 0.05


def test_presets_are_parameters_that_the_suite_can_override(plan):
    cell = one(plan(swapped('["mine"]', '[{name = "mine:deep", width = 7}]')))
    assert (cell.method_name, cell.method_params) == ("mine", {"depth": 9, "width": 7})
    assert one(plan(swapped('["judge"]', '["judge:deep"]'))).evaluator_params == {"depth": 9}
    with pytest.raises(
        UnknownNameError, match=r"unknown preset of mine 'dep': did you mean 'deep'\? \(s.toml, line 4\)"
    ):
        plan(swapped('["mine"]', '["mine:dep"]'))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('["mine"]', '["numbers"]', "method numbers does not do classification (rows)"),
        ('["mine"]', '["pictures"]', "method pictures does not take data of modality table (rows)"),
        ('["mine"]', '["far-off"]', "method far-off needs no_such_package, which is not installed"),
        ('["mine"]', '[{name = "far-off", x = 1}]', "method far-off needs no_such_package, which is not installed"),
        ('["rows"]', '["prices"]', "evaluator sorter does not do regression (prices)"),
    ],
)
def test_what_cannot_be_done_is_skipped_with_the_reason(plan, old, new, reason):
    text = swapped(old, new)
    assert one(plan(text.replace('["judge"]', '["sorter"]'))).skip == reason


def test_a_skip_does_not_change_the_key(plan):
    text = swapped('["mine"]', '["far-off"]')
    here = one(plan(text, far_off={"requires": ()}))
    assert (here.skip, here.key) == (None, one(plan(text)).key)


M, J, R = '["mine"]', '["judge"]', '["rows"]'


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        (M, '["kmeens"]', UnknownNameError, r"unknown method 'kmeens': did you mean .*'kmeans'.*line 4, in methods\)"),
        (
            J,
            '["jugde"]',
            UnknownNameError,
            r"evaluator 'jugde': did you mean 'judge'\? .*\(s.toml, line 5, in evaluators\)",
        ),
        (
            R,
            '["irys"]',
            UnknownNameError,
            r"unknown dataset 'irys': did you mean 'iris'.*\(s.toml, line 3, in datasets\)",
        ),
        (
            '["accuracy"]',
            '["acuracy"]',
            UnknownNameError,
            r"unknown metric 'acuracy': .*'accuracy'.*line 10, in metrics",
        ),
        (
            M,
            '[{name = "mine", detph = 1}]',
            SuiteError,
            r"s.toml, line 4: detph is not a parameter of 'mine' .* 'depth'\?",
        ),
        (M, '[{name = "mine", zz = 1}]', SuiteError, r"zz is not a parameter .*: known are depth, width\."),
        (M, '[{name = "mine", budget = 1}]', SuiteError, "budget is not a parameter"),
        (M, '[{name = "mine", random_state = 1}]', SuiteError, "random_state is not a parameter"),
        (J, '[{name = "judge", task = "x"}]', SuiteError, "task is not a parameter of 'judge'"),
        (J, '[{name = "judge", zz = 1}]', SuiteError, r"zz is not a parameter of 'judge' .*: known are depth\."),
        (
            M,
            '["mine", {name = "mine", label = "m2"}]',
            SuiteError,
            "line 4: methods 'mine' and 'm2' are the same: leave",
        ),
        (M, '["mine:deep", {name = "mine", depth = 9, width = 2}]', SuiteError, "are the same"),
        (R, '["rows", {name = "rows", label = "r"}]', SuiteError, "datasets 'rows' and 'r' are the same"),
        (J, '["judge", {name = "judge", label = "j"}]', SuiteError, "evaluators 'judge' and 'j' are the same"),
    ],
)
def test_what_is_refused(plan, old, new, error, message):
    with pytest.raises(error, match=message):
        plan(swapped(old, new))


@pytest.mark.parametrize(
    ("metric", "error", "message"),
    [
        ("acuracy", UnknownNameError, "unknown metric 'acuracy'.*line 11, in primary"),
        ("r2", SuiteError, "s.toml, line 11: primary: 'r2' does not measure classification: choose another metric"),
    ],
)
def test_the_metric_to_rank_by_is_checked(plan, metric, error, message):
    with pytest.raises(error, match=message):
        plan(SUITE + f'primary = {{classification = "{metric}"}}')


def test_all_metrics_are_those_of_the_task_that_can_be_computed(plan):
    text = swapped('["accuracy"]', '"all"')
    names = {metric.partition("@")[0] for metric in one(plan(text)).metrics}
    assert {"accuracy", "gain", "mmd", "rows"} <= names
    assert not {"r2", "drift"} & names
    names = {metric.partition("@")[0] for metric in one(plan(text.replace('["rows"]', '["prices"]'))).metrics}
    assert {"r2", "mmd"} <= names
    assert not {"accuracy", "gain"} & names


def test_all_methods_are_those_of_plugins_as_well(plan):
    text = swapped('["mine"]', '"all"')
    methods = {cell.method for cell in plan(text).cells}
    assert {"random", "whole", "class-means", "kmeans", "kcenter", "mine", "fixed"} <= methods
    assert {cell.method for cell in plan(text + 'exclude = ["mine", "whole"]').cells} == methods - {"mine", "whole"}
    with pytest.raises(UnknownNameError, match=r"unknown method 'whale'.*did you mean 'whole'.*in exclude"):
        plan(text + 'exclude = ["whale"]')


def test_settings_reach_every_use_of_a_name_and_what_is_more_particular_wins(plan):
    text = swapped('["mine"]', '"all"') + "\n[settings.kmeans]\nn_init = 3\n"
    found = {cell.method: cell.method_params for cell in plan(text).cells}
    assert (found["kmeans"], found["kcenter"]) == ({"n_init": 3}, {})
    entries = '["kmeans", "kmeans:medoids", {name = "kmeans", label = "own", n_init = 5}]'
    text = swapped('["mine"]', entries) + "\n[settings.kmeans]\nn_init = 3\nrepresentative = 'mean'\n"
    found = {cell.method: cell.method_params for cell in plan(text).cells}
    assert found["kmeans"] == {"n_init": 3, "representative": "mean"}
    assert found["kmeans:medoids"] == {"n_init": 3, "representative": "member"}
    assert found["own"] == {"n_init": 5, "representative": "mean"}


def test_settings_change_the_keys_of_their_own_cells_alone(plan):
    text = swapped('["mine"]', '["kmeans", "kcenter"]')
    before, after = (
        {cell.method: cell.key for cell in plan(each).cells}
        for each in (text, text + "\n[settings.kmeans]\nn_init = 3")
    )
    assert before["kmeans"] != after["kmeans"]
    assert before["kcenter"] == after["kcenter"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("[settings.kmean]\nn_init = 3", r"unknown method or evaluator 'kmean': did you mean 'kmeans'.*in settings"),
        ("[settings.kmeans]\nn_iinit = 3", r"n_iinit is not a parameter of 'kmeans'.*did you mean 'n_init'"),
    ],
)
def test_settings_that_lead_nowhere_are_refused(plan, settings, message):
    with pytest.raises((UnknownNameError, SuiteError), match=message):
        plan(swapped('["mine"]', '["kmeans"]') + "\n" + settings)


def test_names_with_their_package_lead_to_the_same_cells(plan):
    short, full = one(plan()), one(plan(swapped('["mine"]', '[{name = "dk-mine/mine", label = "mine"}]')))
    assert (short.key, short.method_name) == (full.key, full.method_name)
    short, full = one(plan()), one(plan(swapped('["rows"]', '[{name = "dk-mine/rows", label = "rows"}]')))
    assert (short.key, short.dataset_name) == (full.key, full.dataset_name)


def test_a_name_that_two_packages_give_leads_to_the_one_that_is_asked_for(plan):
    twin = {
        "methods": [MethodSpec(name="mine", target=Method)],
        "evaluators": [EvaluatorSpec(name="knn", target=make_judge)],
    }
    more = [("dk-twin", twin)]
    with pytest.warns(UserWarning, match="given by 2 plugins"), pytest.raises(PluginError, match="dk-twin/mine"):
        plan(more=more)
    text = SUITE.replace('["mine"]', '["dk-mine/mine", "dk-twin/mine"]').replace('["judge"]', '["knn", "dk-twin/knn"]')
    with pytest.warns(UserWarning, match=r"given by 2 plugins|built in and stays so"):
        cells = plan(text, more=more).cells
    assert [(cell.method_name, cell.plugin, cell.evaluator_name) for cell in cells] == [
        ("dk-mine/mine", "dk-mine", "knn"),
        ("dk-mine/mine", "dk-mine", "dk-twin/knn"),
        ("dk-twin/mine", "dk-twin", "knn"),
        ("dk-twin/mine", "dk-twin", "dk-twin/knn"),
    ]
    assert len({cell.key for cell in cells}) == 4
