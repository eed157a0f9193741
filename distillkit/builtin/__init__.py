"""What distillkit itself gives, through the same hooks as any plugin: the core knows methods in no other way.

Targets are text, so that listing them imports nothing heavy; families that describe themselves do so in a module
`_specs` of theirs, which is imported when its kind is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from distillkit.builtin._condensation import CONDENSERS
from distillkit.builtin._coresets import CONTROLS, CORESETS
from distillkit.builtin._knowledge_and_synthesis import SOFT_LABELS, STUDENTS, SYNTHESIZERS
from distillkit.hookspecs import hookimpl
from distillkit.specs import ExecutorSpec, ReporterSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from distillkit.specs import DatasetSpec, EvaluatorSpec, MethodSpec, MetricSpec, PublishedResult

__all__ = [
    "distillkit_datasets",
    "distillkit_evaluators",
    "distillkit_executors",
    "distillkit_methods",
    "distillkit_metrics",
    "distillkit_published",
    "distillkit_reporters",
]


@hookimpl
def distillkit_methods() -> Iterable[MethodSpec]:
    """Return the controls first, then the coresets, then the neural families."""
    return [*CONTROLS, *CORESETS, *CONDENSERS, *SYNTHESIZERS, *SOFT_LABELS, *STUDENTS]


@hookimpl
def distillkit_datasets() -> Iterable[DatasetSpec]:
    """Datasets by name, and kinds of files by path."""
    from distillkit.datasets._specs import dataset_specs

    return dataset_specs()


@hookimpl
def distillkit_evaluators() -> Iterable[EvaluatorSpec]:
    """Models with their training recipes."""
    from distillkit.evaluators._specs import evaluator_specs

    return evaluator_specs()


@hookimpl
def distillkit_metrics() -> Iterable[MetricSpec]:
    """Metrics of predictions, of distilled sets and of runs."""
    from distillkit.metrics._specs import metric_specs

    return metric_specs()


@hookimpl
def distillkit_reporters() -> Iterable[ReporterSpec]:
    """Leaderboard formats."""
    formats = {
        "terminal": ("txt", "Plain text, as on the terminal"),
        "markdown": ("md", "Markdown that a version control system can compare"),
        "csv": ("csv", "One line per dataset, budget and method"),
        "html": ("html", "One page that needs nothing beside it"),
    }
    return [
        ReporterSpec(
            name=name, target=f"distillkit.bench.reporters._{name}:write", extension=extension, summary=summary
        )
        for name, (extension, summary) in formats.items()
    ]


@hookimpl
def distillkit_executors() -> Iterable[ExecutorSpec]:
    """Engines."""
    return [
        ExecutorSpec(
            name="local",
            target="distillkit.bench.execution._local_executor:run",
            summary="Child processes on this machine",
        )
    ]


@hookimpl
def distillkit_published() -> Iterable[PublishedResult]:
    """Figures from the literature that ship with distillkit."""
    from distillkit.builtin._published import published_results

    return published_results()
