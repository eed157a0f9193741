"""The export of a trained model to ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from distillkit.exceptions import DataError, MissingPackageError
from distillkit.export._flat_model import FlatModel
from distillkit.export._graphs import (
    OPSET,
    affine_graph,
    classes_graph,
    flat_graph,
    graph_of,
    network_graph,
    numbers_graph,
    sharpened_graph,
)
from distillkit.utils._preprocessing import Preprocessing

__all__ = ["to_onnx"]


def to_onnx(model: Any, X: Any, path: Any = None) -> Any:
    """Convert a trained model to ONNX, as a graph from rows to predictions.

    Parameters
    ----------
    model : fitted estimator
        A `TeacherStudentDistiller`, whose student is converted, a `Distilled`, a pipeline of
        distillkit or scikit-learn, a network estimator, or any estimator that skl2onnx converts.
        Steps that act on training rows alone, such as coresets and samplers, vanish; scaling and
        whitening stay.
    X : array-like of shape (n, ...)
        At least one row in the form of those that will be predicted.
    path : str, path or None
        File to write, such as ``"model.onnx"``; None writes none.

    Returns
    -------
    onnx.ModelProto
        Its input is ``X``, float32. Its outputs are ``label`` and ``probabilities`` (n, n_classes)
        of a classifier, or ``variable`` (n, 1) of a regressor. A classifier without probabilities
        has ``label`` alone. Labels that are neither integers nor text become text.

    Raises
    ------
    DataError
        If the model was trained on a mixed table, or a part cannot be converted.
    MissingPackageError
        If onnx or skl2onnx is not installed: ``pip install 'distillkit[onnx]'``.
    NotFittedError
        If the model is not fitted.

    Notes
    -----
    ONNX computes in float32. A row whose scores are nearly equal for two classes can therefore get
    another label than in Python. Compare the predictions on rows of your own.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from distillkit import Distilled, KMeansCoreset, to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> model = Distilled(KMeansCoreset(5, random_state=0), LogisticRegression(max_iter=500))
    >>> model = model.fit(X, y)
    >>> [output.name for output in to_onnx(model, X[:1]).graph.output]
    ['label', 'probabilities']
    """
    try:
        import onnx
        import skl2onnx  # noqa: F401
    except ImportError as exc:
        raise MissingPackageError("the export to ONNX", ["onnx", "skl2onnx"]) from exc
    rows = np.asarray(X)
    if rows.ndim < 2 or rows.dtype.kind not in "iufb":
        raise DataError(f"X has shape {rows.shape} and type {rows.dtype}: give rows of numbers, in shape (n, ...).")
    shape = rows.shape[1:]
    flat = FlatModel.of(model)
    graphs = []
    for part in flat.transformers:
        is_affine = isinstance(part, Preprocessing)
        graphs.append(affine_graph(part, shape) if is_affine else graph_of(part, shape, outputs=1))
        shape = shape if is_affine else _shape_after(graphs[-1], shape)
    graphs += _predictor_graphs(flat.predictor, shape)
    merged = _joined(graphs)
    onnx.checker.check_model(merged)
    if path is not None:
        Path(path).write_bytes(merged.SerializeToString())
    return merged


def _predictor_graphs(predictor: Any, shape: tuple[int, ...]) -> list[Any]:
    """Return the graphs from rows to predictions."""
    if hasattr(predictor, "student_way_"):
        return _student_graphs(predictor, shape)
    if hasattr(predictor, "network_"):
        return _network_graphs(predictor, shape)
    flatten = [flat_graph(shape)] if len(shape) > 1 else []
    size = (int(np.prod(shape)),)
    has_probabilities = hasattr(predictor, "predict_proba")
    return [*flatten, graph_of(predictor, size, outputs=2 if has_probabilities else 1)]


def _network_graphs(predictor: Any, shape: tuple[int, ...]) -> list[Any]:
    classes = getattr(predictor, "classes_", None)
    last = numbers_graph(predictor.y_mean_, predictor.y_scale_) if classes is None else classes_graph(classes)
    return [affine_graph(predictor.preprocessing_, shape), network_graph(predictor.network_, shape), last]


def _student_graphs(student: Any, shape: tuple[int, ...]) -> list[Any]:
    """Return the graphs of what a teacher has taught."""
    model, temperature = student.student_, vars(student).get("_learned_temperature", 1.0)
    if student.student_way_ == "logits":
        regressor = _predictor_graphs(model.regressor_, shape)
        return [*regressor, classes_graph(model.classes_)]
    graphs = _predictor_graphs(model, shape)
    if student.student_way_ == "weights" and temperature != 1:
        kind = graphs[-1].graph.output[0].type.tensor_type.elem_type
        graphs.append(sharpened_graph(len(model.classes_), temperature, kind))
    return graphs


def _shape_after(graph: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a row after a transformer."""
    sizes = [dimension.dim_value for dimension in graph.graph.output[0].type.tensor_type.shape.dim[1:]]
    return tuple(sizes) if sizes and all(sizes) else shape


def _joined(graphs: list[Any]) -> Any:
    """Return one graph in which each graph gets the outputs of the one before it."""
    from onnx import compose, helper

    imports = {one.domain: one.version for graph in graphs for one in graph.opset_import} | {"": OPSET}
    names = [output.name for output in graphs[-1].graph.output]
    for number, graph in enumerate(graphs):
        del graph.opset_import[:]
        graph.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in imports.items())
        graph.ir_version = graphs[-1].ir_version
        # Prefixes keep the names of the parts apart.
        graphs[number] = compose.add_prefix(graph, f"part{number}_")
    merged = graphs[0]
    for graph in graphs[1:]:
        given, taken = [one.name for one in merged.graph.output], [one.name for one in graph.graph.input]
        merged = compose.merge_models(merged, graph, io_map=list(zip(given, taken, strict=True)))
    last = f"part{len(graphs) - 1}_"
    _rename(merged.graph, {"part0_X": "X"} | {f"{last}{name}": name for name in names})
    return merged


def _rename(graph: Any, names: dict[str, str]) -> None:
    """Give inputs and outputs of a graph other names."""
    for node in graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [names.get(tensor, tensor) for tensor in tensors]
    for one in (*graph.input, *graph.output):
        one.name = names.get(one.name, one.name)
