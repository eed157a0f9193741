"""Suites: what to compare, as TOML; shipped ones go by name."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from distillkit.budget import Budget
from distillkit.exceptions import BudgetError, DatasetError, SuiteError

__all__ = ["Entry", "Limits", "Suite", "find_suite", "load_suite", "parse_suite", "shipped_suites"]

DEFAULT_PRIMARY = {"classification": "accuracy", "regression": "r2"}


@dataclass(frozen=True)
class Entry:
    """A dataset, method or evaluator as a suite names it.

    Parameters
    ----------
    name : str
        Registry name, for methods and evaluators optionally with a preset: ``"kmeans:medoids"``.
    label : str
        What the leaderboard calls it: unique within its list.
    params : dict
        Options or parameters; paths in them are absolute.
    """

    name: str
    label: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """Limits of one child process: wall-clock seconds and megabytes of resident memory."""

    seconds: float = 600.0
    memory_mb: float = 8000.0


@dataclass(frozen=True)
class Suite:
    """A validated suite; see `parse_suite` for the file's keys."""

    name: str
    datasets: tuple[Entry, ...]
    methods: tuple[Entry, ...] | None
    evaluators: tuple[Entry, ...]
    budgets: tuple[Budget, ...]
    seeds: tuple[int, ...] = (0, 1, 2)
    evaluation_seeds: tuple[int, ...] = (0,)
    metrics: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    primary: dict[str, str] = field(default_factory=lambda: dict(DEFAULT_PRIMARY))
    limits: Limits = Limits()
    description: str = ""
    source: str = ""
    filename: str = ""

    def line_of(self, key: str) -> str:
        """Return ``"FILE, line N"`` of a key or name in the source, as far as it can be found."""
        return _where(self.filename or self.name, self.source, key)


def _folder() -> Path:
    """Return the shipped suites: inside an installed package, or beside it in a checkout."""
    inside = Path(__file__).parent / "_suites"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "benchmarks" / "suites"


def shipped_suites() -> dict[str, Path]:
    """Return the shipped suites by name."""
    return {path.stem: path for path in sorted(_folder().glob("*.toml"))}


def find_suite(name: str) -> Path:
    """Find a suite by shipped name or path.

    Raises
    ------
    SuiteError
        If it is neither; the message lists the shipped names.
    """
    shipped = shipped_suites()
    if name in shipped:
        return shipped[name]
    path = Path(name)
    if path.is_file():
        return path
    if path.suffix == ".toml" or len(path.parts) > 1:
        raise SuiteError(f"there is no suite file {name}: check the path, or name a shipped suite ({', '.join(shipped)}).")
    near = get_close_matches(name, shipped, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise SuiteError(f"unknown suite {name!r}: {hint}Shipped suites are {', '.join(shipped)}; a file name ends in .toml.")


def load_suite(name: str) -> Suite:
    """Load a suite by shipped name or path.

    Raises
    ------
    SuiteError
        If there is none, or it is not valid: file, line and key are named.
    """
    path = find_suite(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise SuiteError(f"cannot read the suite file {path}: {exc}.") from exc
    return parse_suite(text, str(path), base=path.parent)


def parse_suite(text: str, filename: str = "suite", base: Path | None = None) -> Suite:
    """Read a suite from TOML.

    Parameters
    ----------
    text : str
        Keys: ``datasets``, ``evaluators`` (lists of names or tables), ``methods`` (the same, or "all"), ``budgets``,
        and optionally ``name``, ``description``, ``seeds`` and ``evaluation_seeds`` (a number of them or a list),
        ``metrics`` (names or "all"), ``exclude`` (methods left out of "all"), ``primary`` (metric to rank by, per task) and
        ``limits`` (``seconds``, ``memory_mb`` of each child process).
    filename : str
        For messages.
    base : Path or None
        Relative paths in ``datasets`` start here.

    Raises
    ------
    SuiteError
        If it is not valid; file, line and key are named.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise SuiteError(f"{filename} is not valid TOML: {exc}.") from None
    return _Parser(data, text, filename, base).suite()


def _where(filename: str, text: str, key: str) -> str:
    """Find a key before ``=`` (of an inline table, too) or in a table's header, or else a name in quotes."""
    word = re.escape(key)
    as_key = rf"""(^[ \t]*|[{{,][ \t]*)["']?{word}["']?[ \t]*="""
    as_table = rf"""^[ \t]*\[+[ \t]*["']?{word}["']?[ \t]*\]"""
    match = re.search(f"{as_key}|{as_table}", text, re.MULTILINE) or re.search(rf"""["']{word}["']""", text)
    return f"{filename}, line {text.count(chr(10), 0, match.end()) + 1}" if match else filename


class _Parser:
    """Turns the TOML tables into a `Suite`, naming file, line and key of whatever is wrong."""

    required = ("datasets", "methods", "evaluators", "budgets")
    optional = ("name", "description", "exclude", "seeds", "evaluation_seeds", "metrics", "primary", "limits")
    known = frozenset(required + optional)

    def __init__(self, data: dict[str, Any], text: str, filename: str, base: Path | None) -> None:
        self.data, self.text, self.filename, self.base = data, text, filename, base

    def fail(self, key: str, message: str, at: str | None = None) -> SuiteError:
        return SuiteError(f"{_where(self.filename, self.text, at or key)}: {key} {message}")

    def suite(self) -> Suite:
        self.check_keys()
        return Suite(
            name=self.name(),
            description=self.string("description"),
            datasets=self.entries("datasets"),
            methods=None if self.data["methods"] == "all" else self.entries("methods"),
            evaluators=self.entries("evaluators"),
            budgets=self.budgets(),
            seeds=self.seeds("seeds", 3),
            evaluation_seeds=self.seeds("evaluation_seeds", 1),
            metrics=None if self.data.get("metrics", "all") == "all" else self.names("metrics"),
            exclude=self.names("exclude") if self.data.get("exclude", []) != [] else (),
            primary=self.primary(),
            limits=self.limits(),
            source=self.text,
            filename=self.filename,
        )

    def check_keys(self) -> None:
        for key in self.data:
            if key not in self.known:
                near = get_close_matches(key, self.known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(self.required + self.optional)}."
                raise self.fail(key, f"is not a key of a suite: {hint}")
        for key in self.required:
            if key not in self.data:
                raise SuiteError(f"{self.filename}: the key {key!r} is missing: add a list.")

    def string(self, key: str) -> str:
        value = self.data.get(key, "")
        if not isinstance(value, str):
            raise self.fail(key, f"must be text, not {value!r}.")
        return value

    def name(self) -> str:
        name = self.string("name") or Path(self.filename).stem
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise self.fail("name", f"= {name!r} names the results folder: use letters, digits, '.', '_' and '-' only.")
        return name

    def items(self, key: str) -> list[Any]:
        value = self.data[key]
        if not isinstance(value, list) or not value:
            raise self.fail(key, f"must be a list with at least one entry{' or the word all' if key == 'methods' else ''}, not {value!r}.")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        for value in self.items(key):
            if not isinstance(value, str):
                raise self.fail(key, f"must hold names in quotes, not {value!r}.")
        return tuple(self.data[key])

    def entries(self, key: str) -> tuple[Entry, ...]:
        entries = [self.entry(key, item) for item in self.items(key)]
        labels = [entry.label for entry in entries]
        for label in labels:
            if labels.count(label) > 1:
                raise self.fail(key, f"has two entries called {label!r}: give each its own label.", at=label)
        return tuple(entries)

    def entry(self, key: str, item: Any) -> Entry:
        if isinstance(item, str):
            return self.dataset({"name": item}) if key == "datasets" else Entry(item, item)
        if not isinstance(item, dict):
            raise self.fail(key, f"must hold names or tables, not {item!r}.")
        if key == "datasets":
            return self.dataset(item)
        if not isinstance(item.get("name"), str):
            raise self.fail(key, f"has an entry without a name: {item!r}.")
        params = self.params(key, item)
        shown = ",".join(f"{name}={value}" for name, value in params.items())
        label = str(item.get("label", item["name"] + (f"({shown})" if shown else "")))
        return Entry(item["name"], label, params)

    def params(self, key: str, item: dict[str, Any]) -> dict[str, Any]:
        params = {name: value for name, value in item.items() if name not in ("name", "label")}
        for name, value in params.items():
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError):  # a date or a time, infinity
                raise self.fail(key, f"has {name} = {value}: only text, numbers, booleans, lists and tables can be given.", at=name) from None
        return params

    def dataset(self, item: dict[str, Any]) -> Entry:
        params, name = self.params("datasets", item), item.get("name")
        if name is None and "path" not in params:
            raise self.fail("datasets", f"has an entry without a name or a path: {item!r}.")
        if name is not None and not isinstance(name, str):
            raise self.fail("datasets", f"has a name that is not text: {name!r}.")
        for option in ("path", "test_path"):
            if option in params and not isinstance(params[option], str):
                raise self.fail("datasets", f"has {option} = {params[option]!r}, which is not text.", at=option)
            if option in params and self.base is not None:
                beside = (self.base / Path(params[option]).expanduser()).resolve()
                params[option] = str(beside if beside.exists() else params[option])  # else below the data root
        if name is None:
            name = self.kind_of(params["path"])
        label = str(item.get("label", Path(params["path"]).stem if "path" in params else name))
        return Entry(name, label, params)

    def kind_of(self, path: str) -> str:
        from distillkit.datasets import dataset_for_path

        try:
            return dataset_for_path(path)
        except DatasetError as exc:
            raise self.fail("datasets", f"has a path that cannot be read: {exc}", at="path") from None

    def budgets(self) -> tuple[Budget, ...]:
        budgets = []
        for value in self.items("budgets"):
            try:
                budgets.append(Budget.parse(value) if isinstance(value, str) else Budget(value))
            except BudgetError as exc:
                raise self.fail("budgets", f"are not valid: {exc}") from None
        if len({str(budget) for budget in budgets}) < len(budgets):
            raise self.fail("budgets", "name one budget twice.")
        return tuple(budgets)

    def seeds(self, key: str, default: int) -> tuple[int, ...]:
        value = self.data.get(key, default)
        if type(value) is int and value >= 1:
            return tuple(range(value))
        numbers = isinstance(value, list) and all(type(seed) is int and 0 <= seed < 2**32 for seed in value)
        if not numbers or not value or len(set(value)) < len(value):
            raise self.fail(key, f"must be how many (at least 1) or a list of different seeds from 0 to 2**32 - 1, not {value!r}.")
        return tuple(value)

    def primary(self) -> dict[str, str]:
        value = self.data.get("primary", {})
        named = isinstance(value, dict) and set(value) <= set(DEFAULT_PRIMARY)
        if not named or not all(isinstance(metric, str) for metric in value.values()):
            raise self.fail("primary", 'must be a table such as {classification = "accuracy", regression = "r2"}.')
        return {**DEFAULT_PRIMARY, **value}

    def limits(self) -> Limits:
        value = self.data.get("limits", {})
        if not isinstance(value, dict):
            raise self.fail("limits", "must be a table with seconds and memory_mb.")
        for key, number in value.items():
            if key not in ("seconds", "memory_mb"):
                raise self.fail(key, "is not a limit: known are seconds and memory_mb.")
            if type(number) not in (int, float) or not number > 0:  # so that nan, which is not over 0, is refused
                raise self.fail(key, f"must be a positive number, not {number!r}.")
        return Limits(**{key: float(number) for key, number in value.items()})
