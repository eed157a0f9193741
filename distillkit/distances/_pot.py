"""Import of POT (Python Optimal Transport), in one place so that its backends can be limited."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["import_pot"]


def import_pot() -> Any:
    """Import POT with its NumPy backend only.

    Without the environment variables set here, POT would import every installed one of torch, JAX,
    CuPy and TensorFlow.
    """
    for backend in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")
    import ot

    return ot
