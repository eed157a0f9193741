"""Datasets of the Hugging Face library that lie on disk, as datasets of distillkit."""

from __future__ import annotations

from distillkit_huggingface._loader import load_huggingface

__all__ = ["load_huggingface"]
