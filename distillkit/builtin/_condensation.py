"""Registers the condensation methods, which optimize synthetic rows."""

from __future__ import annotations

from distillkit.specs import MethodSpec

__all__ = ["CONDENSERS"]

_REAL_START = {"init": ("real",)}
"""The parameter with which rows start as training rows."""

CONDENSERS = (
    MethodSpec(
        name="gradient-matching",
        target="distillkit.condensation:GradientMatchingDistiller",
        kind="condensation",
        version=2,  # cosine distances of nearly parallel gradients keep their digits
        requires=("torch",),
        reference="Zhao, Mopuri and Bilen, ICLR 2021, arXiv:2006.05929",
        presets={"dc": {"preset": "dc"}, "dsa": {"preset": "dsa"}},
        starts_from_real={**_REAL_START, "preset": ("dsa",)},
        suits=frozenset({"images", "series"}),
        summary="Rows optimized so that their training gradients match those of all rows",
    ),
    MethodSpec(
        name="bilevel",
        target="distillkit.condensation:BilevelDistiller",
        kind="condensation",
        version=2,  # rows are held out as for the other condensers
        requires=("torch",),
        tuned_on="mnist",  # the ridge of 1e-2 for images
        reference="Wang et al. 2018, arXiv:1811.10959; truncated: Feng et al., ICLR 2024, arXiv:2311.07025",
        starts_from_real=_REAL_START,
        suits=frozenset({"series"}),
        summary="Rows optimized by backpropagation through the training of networks on them",
    ),
    MethodSpec(
        name="kernel",
        target="distillkit.condensation:KernelDistiller",
        kind="condensation",
        tuned_on="training rows",  # how many real rows and updates a visit takes
        requires=("torch",),
        reference="Zhou et al., NeurIPS 2022, arXiv:2206.00719; linear: Chen et al., NeurIPS 2024",
        presets={"linear": {"feature_map": "linear"}},
        starts_from_real=_REAL_START,
        suits=frozenset({"linear", "regression", "images"}),
        summary="Rows optimized so that kernel ridge regression on network features predicts all rows from them",
    ),
    MethodSpec(
        name="kernel-soft",
        target="distillkit.condensation:KernelDistiller",
        kind="condensation",
        tuned_on="training rows",  # how many real rows and updates a visit takes
        tasks=frozenset({"classification"}),
        params={"learn_labels": True},
        label_mode="soft",
        requires=("torch",),
        reference="Zhou et al., NeurIPS 2022, arXiv:2206.00719",
        starts_from_real=_REAL_START,
        summary="Like kernel, with class probabilities learned for each row",
    ),
    MethodSpec(
        name="distribution-matching",
        target="distillkit.condensation:DistributionMatchingDistiller",
        kind="condensation",
        requires=("torch",),
        reference="Zhao and Bilen, WACV 2023, arXiv:2110.04181",
        presets={
            "mmd": {"loss": "mmd"},
            "wasserstein": {"loss": "wasserstein"},
            "hybrid": {"gradient_weight": 0.1},
        },
        starts_from_real=_REAL_START,
        suits=frozenset({"images", "regression"}),
        summary="Rows optimized so that random networks embed them with the same distribution as all rows of the class",
    ),
    MethodSpec(
        name="trajectory-matching",
        target="distillkit.condensation:TrajectoryMatchingDistiller",
        kind="condensation",
        requires=("torch",),
        reference="Cazenavette et al., CVPR 2022, arXiv:2203.11932",
        starts_from_real=_REAL_START,
        suits=frozenset({"series"}),
        summary="Rows optimized so that training on them follows the weight trajectories of training on all rows",
    ),
)
"""The condensation methods, each of which optimizes synthetic rows."""
