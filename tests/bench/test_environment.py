"""What a row was made with, and keys of such things."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys

import numpy as np
import pytest

from distillkit.bench.planning._keys import canonical, digest
from distillkit.bench.results._environment import collect_environment, environment_key


def test_an_environment_says_what_counts():
    environment = collect_environment()
    assert environment["versions"]["numpy"] == np.__version__
    assert environment["cores"] >= 1
    assert environment["memory_gb"] > 0
    assert environment["processor"]
    assert json.loads(json.dumps(environment)) == environment
    assert environment_key(environment) == environment_key(collect_environment())
    assert environment_key(environment) != environment_key(environment | {"cores": 999})


def test_equal_values_have_equal_keys():
    assert canonical({"b": [1, 2.5, None], "a": "é"}) == '{"a":"\\u00e9","b":[1,2.5,null]}'
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest((1, 2)) == digest([1, 2])
    assert digest(dt.date(2020, 1, 1)) == digest("2020-01-01")


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (1, 2), ([1, 2], [2, 1]), (None, "None"), ({"a": 1}, {"a": True})]
)
def test_different_values_have_different_keys(one, other):
    assert digest(one) != digest(other)


def test_keys_do_not_depend_on_the_process():
    code = "from distillkit.bench.planning._keys import digest; print(digest({'a': [1, 'x'], 'b': {'c': 0.1}}))"
    told = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    }
    assert told == {digest({"b": {"c": 0.1}, "a": [1, "x"]})}
