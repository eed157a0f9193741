"""The registrations of the controls and of the coresets."""

from __future__ import annotations

from distillkit.specs import CONTROL, REFERENCE, MethodSpec

__all__ = ["CONTROLS", "CORESETS"]

CONTROLS = (
    MethodSpec(
        name="random",
        target="distillkit.coresets:RandomSubset",
        kind="control",
        role=CONTROL,
        summary="Random rows, stratified by class or by quantiles of the target",
    ),
    MethodSpec(
        name="class-means",
        target="distillkit.coresets:ClassMeans",
        kind="control",
        role=REFERENCE,
        budgeted=False,
        summary="The mean of each class",
    ),
    MethodSpec(
        name="whole",
        target="distillkit.coresets:WholeSet",
        kind="control",
        role=REFERENCE,
        budgeted=False,
        summary="Every row",
    ),
)
"""What every coreset and condenser is compared with."""

CORESETS = (
    MethodSpec(
        name="kmeans",
        target="distillkit.coresets:KMeansCoreset",
        kind="coreset",
        reference="Lloyd 1982, doi:10.1109/TIT.1982.1056489; k-means++: Arthur and Vassilvitskii, SODA 2007",
        presets={"medoids": {"representative": "member"}},
        summary="k-means in each class: centroids weighted by their clusters",
    ),
    MethodSpec(
        name="kcenter",
        target="distillkit.coresets:KCenterCoreset",
        kind="coreset",
        reference="Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5",
        summary="Greedy k-center in each class: each next row is the one farthest from those picked",
    ),
    MethodSpec(
        name="herding",
        target="distillkit.coresets:HerdingCoreset",
        kind="coreset",
        reference="Welling 2009, doi:10.1145/1553374.1553517; Rebuffi et al., arXiv:1611.07725",
        summary="Rows whose mean is nearest to the mean of their class, in ranking order",
    ),
    MethodSpec(
        name="facility-location",
        target="distillkit.coresets:FacilityLocationCoreset",
        kind="coreset",
        reference="Nemhauser, Wolsey and Fisher 1978, doi:10.1007/BF01588971; lazily: Minoux 1978",
        presets={"cosine": {"metric": "cosine"}},
        summary="Rows of each class to which all others are near, in ranking order: greedy on nearest neighbours",
    ),
    MethodSpec(
        name="lightweight",
        target="distillkit.coresets:LightweightCoreset",
        kind="coreset",
        reference="Bachem, Lucic and Krause, KDD 2018, arXiv:1702.08248",
        summary="Rows drawn in two passes, half uniformly and half by distance to the mean, with unbiased weights",
    ),
    MethodSpec(
        name="sensitivity",
        target="distillkit.coresets:SensitivityCoreset",
        kind="coreset",
        reference="Feldman and Langberg, arXiv:1106.1379; Bachem, Lucic and Krause, arXiv:1703.06476",
        summary="Rows drawn by the largest share they can have in a k-means cost, with unbiased weights",
    ),
    MethodSpec(
        name="streaming",
        target="distillkit.coresets:StreamingCoreset",
        kind="coreset",
        reference="Bentley and Saxe 1980, doi:10.1016/0196-6774(80)90015-2; Har-Peled and Mazumdar, arXiv:1810.12826",
        presets={"random": {"coreset": "random"}, "sampled": {"summary": "random", "oversampling": 20}},
        summary="Merge-and-reduce: a coreset of rows that come in chunks, in memory that does not grow",
    ),
    MethodSpec(
        name="grand",
        target="distillkit.coresets:GraNdCoreset",
        kind="coreset",
        reference="Paul, Ganguli and Dziugaite, arXiv:2107.07075",
        presets={"hard": {"keep": "hard"}},
        summary="Rows of each class with the shortest gradients early in training, or with the longest",
    ),
    MethodSpec(
        name="el2n",
        target="distillkit.coresets:EL2NCoreset",
        kind="coreset",
        reference="Paul, Ganguli and Dziugaite, arXiv:2107.07075",
        presets={"hard": {"keep": "hard"}},
        summary="Rows of each class with the smallest errors early in training, or with the largest",
    ),
    MethodSpec(
        name="forgetting",
        target="distillkit.coresets:ForgettingCoreset",
        kind="coreset",
        tasks=frozenset({"classification"}),
        reference="Toneva et al., arXiv:1812.05159",
        presets={"hard": {"keep": "hard"}},
        summary="Rows of each class that networks forget least often while they learn, or most often",
    ),
    MethodSpec(
        name="uncertainty",
        target="distillkit.coresets:UncertaintyCoreset",
        kind="coreset",
        tasks=frozenset({"classification"}),
        reference="Coleman et al., arXiv:1906.11829",
        presets={
            "margin": {"strategy": "margin"},
            "entropy": {"strategy": "entropy"},
            "least-confidence": {"strategy": "least-confidence"},
            "hard": {"keep": "hard"},
            "hard-fifth": {"strategy": "entropy", "keep": "hard", "among": 0.2},
        },
        summary="Rows of each class that a classifier is surest of, or least sure of",
    ),
    MethodSpec(
        name="craig",
        target="distillkit.coresets:CraigCoreset",
        kind="coreset",
        reference="Mirzasoleiman, Bilmes and Leskovec, arXiv:1906.01827",
        summary="Rows of each class whose gradients are nearest to those of all: facility location, cluster weights",
    ),
    MethodSpec(
        name="grad-match",
        target="distillkit.coresets:GradMatchCoreset",
        kind="coreset",
        reference="Killamsetty et al., arXiv:2103.00123",
        summary="Rows of each class, weighted, whose gradients add up to that of the class: matching pursuit",
    ),
    MethodSpec(
        name="leverage",
        target="distillkit.coresets:LeverageCoreset",
        kind="coreset",
        reference="Drineas, Mahoney and Muthukrishnan, SODA 2006; Ma, Mahoney and Yu, arXiv:1306.5362",
        summary="Rows drawn by their leverage on a least-squares fit, with unbiased weights",
    ),
    MethodSpec(
        name="influence",
        target="distillkit.coresets:InfluenceCoreset",
        kind="coreset",
        reference="Koh and Liang, arXiv:1703.04730; greedily: Killamsetty et al., arXiv:2012.10630",
        presets={"sensitivity": {"criterion": "sensitivity"}, "gradient": {"criterion": "gradient"}},
        summary="Rows picked one by one by how much they teach a ridge model of all rows, in closed form",
    ),
)
"""Methods that select rows, or average them."""
