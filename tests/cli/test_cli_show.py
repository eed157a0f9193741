"""`distillkit list` on narrow terminals and with filters, `distillkit show`, and tab completion."""

from __future__ import annotations

import json
import re
import sys

import pytest
from click.shell_completion import ShellComplete

from distillkit.cli._entries import PLURALS
from distillkit.cli._group import cli
from distillkit.plugins import get_manager, reset_manager


def names_of(told):
    return [entry["name"] for entry in json.loads(told.out)]


@pytest.fixture
def terminal(distillkit_, monkeypatch):
    """Run a command on a terminal of some width, and return its lines without colours."""

    def run(width, *args):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        told = distillkit_(*args)
        assert told.status == 0, told.err
        return re.sub(r"\x1b\[[0-9;]*m", "", told.out).splitlines()

    return run


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("things", ["methods", "datasets", "metrics", "evaluators", "suites", "plugins"])
def test_no_name_is_cut_whatever_the_width(terminal, distillkit_, width, things):
    lines = terminal(width, "list", things)
    assert max(map(len, lines)) <= width
    heads = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    monochrome = names_of(distillkit_("list", things, "--json"))
    assert [head for head in heads if head in monochrome] == monochrome


def test_a_narrow_list_says_what_it_leaves_out(terminal):
    lines = terminal(60, "list", "methods")
    assert lines[0].split() == ["name", "summary"]
    assert "reduces" in " ".join(lines[-2:])
    assert "--json" in " ".join(lines[-2:])


@pytest.mark.parametrize(
    ("args", "field", "value"),
    [
        (["methods", "--kind", "coreset"], "kind", "coreset"),
        (["methods", "--family", "condensation"], "kind", "condensation"),
        (["methods", "--kind", "coreset", "--task", "regression"], "tasks", "regression"),
        (["evaluators", "--modality", "table"], "modalities", "table"),
        (["datasets", "--modality", "image"], "modality", "image"),
        (["metrics", "--stage", "data"], "stage", "data"),
        (["metrics", "--plugin", "distillkit"], "plugin", "distillkit"),
    ],
)
def test_filters(distillkit_, args, field, value):
    everything = json.loads(distillkit_("list", args[0], "--json").out)
    chosen = json.loads(distillkit_("list", *args, "--json").out)
    if "coreset" in args:
        everything = [entry for entry in everything if entry["kind"] == "coreset"]
    assert chosen == [entry for entry in everything if value in entry[field].split()]
    assert chosen


def test_filters_that_do_not_fit_are_told(distillkit_, refused):
    assert "unknown kind of methods 'corset': did you mean 'coreset'?" in refused("list", "methods", "--kind", "corset")
    told = distillkit_("list", "metrics", "--kind", "coreset")
    assert (told.status, told.out) == (2, "")
    assert "--kind does not apply to metrics" in told.err


def test_a_method_is_shown_with_parameters_presets_and_source(distillkit_):
    (shown,) = json.loads(distillkit_("show", "kmeans", "--json").out)
    assert (shown["what"], shown["kind"], shown["plugin"]) == ("method", "coreset", "distillkit")
    assert shown["presets"] == {"medoids": {"representative": "member"}}
    assert "Lloyd 1982" in shown["reference"]
    assert shown["description"].startswith("Cluster each class by k-means")
    parameters = {parameter["name"]: parameter for parameter in shown["parameters"]}
    from distillkit import KMeansCoreset

    assert set(parameters) == set(KMeansCoreset().get_params())
    assert {name: each["default"] for name, each in parameters.items()} == {
        name: repr(value) for name, value in KMeansCoreset().get_params().items()
    }
    assert all(each["meaning"] for each in parameters.values())
    assert "An int is a number of rows per class" in parameters["budget"]["meaning"]  # of the base class
    text = distillkit_("show", "kmeans").out
    for words in ("kmeans:medoids  representative='member'", "n_init = 1", "Lloyd 1982", "distillkit"):
        assert words in text


def test_a_preset_and_a_registration_are_shown_as_defaults(distillkit_):
    def default(name, parameter):
        (shown,) = json.loads(distillkit_("show", name, "--json").out)
        return next(each["default"] for each in shown["parameters"] if each["name"] == parameter)

    assert default("kmeans", "representative") == "'centroid'"
    assert default("kmeans:medoids", "representative") == "'member'"
    pytest.importorskip("torch", reason="soft labels need torch")
    assert default("soft-kmeans", "distiller") == repr(get_manager().get("method", "soft-kmeans").params["distiller"])


@pytest.mark.parametrize("kind", ["method", "dataset", "evaluator", "metric", "reporter", "executor"])
def test_everything_registered_can_be_shown(kind):
    from distillkit.cli._describe import describe

    for name, spec in get_manager().short_specs(kind).items():
        (shown,) = describe(name, kind)
        assert shown["summary"].startswith(spec.summary)
        if missing := spec.missing():  # its parameters cannot be read, as a sentence says
            assert f"needs {missing[0]}" in shown["problem"]
            continue
        assert shown["description"], name
        assert "problem" not in shown, name
        undocumented = [each["name"] for each in shown["parameters"] if not each["meaning"]]
        assert not undocumented, (name, undocumented)


def test_names_of_several_kinds_and_other_things(distillkit_):
    assert [each["what"] for each in json.loads(distillkit_("show", "csv", "--json").out)] == ["dataset", "reporter"]
    (one,) = json.loads(distillkit_("show", "csv", "--kind", "reporter", "--json").out)
    assert one["extension"] == "csv"
    (suite,) = json.loads(distillkit_("show", "quickstart", "--json").out)
    assert (suite["what"], suite["datasets"], suite["budgets"]) == ("suite", ["digits"], ["1", "10"])
    (plugin,) = json.loads(distillkit_("show", "builtin", "--json").out)
    assert (plugin["dist"], plugin["status"]) == ("distillkit", "active")
    assert "lower is better" in distillkit_("show", "rmse").out


def test_unknown_names_suggest_the_nearest_of_every_kind(refused):
    assert "unknown name 'kmeens': did you mean 'kmeans'" in refused("show", "kmeens")
    assert "'balanced-accuracy'" in refused("show", "balanced-acuracy")
    assert "unknown preset of kmeans 'medoid': did you mean 'medoids'?" in refused("show", "kmeans:medoid")
    assert "unknown metric 'kmeans'" in refused("show", "kmeans", "--kind", "metric")


def test_what_cannot_be_loaded_is_shown_without_parameters(distillkit_, trouble):
    told = distillkit_("show", "far-off")
    assert told.status == 0
    assert "needs no_such_package" in told.out
    assert "Parameters are not known:" in told.out


def complete(*words):
    completion = ShellComplete(cli, {}, "distillkit", "_DISTILLKIT_COMPLETE")
    return completion.get_completions(list(words[:-1]), words[-1])


def values(*words):
    return [item.value for item in complete(*words) if item.type == "plain"]


def test_names_are_completed(tmp_path):
    reset_manager()
    assert {"distill", "run", "show", "list"} <= set(values(""))
    assert values("distill", "km") == ["kmeans"]
    assert values("distill", "kmeans:") == ["kmeans:medoids"]
    assert values("distill", "kmeans", "dig") == ["digits"]
    assert next(item.type for item in complete("distill", "kmeans", "d")) == "file"
    assert values("run", "quick") == ["quickstart"]
    assert "kmeans" in values("run", "quickstart", "--methods", "")
    assert values("run", "quickstart", "--methods", "kmeans,kc") == ["kmeans,kcenter"]
    assert values("run", "quickstart", "--evaluators", "logi") == ["logistic"]
    assert values("run", "quickstart", "--datasets", "iris,dig") == ["iris,digits"]
    assert values("run", "quickstart", "--executor", "l") == ["local"]
    assert values("report", str(tmp_path), "--format", "mark") == ["markdown"]
    assert values("show", "balanced") == ["balanced-accuracy"]
    assert values("list", "meth") == ["methods"]
    assert {item.value: item.help for item in complete("show", "kmea")}["kmeans"].startswith("k-means")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_printed(distillkit_, monkeypatch, shell):
    monkeypatch.setenv("_DISTILLKIT_COMPLETE", f"{shell}_source")
    monkeypatch.setattr("click.shell_completion.BashComplete._check_version", staticmethod(lambda: None))
    told = distillkit_()
    assert told.status == 0
    assert f"_DISTILLKIT_COMPLETE={shell}_complete" in told.out


def test_a_list_without_a_kind_counts_what_each_kind_has(distillkit_):
    told = distillkit_("list", "--json")
    assert told.status == 0
    entries = json.loads(told.out)
    assert [entry["kind"] for entry in entries] == list(PLURALS.values())
    for entry in entries:
        listed = json.loads(distillkit_("list", entry["kind"], "--json").out)
        assert entry["number"] == len(listed)
        assert entry["command"] == f"distillkit list {entry['kind']}"


def test_presets_are_shown_once_and_code_without_marks(distillkit_):
    shown = distillkit_("show", "kmeans").out
    assert shown.count("medoids") == 1
    assert "`" not in shown
    assert "sum_i |x_i" in shown
