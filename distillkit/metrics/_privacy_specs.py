"""The specifications of the metrics of privacy, which load no numerical library."""

from __future__ import annotations

from typing import Any

from distillkit.specs import MetricSpec

__all__ = ["privacy_specs"]


def privacy_specs() -> list[MetricSpec]:
    """Return the metrics of privacy.

    Those of stage "data" compare the set with the training rows. Those of stage "run" read the
    privacy panel, which compares it with held-out rows as well.
    """

    def spec(name: str, stage: str, summary: str, **options: Any) -> MetricSpec:
        target = f"distillkit.metrics.privacy._metrics:{name.replace('-', '_')}"
        # The panel of a leaderboard shows them, so that they need no columns of their own.
        common: dict[str, Any] = {"privacy": True, "standard": False, "floor_draws": 0, "greater_is_better": False}
        options = {"value_range": (0.0, 1.0), "shares_reference": stage == "data", **common, **options}
        return MetricSpec(name=name, target=target, stage=stage, summary=summary, **options)

    ratio = "median ratio of the distances to the nearest and second nearest training row; low for copies"
    unbounded: dict[str, Any] = {"value_range": (None, None)}
    return [
        spec("copies", "data", "share of the distilled rows that equal a training row", ideal=1.0),
        spec("near-copies", "data", "share of the distilled rows twice as near to one training row as to any other"),
        spec("nndr", "data", ratio, greater_is_better=True, ideal=0.0),
        spec("privacy-share", "run", "share of the distilled rows nearer to a training row than to a held-out row"),
        spec("privacy-z", "run", "excess of privacy-share over fresh rows, in standard deviations", **unbounded),
        spec("membership-auc", "run", "area under the ROC curve of membership inference by distance"),
        spec("membership-tpr1", "run", "true positive rate of membership inference at 1 % false positives"),
        spec("membership-tpr01", "run", "true positive rate of membership inference at 0.1 % false positives"),
    ]
