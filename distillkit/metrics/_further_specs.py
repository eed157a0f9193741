"""Specifications of the metrics of probabilities, of one kind of rows, and of models."""

from __future__ import annotations

from typing import Any

from distillkit.specs import MetricSpec

__all__ = ["data_specs", "probability_specs"]


def probability_specs() -> list[MetricSpec]:
    """Return the metrics of class probabilities for the test rows."""

    def spec(name: str, function: str, summary: str, highest: float | None) -> MetricSpec:
        return MetricSpec(
            name=name,
            target=f"distillkit.metrics._probability:{function}",
            stage="prediction",
            summary=summary,
            tasks=frozenset({"classification"}),
            needs=frozenset({"probabilities"}),
            greater_is_better=False,
            value_range=(0.0, highest),
        )

    return [
        spec("log-loss", "log_loss", "mean negative logarithm of the probability of the right label", None),
        spec("brier", "brier_score", "squared distance of the probabilities from the right label", 2.0),
        spec("calibration-error", "expected_calibration_error", "distance of confidence and accuracy in 15 bins", 1.0),
    ]


def data_specs() -> list[MetricSpec]:
    """Return the metrics of one kind of rows, and those of models."""
    return [*_images(), *_series(), *_tables(), *_models()]


def _spec(name: str, function: str, summary: str, package: str, *needs: str, **options: Any) -> MetricSpec:
    return MetricSpec(
        name=name,
        target=f"distillkit.metrics.{package}:{function}",
        stage="data",
        summary=summary,
        needs=frozenset(needs),
        shares_reference=True,
        **options,
    )


def _images() -> list[MetricSpec]:
    nearest = "similarity (SSIM) of distilled images to the most similar training image of their class"
    diversity = "one minus the similarity (SSIM) of two images of a class, relative to training images"
    memory = "similarity (SSIM) to the most similar training image, minus that to held-out images"
    costly: dict[str, Any] = {"standard": False, "floor_draws": 5}
    return [
        _spec(
            "ssim-nearest", "ssim_nearest", nearest, "images", "images", value_range=(-1.0, 1.0), ideal=1.0, **costly
        ),
        _spec(
            "ssim-diversity",
            "ssim_diversity",
            diversity,
            "images",
            "images",
            greater_is_better=None,
            value_range=(0.0, None),
            **costly,
        ),
        _spec(
            "ssim-memorisation",
            "ssim_memorisation",
            memory,
            "images",
            "images",
            "held-out",
            greater_is_better=False,
            value_range=(-2.0, 2.0),
            privacy=True,
            standard=False,
            floor_draws=0,
        ),
    ]


def _series() -> list[MetricSpec]:
    lower: dict[str, Any] = {"greater_is_better": False, "ideal": 0.0}
    lags = "difference of the autocorrelations, within classes"
    power = "distance of the logarithms of the power spectra in decibels, within classes"
    return [
        _spec(
            "autocorrelation-error",
            "autocorrelation_error",
            lags,
            "series",
            "series",
            value_range=(0.0, 2.0),
            **lower,
        ),
        _spec("spectrum-distance", "spectrum_distance", power, "series", "series", value_range=(0.0, None), **lower),
    ]


def _tables() -> list[MetricSpec]:
    lower: dict[str, Any] = {"greater_is_better": False, "ideal": 0.0}
    levels = "total variation distance of the shares of levels, mean over the columns"
    numbers = "Kolmogorov-Smirnov distance of numbers, mean over the columns"
    pairs = "difference of the correlations, mean over pairs of columns"
    return [
        _spec("marginal-tv", "marginal_tv", levels, "tables", "table", value_range=(0.0, 1.0), **lower),
        _spec("marginal-ks", "marginal_ks", numbers, "tables", "table", value_range=(0.0, 1.0), **lower),
        _spec("correlation-error", "correlation_error", pairs, "tables", "table", value_range=(0.0, 2.0), **lower),
    ]


def _models() -> list[MetricSpec]:
    costly: dict[str, Any] = {"standard": False, "floor_draws": 3}
    cosine = "cosine of the loss gradients of distilled and training rows at four steps of a training"
    apart = "relative distance of these gradients"
    area = "area under the ROC curve of a classifier of distilled against training rows"
    right = "share of distilled and training rows that a classifier tells apart"
    alone = "loss on the training rows that leaving out one distilled row adds, on average"
    loss = "loss on the training rows of logistic or ridge regression on the distilled rows"
    return [
        _spec(
            "gradient-similarity",
            "gradient_similarity",
            cosine,
            "models",
            requires=("torch",),
            value_range=(-1.0, 1.0),
            ideal=1.0,
            **costly,
        ),
        _spec(
            "gradient-distance",
            "gradient_distance",
            apart,
            "models",
            requires=("torch",),
            greater_is_better=False,
            value_range=(0.0, None),
            ideal=0.0,
            **costly,
        ),
        _spec(
            "two-sample-auc",
            "two_sample_auc",
            area,
            "models",
            greater_is_better=False,
            value_range=(0.0, 1.0),
            ideal=0.5,
            **costly,
        ),
        _spec(
            "two-sample-accuracy",
            "two_sample_accuracy",
            right,
            "models",
            greater_is_better=False,
            value_range=(0.0, 1.0),
            ideal=0.5,
            **costly,
        ),
        _spec("influence", "influence", alone, "models", greater_is_better=None, **costly),
        _spec("meta-loss", "meta_loss", loss, "models", greater_is_better=False, value_range=(0.0, None), **costly),
    ]
