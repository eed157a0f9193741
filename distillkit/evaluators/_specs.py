"""The built-in evaluators as data; importing this loads no scikit-learn."""

from __future__ import annotations

from distillkit.specs import EvaluatorSpec

__all__ = ["evaluator_specs"]


def evaluator_specs() -> list[EvaluatorSpec]:
    """Return all built-in evaluators, in the order of a report."""
    return [
        EvaluatorSpec(
            name="logistic",
            target="distillkit.evaluators._linear:make_logistic",
            summary="logistic regression, L2 penalty with C = 1",
            requires=("sklearn",),
            tasks=frozenset({"classification"}),
        ),
        EvaluatorSpec(
            name="ridge",
            target="distillkit.evaluators._linear:make_ridge",
            summary="ridge regression, alpha = 1",
            requires=("sklearn",),
            tasks=frozenset({"regression"}),
        ),
        EvaluatorSpec(
            name="knn",
            target="distillkit.evaluators._knn:make_knn",
            summary="nearest neighbours: 1 for labels, 5 for numbers; without weights",
            requires=("sklearn",),
            presets={"1": {"n_neighbors": 1}, "5": {"n_neighbors": 5}},
        ),
        EvaluatorSpec(
            name="forest",
            target="distillkit.evaluators._trees:make_forest",
            summary="random forest of 200 trees",
            requires=("sklearn",),
        ),
        EvaluatorSpec(
            name="boosting",
            target="distillkit.evaluators._trees:make_boosting",
            summary="100 rounds of gradient-boosted trees, leaves scaled to the rows",
            requires=("sklearn",),
        ),
        EvaluatorSpec(
            name="mlp",
            target="distillkit.evaluators._mlp:make_mlp",
            summary="network with 64 hidden units, Adam, fixed number of steps",
            requires=("sklearn",),
            presets={"wide": {"hidden": 512}},
        ),
    ]
