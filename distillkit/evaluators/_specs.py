"""The specifications of the built-in evaluators, which load no scikit-learn."""

from __future__ import annotations

from distillkit.specs import EvaluatorSpec

__all__ = ["evaluator_specs"]


_BOTH = frozenset({"hard", "soft"})
_PROTOCOLS = {name: {"protocol": name} for name in ("standard", "siamese", "plain")}


def evaluator_specs() -> list[EvaluatorSpec]:
    """Return all built-in evaluators, in the order of a report."""
    return [
        EvaluatorSpec(
            name="logistic",
            target="distillkit.evaluators._linear:make_logistic",
            deterministic=True,
            summary="logistic regression, L2 penalty with C = 1",
            requires=("sklearn",),
            label_modes=_BOTH,
            tasks=frozenset({"classification"}),
        ),
        EvaluatorSpec(
            name="ridge",
            target="distillkit.evaluators._linear:make_ridge",
            deterministic=True,
            summary="ridge regression, alpha = 1",
            requires=("sklearn",),
            label_modes=_BOTH,
            tasks=frozenset({"regression"}),
        ),
        EvaluatorSpec(
            name="knn",
            target="distillkit.evaluators._knn:make_knn",
            deterministic=True,
            summary="nearest neighbors: 1 for labels, 5 for numbers; without weights",
            requires=("sklearn",),
            presets={"1": {"n_neighbors": 1}, "5": {"n_neighbors": 5}},
        ),
        EvaluatorSpec(
            name="forest",
            target="distillkit.evaluators._trees:make_forest",
            summary="random forest of 200 trees",
            requires=("sklearn",),
            label_modes=_BOTH,
        ),
        EvaluatorSpec(
            name="boosting",
            target="distillkit.evaluators._trees:make_boosting",
            summary="100 rounds of gradient-boosted trees, leaves scaled to the rows",
            requires=("sklearn",),
            label_modes=_BOTH,
        ),
        EvaluatorSpec(
            name="mlp",
            target="distillkit.evaluators._mlp:make_mlp",
            summary="network with 64 hidden units, Adam, fixed number of steps",
            requires=("sklearn",),
            label_modes=_BOTH,
            presets={"wide": {"hidden": 512}},
        ),
        EvaluatorSpec(
            name="convnet",
            target="distillkit.evaluators._networks:make_convnet",
            summary="the literature's ConvNet, for images and series; quick: 300 steps of Adam",
            requires=("torch",),
            modalities=frozenset({"image", "series"}),
            flatten=False,
            label_modes=_BOTH,
            presets=_PROTOCOLS,
        ),
        EvaluatorSpec(
            name="lenet",
            target="distillkit.evaluators._networks:make_lenet",
            summary="LeNet, for images of at least 12 x 12",
            requires=("torch",),
            modalities=frozenset({"image"}),
            flatten=False,
            label_modes=_BOTH,
            presets=_PROTOCOLS,
        ),
        EvaluatorSpec(
            name="resnet18",
            target="distillkit.evaluators._networks:make_resnet18",
            summary="ResNet-18 with instance norm, for images",
            requires=("torch", "torchvision"),
            modalities=frozenset({"image"}),
            flatten=False,
            label_modes=_BOTH,
            presets=_PROTOCOLS,
        ),
    ]
