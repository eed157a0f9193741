"""The training rows with their targets, and what metrics compute from them once for all sets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from distillkit.distances._samples import NotFiniteError, as_floats, row_keys
from distillkit.exceptions import DataError
from distillkit.metrics.features import Extractor, make_extractor
from distillkit.metrics.reference._check_set import check_set
from distillkit.metrics.reference._parts import Part
from distillkit.metrics.reference._targets import standardized_target
from distillkit.tables._frames import is_frame
from distillkit.utils._targets import infer_task

if TYPE_CHECKING:
    from distillkit.distilled import DistilledSet

__all__ = ["Reference"]

T = TypeVar("T")

_NO_ROWS = np.empty(0, dtype=np.intp)


class Reference:
    """Training rows that distilled sets are compared with.

    The metrics of stage "data" accept a reference in place of the training rows. What they compute
    from the training rows alone (features, sums of kernels, neighbors) is then kept in the
    reference and serves all sets and all floors. None of it depends on the order of the rows,
    except for rounding.

    Parameters
    ----------
    X : array-like of shape (n, ...)
        Training rows as numbers, in the units in which distilled rows are compared with them.
    y : array-like of shape (n,) or None
        Class labels or numbers.
    task : {"classification", "regression"} or None
        None decides by the values of `y`. Without `y` there is no task.

    Attributes
    ----------
    X : ndarray of shape (n, ...)
    y : ndarray of shape (n,) or None
    task : {"classification", "regression"} or None
    classes : ndarray of shape (n_classes,) or None
        Sorted class labels; None without classes.
    parent : Reference or None
        The reference from which this one was derived by `without`.
    removed : ndarray of shape (r,)
        Positions in the rows of `parent` that are left out, sorted; empty without a parent.

    Raises
    ------
    DataError
        If there are no rows, `X` and `y` have different lengths, or values are NaN, infinite or no
        numbers.

    Examples
    --------
    >>> import numpy as np
    >>> reference = Reference(np.eye(3), np.array([0, 0, 1]))
    >>> len(reference), reference.task, len(reference.without([1]))
    (3, 'classification', 2)
    """

    parent: Reference | None = None
    removed: np.ndarray = _NO_ROWS

    def __init__(self, X: Any, y: Any = None, *, task: str | None = None) -> None:
        self.X = _rows_of(X)
        self.y = None if y is None else np.asarray(y)
        if self.X.ndim < 2 or not self.X.size:
            raise DataError(f"the training rows have shape {self.X.shape}: give at least one row, in shape (n, ...).")
        if not np.isfinite(self.X).all():
            raise NotFiniteError("the training rows hold NaN or infinite values: drop or fill these rows.")
        if self.y is not None and self.y.shape != (len(self.X),):
            raise DataError(f"y has shape {self.y.shape}, but there are {len(self.X)} training rows: give one each.")
        self.task = None if self.y is None else (task or infer_task(self.y))
        self.classes = np.unique(self.y) if self.task == "classification" and self.y is not None else None
        self._cache: dict[Hashable, Any] = {}

    @classmethod
    def of(cls, X: Any, y: Any, distilled: DistilledSet) -> Reference:
        """Return `X` itself if it is a reference, otherwise a new one that suits a distilled set.

        Parameters
        ----------
        X : Reference, or array-like or frame of shape (n, ...)
            The columns of a frame are encoded as those of the distilled set.
        y : array-like of shape (n,) or None
            Ignored if `X` is a reference.
        distilled : DistilledSet
            The task is taken from its classes or its provenance if it has them, and otherwise from
            the values of `y`. Without targets in the set, those of the training rows are ignored.

        Returns
        -------
        Reference

        Raises
        ------
        DataError
            If `distilled` is no distilled set, `X` is a reference with targets and the set has
            none, or the rows cannot be used.
        """
        check_set(X, distilled)
        if isinstance(X, Reference):
            if X.y is not None and distilled.y is None:
                raise DataError("the distilled set has no targets, but the reference has: give Reference(X) without y.")
            return X
        rows = distilled.encode(X) if is_frame(X) else X
        task = "classification" if distilled.classes is not None else distilled.provenance.get("task")
        return cls(rows, None if distilled.y is None else y, task=task)

    def __len__(self) -> int:
        return self.root_size - len(self.removed)

    @property
    def root(self) -> Reference:
        """The reference of all training rows from which this one was derived, or itself."""
        return self if self.parent is None else self.parent

    @property
    def root_size(self) -> int:
        """Number of rows of the root."""
        return len(self.root.X)

    @cached_property
    def kept(self) -> np.ndarray:
        """Positions of the rows in those of the root, of shape (n,)."""
        return np.delete(np.arange(self.root_size), self.removed)

    @cached_property
    def X(self) -> np.ndarray:  # noqa: N802 (the usual name of rows)
        """The rows, of shape (n, ...), in float32 or float64."""
        return np.asarray(np.delete(self.root.X, self.removed, axis=0))  # the root itself sets X

    @cached_property
    def y(self) -> np.ndarray | None:
        """The targets, of shape (n,), or None."""
        whole = self.root.y
        return None if whole is None else np.delete(whole, self.removed)

    @cached_property
    def codes(self) -> np.ndarray | None:
        """Positions of the labels of the rows in `classes`, of shape (n,); None without classes."""
        return None if self.classes is None or self.y is None else np.searchsorted(self.classes, self.y)

    @cached_property
    def keys(self) -> np.ndarray:
        """Pseudo-random numbers (n,) that depend on the values of the rows, not on their order.

        Draws that take the rows in the order of their keys do not depend on the order of the rows.
        """
        if self.parent is not None:
            return np.asarray(np.delete(self.root.keys, self.removed))
        flat = self.X.reshape(len(self.X), -1)
        tie = np.zeros(len(flat)) if self.y is None else np.unique(self.y, return_inverse=True)[1].astype(float)
        return row_keys(flat, tie, "reference")

    @cached_property
    def order(self) -> np.ndarray:
        """Positions (n,) of the rows in the order of their keys."""
        return np.argsort(self.keys, kind="stable")

    def cached(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returned when this key was first asked for.

        Parameters
        ----------
        key : hashable
            Names the intermediate result, with all parameters on which it depends.
        make : callable
            Function without arguments.

        Returns
        -------
        object
            The same object each time; it must not be changed.
        """
        if key not in self._cache:
            self._cache[key] = make()
        value: T = self._cache[key]
        return value

    def without(self, indices: Any) -> Self:
        """Return the reference without some rows.

        It shares all that was computed for the root. The scaling of features and of a continuous
        target, and extractors, remain those of the root.

        Parameters
        ----------
        indices : array-like of int, of shape (r,)
            Positions in the rows of this reference, each at most once.

        Returns
        -------
        Reference

        Raises
        ------
        DataError
            If positions are repeated or out of range, or if no row would remain.
        """
        indices = np.unique(np.asarray(indices, dtype=np.intp))
        if len(indices) and not (indices[0] >= 0 and indices[-1] < len(self)):
            raise DataError(f"rows {indices[0]} to {indices[-1]} cannot be left out of {len(self)} training rows.")
        if len(indices) == len(self):
            raise DataError(f"all {len(self)} training rows would be left out: leave out fewer.")
        child = object.__new__(type(self))
        child.parent, child.task, child.classes = self.root, self.task, self.classes
        child.removed = np.union1d(self.removed, self.kept[indices])
        # Several metrics leave out the same rows for their floors, so they share what they compute.
        child._cache = self.root.cached(("without", child.removed.tobytes()), dict)
        return child

    def extractor(self, features: Any = None, random_state: int = 0) -> Extractor:
        """Return the feature extractor, fitted on the rows of the root.

        Parameters
        ----------
        features : str or object
            See `distillkit.metrics.features.make_extractor`.
        random_state : int, default=0
            Seeds extractors that draw at random.

        Returns
        -------
        Extractor
        """
        return self.root.fitted(features, random_state)[0]

    def features(self, features: Any = None, random_state: int = 0) -> np.ndarray:
        """Return the features of the rows.

        Parameters
        ----------
        features, random_state
            As for `extractor`.

        Returns
        -------
        ndarray of shape (n, f)
            In float32 or float64.
        """
        whole = self.root.fitted(features, random_state)[1]
        return whole if self.parent is None else np.delete(whole, self.removed, axis=0)

    def parts(self, features: Any = None, random_state: int = 0) -> list[Part]:
        """Return the features of the rows by class.

        Parameters
        ----------
        features, random_state
            As for `extractor`. With a continuous target, the standardized target is one more
            column.

        Returns
        -------
        list of Part
            One for each class; a single one without classes. A class of which all rows were left
            out has an empty part.
        """
        root, identity = self.root, self.extractor(features, random_state).identity
        parts = root.cached(("parts", identity), lambda: root.root_parts(features, random_state))
        if self.parent is None:
            return parts
        is_removed = np.zeros(self.root_size, dtype=bool)
        is_removed[self.removed] = True
        return [
            Part(part.key, part.label, part.positions, part.whole, np.flatnonzero(is_removed[part.positions]))
            for part in parts
        ]

    def fitted(self, features: Any, random_state: int) -> tuple[Extractor, np.ndarray]:
        """Return an extractor that is fitted on all rows, with the features of these rows."""
        # Extractors that draw nothing at random are the same for each random state.
        extractor = make_extractor(features, random_state)
        key = ("extractor", extractor.name, extractor.recipe if _is_named(features) else id(features))
        # The object itself is kept as well, so that its id is not given to another one.
        return self.cached(key, lambda: (*self._fit(extractor), features))[:2]

    def _fit(self, extractor: Extractor) -> tuple[Extractor, np.ndarray]:
        values = extractor.fit_transform(self.X, self.y, self.task, lambda: self.order)
        if extractor.learns:
            extractor.fingerprint = self._fingerprint(extractor.recipe)
        return extractor, values

    def _fingerprint(self, recipe: tuple[Any, ...]) -> str:
        """Return a hash of a recipe, the rows and the targets that ignores the order of rows."""
        digest = hashlib.blake2b(repr(recipe).encode(), digest_size=4)
        digest.update(self.keys[self.order].tobytes())
        if self.y is not None:
            values = self.y if self.codes is None else self.codes
            digest.update(np.asarray(values, dtype=np.float64)[self.order].tobytes())
        return digest.hexdigest()

    def root_parts(self, features: Any, random_state: int) -> list[Part]:
        whole, identity = self.features(features, random_state), self.extractor(features, random_state).identity
        everything = np.arange(len(whole))
        if self.classes is not None:
            groups = [(label, np.flatnonzero(self.y == label)) for label in self.classes]
            return [
                Part(("part", identity, place), label, rows, whole[rows], _NO_ROWS)
                for place, (label, rows) in enumerate(groups)
            ]
        if self.y is not None:
            column = standardized_target(self.y, self.y)
            whole = np.column_stack([whole, column.astype(whole.dtype, copy=False)])
        return [Part(("part", identity, 0), None, everything, whole, _NO_ROWS)]


def _is_named(features: Any) -> bool:
    return features is None or isinstance(features, str)


def _rows_of(X: Any) -> np.ndarray:
    """Return rows in float32 if this holds their values exactly, otherwise in float64."""
    if hasattr(X, "detach"):  # a tensor of torch
        return as_floats(X)
    given = np.asarray(X)
    if given.dtype.kind in "buif" and given.dtype.itemsize <= (4 if given.dtype.kind == "f" else 2):
        return given.astype(np.float32, copy=False)
    return as_floats(X)
