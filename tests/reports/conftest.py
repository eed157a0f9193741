"""A mixed table with gaps and rare levels, and small sets of it."""

import numpy as np
import pandas as pd
import pytest

from distillkit import RandomSubset


def make_table(n, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n),
            "income": np.where(rng.random(n) < 0.2, np.nan, rng.lognormal(3, 1, n)),
            "city": rng.choice(["Rome", "Oslo", "Lima", "Bern"], n, p=[0.6, 0.3, 0.09, 0.01]),
            "member": rng.random(n) < 0.3,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
        }
    )
    y = np.where(frame["age"] + 20 * frame["member"] + rng.normal(0, 10, n) > 55, "yes", "no")
    return frame, y


@pytest.fixture(scope="session")
def table():
    """Training rows and held-out rows with their labels, and rows that are neither."""
    return make_table(600, 0), make_table(300, 1), make_table(120, 3)


@pytest.fixture(scope="session")
def picked(table):
    frame, y = table[0]
    return RandomSubset(20, random_state=0).fit(frame, y).distilled_
