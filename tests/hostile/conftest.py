"""What the tests on hostile files share: the number of generated files, and ways to damage them."""

from __future__ import annotations

import copy
import os
import random
import warnings

import pytest

from distillkit.exceptions import DistillkitWarning

IS_FULL = bool(os.environ.get("DISTILLKIT_HOSTILE_FILES"))

VALUES = [
    *(None, True, False, 0, 1, -1, 3, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e308, float("nan"), float("-inf")),
    *(
        "",
        "x",
        "-1",
        "NaN",
        "None",
        "O",
        "U100000000",
        "<U3",
        "float64",
        "(9,9)f8",
        "datetime64[ns, dateutil//x]",
        "\ud800",
    ),
    *([], {}, [[]], [3000, 3000], [-1, -1], [0, 0], ["int", "9" * 5000], ["Decimal", "1e999999999"], ["bytes", "zz"]),
]
"""Values that stand where others are expected."""


class Damage:
    """Damages bytes and plain values at random places.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed):
        self.random = random.Random(seed)  # noqa: S311 (no secrets)

    def choose(self, *things):
        return self.random.choice(things)

    def bytes(self, content):
        """Return the content with some bytes changed, cut out, repeated or cut off."""
        content = bytearray(content)
        for _ in range(self.choose(1, 1, 2, 5)):
            place = self.random.randrange(len(content) + 1)
            length = self.choose(1, 1, 4, 8, 50)
            kind = self.choose("flip", "noise", "zero", "ones", "cut", "repeat", "truncate")
            if kind == "flip" and place < len(content):
                content[place] ^= 1 << self.random.randrange(8)
            elif kind == "truncate" and self.random.random() < 0.3:
                del content[place:]
            elif kind == "cut":
                del content[place : place + length]
            elif kind == "repeat":
                content[place:place] = content[place : place + length] * self.choose(1, 2, 100)
            else:
                noise = {"zero": bytes(length), "ones": b"\xff" * length}.get(kind) or self.random.randbytes(length)
                content[place : place + length] = noise
        return bytes(content)

    def plain(self, value):
        """Return plain values (lists, tables, numbers, text) with one or more of them replaced."""
        value = copy.deepcopy(value)
        for _ in range(self.choose(1, 1, 2, 4)):
            places = list(_places(value))
            if places:
                holder, key = self.random.choice(places)
                if self.random.random() < 0.1:
                    for _ in range(self.choose(1, 3, 2000)):
                        holder[key] = [holder[key]]
                    break  # copies of deep values would end the recursion of Python here
                self._replace(holder, key, [inner[name] for inner, name in places])
        return value

    def _replace(self, holder, key, others):
        kind = self.choose("delete", "hostile", "hostile", "hostile", "other", "repeat")
        if kind == "delete":
            del holder[key]
        elif kind == "other":
            holder[key] = copy.deepcopy(self.random.choice(others))
        elif kind == "repeat" and isinstance(holder, list):
            holder.extend([holder[key]] * self.choose(1, 10))
        else:
            holder[key] = self.random.choice(VALUES)


def _places(value):
    """Yield every place of plain values as (holder, key)."""
    pending = [value]
    while pending:
        holder = pending.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], (dict, list)):
                pending.append(holder[key])


def _outcomes(seeds, make, read, error):
    """Return how the files that `make` returns for seeds end: read, or refused with the error and without warning."""
    outcomes = set()
    for seed in seeds:
        path = make(Damage(seed))
        refusal = None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", DistillkitWarning)
            try:
                read(path)
            except error as exc:
                refusal = str(exc)
            except Exception as exc:
                exc.add_note(f"seed {seed}")
                raise
        assert refusal is None or (refusal.endswith((".", "?")) and "\n" not in refusal), (seed, refusal)
        outcomes.add("read" if refusal is None else "refused")
    return outcomes


@pytest.fixture
def outcomes():
    """Return the function that reads generated files."""
    return _outcomes


@pytest.fixture
def damage():
    """Return the class that damages files."""
    return Damage


@pytest.fixture
def examples():
    """Return a function that gives the seeds of generated files: all, or a tenth without the full counts."""
    return lambda full: range(full if IS_FULL else full // 10)
