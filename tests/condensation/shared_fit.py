"""Fits that two processes share, for `test_processes.py`.

The test starts ``python shared_fit.py FOLDER RANK`` twice. Each process writes what it got of each case to ``FOLDER/RANK.pkl``, an exception included.
"""

from __future__ import annotations

import math
import os
import pickle
import signal
import sys
import time
from pathlib import Path

import numpy as np
from torch import distributed, nn

from distillkit import DistributionMatchingDistiller, GradientMatchingDistiller
from distillkit.condensation.gradient._loop import GradientMatchingLoop
from distillkit.condensation.loop._validation import Validation
from distillkit.condensation.processes import _group

RANK = int(sys.argv[2]) if __name__ == "__main__" else 0
FAST = {"max_iter": 6, "record_every": 2, "random_state": 3, "hidden": (8,), "device": "cpu"}


def rows(n_classes=3):
    rng = np.random.RandomState(1)
    classes = np.arange(60) % n_classes
    return rng.normal(size=(60, 5)) + 2 * classes[:, None], np.array(["a", "b", "c"])[classes]


def with_dropout(shape, n_outputs):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(math.prod(shape), 6), nn.Tanh(), nn.Dropout(0.3), nn.Linear(6, n_outputs)
    )


def gradient(**params):
    return GradientMatchingDistiller(**{"budget": 2, "outer_steps": 2, "inner_steps": 2, **FAST, **params}).fit(*rows())


def distribution(**params):
    return DistributionMatchingDistiller(**{"budget": {"a": 2, "b": 1, "c": 3}, **FAST, **params}).fit(*rows())


EQUAL = {
    "gradient": gradient,
    "differences": lambda: gradient(derivative="differences", real_draw="clusters", real_batch=8, updates=2),
    "validated": lambda: gradient(validation_fraction=0.2, validation_every=2, schedule="linear", max_seconds=600),
    "gradient-dropout": lambda: gradient(network=with_dropout),
    "mean": distribution,
    "mmd": lambda: distribution(loss="mmd", real_batch=8),
    "kl": lambda: distribution(loss="kl", gradient_weight=0.5),
    "dropout": lambda: distribution(network=with_dropout, gradient_weight=0.5, outer_steps=2),
}
"""Fits whose result in two processes is that of one."""


def failing(exc, *, rank, at, repeated=True):
    """Let the loop of gradient matching fail in one process, at an update."""
    match = GradientMatchingLoop._match

    def failing_match(loop, *args):
        if rank == RANK and loop.run.n_iter == at and (repeated or loop.batch.size == loop.batch.first):
            exc()
        return match(loop, *args)

    GradientMatchingLoop._match = failing_match
    try:
        return gradient(on_interrupt="return" if exc is interrupted else "raise")
    finally:
        GradientMatchingLoop._match = match


def broken():
    raise ValueError("the matching is broken")


def not_finite():
    raise FloatingPointError("the distance is not finite")


def out_of_memory():
    raise MemoryError


def interrupted():
    os.kill(os.getpid(), signal.SIGINT)


def in_time():
    """Fit for a time, by clocks that would end the fit after different numbers of updates."""
    return gradient(max_iter=None, max_seconds=0.5, record_every=1)


def failed_validation():
    measure = Validation.measure
    Validation.measure = lambda *_: broken()
    try:
        return gradient(validation_fraction=0.2, validation_every=2)
    finally:
        Validation.measure = measure


def failed_packing():
    """Let one process fail where it prepares what the processes are about to add up."""
    packed = _group._packed
    _group._packed = lambda tensors: broken() if RANK == 1 else packed(tensors)
    try:
        return gradient()
    finally:
        _group._packed = packed


def unpicklable_score():
    """Let the first process find what cannot be sent to the others."""
    measure = Validation.measure
    Validation.measure = lambda *_: (0.0, {"validation": lambda: None})
    try:
        return gradient(validation_fraction=0.2, validation_every=2)
    finally:
        Validation.measure = measure


def other_rows():
    X, y = rows()
    return GradientMatchingDistiller(1, **FAST).fit(X + RANK, y)


def too_few_classes():
    X, _ = rows()
    return DistributionMatchingDistiller(4, **FAST).fit(X, X[:, 0])


def checkpoint(folder, **params):
    return gradient(checkpoint=folder / f"{RANK}.run", **params)


def saved(folder):
    checkpoint(folder, max_iter=4)
    return checkpoint(folder)


CASES = {
    **EQUAL,
    "unseeded": lambda: gradient(random_state=None),
    "time": in_time,
    "error": lambda: failing(broken, rank=1, at=3),
    "first-error": lambda: failing(broken, rank=0, at=0),
    "not-finite": lambda: failing(not_finite, rank=1, at=4),
    "memory": lambda: failing(out_of_memory, rank=1, at=2, repeated=False),
    "no-memory": lambda: failing(out_of_memory, rank=1, at=4),
    "interrupted": lambda: failing(interrupted, rank=1, at=3),
    "validation": failed_validation,
    "packing": failed_packing,
    "pickling": unpicklable_score,
    "other-rows": other_rows,
    "too-few-classes": too_few_classes,
    "alone": lambda: gradient(processes=None, random_state=RANK),
}


def outcome_of(case, *args):
    """Return what a test compares: the rows, history and provenance of a fit, or its error."""
    began = time.perf_counter()
    try:
        fitted = case(*args)
    except Exception as exc:
        return {"error": type(exc).__name__, "message": str(exc), "seconds": time.perf_counter() - began}
    provenance = fitted.distilled_.provenance
    return {"X": fitted.X_distilled_, "history": fitted.history_, "n_iter": fitted.n_iter_} | {
        name: provenance.get(name) for name in ("stopped_by", "real_batch")
    }


def main():
    folder = Path(sys.argv[1])
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=RANK, world_size=2)
    outcomes = {name: outcome_of(case) for name, case in CASES.items()}
    outcomes["saved"] = outcome_of(saved, folder)
    (folder / f"{RANK}.pkl").write_bytes(pickle.dumps(outcomes))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
