r"""Fit methods with networks many times in one process, and measure what each fit leaves behind.

Usage::

    python benchmarks/robustness/soak.py [--fits 500] [--warm-up 50] [--threads 2] [--limit-mb 20] \
        [--data table images]

Every family of methods with networks is fitted in turn, on tables and on images, each time with
another seed and with a small network. After the warm-up, in which libraries load their code and the
allocators take their memory, the memory that the process has allocated, its threads, its file
descriptors and its temporary folders are counted, and again after the last fit. The memory leaves
out the pages of libraries, which count as the process's own or not depending on whether another
process has loaded the same library. The script prints both counts and exits with status 1 if the
memory has grown beyond the limit, or if a thread, a descriptor or a folder is left.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from distillkit import (
    BilevelDistiller,
    DistributionMatchingDistiller,
    GANSynthesizer,
    GradientMatchingDistiller,
    KernelDistiller,
    RandomSubset,
    SoftLabels,
    TeacherStudentDistiller,
    TrajectoryMatchingDistiller,
)
from distillkit.nn import NetworkClassifier


@dataclass(frozen=True)
class Usage:
    """What the process holds: MB of memory of its own, threads, descriptors, temporary folders."""

    megabytes: float
    threads: int
    descriptors: int
    folders: int

    @classmethod
    def now(cls) -> Usage:
        """Count what the process holds at this moment, without the memory that is free already."""
        gc.collect()
        if sys.platform == "linux":  # glibc keeps freed memory, more or less by chance.
            with contextlib.suppress(OSError, AttributeError):
                ctypes.CDLL(None).malloc_trim(0)
        process = psutil.Process()
        folders = len(list(Path(tempfile.gettempdir()).glob("distillkit-*")))
        descriptors = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
        return cls(_allocated(process) / 2**20, process.num_threads(), descriptors, folders)


def _allocated(process: psutil.Process) -> int:
    """Return the bytes of memory in use that are no pages of files, where the system tells."""
    memory = process.memory_info()
    return int(memory.rss - memory.shared if hasattr(memory, "shared") else process.memory_full_info().uss)


def methods() -> dict[str, Callable[[], Any]]:
    """Return functions that create each method with settings that are as cheap as possible."""
    network = {"width": 4, "hidden": (8,), "max_iter": 2, "device": "cpu"}
    experts = {"n_experts": 1, "expert_epochs": 2, "student_steps": 2}
    teacher = NetworkClassifier(width=4, hidden=(8,), epochs=1, device="cpu")
    return {
        "gradient": lambda: GradientMatchingDistiller(2, outer_steps=2, inner_steps=1, **network),
        "distribution": lambda: DistributionMatchingDistiller(2, validation_fraction=0.2, **network),
        "trajectory": lambda: TrajectoryMatchingDistiller(2, **experts, **network),
        "kernel": lambda: KernelDistiller(2, pool_size=2, updates=1, norm="none", **network),
        "bilevel": lambda: BilevelDistiller(2, inner_steps=2, **network),
        "gan": lambda: GANSynthesizer(2, max_iter=3, pool=10, width=4, latent=4, device="cpu"),
        "teacher-student": lambda: TeacherStudentDistiller(teacher=teacher, epochs=1, device="cpu"),
        "soft labels": lambda: SoftLabels(RandomSubset(2), teacher=teacher),
    }


def fits(n: int, kinds: list[str]) -> Iterator[str]:
    """Fit the methods in turn to each kind of data, `n` times in all, and yield their names."""
    rng = np.random.default_rng(0)
    data = {
        "table": (rng.normal(size=(60, 4)), np.arange(60) % 2),
        "images": (rng.random((40, 1, 8, 8)).astype(np.float32), np.arange(40) % 2),
    }
    cases = [(name, make, kind) for kind in kinds for name, make in methods().items()]
    for number in range(n):
        name, make, kind = cases[number % len(cases)]
        make().set_params(random_state=number).fit(*data[kind])
        yield f"{name}, {kind}"


def grown(before: Usage, after: Usage, limit_mb: float) -> list[str]:
    """Return a sentence for each resource that has grown, for memory beyond the limit."""
    names = ("MB of memory", "threads", "descriptors", "temporary folders")
    allowed = (limit_mb, 0, 0, 0)
    changes = [end - begin for begin, end in zip(astuple(before), astuple(after), strict=True)]
    return [
        f"{change:.1f} more {name} than before, {most:g} allowed"
        for name, change, most in zip(names, changes, allowed, strict=True)
        if change > most
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", type=int, default=500, help="fits after the warm-up")
    parser.add_argument("--warm-up", type=int, default=50, help="fits before the first count")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    parser.add_argument("--limit-mb", type=float, default=20.0)
    parser.add_argument("--data", nargs="+", choices=("table", "images"), default=["table", "images"])
    options = parser.parse_args()
    warnings.filterwarnings("ignore")  # tiny settings are warned about
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        tempfile.tempdir = folder  # so that folders of other processes are not counted
        return soak(options)


def soak(options: argparse.Namespace) -> int:
    """Warm up, count, fit, count again, and return the exit status."""
    for _ in fits(options.warm_up, options.data):
        pass
    before, started = Usage.now(), time.monotonic()
    print("before:", before, flush=True)
    for number, _ in enumerate(fits(options.fits, options.data), start=1):
        if number % 100 == 0:
            print(f"{number} fits, {time.monotonic() - started:.0f} s: {Usage.now()}", flush=True)
    after = Usage.now()
    print("after: ", after, flush=True)
    problems = grown(before, after, options.limit_mb)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
