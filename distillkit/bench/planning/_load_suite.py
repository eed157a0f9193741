"""Loads suites from TOML files, by path or by the name of a shipped suite."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from distillkit.bench.planning._suite import Entry, Limits, Suite
from distillkit.bench.planning._suite_parser import Parser as _Parser
from distillkit.exceptions import SuiteError
from distillkit.plugins import use_plugin_files
from distillkit.utils._file_bounds import parsed_toml

__all__ = ["Entry", "Limits", "Suite", "find_suite", "load_suite", "parse_suite", "shipped_suites"]


def _folder() -> Path:
    """Return the folder of the shipped suites.

    It lies inside an installed package; in a checkout it is ``benchmarks/suites``.
    """
    installed = Path(__file__).parent / "suites"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "benchmarks" / "suites"


def shipped_suites() -> dict[str, Path]:
    """Return the paths of the shipped suites by name."""
    return {path.stem: path for path in sorted(_folder().glob("*.toml"))}


def find_suite(name: str) -> Path:
    """Find a suite by shipped name or path.

    Raises
    ------
    SuiteError
        If there is no such suite and no such file; the message lists the shipped suites.
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
    suggestions = get_close_matches(name, shipped, n=1)
    hint = f"did you mean {suggestions[0]!r}? " if suggestions else ""
    raise SuiteError(
        f"unknown suite {name!r}: {hint}Shipped suites are {', '.join(shipped)}; a file name ends in .toml."
    )


def load_suite(name: str) -> Suite:
    """Load a suite by shipped name or path.

    Raises
    ------
    SuiteError
        If there is no such suite, or it is not valid; the message names the file, line and key.
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
        TOML. The required keys are ``datasets`` and ``evaluators`` (lists of names or tables),
        ``methods`` (the same, or "all") and ``budgets`` (a list). The optional keys are ``name``,
        ``description``, ``splits`` (how many splits of datasets without test rows of their own, or
        a list of them), ``seeds`` and ``evaluation_seeds`` (a number of seeds or a list of them;
        ``seeds`` also a table with the key ``default`` and the most seeds of each method),
        ``controls`` (false adds no controls to the methods),
        ``metrics`` (names or "all"), ``exclude`` (methods left out of "all"), ``plugins``
        (Python files with hooks, which are loaded at once), ``settings``
        (parameters by the name of a method or evaluator, for all of its uses), ``primary`` (the
        metric to rank by, per task), ``limits`` (``seconds`` and ``memory_mb`` of each child
        process), ``threads`` (number of threads of each child process, 1 by default) and ``engine``
        (name of the engine, or a table of its ``name`` and options). The table of a method may have
        ``resources``, which the engine reserves: ``cpu``, ``gpu`` and ``memory_mb``.
    filename : str, default="suite"
        Name of the file for error messages.
    base : Path or None
        Folder that relative paths in ``datasets`` and ``plugins`` start from.

    Raises
    ------
    SuiteError
        If the suite is not valid; the message names the file, line and key.
    """
    try:
        data = parsed_toml(text)
    except ValueError as exc:  # of Python as well, about numbers of thousands of digits
        raise SuiteError(f"{filename} is not valid TOML: {exc}.") from None
    suite = _Parser(data, text, filename, base).suite()
    use_plugin_files(suite.plugins)
    return suite
