"""Export of trained models to ONNX, which other programs and languages can run."""

from distillkit.export._to_onnx import to_onnx

__all__ = ["to_onnx"]
