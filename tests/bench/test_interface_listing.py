"""Lists of what is registered, as frames: complete, filtered, and the same as those of the command line."""

import json

import pytest
from click.testing import CliRunner

from distillkit import list_datasets, list_evaluators, list_methods, list_metrics
from distillkit.cli._list import list_
from distillkit.exceptions import UnknownNameError
from distillkit.plugins import get_manager

LISTS = {"method": list_methods, "evaluator": list_evaluators, "metric": list_metrics, "dataset": list_datasets}


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_has_what_the_command_line_lists(kind):
    listed = json.loads(CliRunner().invoke(list_, [f"{kind}s", "--json"]).stdout)
    assert LISTS[kind]().name.tolist() == [entry["name"] for entry in listed]


def test_the_fields_are_those_of_the_registration():
    frame = list_methods().set_index("name")
    for name, spec in get_manager().specs("method").items():
        if name in frame.index:
            row = frame.loc[name]
            assert (row.family, row.reduces, row.label_mode) == (spec.kind, spec.reduces, spec.label_mode)
            assert set(row.tasks.split(", ")) == spec.tasks
            assert row.installed == (not spec.missing())
            assert tuple(filter(None, row.requires.split(", "))) == spec.requires


def test_a_filter_keeps_what_does_a_task():
    specs = get_manager().specs("method")
    expected = [
        name for name in list_methods().name if "regression" in specs[name].tasks and specs[name].kind == "coreset"
    ]
    assert list_methods(task="regression", family="coreset").name.tolist() == expected
    assert set(list_metrics(stage="data").stage) == {"data"}
    with pytest.raises(UnknownNameError, match="unknown family 'coresets': did you mean 'coreset'"):
        list_methods(family="coresets")
