"""Students that can be read: rules and coefficients as text, and trees as SQL."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.tree import BaseDecisionTree, export_text

from distillkit.exceptions import DataError
from distillkit.knowledge._memorizing import last_step

__all__ = ["as_sql", "as_text", "has_sql", "has_text"]


def has_sql(model: Any) -> bool:
    """Return whether a fitted model is a single tree of the columns themselves."""
    return isinstance(model, BaseDecisionTree)


def has_text(model: Any) -> bool:
    """Return whether a fitted model is a single tree, or has one coefficient for each column."""
    return has_sql(model) or hasattr(last_step(model), "coef_")


def as_text(model: Any, names: list[str]) -> str:
    """Return the rules of a tree, or the coefficients of a linear model, as text.

    Parameters
    ----------
    model : fitted estimator
        See `has_text`. The steps of a pipeline before a linear model must be scalers, and the
        coefficients are those of the scaled columns.
    names : list of str
        Names of the columns.
    """
    if has_sql(model):
        return str(export_text(model, feature_names=names, max_depth=model.get_depth() + 1))
    last = last_step(model)
    coefficients = np.atleast_2d(last.coef_)
    intercepts = np.broadcast_to(last.intercept_, len(coefficients))
    labels = _row_labels(last, len(coefficients))
    lines = ["coefficients of the scaled columns" if isinstance(model, Pipeline) else "coefficients"]
    for label, row, intercept in zip(labels, coefficients, intercepts, strict=True):
        lines.append(f"{label}: {intercept:+.6g}")
        lines += [f"|--- {name}: {value:+.6g}" for name, value in zip(names, row, strict=True)]
    return "\n".join(lines) + "\n"


def _row_labels(model: Any, n: int) -> list[str]:
    """Return the name of each row of coefficients; two classes have one row, of the second."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        return ["value"] if n == 1 else [f"output {number}" for number in range(n)]
    return [str(classes[1])] if n == 1 else [str(label) for label in classes]


def as_sql(model: Any, names: list[str], classes: np.ndarray | None) -> str:
    """Return a tree as a CASE expression of standard SQL.

    Parameters
    ----------
    model : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted.
    names : list of str
        Names of the columns.
    classes : ndarray of shape (n_classes,) or None
        Labels of the tree; None for regression.

    Raises
    ------
    DataError
        If the tree predicts several numbers.
    """
    tree = model.tree_
    if tree.n_outputs > 1:
        raise DataError(
            "export_sql writes trees of one number or label, but this one predicts several: train one each."
        )

    def expression(node: int) -> str:
        if tree.children_left[node] == tree.children_right[node]:
            value = tree.value[node][0]
            return _literal(value[0] if classes is None else classes[int(value.argmax())])
        column = _quoted(names[tree.feature[node]], '"')
        left, right = expression(tree.children_left[node]), expression(tree.children_right[node])
        return f"CASE WHEN {column} <= {float(tree.threshold[node])!r} THEN {left} ELSE {right} END"

    return expression(0)


def _literal(value: Any) -> str:
    plain = value.item() if hasattr(value, "item") else value
    return _quoted(plain, "'") if isinstance(plain, str) else repr(int(plain) if isinstance(plain, bool) else plain)


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, 2 * mark) + mark
