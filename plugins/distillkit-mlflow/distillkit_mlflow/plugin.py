"""Registration of this package with distillkit; the target is text, so that listing is fast."""

from __future__ import annotations

from collections.abc import Iterable

from distillkit import hookimpl
from distillkit.specs import ReporterSpec

__all__ = ["distillkit_reporters"]


@hookimpl
def distillkit_reporters() -> Iterable[ReporterSpec]:
    """Return the specification of the reporter."""
    return [
        ReporterSpec(
            name="mlflow",
            target="distillkit_mlflow._reporter:write",
            summary="One run of an MLflow tracking store for each line of the table",
            requires=("mlflow", "sqlalchemy", "alembic"),
            extension="db",
        )
    ]
