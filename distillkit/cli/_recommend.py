"""The command ``distillkit recommend``, which says which methods suit some data."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from distillkit.cli._completion import Name
from distillkit.cli._options import budget_option, data_root_option, plugin_option, reading_options

__all__ = ["recommend"]


@click.command()
@click.argument("source", metavar="DATA", type=Name("dataset", files=True))
@click.option("--target", "-t", help="Column that holds the target.")
@budget_option
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Seconds that a distillation may take.")
@click.option("--device", default="auto", show_default=True, help="Device of the networks: auto, cpu or cuda.")
@click.option("--privacy", is_flag=True, help="Leave out methods that publish training rows or start from them.")
@click.option("--no-probe", is_flag=True, help="Leave out the estimates of seconds and memory, which take time.")
@click.option("--suite", type=click.Path(path_type=Path, dir_okay=False), help="Suite file to write for `run`.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, for programs.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal mark of a CSV file.  [default: .]")
@reading_options
@data_root_option
@plugin_option
def recommend(
    source: str,
    target: str | None,
    budget: str,
    seconds: float | None,
    device: str,
    privacy: bool,
    no_probe: bool,
    suite: Path | None,
    as_json: bool,
    data_root: Path | None,
    **reading: Any,
) -> None:
    """Recommend methods for DATA, with reasons and estimates of seconds and memory.

    DATA is a file or the name of a dataset, as for `distill`. Its rows are measured, and the
    methods are fitted to small samples of them. A suite file compares the first of them by `run`.

    Example: distillkit recommend data.csv --target label --budget 5% --seconds 60 --suite mine.toml
    """
    from distillkit.advice import recommend as advise
    from distillkit.budget import Budget
    from distillkit.datasets import load_rows
    from distillkit.exceptions import DataError

    parsed = Budget.parse(budget)
    reading["drop"] = [name.strip() for names in reading["drop"] for name in names.split(",")]
    options = {"target": target, **reading}
    given: dict[str, Any] = {
        key: list(value) if isinstance(value, tuple) else value for key, value in options.items() if value
    }
    X, y = load_rows(source, root=data_root, **given)
    if y is None:
        from distillkit.cli._target_hint import describe_missing_target

        hint = f": {describe_missing_target(X)}" if hasattr(X, "columns") else ""
        raise DataError(f"{source} is read without a target, which a recommendation needs{hint}.")
    probing: dict[str, Any] = {"probe_seconds": 0} if no_probe else {}
    advice = advise(X, y, parsed, seconds=seconds, device=device, privacy=privacy, **probing)
    if suite is not None:
        _write(suite, advice.to_suite(_dataset(source, given, suite), suite.stem))
    if as_json:
        click.echo(json.dumps(advice.to_dict(), indent=2))
        return
    click.echo(str(advice))
    if suite is not None:
        click.echo(f"\nwrote {suite}; compare these methods by: distillkit run {suite}")


def _dataset(source: str, given: Mapping[str, Any], suite: Path) -> str | dict[str, Any]:
    """Return the entry of the data in a suite, with the path as seen from the suite."""
    path = Path(source)
    if path.exists():
        try:
            source = Path(os.path.relpath(path.resolve(), suite.resolve().parent)).as_posix()
        except ValueError:  # Another drive.
            source = path.resolve().as_posix()
        return {"path": source, **given}
    return {"path" if path.suffix else "name": source, **given} if path.suffix or given else source


def _write(path: Path, text: str) -> None:
    from distillkit.exceptions import SuiteError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise SuiteError(f"cannot write {path}: {exc.strerror or exc}. Choose another file.") from exc
