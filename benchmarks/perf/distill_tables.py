"""Distil real tables with every method that reduces rows, and check what ``distill`` writes.

Usage::

    DISTILLKIT_DATA=... python benchmarks/perf/distill_tables.py
        [--methods A,B] [--tables A,B] [--budget B] [--max-seconds S]

Each line names the table, the method, the rows written, the CPU seconds of the command (reading
included), and what is wrong: an exit status other than 0, other columns than those of the file, a
picked row that is not in the file, a word that the file does not have, fractions in a column of
whole numbers, or a set that differs after a round trip through safetensors. Methods for classes
refuse continuous targets, which is no fault.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from click.testing import CliRunner

from distillkit.cli._group import cli
from distillkit.datasets import load_rows
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DistillkitWarning
from distillkit.plugins import get_manager

TABLES = {
    "adult/adult.csv": "income",
    "tables/telco-churn.csv": "Churn",
    "tables/california-housing.csv": "median_house_value",
    "tables/titanic.csv": "Survived",
    "tables/mushroom.csv": "class",
    "tables/kc-house.csv": "price",
    "tables/bank-marketing.csv": "y",
    "tables/online-shoppers.csv": "Revenue",
}


def distil(method: str, path: Path, target: str, output: Path, args: argparse.Namespace) -> str:
    """Run the command; return its error, or an empty text."""
    command = ["distill", method, str(path), "-t", target, "-b", args.budget, "-o", str(output)]
    result = CliRunner().invoke(cli, [*command, "--max-seconds", str(args.max_seconds)])
    if "max_seconds" in str(result.exception):  # methods without steps
        result = CliRunner().invoke(cli, command)
    return "" if result.exit_code == 0 else f"{type(result.exception).__name__}: {result.exception}"


def faults(small: DistilledSet, output: Path, rows: pd.DataFrame, target: str) -> list[str]:
    """Return what differs between the rows written and the rows of the file."""
    table = small.to_pandas(target=target)
    again = DistilledSet.load(output).to_pandas(target=target)
    found = [] if again.equals(table) else ["another set after a round trip"]
    if list(table.columns[: rows.shape[1]]) != list(rows.columns):
        return [*found, f"columns {list(table.columns)}"]
    if small.indices is not None:
        picked = rows.iloc[small.indices].reset_index(drop=True)
        return found if picked.equals(table[rows.columns].reset_index(drop=True)) else [*found, "picked rows differ"]
    for name in rows.columns:
        if pd.api.types.is_integer_dtype(rows[name].dtype) and not pd.api.types.is_integer_dtype(table[name].dtype):
            found.append(f"{name} holds fractions")
        if rows[name].dtype.kind == "O" and not set(table[name].dropna()) <= set(rows[name].dropna()):
            found.append(f"{name} holds new words")
        if rows[name].dtype.kind == "M" and table[name].dtype.kind != "M":
            found.append(f"{name} holds no dates")
    return found


def check(method: str, path: Path, target: str, rows: pd.DataFrame, args: argparse.Namespace) -> tuple[Any, str]:
    """Distil one table with one method; return the rows written and what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "small.safetensors"
        if error := distil(method, path, target, output, args):
            return "", error
        small = DistilledSet.load(output)
        return len(small), "; ".join(faults(small, output, rows, target))


def main() -> None:
    """Print a line for each table and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", help="all that reduce rows unless given")
    parser.add_argument("--tables", help="names of files without suffix")
    parser.add_argument("--budget", default="10")
    parser.add_argument("--max-seconds", type=float, default=5.0)
    args = parser.parse_args()
    specs = get_manager().short_specs("method")
    every = [name for name, spec in specs.items() if spec.reduces == "rows"]
    warnings.simplefilter("ignore", DistillkitWarning)
    for name, target in TABLES.items():
        path = Path(os.environ["DISTILLKIT_DATA"]) / name
        if args.tables and path.stem not in args.tables.split(","):
            continue
        rows, _ = load_rows(str(path), target=target)
        for method in args.methods.split(",") if args.methods else every:
            started = time.process_time()
            n_rows, wrong = check(method, path, target, rows, args)
            print(f"{path.stem:20} {method:22} {n_rows:>6} {time.process_time() - started:6.1f} s  {wrong}", flush=True)


if __name__ == "__main__":
    main()
