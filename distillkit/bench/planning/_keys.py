"""Keys of cells: hashes of everything that decides a result."""

from __future__ import annotations

import hashlib
import json
from typing import Any

__all__ = ["PROTOCOL", "canonical", "digest"]

PROTOCOL = 1
"""Raised when the way cells are run changes their results: all cells then run again."""


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces, equal for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def digest(value: Any, length: int = 16) -> str:
    """Return the first `length` hexadecimal digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]
