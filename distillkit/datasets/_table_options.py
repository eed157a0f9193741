"""Options of the reader of tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from distillkit.exceptions import DatasetOptionError

__all__ = ["TableOptions"]

_SEPARATOR_NAMES = {"tab": "\t", "\\t": "\t"}


@dataclass(frozen=True)
class TableOptions:
    """Options of the reader of tables, which are those of a suite's data entry.

    Parameters
    ----------
    separator : str or None
        Character between values of a CSV file (or "tab"); None detects it.
    decimal : {".", ","}
        Decimal mark of a CSV file.
    encoding : str or None
        Encoding of a CSV file; None means UTF-8, or UTF-16 with a byte order mark.
    missing : str or sequence of str
        Texts that mean a missing value, besides the empty one.
    drop : str or sequence of str
        Columns to leave out.
    weight : str, False or None
        Column of the weights of the rows; None takes a column ``sample_weight`` if there is one,
        and False none.
    soft_labels : bool
        Whether columns that hold the soft labels of a distilled set are recognized and left out.

    Raises
    ------
    DatasetError
        If an option has another value.
    """

    separator: str | None = None
    decimal: str = "."
    encoding: str | None = None
    missing: Any = ()
    drop: Any = ()
    weight: Any = None
    soft_labels: bool = True

    def __post_init__(self) -> None:
        for name, meaning in (("missing", "that mean a missing value"), ("drop", "that name columns to leave out")):
            value = getattr(self, name)
            texts = [value] if isinstance(value, str) else value
            if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
                raise DatasetOptionError(f"{name}={value!r} must be a text, or a list of texts, {meaning}.")
            object.__setattr__(self, name, tuple(text.strip() for text in texts))
        self._check_weight()
        separator = self.separator
        if isinstance(separator, str):
            separator = _SEPARATOR_NAMES.get(separator, separator)
            object.__setattr__(self, "separator", separator)
        if separator is not None and not (
            isinstance(separator, str) and len(separator) == 1 and separator not in '"\n\r'
        ):
            raise DatasetOptionError(f"separator={separator!r} must be one character, such as ';'.")
        if self.decimal not in (".", ","):
            raise DatasetOptionError(f"decimal={self.decimal!r} must be '.' or ','.")
        if separator == self.decimal:
            raise DatasetOptionError(f"separator={separator!r} and decimal={self.decimal!r} must differ.")
        if self.encoding is not None and not isinstance(self.encoding, str):
            raise DatasetOptionError(f"encoding={self.encoding!r} must be the name of an encoding, such as 'latin-1'.")

    def _check_weight(self) -> None:
        if isinstance(self.weight, str):
            object.__setattr__(self, "weight", self.weight.strip())
        if not (self.weight is None or self.weight is False or (isinstance(self.weight, str) and self.weight)):
            raise DatasetOptionError(f"weight={self.weight!r} must be the name of a column, or false for no weights.")
        if not isinstance(self.soft_labels, bool):
            raise DatasetOptionError(f"soft_labels={self.soft_labels!r} must be true or false.")
