"""Registration of this package with distillkit; the target is text, so that listing is fast."""

from __future__ import annotations

from collections.abc import Iterable

from distillkit import hookimpl
from distillkit.specs import DatasetSpec

__all__ = ["distillkit_datasets"]


@hookimpl
def distillkit_datasets() -> Iterable[DatasetSpec]:
    """Return the specification of the source."""
    return [
        DatasetSpec(
            name="huggingface",
            target="distillkit_huggingface._loader:load_huggingface",
            summary="A dataset of Hugging Face that was saved to disk: path, target",
            requires=("datasets",),
            task="auto",
            modality="auto",
            get="Save it with save_to_disk of the package datasets, and give the option path.",
        )
    ]
