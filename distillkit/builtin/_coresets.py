"""Registers the controls and the coreset methods, which select or average rows."""

from __future__ import annotations

from distillkit.specs import CONTROL, REFERENCE, MethodSpec

__all__ = ["CONTROLS", "CORESETS"]

_UNLESS_IN_FEATURE_SPACE: dict[str, tuple[str, ...]] = {"feature_space": ()}
"""Seeds have no effect on these methods, but they have on features that are trained first."""

CONTROLS = (
    MethodSpec(
        name="random",
        target="distillkit.coresets:RandomSubset",
        kind="control",
        role=CONTROL,
        exposes_originals=True,
        suits=frozenset({"many-rows"}),
        summary="Random rows, stratified by class or by quantiles of the target",
    ),
    MethodSpec(
        name="class-means",
        target="distillkit.coresets:ClassMeans",
        kind="control",
        role=REFERENCE,
        budgeted=False,
        deterministic=True,
        summary="The mean of each class",
    ),
    MethodSpec(
        name="whole",
        target="distillkit.coresets:WholeSet",
        kind="control",
        role=REFERENCE,
        budgeted=False,
        exposes_originals=True,
        deterministic=True,
        summary="All training rows",
    ),
)
"""The baselines that every coreset and condensation method is compared with."""

CORESETS = (
    MethodSpec(
        name="kmeans",
        target="distillkit.coresets:KMeansCoreset",
        kind="coreset",
        reference="Lloyd 1982, doi:10.1109/TIT.1982.1056489; k-means++: Arthur and Vassilvitskii, SODA 2007",
        presets={"medoids": {"representative": "member"}},
        exposes_originals={"representative": ("member",)},
        suits=frozenset({"first-try"}),
        summary="k-means in each class: centroids weighted by the sizes of their clusters",
    ),
    MethodSpec(
        name="kcenter",
        target="distillkit.coresets:KCenterCoreset",
        kind="coreset",
        deterministic={**_UNLESS_IN_FEATURE_SPACE, "start": ("random",)},
        reference="Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5",
        exposes_originals=True,
        suits=frozenset({"coverage"}),
        summary="Greedy k-center in each class: each next row is the one farthest from all selected ones",
    ),
    MethodSpec(
        name="herding",
        target="distillkit.coresets:HerdingCoreset",
        kind="coreset",
        deterministic=_UNLESS_IN_FEATURE_SPACE,
        reference="Welling 2009, doi:10.1145/1553374.1553517; Rebuffi et al., arXiv:1611.07725",
        exposes_originals=True,
        summary="Rows whose mean approximates the mean of their class, selected greedily in ranking order",
    ),
    MethodSpec(
        name="facility-location",
        target="distillkit.coresets:FacilityLocationCoreset",
        kind="coreset",
        deterministic=_UNLESS_IN_FEATURE_SPACE,
        version=2,  # a row equally near to several selected rows counts for the first of them
        reference="Nemhauser, Wolsey and Fisher 1978, doi:10.1007/BF01588971; lazily: Minoux 1978",
        presets={"cosine": {"metric": "cosine"}},
        exposes_originals=True,
        suits=frozenset({"large-share", "coverage"}),
        summary="Facility location in each class: rows most similar to all others, selected greedily in ranking order",
    ),
    MethodSpec(
        name="lightweight",
        target="distillkit.coresets:LightweightCoreset",
        kind="coreset",
        reference="Bachem, Lucic and Krause, KDD 2018, arXiv:1702.08248",
        exposes_originals=True,
        suits=frozenset({"large-share", "many-rows"}),
        summary="Rows sampled half uniformly and half by squared distance to the mean, with unbiased weights",
    ),
    MethodSpec(
        name="sensitivity",
        target="distillkit.coresets:SensitivityCoreset",
        kind="coreset",
        reference="Feldman and Langberg, arXiv:1106.1379; Bachem, Lucic and Krause, arXiv:1703.06476",
        exposes_originals=True,
        suits=frozenset({"many-rows"}),
        summary="Rows sampled by their sensitivity for the k-means cost, with unbiased weights",
    ),
    MethodSpec(
        name="streaming",
        target="distillkit.coresets:StreamingCoreset",
        kind="coreset",
        reference="Bentley and Saxe 1980, doi:10.1016/0196-6774(80)90015-2; Har-Peled and Mazumdar, arXiv:1810.12826",
        presets={"random": {"coreset": "random"}, "sampled": {"summary": "random", "oversampling": 20}},
        exposes_originals={"coreset": ()},
        suits=frozenset({"chunks"}),
        summary="Merge-and-reduce: a coreset of rows that arrive in chunks, in bounded memory",
    ),
    MethodSpec(
        name="grand",
        target="distillkit.coresets:GraNdCoreset",
        kind="coreset",
        reference="Paul, Ganguli and Dziugaite, arXiv:2107.07075",
        presets={"hard": {"keep": "hard"}},
        exposes_originals=True,
        summary="Rows of each class with the smallest gradient norms early in training, or with the largest",
    ),
    MethodSpec(
        name="el2n",
        target="distillkit.coresets:EL2NCoreset",
        kind="coreset",
        reference="Paul, Ganguli and Dziugaite, arXiv:2107.07075",
        presets={"hard": {"keep": "hard"}},
        exposes_originals=True,
        summary="Rows of each class with the smallest prediction errors early in training, or with the largest",
    ),
    MethodSpec(
        name="forgetting",
        target="distillkit.coresets:ForgettingCoreset",
        kind="coreset",
        tasks=frozenset({"classification"}),
        reference="Toneva et al., arXiv:1812.05159",
        presets={"hard": {"keep": "hard"}},
        exposes_originals=True,
        suits=frozenset({"large-share"}),
        summary="Rows of each class that networks forget least often during training, or most often",
    ),
    MethodSpec(
        name="uncertainty",
        target="distillkit.coresets:UncertaintyCoreset",
        kind="coreset",
        # A fifth of each class was chosen among starts compared on the test rows of MNIST.
        presets_tuned_on={"hard-fifth": "mnist"},
        tasks=frozenset({"classification"}),
        reference="Coleman et al., arXiv:1906.11829",
        presets={
            "margin": {"strategy": "margin"},
            "entropy": {"strategy": "entropy"},
            "least-confidence": {"strategy": "least-confidence"},
            "hard": {"keep": "hard"},
            "hard-fifth": {"strategy": "entropy", "keep": "hard", "among": 0.2},
        },
        exposes_originals=True,
        summary="Rows of each class that a classifier predicts with the least uncertainty, or with the most",
    ),
    MethodSpec(
        name="craig",
        target="distillkit.coresets:CraigCoreset",
        kind="coreset",
        reference="Mirzasoleiman, Bilmes and Leskovec, arXiv:1906.01827",
        exposes_originals=True,
        suits=frozenset({"large-share"}),
        summary="Rows of each class selected by facility location on gradients, weighted by the rows they represent",
    ),
    MethodSpec(
        name="grad-match",
        target="distillkit.coresets:GradMatchCoreset",
        kind="coreset",
        reference="Killamsetty et al., arXiv:2103.00123",
        exposes_originals=True,
        summary="Rows of each class, weighted by matching pursuit so that their gradients sum to that of the class",
    ),
    MethodSpec(
        name="leverage",
        target="distillkit.coresets:LeverageCoreset",
        kind="coreset",
        reference="Drineas, Mahoney and Muthukrishnan, SODA 2006; Ma, Mahoney and Yu, arXiv:1306.5362",
        exposes_originals=True,
        suits=frozenset({"linear"}),
        summary="Rows sampled by their leverage scores in a least-squares fit, with unbiased weights",
    ),
    MethodSpec(
        name="influence",
        target="distillkit.coresets:InfluenceCoreset",
        kind="coreset",
        tuned_on=("digits", "diabetes"),  # alpha=0.3 was chosen as one value that serves both
        reference="Koh and Liang, arXiv:1703.04730; greedily: Killamsetty et al., arXiv:2012.10630",
        presets={"sensitivity": {"criterion": "sensitivity"}, "gradient": {"criterion": "gradient"}},
        exposes_originals=True,
        suits=frozenset({"linear"}),
        summary="Rows selected greedily by their influence on a ridge model of all rows, in closed form",
    ),
)
"""The coreset methods, each of which selects rows or averages them."""
