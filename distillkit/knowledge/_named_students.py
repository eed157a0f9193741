"""Students by name: models that are small or can be read."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

__all__ = ["NAMED_STUDENTS", "named_student"]

NAMED_STUDENTS = ("tree", "linear", "gam")
"""Names of students that are no networks; see `TeacherStudentDistiller`."""
_LEAVES = 32


def named_student(name: str, task: str) -> Any:
    """Return the unfitted estimator of a name.

    Parameters
    ----------
    name : {"tree", "linear", "gam"}
        A tree of at most 32 leaves; logistic or ridge regression on standardized columns; or
        boosting without interactions, which is a sum of one function for each column.
    task : {"classification", "regression"}
    """
    classifies = task == "classification"
    if name == "tree":
        return (DecisionTreeClassifier if classifies else DecisionTreeRegressor)(max_leaf_nodes=_LEAVES)
    if name == "gam":
        boosting = HistGradientBoostingClassifier if classifies else HistGradientBoostingRegressor
        return boosting(interaction_cst="no_interactions", early_stopping=False)
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000) if classifies else RidgeCV())
