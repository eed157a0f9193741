"""Suites: what to compare, as TOML; shipped ones go by name."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path

from distillkit.bench.planning._suite import Entry, Limits, Suite
from distillkit.bench.planning._suite_parser import Parser as _Parser
from distillkit.exceptions import SuiteError

__all__ = ["Entry", "Limits", "Suite", "find_suite", "load_suite", "parse_suite", "shipped_suites"]


def _folder() -> Path:
    """Return the shipped suites: inside an installed package, or beside it in a checkout."""
    inside = Path(__file__).parent / "suites"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "benchmarks" / "suites"


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
        raise SuiteError(
            f"there is no suite file {name}: check the path, or name a shipped suite ({', '.join(shipped)})."
        )
    near = get_close_matches(name, shipped, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise SuiteError(
        f"unknown suite {name!r}: {hint}Shipped suites are {', '.join(shipped)}; a file name ends in .toml."
    )


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
        ``metrics`` (names or "all"), ``exclude`` (methods left out of "all"), ``settings`` (parameters
        by name of a method or evaluator, wherever it is used), ``primary`` (metric to rank by, per task) and
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
