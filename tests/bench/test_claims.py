"""Claims: one living owner at a time, and none that the dead keep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from distillkit.bench.results._claims import EXPIRY_SECONDS, Claims
from distillkit.bench.results._store import ResultsStore


def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def leave_claim(claims, key, **changes):
    """Write the claim of another process, and age it by so many seconds."""
    age = changes.pop("age", 0.0)
    with claims.take(key) as claim:
        owner = json.loads(claim.path.read_text()) | changes
        path = claim.path
    path.write_text(json.dumps(owner))
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))


def test_a_claim_has_one_owner_and_can_be_taken_again(tmp_path):
    claims = Claims(tmp_path)
    with claims.take("a") as claim:
        assert claims.take("a") is None
        assert claims.is_held("a")
        assert not claims.is_held("b")
        assert not claim.is_lost()
        claims.take("b").release()
    assert not claims.is_held("a")
    claims.take("a").release()
    assert list(claims.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("owner", "age", "is_alive"),
    [
        ({}, 10 * EXPIRY_SECONDS, True),  # this process, which has been suspended
        ({"pid": "dead"}, 0, False),
        ({"created": 1.0}, 0, False),  # another process has got its number
        ({"machine": ["far"]}, 0, True),
        ({"machine": ["far"]}, EXPIRY_SECONDS + 5, False),
        ({"machine": ["far"], "pid": "dead"}, 0, True),
    ],
)
def test_a_claim_lasts_as_long_as_its_owner(tmp_path, owner, age, is_alive):
    claims = Claims(tmp_path)
    leave_claim(claims, "a", age=age, **{**owner, **({"pid": dead_pid()} if "pid" in owner else {})})
    assert claims.is_held("a") == is_alive
    claim = claims.take("a")
    assert (claim is None) == is_alive
    if claim is not None:
        assert not claim.is_lost()
        claim.release()
        assert list(claims.folder.iterdir()) == []


@pytest.mark.parametrize(("age", "is_alive"), [(0, True), (EXPIRY_SECONDS + 5, False)])
def test_a_claim_that_says_nothing_is_one_being_written(tmp_path, age, is_alive):
    claims = Claims(tmp_path)
    leave_claim(claims, "a")
    path = claims.folder / "a.0"
    path.write_text("")
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))
    assert (claims.take("a") is None) == is_alive


def test_a_superseded_owner_knows(tmp_path):
    claims = Claims(tmp_path)
    claim = claims.take("a")
    leave = json.loads(claim.path.read_text()) | {"machine": ["far"]}
    claim.path.write_text(json.dumps(leave))
    os.utime(claim.path, (1, 1))
    other = claims.take("a")
    assert claim.is_lost()
    assert not other.is_lost()
    claim.release()
    assert claims.is_held("a")
    other.release()


def test_the_claims_of_the_dead_are_swept(tmp_path):
    claims = Claims(tmp_path)
    assert not claims.sweep()
    leave_claim(claims, "a", pid=dead_pid())
    assert not claims.sweep()
    assert list(claims.folder.iterdir()) == []
    with claims.take("b"):
        assert claims.sweep()


def test_the_files_that_living_workers_write_stay(tmp_path):
    part = tmp_path / "cells" / ".a.json.1.part"
    for is_at_work in (True, False):
        part.parent.mkdir(exist_ok=True)
        part.touch()
        leave_claim(Claims(tmp_path), "a", **({} if is_at_work else {"pid": dead_pid()}))
        with ResultsStore(tmp_path):
            assert part.exists() == is_at_work
        for claim in (tmp_path / ".claims").iterdir():
            claim.unlink()


CONTENDER = """
import json, os, sys
from pathlib import Path

from distillkit.bench.results._claims import Claims

folder = Path(sys.argv[1])
claims, alone, had = Claims(folder), folder / "alone", 0
for number in range(150):
    claim = claims.take("a")
    if claim is None:
        continue
    os.close(os.open(alone, os.O_CREAT | os.O_EXCL))  # fails if another one is here
    had += 1
    alone.unlink()
    if number % 3:
        claim.release()
    else:  # die without a word: the claim remains, as that of a process that is no more
        text = json.loads(claim.path.read_text()) | {"created": 1.0}
        claim.path.write_text(json.dumps(text))
print(had)
"""


def test_no_two_processes_have_a_claim_at_once(tmp_path):
    command = [sys.executable, "-c", CONTENDER, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    counts = [int(process.communicate(timeout=100)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(counts) > 0


def test_whoever_waits_gets_its_turn(tmp_path):
    claims, order = Claims(tmp_path), []

    def work(number):
        with claims.wait("a"):
            order.append(number)
            order.append(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert order[::2] == order[1::2]
    assert sorted(order[::2]) == [0, 1, 2, 3]
