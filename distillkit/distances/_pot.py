"""The one place where POT is imported."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["import_pot"]


def import_pot() -> Any:
    """Import POT with its NumPy backend alone; otherwise it loads torch, JAX and TensorFlow where they are installed."""
    for backend in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")
    import ot

    return ot
