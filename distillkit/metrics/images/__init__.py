"""Metrics of images: the structural similarity (SSIM) of two sets."""

from distillkit.metrics.images._ssim_metrics import ssim_diversity, ssim_memorisation, ssim_nearest

__all__ = ["ssim_diversity", "ssim_memorisation", "ssim_nearest"]
