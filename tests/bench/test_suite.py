"""Suites: what is valid, and that every mistake is told with file, line and key."""

from __future__ import annotations

import pytest

from distillkit.bench.planning._load_suite import Entry, Limits, find_suite, load_suite, parse_suite, shipped_suites
from distillkit.budget import Budget
from distillkit.exceptions import SuiteError

GOOD = """\
name = "mine"
datasets = ["digits"]
methods = ["random", "kmeans"]
evaluators = ["knn"]
budgets = [1, 10]
"""


def broken(text, **replaced):
    """Parse GOOD with lines replaced by key, and return the message."""
    lines = GOOD.splitlines()
    for key, line in replaced.items():
        lines = [line if old.startswith(f"{key} =") else old for old in lines]
    with pytest.raises(SuiteError) as caught:
        parse_suite("\n".join([*lines, text]), "s.toml")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_defaults():
    suite = parse_suite(GOOD, "s.toml")
    assert suite.name == "mine"
    assert suite.methods == (Entry("random", "random"), Entry("kmeans", "kmeans"))
    assert suite.budgets == (Budget(1), Budget(10))
    assert (suite.splits, suite.seeds, suite.evaluation_seeds) == (tuple(range(10)), None, (0,))
    assert (suite.controls, suite.most_seeds) == (True, {})
    assert suite.metrics is None
    assert suite.limits == Limits(600.0, 8000.0)
    assert suite.threads == 1
    assert suite.primary == {}


def test_everything_said():
    suite = parse_suite(
        """
        description = "words"
        datasets = ["digits", {name = "iris", label = "flowers"}]
        methods = ["kmeans:medoids", {name = "kmeans", n_init = 3}, {name = "kmeans", n_init = 3, label = "km3"}]
        exclude = []
        evaluators = [{name = "knn", n_neighbors = 3}]
        budgets = [2, 0.5, "5%", "a=1,b=2", {a = 3, b = 4}]
        seeds = [7, 3]
        evaluation_seeds = 2
        metrics = ["accuracy"]
        primary = {classification = "macro-f1"}
        threads = 4
        [limits]
        seconds = 5
        """,
        "folder/my-suite.toml",
    )
    assert suite.name == "my-suite", "the file's name, where none is given"
    assert [entry.label for entry in suite.datasets] == ["digits", "flowers"]
    assert [entry.label for entry in suite.methods] == ["kmeans:medoids", "kmeans(n_init=3)", "km3"]
    assert suite.methods[2].params == {"n_init": 3}
    assert suite.evaluators == (Entry("knn", "knn(n_neighbors=3)", {"n_neighbors": 3}),)
    assert [str(budget) for budget in suite.budgets] == ["2", "0.5", "0.05", "a=1,b=2", "a=3,b=4"]
    assert (suite.seeds, suite.evaluation_seeds) == ((7, 3), (0, 1))
    assert suite.primary == {"classification": "macro-f1"}
    assert suite.limits == Limits(5.0, 8000.0)
    assert suite.threads == 4


def test_all_methods_and_metrics():
    suite = parse_suite(
        GOOD.replace('["random", "kmeans"]', '"all"') + 'metrics = "all"\nexclude = ["kmeans"]', "s.toml"
    )
    assert suite.methods is None
    assert suite.metrics == ("all",)
    assert suite.exclude == ("kmeans",)


def test_settings_are_parameters_by_name():
    assert parse_suite(GOOD, "s.toml").settings == {}
    suite = parse_suite(f"{GOOD}\n[settings.kmeans]\nn_init = 3\n[settings.knn]\nn_neighbors = 2", "s.toml")
    assert suite.settings == {"kmeans": {"n_init": 3}, "knn": {"n_neighbors": 2}}


def test_invalid_toml():
    message = broken("seeds = = 3")
    assert message.startswith("s.toml is not valid TOML")
    assert "line 6" in message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("seed = 3", "s.toml, line 6: seed is not a key of a suite: did you mean 'seeds'?"),
        ("colour = 3", "s.toml, line 6: colour is not a key of a suite: known keys are datasets, methods,"),
        ("[limit]\nseconds = 3", "s.toml, line 6: limit is not a key of a suite: did you mean 'limits'?"),
        ("description = 3", "s.toml, line 6: description must be text, not 3."),
        ("seeds = 0", "s.toml, line 6: seeds must be how many (from 1 to 10,000) or a list"),
        ("seeds = 2.5", "line 6: seeds must be how many"),
        ("seeds = true", "line 6: seeds must be how many"),
        ("seeds = []", "line 6: seeds must be how many"),
        ("seeds = [1, 1]", "line 6: seeds must be how many"),
        ("seeds = [-1]", "line 6: seeds must be how many"),
        ("seeds = [4294967296]", "line 6: seeds must be how many"),
        ("seeds = [true]", "line 6: seeds must be how many"),
        ('seeds = ["a"]', "line 6: seeds must be how many"),
        ("evaluation_seeds = -3", "line 6: evaluation_seeds must be how many"),
        ('metrics = "accuracy"', "line 6: metrics must be a list with at least one entry, not 'accuracy'."),
        ("metrics = []", "line 6: metrics must be a list with at least one entry, not []."),
        ("metrics = [3]", "line 6: metrics must hold names in quotes, not 3."),
        ('exclude = "knn"', "line 6: exclude must be a list"),
        ("settings = 3", "line 6: settings must be tables of parameters by name, such as [settings.gan]"),
        ("settings = { kmeans = 3 }", "line 6: settings must be tables of parameters by name"),
        ("settings = { kmeans = { day = 2020-01-01 } }", "line 6: settings has day = 2020-01-01: only text"),
        ('primary = "accuracy"', "line 6: primary must be a table such as"),
        ('primary = {clustering = "x"}', "line 6: primary must be a table such as"),
        ("primary = {classification = 3}", "line 6: primary must be a table such as"),
        ("limits = 3", "line 6: limits must be a table with seconds and memory_mb."),
        ("[limits]\nhours = 3", "line 7: hours is not a limit: known are seconds and memory_mb."),
        ("[limits]\nseconds = 0", "line 7: seconds must be a positive number, not 0."),
        ("[limits]\nseconds = nan", "line 7: seconds must be a positive number, not nan."),
        ("[limits]\nmemory_mb = true", "line 7: memory_mb must be a positive number, not True."),
        ("threads = 0", "line 6: threads must be a whole number from 1 to 1024, the threads of each cell, not 0."),
        ("threads = 1025", "line 6: threads must be a whole number from 1 to 1024"),
        ("threads = true", "line 6: threads must be a whole number from 1 to 1024"),
        ("threads = 2.0", "line 6: threads must be a whole number from 1 to 1024"),
        ('threads = "all"', "line 6: threads must be a whole number from 1 to 1024"),
        ('[limits]\nmemory_mb = "2 GB"', "line 7: memory_mb must be a positive number, not '2 GB'."),
    ],
)
def test_optional_keys(line, message):
    assert message in broken(line)


@pytest.mark.parametrize("key", ["datasets", "methods", "evaluators", "budgets"])
def test_a_key_that_is_missing(key):
    assert broken("", **{key: ""}) == f"s.toml: the key {key!r} is missing: add a list."


@pytest.mark.parametrize(
    ("key", "line", "message"),
    [
        ("name", "name = 3", "s.toml, line 1: name must be text, not 3."),
        ("name", 'name = "a/b"', "s.toml, line 1: name = 'a/b' names the results folder: use letters"),
        ("name", 'name = ".."', "names the results folder"),
        ("datasets", "datasets = []", "s.toml, line 2: datasets must be a list with at least one entry, not []."),
        ("datasets", 'datasets = "digits"', "line 2: datasets must be a list with at least one entry, not 'digits'."),
        ("datasets", "datasets = [3]", "line 2: datasets must hold names or tables, not 3."),
        ("datasets", 'datasets = [{target = "y"}]', "line 2: datasets has an entry without a name or a path"),
        ("datasets", "datasets = [{name = 3}]", "line 2: datasets has a name that is not text: 3."),
        ("datasets", "datasets = [{path = 3}]", "line 2: datasets has path = 3, which is not text."),
        (
            "datasets",
            'datasets = [{path = "x.doc"}]',
            "line 2: datasets has a path that cannot be read: there is no file",
        ),
        ("datasets", 'datasets = ["iris", "iris"]', "line 2: datasets has two entries called 'iris': give each"),
        (
            "datasets",
            'datasets = [{name = "iris", since = 2020-01-01}]',
            "line 2: datasets has since = 2020-01-01: only",
        ),
        ("methods", 'methods = "most"', "line 3: methods must be a list with at least one entry or the word all, not"),
        (
            "methods",
            'methods = ["a", "b", "a"]',
            "line 3: methods has two entries called 'a': give each its own label.",
        ),
        ("methods", "methods = [{n_init = 3}]", "line 3: methods has an entry without a name: {'n_init': 3}."),
        ("methods", 'methods = [{name = "a", b = inf}]', "line 3: methods has b = inf: only text, numbers"),
        ("evaluators", "evaluators = [[]]", "line 4: evaluators must hold names or tables, not []."),
        ("budgets", "budgets = 10", "line 5: budgets must be a list with at least one entry, not 10."),
        ("budgets", "budgets = [0]", "line 5: budgets are not valid: budget=0 must be at least 1"),
        ("budgets", "budgets = [1.5]", "line 5: budgets are not valid: budget=1.5 is not a share in (0, 1)"),
        ("budgets", "budgets = [true]", "line 5: budgets are not valid: budget=True is not understood"),
        ("budgets", 'budgets = ["many"]', "line 5: budgets are not valid: budget 'many' is not understood"),
        ("budgets", 'budgets = ["120%"]', "line 5: budgets are not valid: budget=1.2 is not a share"),
        ("budgets", "budgets = [{a = 0}]", "line 5: budgets are not valid: budget['a']=0 must be an int"),
        ("budgets", 'budgets = [0.05, "5%"]', "line 5: budgets name one budget twice: remove one of the two."),
    ],
)
def test_wrong_values(key, line, message):
    assert message in broken("", **{key: line})


def test_lines_of_names_are_found_in_inline_tables_and_tables():
    text = 'methods = [\n  "random",\n  {name = "kmeans", n_init = 2},\n]\n[limits]\nseconds = 1\n'
    suite = parse_suite('datasets = ["iris"]\nevaluators = ["knn"]\nbudgets = [1]\n' + text, "a/s.toml")
    assert suite.line_of("random") == "a/s.toml, line 5"
    assert suite.line_of("n_init") == "a/s.toml, line 6"
    assert suite.line_of("limits") == "a/s.toml, line 8"
    assert suite.line_of("elsewhere") == "a/s.toml"


def test_relative_paths_start_at_the_suite_file_or_else_below_the_data_root(tmp_path, monkeypatch):
    (tmp_path / "suites" / "data").mkdir(parents=True)
    (tmp_path / "suites" / "data" / "churn.csv").write_text("a,b\n1,2\n")
    (tmp_path / "suites" / "s.toml").write_text(
        GOOD.replace('["digits"]', '[{path = "data/churn.csv", target = "b"}, {path = "elsewhere.npz", label = "e"}]')
    )
    monkeypatch.chdir(tmp_path)
    beside, elsewhere = load_suite("suites/s.toml").datasets
    absolute = str(tmp_path / "suites" / "data" / "churn.csv")
    assert beside == Entry("csv", "churn", {"path": absolute, "target": "b"})
    assert elsewhere == Entry("npz", "e", {"path": "elsewhere.npz"})


@pytest.mark.parametrize("name", sorted(shipped_suites()))
def test_shipped_suites_are_valid_and_are_called_like_their_files(name):
    suite = load_suite(name)
    assert suite.name == name
    assert suite.description
    assert find_suite(name).is_file()


def test_shipped_suites_compare_every_method():
    assert {"quickstart", "digits", "mnist", "tabular", "regression", "series"} <= set(shipped_suites())
    # `published` repeats single figures of papers, which are of the methods that it names, `tabular`
    # takes ten datasets in ten splits, for which some methods of each family have to do, and `auto`
    # has those that the automatic choice chooses from.
    chosen = {"published", "tabular", "auto"}
    assert all(load_suite(name).methods is None for name in shipped_suites() if name not in chosen)
    assert {"random", "whole", "kmeans", "gradient-matching", "gan"} <= {e.name for e in load_suite("tabular").methods}


def test_a_suite_that_is_not_there(tmp_path):
    with pytest.raises(SuiteError, match="unknown suite 'quikstart': did you mean 'quickstart'"):
        load_suite("quikstart")
    with pytest.raises(SuiteError, match=r"unknown suite 'zzz': Shipped suites are .*quickstart"):
        load_suite("zzz")
    with pytest.raises(SuiteError, match=r"there is no suite file .*nothing.toml: check the path"):
        load_suite(str(tmp_path / "nothing.toml"))


def test_a_suite_that_is_no_text(tmp_path):
    (tmp_path / "s.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SuiteError, match="cannot read the suite file"):
        load_suite(str(tmp_path / "s.toml"))


def test_metrics_are_the_standard_ones_all_or_named():
    assert parse_suite(GOOD, "s.toml").metrics is None
    for selection, expected in (('"standard"', None), ('"all"', ("all",)), ('["accuracy"]', ("accuracy",))):
        assert parse_suite(f"{GOOD}metrics = {selection}\n", "s.toml").metrics == expected
