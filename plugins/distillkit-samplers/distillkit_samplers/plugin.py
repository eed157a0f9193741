"""Registration of this package with distillkit; targets are text, so that listing is fast."""

from __future__ import annotations

from collections.abc import Iterable

from distillkit import hookimpl
from distillkit.specs import MethodSpec

__all__ = ["distillkit_methods"]


@hookimpl
def distillkit_methods() -> Iterable[MethodSpec]:
    """Return the specifications of both methods, with a preset for each common class."""
    return [
        MethodSpec(
            name="under-sampler",
            target="distillkit_samplers:UnderSamplerCoreset",
            kind="coreset",
            summary="Any under-sampler of imbalanced-learn, with the budget as its sampling strategy",
            reference="Lemaitre, Nogueira and Aridas, JMLR 18, 2017",
            requires=("imblearn",),
            tasks=frozenset({"classification"}),
            presets={
                "random": {"sampler": "RandomUnderSampler"},
                "near-miss": {"sampler": "NearMiss"},
                "hardness": {"sampler": "InstanceHardnessThreshold"},
                "centroids": {"sampler": "ClusterCentroids"},
                "tomek": {"sampler": "TomekLinks"},
                "edited": {"sampler": "EditedNearestNeighbours"},
            },
            exposes_originals={"sampler": ("RandomUnderSampler", "NearMiss", "InstanceHardnessThreshold")},
            starts_from_real={"sampler": ()},
        ),
        MethodSpec(
            name="apricot",
            target="distillkit_samplers:ApricotCoreset",
            kind="coreset",
            summary="Any selector of apricot, which maximizes a submodular function of each class",
            reference="Schreiber, Bilmes and Noble, JMLR 21, 2020",
            requires=("apricot",),
            presets={
                "facility-location": {"selector": "FacilityLocationSelection"},
                "feature-based": {"selector": "FeatureBasedSelection"},
                "max-coverage": {"selector": "MaxCoverageSelection"},
                "graph-cut": {"selector": "GraphCutSelection"},
            },
            exposes_originals=True,
        ),
    ]
