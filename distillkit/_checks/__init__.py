"""The checks behind `distillkit.testing`, one small function each."""

from distillkit._checks import _inputs, _outputs, _results
from distillkit._checks._problem import Scope

__all__ = ["CHECKS", "Scope"]

CHECKS = (*_results.CHECKS, *_outputs.CHECKS, *_inputs.CHECKS)
