"""Computes the keys of cells, which are hashes of everything that determines a result."""

from __future__ import annotations

import hashlib
import json
from typing import Any

__all__ = ["PROTOCOL", "canonical", "digest"]

PROTOCOL = 2
"""Version of the way cells are run; raising it changes all keys, so that all cells run again."""


def canonical(value: Any) -> str:
    """Return a value as JSON with sorted keys and no spaces, the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def digest(value: Any, length: int = 16) -> str:
    """Return the first `length` hexadecimal digits of the SHA-256 hash of the canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]
