"""The account of an automatic choice in words, for terminals."""

from __future__ import annotations

import textwrap
from typing import Any

__all__ = ["OUTCOMES", "facts", "report_text"]

_WIDTH = 80
OUTCOMES = {
    "chosen": "chosen",
    "tied": "tied with the best",
    "beaten": "below the best",
    "dropped": "dropped",
    "not reached": "not measured",
}


def report_text(report: Any) -> str:
    """Return the report as lines of at most 80 columns."""
    lines = [*_wrapped(f"Chosen: {report.chosen}. {report.reason}"), ""]
    for fact in facts(report):
        lines += _wrapped(fact)
    lines += _table(report)
    if report.left_out:
        lines += ["", "Left out:"]
        for one in report.left_out:
            lines += _wrapped(f"{one.name}: {' '.join(one.reasons)}", "  ")
    return "\n".join(lines)


def facts(report: Any) -> list[str]:
    """Return what was measured, by whom and in which time, in sentences."""
    limit = "" if report.max_seconds is None else f" of {report.max_seconds:g} s"
    sentences = [f"{report.kept:,} of {report.n_rows:,} rows are kept."]
    if report.candidates and report.trials:
        sentences.append(
            f"{sum(one.trials > 0 for one in report.candidates)} methods were tried in {len(report.trials)} fits, and "
            f"judged by the {report.measure} of {' and '.join(report.judges)} on training rows held out."
        )
    sentences.append(
        f"It took {report.seconds:.1f} s{limit}: {report.seconds_measuring:.1f} s to measure the data, "
        f"{report.seconds_search:.1f} s to compare methods, {report.seconds_final:.1f} s for the rows returned."
    )
    if report.draws:
        mean = sum(report.draws.values()) / len(report.draws)
        sentences.append(
            f"Of {len(report.draws)} draws of {report.chosen} on all rows, the best by the training rows outside of it "
            f"is returned: {max(report.draws.values()):.3f}, and {mean:.3f} on average."
        )
    if report.ended_early:
        sentences.append("The seconds ended the comparison before its plan, so another run may choose differently.")
    return [" ".join(sentences)]


def _table(report: Any) -> list[str]:
    """Return one line for each method that was tried."""
    if not report.candidates:
        return []
    width = max(len("method"), *(len(one.name) for one in report.candidates))
    lines = ["", f"{'method':<{width}}  {report.measure or 'score':>17}  {'over random':>15}  {'cost':>7}  outcome"]
    for one in report.candidates:
        score = "-" if one.score is None else f"{one.score.mean:.3f} ± {one.score.error:.3f}"
        gain = "-" if one.gain is None else f"{one.gain.mean:+.3f} ± {one.gain.error:.3f}"
        lines.append(f"{one.name:<{width}}  {score:>17}  {gain:>15}  {one.seconds:5.1f} s  {OUTCOMES[one.outcome]}")
    notes: dict[str, list[str]] = {}
    for one in report.candidates:
        if one.outcome == "dropped":
            notes.setdefault(one.note, []).append(one.name)
    for note, names in notes.items():
        lines += _wrapped(f"Dropped: {', '.join(names)}. {note}", "  ")
    return lines


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
