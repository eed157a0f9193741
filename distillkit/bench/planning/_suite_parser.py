"""Converts the tables of a TOML file to a `Suite`, with errors that name file, line and key."""

from __future__ import annotations

import json
import re
from collections import Counter
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from distillkit.bench.planning._engine_table import parsed_engine, parsed_resources
from distillkit.bench.planning._suite import DEFAULT_PRIMARY, N_SPLITS, Entry, Limits, Suite, locate
from distillkit.budget import Budget
from distillkit.exceptions import BudgetError, DatasetError, SuiteError
from distillkit.utils._messages import shown

__all__ = ["Parser"]

_MOST_THREADS = 1024
_OWN = {"methods": ("name", "label", "tuned_on", "resources"), "settings": ("name", "label", "tuned_on")}

_MOST_SEEDS = 10_000


class Parser:
    """Converts TOML tables to a `Suite`; errors name the file, line and key.

    Parameters
    ----------
    data : dict
        The parsed TOML.
    text, filename : str
        Source of the TOML and the name of its file, for the lines in error messages.
    base : Path or None
        Folder that relative paths in ``datasets`` start from.
    """

    required = ("datasets", "methods", "evaluators", "budgets")
    optional = (
        "name",
        "description",
        "exclude",
        "plugins",
        "settings",
        "controls",
        "splits",
        "seeds",
        "evaluation_seeds",
        "metrics",
        "primary",
        "limits",
        "threads",
        "engine",
    )
    known = frozenset(required + optional)

    def __init__(self, data: dict[str, Any], text: str, filename: str, base: Path | None) -> None:
        self.data, self.text, self.filename, self.base = data, text, filename, base

    def fail(self, key: str, message: str, at: str | None = None) -> SuiteError:
        """Return the error about a key, located at the key or at another word of the file."""
        return SuiteError(f"{locate(self.filename, self.text, at or key)}: {key} {message}")

    def suite(self) -> Suite:
        """Return the suite, after all keys and values have been checked."""
        self.check_keys()
        return Suite(
            name=self.name(),
            description=self.string("description"),
            datasets=self.entries("datasets"),
            methods=None if self.data["methods"] == "all" else self.entries("methods"),
            evaluators=self.entries("evaluators"),
            budgets=self.budgets(),
            seeds=self.distillation_seeds(),
            most_seeds=self.most_seeds(),
            splits=self.numbers("splits", self.data.get("splits", N_SPLITS)),
            controls=self.controls(),
            evaluation_seeds=self.numbers("evaluation_seeds", self.data.get("evaluation_seeds", 1)),
            metrics=self.metrics(),
            exclude=self.names("exclude") if self.data.get("exclude", []) != [] else (),
            plugins=self.plugins(),
            settings=self.settings(),
            settings_tuned_on=self.settings_tuned_on(),
            primary=self.primary(),
            limits=self.limits(),
            threads=self.threads(),
            engine=parsed_engine(self),
            source=self.text,
            filename=self.filename,
        )

    def plugins(self) -> tuple[str, ...]:
        """Return the paths of the plugin files; relative ones start at the suite's folder."""
        names = self.names("plugins") if self.data.get("plugins", []) != [] else ()
        paths = [str((self.base or Path()) / name) for name in names]
        for name, path in zip(names, paths, strict=True):
            if Path(path).suffix != ".py" or not Path(path).is_file():
                raise self.fail("plugins", f"names {name!r}, which is no Python file: correct the path.", name)
        return tuple(paths)

    def check_keys(self) -> None:
        for key in self.data:
            if key not in self.known:
                suggestions = get_close_matches(key, self.known, n=1)
                hint = (
                    f"did you mean {suggestions[0]!r}?"
                    if suggestions
                    else f"known keys are {', '.join(self.required + self.optional)}."
                )
                raise self.fail(key, f"is not a key of a suite: {hint}")
        for key in self.required:
            if key not in self.data:
                raise SuiteError(f"{self.filename}: the key {key!r} is missing: add a list.")

    def string(self, key: str) -> str:
        value = self.data.get(key, "")
        if not isinstance(value, str):
            raise self.fail(key, f"must be text, not {shown(value)}.")
        return value

    def name(self) -> str:
        name = self.string("name") or Path(self.filename).stem
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise self.fail(
                "name", f"= {shown(name)} names the results folder: use letters, digits, '.', '_' and '-' only."
            )
        return name

    def items(self, key: str) -> list[Any]:
        value = self.data[key]
        if not isinstance(value, list) or not value:
            or_all = " or the word all" if key == "methods" else ""
            raise self.fail(key, f"must be a list with at least one entry{or_all}, not {shown(value)}.")
        return value

    def metrics(self) -> tuple[str, ...] | None:
        """Return the names of metrics, None for the standard ones, or ("all",) for every one."""
        selection = self.data.get("metrics", "standard")
        if selection == "standard":
            return None
        return ("all",) if selection == "all" else self.names("metrics")

    def names(self, key: str) -> tuple[str, ...]:
        for value in self.items(key):
            if not isinstance(value, str):
                raise self.fail(key, f"must hold names in quotes, not {shown(value)}.")
        return tuple(self.data[key])

    def entries(self, key: str) -> tuple[Entry, ...]:
        entries = [self.entry(key, item) for item in self.items(key)]
        for label, count in Counter(entry.label for entry in entries).items():
            if count > 1:
                raise self.fail(key, f"has two entries called {shown(label)}: give each its own label.", at=label)
        return tuple(entries)

    def entry(self, key: str, item: Any) -> Entry:
        if isinstance(item, str):
            return self.dataset({"name": item}) if key == "datasets" else Entry(item, item)
        if not isinstance(item, dict):
            raise self.fail(key, f"must hold names or tables, not {shown(item)}.")
        if key == "datasets":
            return self.dataset(item)
        if not isinstance(item.get("name"), str):
            raise self.fail(key, f"has an entry without a name: {shown(item)}.")
        params = self.params(key, item)
        arguments = ",".join(f"{name}={value}" for name, value in params.items())
        label = str(item.get("label", item["name"] + (f"({arguments})" if arguments else "")))
        if key != "methods":
            return Entry(item["name"], label, params)
        return Entry(item["name"], label, params, self.tuned_on(key, item), parsed_resources(self, item))

    def tuned_on(self, key: str, item: dict[str, Any]) -> tuple[str, ...]:
        """Return what the parameters of an entry were chosen by."""
        value = item.get("tuned_on", [])
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise self.fail(
                key,
                'has a tuned_on that is not "nothing", "training rows", the name of a dataset whose test rows were '
                f"looked at, or a list of these: {shown(value)}.",
                at="tuned_on",
            )
        return tuple(names)

    def settings_tuned_on(self) -> dict[str, tuple[str, ...]]:
        found = {name: self.tuned_on("settings", item) for name, item in self.data.get("settings", {}).items()}
        return {name: names for name, names in found.items() if names}

    def settings(self) -> dict[str, dict[str, Any]]:
        value = self.data.get("settings", {})
        if not isinstance(value, dict) or not all(isinstance(params, dict) for params in value.values()):
            raise self.fail(
                "settings", "must be tables of parameters by name, such as [settings.gan] with max_iter = 500."
            )
        return {name: self.params("settings", params) for name, params in value.items()}

    def params(self, key: str, item: dict[str, Any]) -> dict[str, Any]:
        own = _OWN.get(key, ("name", "label"))
        params = {name: value for name, value in item.items() if name not in own}
        for name, value in params.items():
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError):  # TOML has dates, times and infinity, which JSON lacks.
                raise self.fail(
                    key, f"has {name} = {value}: only text, numbers, booleans, lists and tables can be given.", at=name
                ) from None
        return params

    def dataset(self, item: dict[str, Any]) -> Entry:
        params, name = self.params("datasets", item), item.get("name")
        if name is None and "path" not in params:
            raise self.fail("datasets", f"has an entry without a name or a path: {shown(item)}.")
        if name is not None and not isinstance(name, str):
            raise self.fail("datasets", f"has a name that is not text: {shown(name)}.")
        for option in ("path", "test_path"):
            if option in params and not isinstance(params[option], str):
                raise self.fail("datasets", f"has {option} = {shown(params[option])}, which is not text.", at=option)
            if option in params and self.base is not None:
                # Any other path is searched for in the data root when the dataset is loaded.
                params[option] = self.resolved(option, params[option], self.base)
        if name is None:
            name = self.kind_of(params["path"])
        label = str(item.get("label", Path(params["path"]).stem if "path" in params else name))
        return Entry(name, label, params)

    def resolved(self, option: str, path: str, base: Path) -> str:
        """Return a path that exists relative to the suite as an absolute one, others as given."""
        try:
            resolved = (base / Path(path).expanduser()).resolve()
            return str(resolved) if resolved.exists() else path
        except (OSError, RuntimeError, ValueError) as exc:  # too long, or of an unknown user
            raise self.fail("datasets", f"has {option} = {shown(path)}, which is no path: {exc}.", option) from None

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
            raise self.fail("budgets", "name one budget twice: remove one of the two.")
        return tuple(budgets)

    def distillation_seeds(self) -> tuple[int, ...] | None:
        """Return the seeds, or None if the suite names none, or only the most of some methods."""
        value = self.data.get("seeds")
        if isinstance(value, dict):
            value = value.get("default")
        return None if value is None else self.numbers("seeds", value)

    def most_seeds(self) -> dict[str, int]:
        """Return the largest number of seeds of the methods that the table of seeds names."""
        value = self.data.get("seeds")
        most = {name: number for name, number in value.items() if name != "default"} if isinstance(value, dict) else {}
        for name, number in most.items():
            if type(number) is not int or number < 1:
                raise self.fail("seeds", f"must have at least one seed of {name}, not {shown(number)}.", at=name)
        return most

    def controls(self) -> bool:
        value = self.data.get("controls", True)
        if not isinstance(value, bool):
            raise self.fail("controls", f"must be true or false, not {shown(value)}.")
        return value

    def numbers(self, key: str, value: Any) -> tuple[int, ...]:
        """Return numbers of seeds or splits, which are given as a list, or as how many."""
        if type(value) is int and 1 <= value <= _MOST_SEEDS:
            return tuple(range(value))
        valid = isinstance(value, list) and all(type(seed) is int and 0 <= seed < 2**32 for seed in value)
        if not valid or not 0 < len(set(value)) == len(value) <= _MOST_SEEDS:
            raise self.fail(
                key,
                f"must be how many (from 1 to {_MOST_SEEDS:,}) or a list of different "
                f"{'splits' if key == 'splits' else 'seeds'} from 0 to 2**32 - 1, not {shown(value)}.",
            )
        return tuple(value)

    def primary(self) -> dict[str, str]:
        value = self.data.get("primary", {})
        known_tasks = isinstance(value, dict) and set(value) <= set(DEFAULT_PRIMARY)
        if not known_tasks or not all(isinstance(metric, str) for metric in value.values()):
            raise self.fail("primary", 'must be a table such as {classification = "accuracy", regression = "r2"}.')
        return dict(value)

    def limits(self) -> Limits:
        value = self.data.get("limits", {})
        if not isinstance(value, dict):
            raise self.fail("limits", "must be a table with seconds and memory_mb.")
        for key, number in value.items():
            if key not in ("seconds", "memory_mb"):
                raise self.fail(key, "is not a limit: known are seconds and memory_mb.")
            if type(number) not in (int, float) or not number > 0:  # This form of the comparison refuses NaN.
                raise self.fail(key, f"must be a positive number, not {shown(number)}.")
        return Limits(**{key: float(number) for key, number in value.items()})

    def threads(self) -> int:
        value = self.data.get("threads", 1)
        if type(value) is not int or not 1 <= value <= _MOST_THREADS:
            raise self.fail(
                "threads", f"must be a whole number from 1 to {_MOST_THREADS}, the threads of each cell, not {value!r}."
            )
        return value
