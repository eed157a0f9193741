"""The checks behind `distillkit.testing`, one small function each."""

from distillkit.testing import _inputs, _outputs, _results
from distillkit.testing._problem import Scope

__all__ = ["CHECKS", "Scope"]

CHECKS = (*_results.CHECKS, *_outputs.CHECKS, *_inputs.CHECKS)
