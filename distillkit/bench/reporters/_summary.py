"""Failures and skipped cells in few lines: seeds folded together, nothing left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from distillkit.bench.leaderboard import Leaderboard
from distillkit.bench.leaderboard._panels import records
from distillkit.bench.reporters._format import fixed

__all__ = ["failure_lines", "first_line", "matched_published", "skipped_lines"]


def first_line(text: Any, width: int = 300) -> str:
    """Return the last line of a traceback, the first of any other text, cut to `width`."""
    lines = [line.strip() for line in str(text or "").splitlines() if line.strip()]
    if not lines:
        return ""
    line = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return line if len(line) <= width else line[: width - 1] + "…"


def failure_lines(leaderboard: Leaderboard) -> list[dict[str, Any]]:
    """Return failures folded over seeds, budgets and evaluators.

    Returns
    -------
    list of dict
        ``dataset``, ``method``, ``budgets``, ``evaluators``, ``status``, ``phase``, ``error`` (one line) and ``cells``.
    """
    keys = ("dataset", "method", "status", "phase", "error")
    found = [{**record, "error": first_line(record["error"])} for record in records(leaderboard.failures)]
    return _fold(found, keys)


def skipped_lines(leaderboard: Leaderboard) -> list[dict[str, Any]]:
    """Return skipped cells folded over budgets and evaluators: ``dataset``, ``method``, ``budgets``, ..., ``reason``."""
    return _fold(records(leaderboard.skipped), ("dataset", "method", "reason"))


def _fold(found: Iterable[dict[str, Any]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    folded: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in found:
        line = folded.setdefault(
            tuple(record[key] for key in keys),
            {**{key: record[key] for key in keys}, "budgets": [], "evaluators": [], "cells": 0},
        )
        line["cells"] += record.get("cells", 1)
        for many, one in (("budgets", "budget"), ("evaluators", "evaluator")):
            if record[one] not in line[many]:
                line[many].append(record[one])
    return list(folded.values())


def matched_published(leaderboard: Leaderboard) -> list[dict[str, Any]]:
    """Return the published figures whose method was run, folded over evaluators.

    Returns
    -------
    list of dict
        The columns of `Leaderboard.published`, and ``measured_by``: each measured mean with its evaluator. The verdict
        is that of the evaluator that followed the published protocol, if any did.
    """
    folded: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in records(leaderboard.published):
        if record["evaluator"] is None or record["measured"] is None:
            continue
        key = tuple(
            record[name]
            for name in ("dataset", "budget", "line_method", "published", "published_evaluator", "source", "protocol")
        )
        line = folded.setdefault(key, {**record, "measured_by": ""})
        labels = "" if record["label_mode"] == "hard" else f" ({record['label_mode']} labels)"
        measured = f"{fixed(record['measured'])} {record['evaluator']}{labels}"
        line["measured_by"] = ", ".join(filter(None, (line["measured_by"], measured)))
        if line["verdict"] == "other protocol":
            line["verdict"] = record["verdict"]
    return list(folded.values())
