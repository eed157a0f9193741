"""Metrics of time series: their autocorrelation and their power spectrum."""

from distillkit.metrics.series._series_metrics import autocorrelation_error, spectrum_distance

__all__ = ["autocorrelation_error", "spectrum_distance"]
