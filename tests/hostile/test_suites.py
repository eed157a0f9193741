"""Suites that are damaged, too large or too deep: a `SuiteError` that names the file."""

from __future__ import annotations

import json

import pytest

from distillkit.bench.planning._load_suite import load_suite, parse_suite
from distillkit.bench.planning._make_plan import make_plan
from distillkit.cli._distill import parse_params
from distillkit.exceptions import SuiteError

GOOD = {
    "name": "mine",
    "description": "words",
    "datasets": ["digits", {"name": "iris", "label": "flowers"}, {"path": "rows.csv", "target": "y"}],
    "methods": ["random", {"name": "kmeans", "n_init": 3}, {"name": "kmeans", "label": "km"}],
    "evaluators": [{"name": "knn", "n_neighbors": 3}],
    "budgets": [1, 0.5, "5%", {"a": 3, "b": 4}],
    "seeds": [7, 3],
    "evaluation_seeds": 2,
    "exclude": ["gan"],
    "metrics": ["accuracy"],
    "primary": {"classification": "macro-f1"},
    "settings": {"gan": {"max_iter": 500}},
    "limits": {"seconds": 5, "memory_mb": 100.0},
}


def toml(value):
    """Return plain values as TOML, and what TOML does not have as text that is not valid."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def text_of(suite):
    return "\n".join(f"{key} = {toml(value)}" for key, value in suite.items())


def test_generated_suites_are_read_or_refused(outcomes, examples, tmp_path):
    good = text_of(GOOD)
    parse_suite(good, "suite.toml", base=tmp_path)
    path = tmp_path / "suite.toml"

    def make(damage):
        if damage.random.random() < 0.3:
            path.write_bytes(damage.bytes(good.encode()))
            return path
        suite = damage.plain(GOOD)
        try:
            path.write_text(text_of(suite), encoding="utf-8", errors="surrogatepass")
        except RecursionError:
            path.write_text("seeds = " + "[" * 3_000)
        return path

    assert outcomes(examples(500), make, lambda path: load_suite(str(path)), SuiteError) == {"read", "refused"}


@pytest.mark.parametrize(
    "value",
    [
        "9" * 4_301,
        "9" * 4_300,
        "0x" + "f" * 5_000,
        "[" * 3_000 + "]" * 3_000,
        "[" * 101 + "]" * 101,
        "{a = " * 900 + "1" + "}" * 900,
        f"{{{'.'.join('a' * 3_000)} = 1}}",
    ],
    ids=lambda value: f"{value[:10]}-{len(value)}",
)
@pytest.mark.parametrize("key", ["seeds", "description", "unknown"])
def test_numbers_and_levels_beyond_toml_are_refused(key, value):
    with pytest.raises(SuiteError, match=r"^s\.toml is not valid TOML") as caught:
        parse_suite(f"{key} = {value}", "s.toml")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("key", ["seeds", "evaluation_seeds"])
@pytest.mark.parametrize("value", [10_001, 200_000_000, 2**62, list(range(10_001))], ids=lambda value: str(value)[:9])
def test_the_number_of_seeds_has_a_bound(key, value):
    with pytest.raises(SuiteError, match=rf"{key} must be how many \(from 1 to 10,000\)") as caught:
        parse_suite(text_of(GOOD | {key: value}), "s.toml")
    assert len(str(caught.value)) < 500
    assert len(getattr(parse_suite(text_of(GOOD | {key: 10_000}), "s.toml"), key)) == 10_000


def test_the_number_of_cells_has_a_bound_that_is_checked_before_they_are_made():
    suite = parse_suite(text_of(GOOD | {"seeds": 10_000, "evaluation_seeds": 10_000, "settings": {}}), "s.toml")
    with pytest.raises(SuiteError, match="cells, and 1,000,000 are the most") as caught:
        make_plan(suite)
    assert "10000 seeds" in str(caught.value)


@pytest.mark.parametrize("path", ["a\0.csv", "x" * 5_000 + ".csv", "~nobody-of-this-name/a.csv", "", "/", "."])
@pytest.mark.parametrize("option", ["path", "test_path"])
def test_paths_that_no_system_has_are_refused(path, option, tmp_path):
    suite = GOOD | {"datasets": [{"name": "csv", "path": "rows.csv", "target": "y", option: path}]}
    file = tmp_path / "s.toml"
    file.write_text(text_of(suite))
    if path in ("", "/", "."):
        load_suite(str(file))  # of a folder that exists; the loader refuses it
        return
    with pytest.raises(SuiteError, match="which is no path") as caught:
        load_suite(str(file))
    assert len(str(caught.value)) < 5_000 + 800


def test_many_entries_are_compared_in_little_time():
    names = [f"m{i}" for i in range(20_000)]
    assert len(parse_suite(text_of(GOOD | {"methods": names}), "s.toml").methods) == 20_000
    with pytest.raises(SuiteError, match="two entries called 'm0'"):
        parse_suite(text_of(GOOD | {"methods": [*names, "m0"]}), "s.toml")


@pytest.mark.parametrize("value", ["9" * 5_000, "0x" + "f" * 5_000, "[" * 3_000 + "]" * 3_000, "x y"])
def test_parameters_of_the_command_line_that_are_not_valid_toml_are_text(value):
    assert parse_params((f"name={value}", "other=[1, 0x10]")) == {"name": value, "other": [1, 16]}
