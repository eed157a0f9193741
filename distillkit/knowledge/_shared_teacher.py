"""One trained teacher for the fits of several students on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from distillkit.knowledge._targets import Rows
from distillkit.knowledge._teacher import Teacher
from distillkit.knowledge._teacher_source import TeacherSource
from distillkit.knowledge._teaching_rows import TeachingRows

__all__ = ["SharedTeacher"]


class SharedTeacher:
    """The teacher that the first of several fits trains, and its answers for the training rows."""

    def __init__(self) -> None:
        self.teacher: Teacher | None = None
        self.answers: np.ndarray | None = None

    def instead_of(self, source: TeacherSource) -> _SharedSource:
        """Return a source that trains as another one does, but only once."""
        return _SharedSource(source, self)


class _SharedSource(TeacherSource):
    """A source of answers that remembers what it has trained and asked.

    Parameters
    ----------
    source : TeacherSource
    shared : SharedTeacher
        Holds the teacher of these rows once it is trained.
    """

    def __init__(self, source: TeacherSource, shared: SharedTeacher) -> None:
        super().__init__(**vars(source))
        object.__setattr__(self, "_shared", shared)

    @property
    def _memory(self) -> SharedTeacher:
        return vars(self)["_shared"]  # type: ignore[no-any-return]

    def train(self, rows: Rows) -> Teacher | None:
        """Return the teacher, trained by the first call."""
        if self._memory.teacher is None:
            self._memory.teacher = super().train(rows)
        return self._memory.teacher

    def answers(self, teacher: Teacher | None, rows: TeachingRows, rng: Any, *, own: bool) -> np.ndarray:
        """Return the answers for the rows, asked once, and then for the extra rows."""
        if teacher is None or not own:
            return super().answers(teacher, rows, rng, own=own)
        if self._memory.answers is None:
            alone = TeachingRows(rows.rows, rows.labeled, rows.extra[:0])
            self._memory.answers = super().answers(teacher, alone, rng, own=True)
        given = self._memory.answers
        return np.concatenate([given, teacher.outputs(rows.extra)]) if len(rows.extra) else given
