"""The privacy panel: how much a distilled set reveals about the rows that it was made from."""

from distillkit.metrics.privacy._panel import privacy_report
from distillkit.metrics.privacy._report import PrivacyReport

__all__ = ["PrivacyReport", "privacy_report"]
