"""The hooks that a plugin can implement; the built-in objects use the same hooks.

A plugin is an installed distribution with an entry point in the group ``distillkit``, which names a
module:

.. code-block:: toml

    [project.entry-points.distillkit]
    herding = "distillkit_herding.plugin"

The module implements the hooks that it needs and marks them with `distillkit.hookimpl`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from distillkit.specs import (
        DatasetSpec,
        EvaluatorSpec,
        ExecutorSpec,
        MethodSpec,
        MetricSpec,
        PublishedResult,
        ReporterSpec,
    )

__all__ = ["PROJECT", "Hooks", "hookimpl"]

PROJECT = "distillkit"

_hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Decorator that marks a function of a plugin as the implementation of a hook."""


class Hooks:
    """All hooks, each with an example; a test compares `docs/hooks.md` with this list."""

    @staticmethod
    @_hookspec
    def distillkit_methods() -> Iterable[MethodSpec]:  # type: ignore[empty-body]
        """Return the distillers of the plugin.

        Example: ``return [MethodSpec(name="herding", target="my_package.herding:Herding",
        summary="Mean herding")]``
        """

    @staticmethod
    @_hookspec
    def distillkit_datasets() -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
        """Return the datasets of the plugin.

        Example: ``return [DatasetSpec(name="beans", target="my_package.beans:load",
        task="classification", modality="table")]``
        """

    @staticmethod
    @_hookspec
    def distillkit_evaluators() -> Iterable[EvaluatorSpec]:  # type: ignore[empty-body]
        """Return the models of the plugin with their training recipes.

        Example: ``return [EvaluatorSpec(name="svm", target="my_package.models:make_svm")]``
        """

    @staticmethod
    @_hookspec
    def distillkit_metrics() -> Iterable[MetricSpec]:  # type: ignore[empty-body]
        """Return the metrics of the plugin.

        Example: ``return [MetricSpec(name="kappa", target="sklearn.metrics:cohen_kappa_score",
        stage="prediction")]``
        """

    @staticmethod
    @_hookspec
    def distillkit_reporters() -> Iterable[ReporterSpec]:  # type: ignore[empty-body]
        """Return the leaderboard formats of the plugin.

        Example: ``return [ReporterSpec(name="latex", target="my_package.latex:write",
        extension="tex")]``
        """

    @staticmethod
    @_hookspec
    def distillkit_executors() -> Iterable[ExecutorSpec]:  # type: ignore[empty-body]
        """Return the engines of the plugin that run cells.

        Example: ``return [ExecutorSpec(name="queue", target="my_package.queue:run")]``
        """

    @staticmethod
    @_hookspec
    def distillkit_published() -> Iterable[PublishedResult]:  # type: ignore[empty-body]
        """Return results from the literature.

        Example: ``return [PublishedResult(method="herding", dataset="mnist", budget="10", ...,
        source="arXiv:...")]``
        """

    @staticmethod
    @_hookspec
    def distillkit_commands(cli: Any) -> None:
        """Add commands to the command line; `cli` is a `click.Group`.

        Example: ``cli.add_command(my_command)``
        """
