"""Checks that built-in metrics fail by design, with the reasons."""

from __future__ import annotations

__all__ = ["BY_DESIGN"]

_MEAN_OVER_ROWS = "the mean over the rows counts a row of large weight once, and its copies several times"
_RELATIVE_WEIGHTS = "the model is regularized by the number of rows, and copies raise this while weights do not"
_OTHER_NETWORK = "the order of the batches of the classifier follows the values, so that other units give another one"
_WIDER_NEIGHBORHOODS = "noise widens the neighborhoods of the distilled rows, which then hold more training rows"
_OTHER_DRAWS = "copies of a row are compared with further training rows, which weights do not add"

BY_DESIGN: dict[str, dict[str, str]] = {
    "kl-predictions": {"check_scale": _OTHER_NETWORK},
    "js-predictions": {"check_scale": _OTHER_NETWORK},
    "two-sample-accuracy": {"check_weights": _OTHER_DRAWS},
    "two-sample-auc": {"check_weights": _OTHER_DRAWS},
    "influence": {"check_weights": _MEAN_OVER_ROWS},
    "meta-loss": {"check_weights": _RELATIVE_WEIGHTS},
    "recall": {"check_noise": _WIDER_NEIGHBORHOODS},
}
"""Names of registered metrics, of their checks, and reasons."""
