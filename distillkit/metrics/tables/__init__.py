"""Metrics of tables: the marginals of the columns and the associations between them."""

from distillkit.metrics.tables._correlations import correlation_error
from distillkit.metrics.tables._marginals import marginal_ks, marginal_tv

__all__ = ["correlation_error", "marginal_ks", "marginal_tv"]
