"""The account of an automatic choice in notebooks, as HTML that needs neither files nor scripts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from distillkit.auto._report_text import OUTCOMES, facts

__all__ = ["report_html"]

_STYLE = Markup("""<style>
.distillkit-auto {max-width: 60em}
.distillkit-auto table {border-collapse: collapse; margin: .4em 0}
.distillkit-auto th, .distillkit-auto td {text-align: left; vertical-align: top; padding: .1em .8em .1em 0}
.distillkit-auto td.number {text-align: right; font-variant-numeric: tabular-nums}
.distillkit-auto tr.chosen {font-weight: bold}
</style>""")
_ROW = Markup(
    '<tr class="{}"><th scope="row">{}</th><td>{}</td><td class="number">{}</td><td class="number">{}</td>'
    '<td class="number">{}</td><td class="number">{:.1f}</td><td>{}</td></tr>'
)
_HEAD = Markup(
    "<tr><th>method</th><th>family</th><th>{}</th><th>over random</th><th>splits</th><th>seconds</th>"
    "<th>outcome</th></tr>"
)


def report_html(report: Any) -> str:
    """Return the report as HTML: the choice, what was measured, and the methods tried."""
    words = Markup("").join(Markup("<p>{}</p>").format(text) for text in facts(report))
    table = Markup("")
    if report.candidates:
        rows = Markup("").join(_row(one) for one in report.candidates)
        table = Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(
            _HEAD.format(report.measure or "score"), rows
        )
    left_out = Markup("").join(
        Markup("<li>{}: {}</li>").format(one.name, " ".join(one.reasons)) for one in report.left_out
    )
    details = Markup("<details><summary>Left out</summary><ul>{}</ul></details>").format(left_out) if left_out else ""
    page = Markup('<div class="distillkit-auto">{}<p><strong>Chosen: {}.</strong> {}</p>{}{}{}</div>')
    return str(page.format(_STYLE, report.chosen, report.reason, words, table, details))


def _row(one: Any) -> Markup:
    score = "-" if one.score is None else f"{one.score.mean:.3f} ± {one.score.error:.3f}"
    gain = "-" if one.gain is None else f"{one.gain.mean:+.3f} ± {one.gain.error:.3f}"
    splits = 0 if one.score is None else one.score.n_splits
    outcome = OUTCOMES[one.outcome] + (f": {one.note}" if one.outcome == "dropped" and one.note else "")
    return _ROW.format(one.outcome, one.name, one.kind, score, gain, splits, one.seconds, outcome)
