"""Summarizes failures, skipped cells and published results, with the seeds of each combined."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from distillkit.bench.leaderboard import LeaderboardData
from distillkit.bench.leaderboard._panels import to_records
from distillkit.bench.leaderboard._published_verdicts import OTHER_PROTOCOL
from distillkit.bench.reporters._format import fixed

__all__ = ["failure_groups", "first_line", "matched_published", "skipped_groups"]


def first_line(text: Any, width: int = 300) -> str:
    """Return the last line of a traceback, or the first line of other text, cut to `width`."""
    lines = [line.strip() for line in str(text or "").splitlines() if line.strip()]
    if not lines:
        return ""
    line = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return line if len(line) <= width else line[: width - 1] + "…"


def failure_groups(leaderboard: LeaderboardData) -> list[dict[str, Any]]:
    """Group failures that differ only in seeds, budgets and evaluators.

    Returns
    -------
    list of dict
        ``dataset``, ``method``, ``budgets``, ``evaluators``, ``status``, ``phase``, ``error`` (one
        line) and ``cells`` (their number).
    """
    keys = ("dataset", "method", "status", "phase", "error")
    failures = [{**record, "error": first_line(record["error"])} for record in to_records(leaderboard.failures)]
    return _group(failures, keys)


def skipped_groups(leaderboard: LeaderboardData) -> list[dict[str, Any]]:
    """Group skipped cells that differ only in seeds, budgets and evaluators.

    Returns
    -------
    list of dict
        ``dataset``, ``method``, ``budgets``, ``evaluators``, ``reason`` and ``cells`` (their
        number).
    """
    return _group(to_records(leaderboard.skipped), ("dataset", "method", "reason"))


def _group(records: Iterable[dict[str, Any]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """Group records by some keys, collecting their budgets and evaluators and counting cells."""
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in records:
        group = groups.setdefault(
            tuple(record[key] for key in keys),
            {**{key: record[key] for key in keys}, "budgets": [], "evaluators": [], "cells": 0},
        )
        group["cells"] += record.get("cells", 1)
        for plural, singular in (("budgets", "budget"), ("evaluators", "evaluator")):
            if record[singular] not in group[plural]:
                group[plural].append(record[singular])
    return list(groups.values())


def matched_published(leaderboard: LeaderboardData) -> list[dict[str, Any]]:
    """Return the published results whose method was run, with all evaluators combined.

    Returns
    -------
    list of dict
        The columns of `LeaderboardData.published`, and ``measured_by``, which lists each measured
        mean with its evaluator. The verdict is that of the evaluator that follows the published
        protocol, if there is one, with the tolerance or with the reason why there is no verdict.
    """
    matches: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in to_records(leaderboard.published):
        if record["evaluator"] is None or record["measured"] is None:
            continue
        key = tuple(
            record[name]
            for name in ("dataset", "budget", "line_method", "published", "published_evaluator", "source", "protocol")
        )
        found = _verdict_in_words(record)
        match = matches.setdefault(key, {**record, "measured_by": "", "verdict": found})
        labels = "" if record["label_mode"] == "hard" else f" ({record['label_mode']} labels)"
        measured = f"{fixed(record['measured'])} {record['evaluator']}{labels}"
        match["measured_by"] = ", ".join(filter(None, (match["measured_by"], measured)))
        if match["verdict"].startswith(OTHER_PROTOCOL):
            match["verdict"] = found
    for match in matches.values():
        if not match["verified"]:
            match["source"] += " (not compared with the source)"
    return list(matches.values())


def _verdict_in_words(record: dict[str, Any]) -> str:
    words = str(record["verdict"])
    if record["tolerance"] is not None:
        words += f" (difference {record['difference']:+.3f}, tolerance {fixed(record['tolerance'])})"
    return f"{words}: {record['reason']}" if record["reason"] else words
