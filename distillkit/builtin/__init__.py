"""The built-in plugin, which registers everything that ships with distillkit.

It uses the same hooks as any other plugin, and the core reaches the built-in methods in no other
way. Targets are given as text, so that listing the methods imports nothing heavy. The datasets,
evaluators and metrics are described in a module ``_specs`` of their own packages, which is imported
when their kind is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from distillkit.builtin._automatic import AUTOMATIC
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
    """Return the controls, the coresets, the methods of networks, and those that choose."""
    return [*CONTROLS, *CORESETS, *CONDENSERS, *SYNTHESIZERS, *SOFT_LABELS, *STUDENTS, *AUTOMATIC]


@hookimpl
def distillkit_datasets() -> Iterable[DatasetSpec]:
    """Return the named datasets and the file formats that are read from a path."""
    from distillkit.datasets._specs import dataset_specs

    return dataset_specs()


@hookimpl
def distillkit_evaluators() -> Iterable[EvaluatorSpec]:
    """Return the models, with their training recipes, that evaluate distilled sets."""
    from distillkit.evaluators._specs import evaluator_specs

    return evaluator_specs()


@hookimpl
def distillkit_metrics() -> Iterable[MetricSpec]:
    """Return the metrics of predictions, of distilled sets and of runs."""
    from distillkit.metrics._specs import metric_specs

    return metric_specs()


@hookimpl
def distillkit_reporters() -> Iterable[ReporterSpec]:
    """Return the formats that a leaderboard can be written in."""
    formats = {
        "terminal": ("txt", "Plain text, as printed on the terminal"),
        "markdown": ("md", "Markdown in a fixed order, suited to version control"),
        "csv": ("csv", "One line per dataset, evaluator, budget and method, and one per finished cell"),
        "html": ("html", "One self-contained page with plots and a sortable table"),
    }
    return [
        ReporterSpec(
            name=name, target=f"distillkit.bench.reporters._{name}:write", extension=extension, summary=summary
        )
        for name, (extension, summary) in formats.items()
    ]


@hookimpl
def distillkit_executors() -> Iterable[ExecutorSpec]:
    """Return the executors, which run the cells of a plan."""
    return [
        ExecutorSpec(
            name="local",
            target="distillkit.bench.execution._local_executor:run",
            summary="Runs cells in child processes on this machine",
        ),
        ExecutorSpec(
            name="dask",
            target="distillkit.bench.execution._dask_executor:run",
            summary="Runs cells on the workers of a dask cluster",
            requires=("distributed",),
        ),
        ExecutorSpec(
            name="ray",
            target="distillkit.bench.execution._ray_executor:run",
            summary="Runs cells on a Ray cluster",
            requires=("ray",),
        ),
        ExecutorSpec(
            name="slurm",
            target="distillkit.bench.execution._slurm_executor:run",
            summary="Runs cells as jobs of SLURM",
            requires=("submitit",),
        ),
    ]


@hookimpl
def distillkit_published() -> Iterable[PublishedResult]:
    """Return the results from the literature that ship with distillkit."""
    from distillkit.builtin._published import published_results

    return published_results()
