"""Identifiers of a table: how they look, and new ones of the same form."""

from __future__ import annotations

import hashlib
import re
import string
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from distillkit.tables._reading import Numbers

__all__ = ["IdentifierForm", "RowNumbers", "is_row_number"]

_ALPHABETS = {"9": string.digits, "A": string.ascii_uppercase, "a": string.ascii_lowercase}
_MOST_SHAPES = 256
_NUMBER_NAME = re.compile(
    r"(?:|.*[_\s.-])(?:id|key|uid|no|nr|index|number|instant|ID|Id)|.*[a-z](?:Id|ID|No|Key|Number)"
)


@dataclass(frozen=True, eq=False)
class IdentifierForm:
    """The form of text that differs in nearly every row.

    New identifiers keep what all training ones have in common at their start and end. In between,
    they have the shape of a training identifier, in which digits, capitals and small letters are
    drawn at random. They differ from each other and from those of the training rows.

    Parameters
    ----------
    prefix, suffix : str
        What all identifiers start and end with.
    shapes : tuple of str
        Shapes of what lies between, where 9, A and a stand for digits and letters.
    counts : tuple of int
        Rows of each shape.
    known : ndarray of int64
        Sorted hashes of the identifiers of the training rows, to make none of them again.
    """

    prefix: str
    suffix: str
    shapes: tuple[str, ...]
    counts: tuple[int, ...]
    known: np.ndarray

    @classmethod
    def of(cls, words: list[str]) -> Self:
        """Learn the form of the identifiers of the training rows."""
        prefix = _common_start(words)
        prefix = prefix.rstrip(string.digits)  # common leading digits are chance
        rests = [word[len(prefix) :] for word in words]
        suffix = _common_start([rest[::-1] for rest in rests])[::-1].lstrip(string.digits)
        shapes = Counter(_shape(rest[: len(rest) - len(suffix)]) for rest in rests).most_common(_MOST_SHAPES)
        known = np.unique(np.array([_hash(word) for word in words], dtype=np.int64))
        return cls(prefix, suffix, tuple(shape for shape, _ in shapes), tuple(count for _, count in shapes), known)

    def draw(self, n_rows: int, rng: np.random.Generator) -> list[str]:
        """Return new identifiers."""
        shares = np.array(self.counts) / sum(self.counts)
        shapes = [self.shapes[place] for place in rng.choice(len(self.shapes), n_rows, p=shares).tolist()]
        known, words = set(self.known.tolist()), []
        for shape in shapes:
            word, tries = self._word(shape, rng), 0
            while _hash(word) in known:  # where a shape has too few different words, it becomes longer
                tries += 1
                word = self._word(shape + "9" * (tries // 10), rng)
            known.add(_hash(word))
            words.append(word)
        return words

    def _word(self, shape: str, rng: np.random.Generator) -> str:
        picks = rng.integers(0, 2**31, len(shape)).tolist()
        letters = [
            _ALPHABETS[mark][pick % len(_ALPHABETS[mark])] if mark in _ALPHABETS else mark
            for mark, pick in zip(shape, picks, strict=True)
        ]
        return f"{self.prefix}{''.join(letters)}{self.suffix}"

    def to_state(self) -> dict[str, Any]:
        """Return the form as plain values for JSON."""
        return {
            "prefix": self.prefix,
            "suffix": self.suffix,
            "shapes": list(self.shapes),
            "counts": list(self.counts),
            "known": self.known.tolist(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the form that `to_state` described."""
        known = np.array(state["known"], dtype=np.int64)
        return cls(state["prefix"], state["suffix"], tuple(state["shapes"]), tuple(state["counts"]), known)


@dataclass(frozen=True)
class RowNumbers:
    """Whole numbers that count the rows of a table, which new rows continue.

    Parameters
    ----------
    last : int
        Largest number of the training rows.
    """

    last: int

    def draw(self, n_rows: int) -> np.ndarray:
        """Return the numbers (n,) after the last one."""
        return self.last + 1.0 + np.arange(n_rows)


def is_row_number(name: Any, values: Numbers) -> bool:
    """Return whether a column counts rows: by its name, and by different numbers without gaps."""
    numbers = values.data
    is_named = isinstance(name, str) and _NUMBER_NAME.fullmatch(name) is not None
    if not (is_named and values.is_integer) or len(numbers) < 20 or values.missing.any():
        return False
    spread = float(numbers.max() - numbers.min())
    return spread + 1 <= 2 * len(numbers) and len(np.unique(numbers)) == len(numbers)


def _common_start(words: list[str]) -> str:
    """Return the longest text with which all words start."""
    low, high = min(words), max(words)  # in their order, these two differ most
    pairs = enumerate(zip(low, high, strict=False))
    return low[: next((place for place, (a, b) in pairs if a != b), min(len(low), len(high)))]


def _shape(word: str) -> str:
    """Return a word with 9 for digits, A for capitals and a for small letters."""
    return "".join(
        "9" if letter.isdigit() else "A" if letter.isupper() else "a" if letter.islower() else letter for letter in word
    )


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little", signed=True)
