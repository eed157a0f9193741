"""All checks of the estimator contract, collected from the modules that define them."""

from distillkit.testing import _inputs, _outputs, _results, _tables, _weights
from distillkit.testing._problem import Scope

__all__ = ["CHECKS", "Scope"]

CHECKS = (*_results.CHECKS, *_outputs.CHECKS, *_inputs.CHECKS, *_tables.CHECKS, *_weights.CHECKS)
