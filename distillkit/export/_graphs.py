"""Graphs of ONNX for the parts of a model, each from one tensor to one or two."""

from __future__ import annotations

import copy
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.exceptions import DataError
from distillkit.utils._preprocessing import Preprocessing

__all__ = [
    "OPSET",
    "affine_graph",
    "classes_graph",
    "flat_graph",
    "graph_of",
    "network_graph",
    "numbers_graph",
    "sharpened_graph",
]

OPSET = 17
_IR = 9


def graph_of(part: Any, shape: tuple[int, ...], *, outputs: int) -> Any:
    """Return the model of ONNX of a fitted part of scikit-learn.

    Parameters
    ----------
    part : estimator
    shape : tuple of int
        Shape of one row.
    outputs : int
        Number of outputs to keep, the labels first.

    Raises
    ------
    DataError
        If skl2onnx knows no conversion.
    """
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    options = {id(part): {"zipmap": False}} if hasattr(part, "predict_proba") else None
    try:
        converted = convert_sklearn(
            part, initial_types=[("X", FloatTensorType([None, *shape]))], target_opset=OPSET, options=options
        )
    except Exception as exc:  # errors of many types, by the converter of each class
        reason = " ".join(str(exc).split())[:200]
        raise DataError(f"{type(part).__name__} cannot be converted to ONNX: {reason}") from exc
    del converted.graph.output[outputs:]
    return converted


def affine_graph(preprocessing: Preprocessing, shape: tuple[int, ...]) -> Any:
    """Return the graph of ``((x - mean) / scale) @ rotation`` on rows of some shape."""
    helper = _helper()
    constants = {"mean": preprocessing.mean, "scale": preprocessing.scale}
    nodes = [
        helper.make_node("Flatten", ["X"], ["flat"], axis=1),
        helper.make_node("Sub", ["flat", "mean"], ["centered"]),
        helper.make_node("Div", ["centered", "scale"], ["scaled"]),
    ]
    last = "scaled"
    if preprocessing.rotation is not None:
        constants["rotation"] = preprocessing.rotation
        nodes.append(helper.make_node("MatMul", ["scaled", "rotation"], ["rotated"]))
        last = "rotated"
    nodes.append(helper.make_node("Reshape", [last, "shape"], ["Z"]))
    integers = {"shape": np.array([-1, *shape], dtype=np.int64)}
    floats = {name: np.asarray(values, dtype=np.float32) for name, values in constants.items()}
    return _model(nodes, {"X": shape}, {"Z": shape}, floats | integers)


def flat_graph(shape: tuple[int, ...]) -> Any:
    """Return the graph that makes one axis of those of a row."""
    nodes = [_helper().make_node("Flatten", ["X"], ["Z"], axis=1)]
    return _model(nodes, {"X": shape}, {"Z": (int(np.prod(shape)),)}, {})


def network_graph(network: Any, shape: tuple[int, ...]) -> Any:
    """Return the graph of a torch module from rows to its outputs."""
    import onnx
    import torch

    row = torch.zeros(2, *shape)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "network.onnx"
        warnings.simplefilter("ignore")  # the newer exporter of torch needs one more package
        torch.onnx.export(
            copy.deepcopy(network).cpu().eval(),
            (row,),
            path,
            input_names=["X"],
            output_names=["scores"],
            dynamic_axes={"X": {0: "n"}, "scores": {0: "n"}},
            opset_version=OPSET,
            dynamo=False,
        )
        model = onnx.load(path)
    model.ir_version = _IR
    return model


def classes_graph(classes: np.ndarray) -> Any:
    """Return the graph from scores of classes to the label of the largest, and probabilities."""
    helper = _helper()
    nodes = [
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["scores"], ["codes"], axis=1, keepdims=0),
        helper.make_node("Gather", ["labels", "codes"], ["label"], axis=0),
    ]
    labels: np.ndarray = classes.astype(np.int64) if classes.dtype.kind in "iub" else classes.astype(str).astype(object)
    size = (len(classes),)
    return _model(nodes, {"scores": size}, {"label": (), "probabilities": size}, {"labels": labels})


def sharpened_graph(n_classes: int, temperature: float, labels: int) -> Any:
    """Return the graph that brings probabilities from a temperature back to temperature 1."""
    helper = _helper()
    nodes = [
        helper.make_node("Pow", ["soft", "temperature"], ["powers"]),
        helper.make_node("ReduceSum", ["powers", "axes"], ["sums"], keepdims=1),
        helper.make_node("Div", ["powers", "sums"], ["probabilities"]),
        helper.make_node("Identity", ["given"], ["label"]),
    ]
    constants: dict[str, np.ndarray] = {
        "temperature": np.array(temperature, dtype=np.float32),
        "axes": np.array([1], dtype=np.int64),
    }
    size = (n_classes,)
    types = {"given": labels, "label": labels}
    outputs: dict[str, tuple[int, ...]] = {"label": (), "probabilities": size}
    return _model(nodes, {"given": (), "soft": size}, outputs, constants, types)


def numbers_graph(mean: float, scale: float) -> Any:
    """Return the graph from the scores of a network to numbers in the units of the target."""
    helper = _helper()
    nodes = [
        helper.make_node("Mul", ["scores", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mean"], ["variable"]),
    ]
    constants = {"mean": np.array(mean, dtype=np.float32), "scale": np.array(scale, dtype=np.float32)}
    return _model(nodes, {"scores": (1,)}, {"variable": (1,)}, constants)


def _helper() -> Any:
    from onnx import helper

    return helper


def _model(
    nodes: list[Any],
    inputs: dict[str, tuple[int, ...]],
    outputs: dict[str, tuple[int, ...]],
    constants: dict[str, np.ndarray],
    types: dict[str, int] | None = None,
) -> Any:
    """Return a model of nodes, whose tensors have as many rows as are given."""
    from onnx import TensorProto, helper, numpy_helper

    text = any(values.dtype.kind == "O" for values in constants.values())
    label = TensorProto.STRING if text else TensorProto.INT64
    kinds = {"label": label, **(types or {})}

    def described(tensors: dict[str, tuple[int, ...]]) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), ["n", *shape])
            for name, shape in tensors.items()
        ]

    initial = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, "distillkit", described(inputs), described(outputs), initial)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR)
