"""The command ``distillkit compare``, which sets two results beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distillkit.cli._options import plugin_option

if TYPE_CHECKING:
    from distillkit.bench.sharing._comparison import ComparedResults

__all__ = ["compare"]

_MOST_LINES = 20


@click.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "markdown", "csv")),
    default="text",
    show_default=True,
    help="Form of the output.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="File to write to, in place of the terminal.")
@plugin_option
def compare(first: Path, second: Path, form: str, output: Path | None) -> None:
    """Compare the scores of the cells that two results have, and name those that only one has.

    FIRST and SECOND are results folders, published sites or files of rows, such as those of two
    versions of distillkit. Differences (SECOND less FIRST) have 95 % intervals and p-values from
    the same splits, or from the same seeds and test rows, corrected together by Holm's method.
    """
    from distillkit.bench.sharing._comparison import compare_results
    from distillkit.bench.sharing._row_source import open_source
    from distillkit.exceptions import ResultsError

    outcome = compare_results(open_source(first), open_source(second))
    text = (
        outcome.table.to_csv(index=False, lineterminator="\n")
        if form == "csv"
        else _lines(outcome, first, second, form)
    )
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    try:
        output.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
    except OSError as exc:
        raise ResultsError(f"cannot write {output}: {exc.strerror or exc}. Choose another file.") from exc
    click.echo(f"wrote {output}")


def _lines(outcome: ComparedResults, first: Path, second: Path, form: str) -> str:
    """Return the comparison as Markdown, or as text in columns."""
    table, markdown = outcome.table, form == "markdown"
    head = [
        "dataset",
        "evaluator",
        "budget",
        "method",
        "metric",
        "cells",
        "first",
        "second",
        "difference",
        "p",
        "verdict",
    ]
    cells = [[_shown(name, record) for name in head] for record in table.to_dict("records")]
    verdicts = table["verdict"].value_counts().to_dict()
    counts = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items()) or "no cell is in both"
    lines = [f"# Comparison of {first} and {second}" if markdown else f"{first} (first) and {second} (second)", ""]
    lines += [f"{counts}.", ""]
    lines += _markdown(head, cells) if markdown else _columns(head, cells)
    for path, only in ((first, outcome.only_first), (second, outcome.only_second)):
        if only:
            lines += ["", f"Only {path} has {sum(only.values())} cells:", ""]
            lines += [f"- {name} ({number})" for name, number in list(only.items())[:_MOST_LINES]]
            lines += [f"- and {len(only) - _MOST_LINES} more groups"] if len(only) > _MOST_LINES else []
    return "\n".join(lines)


def _shown(name: str, record: Mapping[Any, Any]) -> str:
    value = record[name]
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "-"
    if name == "p":
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    if name != "difference":
        return f"{value:.4g}"
    low, high = record["ci_low"], record["ci_high"]
    return f"{value:+.4g}" + ("" if math.isnan(low) else f" [{low:+.3g}, {high:+.3g}]")


def _columns(head: list[str], cells: list[list[str]]) -> list[str]:
    widths = [max(len(line[place]) for line in [head, *cells]) for place in range(len(head))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, *cells]
    ]


def _markdown(head: list[str], cells: list[list[str]]) -> list[str]:
    escaped = [[text.replace("|", "\\|").replace("<", "\\<") for text in line] for line in cells]
    return [f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *escaped]]
