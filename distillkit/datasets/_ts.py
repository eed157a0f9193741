"""Reader of ``.ts`` files, the text format of the UCR, UEA and TSER archives of time series.

The file has a header of ``@key value`` lines, then ``@data`` and one case per line. The dimensions
of a case are separated by ``:``, the values of a dimension by ``,``, and a missing value is ``?``.
The class, or the number to predict, follows the last ``:``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten

import numpy as np

from distillkit.exceptions import DatasetError
from distillkit.utils._messages import shown

__all__ = ["Series", "read_ts"]

_TRUE = frozenset({"true", "yes"})
_EQUAL_LENGTH = "all series must have one length: cut, pad or resample them and write the file again"


@dataclass(frozen=True, eq=False)
class Series:
    """The content of a ``.ts`` file.

    Parameters
    ----------
    X : ndarray of shape (n, channels, time)
        float64; missing values are NaN.
    y : ndarray of shape (n,)
        Text labels, or float64 numbers.
    task : {"classification", "regression"}
    """

    X: np.ndarray
    y: np.ndarray
    task: str


def read_ts(path: Path) -> Series:
    """Read a ``.ts`` file.

    Raises
    ------
    DatasetError
        If the file cannot be read, if a line is damaged (the message names file and line), or if
        series differ in length.
    """
    reader = _Reader(path)
    try:
        with path.open(encoding="utf-8", errors="replace") as file:  # comments may be in any encoding
            for number, line in enumerate(file, start=1):
                reader.take(number, line.strip())
    except OSError as exc:
        raise DatasetError(f"cannot read {path}: {exc.strerror or exc}.") from exc
    return reader.series()


@dataclass
class _Reader:
    """A parser of one file, line by line; `line` is the number of the current line."""

    path: Path
    line: int = 0
    header: dict[str, list[str]] = field(default_factory=dict)
    in_data: bool = False
    cases: list[np.ndarray] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def fail(self, message: str) -> DatasetError:
        return DatasetError(f"{self.path}, line {self.line}: {message}.")

    def take(self, number: int, text: str) -> None:
        self.line = number
        if not text or text.startswith("#"):
            return
        if self.in_data:
            self.take_case(text)
        elif text.startswith("@"):
            self.take_header(text)
        else:
            raise self.fail("values come before a line @data, so this is no .ts file or its header is damaged")

    def take_header(self, text: str) -> None:
        key, *values = text[1:].split() or [""]
        key = key.lower()
        self.header[key] = values
        if key == "data":
            self.in_data = True
            self.check_header()

    def is_true(self, key: str) -> bool:
        return [value.lower() for value in self.header.get(key, [])[:1]] in ([value] for value in _TRUE)

    def number(self, key: str) -> int | None:
        if key not in self.header:
            return None
        try:
            return int(self.header[key][0])
        except (IndexError, ValueError):
            raise self.fail(f"@{key} is {shown(' '.join(self.header[key]))}, not a whole number") from None

    def check_header(self) -> None:
        """Refuse unsupported files, and read the numbers of channels and steps from the header."""
        if self.is_true("timestamps"):
            raise self.fail("series with time stamps are not supported: resample them to equal steps")
        if self.header.get("equallength", ["true"])[:1] == ["false"]:
            raise self.fail(f"the header says @equalLength false, but {_EQUAL_LENGTH}")
        if not self.is_true("classlabel") and not self.is_true("targetlabel"):
            raise self.fail("the cases have neither classes (@classLabel true ...) nor targets (@targetLabel true)")
        self.channels = 1 if self.is_true("univariate") else self.number("dimensions") or self.number("dimension")
        self.length = self.number("serieslength")
        self.classes = frozenset(self.header.get("classlabel", [])[1:])

    @property
    def task(self) -> str:
        return "regression" if self.is_true("targetlabel") else "classification"

    def take_case(self, text: str) -> None:
        *channels, label = text.split(":")
        self.channels, expected = self.channels or len(channels), self.channels or max(1, len(channels))
        if len(channels) != expected:
            raise self.fail(
                f"the case has {len(channels)} dimensions and a label, but {expected} dimensions are expected"
            )
        values = [self.values(channel) for channel in channels]
        self.length = self.length or len(values[0])
        for value in values:
            if len(value) != self.length:
                raise self.fail(
                    f"a series of {len(value)} values stands where {self.length} are expected: {_EQUAL_LENGTH}"
                )
        self.cases.append(np.array(values))
        self.labels.append(self.label(label.strip()))

    def values(self, text: str) -> list[float]:
        try:
            values = [np.nan if word.strip() == "?" else float(word) for word in text.split(",")]
        except ValueError as exc:
            raise self.fail(f"a value is not a number ({str(exc)[:200]}): repair or remove the line") from None
        if np.isinf(values).any():
            raise self.fail("a value is infinite: repair or remove the line")
        return values

    def label(self, label: str) -> str:
        if self.task == "classification" and (label not in self.classes if self.classes else not label):
            named = shorten(", ".join(sorted(self.classes)), 200, placeholder=" ...") or "none"
            raise self.fail(f"the class {shown(label)} is not one that the header names ({named})")
        if self.task == "regression":
            try:
                finite = np.isfinite(float(label))
            except ValueError:
                finite = False
            if not finite:
                raise self.fail(f"the target {shown(label)} is not a finite number: repair or remove the line")
        return label

    def series(self) -> Series:
        if not self.in_data:
            raise DatasetError(f"{self.path} has no line @data, so it is no .ts file or is cut short.")
        if not self.cases:
            raise DatasetError(f"{self.path} has no cases after @data.")
        y = np.array(self.labels, dtype=np.float64 if self.task == "regression" else object)
        return Series(np.stack(self.cases), y, self.task)
