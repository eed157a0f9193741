"""A hint for models that take numbers alone and got a mixed table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from distillkit.tables._frames import is_frame

__all__ = ["encoder_hint"]

_HINT = (
    "This step takes numbers alone, and the table holds text: put distillkit.tables.TableEncoder() in front of the "
    "distiller, or choose a model that takes categories, such as "
    'HistGradientBoostingClassifier(categorical_features="from_dtype").'
)


@contextmanager
def encoder_hint(X: Any) -> Iterator[None]:
    """Add a note to the error of a model that cannot convert the text of a frame to numbers."""
    try:
        yield
    except (TypeError, ValueError) as exc:
        if is_frame(X) and "could not convert string to float" in str(exc):
            exc.add_note(_HINT)
        raise
