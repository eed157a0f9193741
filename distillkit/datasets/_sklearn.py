"""The datasets that come with scikit-learn and need no download; all hold test rows out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from distillkit.datasets._dataset import Dataset
from distillkit.datasets._loader import loader
from distillkit.datasets._scaling import standardize
from distillkit.datasets._targets import make_targets

__all__ = ["load_breast_cancer", "load_diabetes", "load_digits", "load_iris", "load_wine"]


@loader()
def load_digits(_root: Path | None = None, split: int = 0) -> Dataset:
    """Load 1,797 handwritten digits of 8 x 8 pixels in 10 classes.

    They are float32 images in [0, 1], with pixels divided by 16.

    Parameters
    ----------
    split : int
        Number of the split, which chooses the rows that are held out.
    """
    from sklearn.datasets import load_digits as load

    bunch = load()
    images = (bunch.images[:, None] / 16).astype(np.float32)
    targets = make_targets("digits", bunch.target, task="classification", split=split)
    return Dataset(
        name="digits",
        task="classification",
        modality="image",
        X_train=images[targets.train],
        y_train=targets.y_train,
        X_test=images[targets.test],
        y_test=targets.y_test,
        classes=targets.classes,
        rows_train=bunch.images[targets.train, None],
        preparation=f"pixels divided by 16; {targets.note}",
    )


@loader()
def load_wine(_root: Path | None = None, split: int = 0) -> Dataset:
    """Load 178 wines of 3 growers, with 13 chemical measurements.

    Parameters
    ----------
    split : int
        Number of the split, which chooses the rows that are held out.
    """
    from sklearn.datasets import load_wine as load

    return _table("wine", load(), split)


@loader()
def load_breast_cancer(_root: Path | None = None, split: int = 0) -> Dataset:
    """Load 569 tumors, malignant or benign, with 30 measurements of cell nuclei.

    Parameters
    ----------
    split : int
        Number of the split, which chooses the rows that are held out.
    """
    from sklearn.datasets import load_breast_cancer as load

    return _table("breast-cancer", load(), split)


@loader()
def load_iris(_root: Path | None = None, split: int = 0) -> Dataset:
    """Load 150 iris flowers of 3 species, with 4 measurements.

    Parameters
    ----------
    split : int
        Number of the split, which chooses the rows that are held out.
    """
    from sklearn.datasets import load_iris as load

    return _table("iris", load(), split)


@loader()
def load_diabetes(_root: Path | None = None, split: int = 0) -> Dataset:
    """Load 442 diabetes patients; the target is the progress of the disease after a year.

    The 10 features are measurements of the patients.

    Parameters
    ----------
    split : int
        Number of the split, which chooses the rows that are held out.
    """
    from sklearn.datasets import load_diabetes as load

    # Not scaled by scikit-learn, which would also use the test rows.
    return _table("diabetes", load(scaled=False), split, task="regression")


def _table(name: str, bunch: Any, split: int, task: str = "classification") -> Dataset:
    """Hold test rows out and standardize all rows."""
    import pandas as pd

    targets = make_targets(name, bunch.target, task=task, split=split)
    feature_names = tuple(map(str, bunch.feature_names))
    X_train, X_test = standardize(bunch.data[targets.train], bunch.data[targets.test])
    return Dataset(
        name=name,
        task=task,
        modality="table",
        X_train=X_train,
        y_train=targets.y_train,
        X_test=X_test,
        y_test=targets.y_test,
        # The class codes equal scikit-learn's, which count from 0, so its class names fit.
        classes=tuple(map(str, bunch.target_names)) if task == "classification" else (),
        feature_names=feature_names,
        rows_train=pd.DataFrame(bunch.data[targets.train], columns=list(feature_names)),
        preparation=f"columns standardized with statistics of the training rows; {targets.note}",
    )
