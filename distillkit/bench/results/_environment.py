"""Describes the environment of a run: versions of packages and the hardware."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from distillkit.bench.planning._keys import digest
from distillkit.utils._versions import versions

__all__ = ["collect_environment", "environment_key"]


def collect_environment() -> dict[str, Any]:
    """Return versions, plugins, processor, cores, memory and GPUs, without importing torch."""
    import psutil

    from distillkit.plugins import get_manager

    return {
        "versions": versions(),
        "plugins": get_manager().requirements(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": _gpus(),
    }


def environment_key(environment: dict[str, Any]) -> str:
    """Return the hash under which an environment is stored."""
    return digest(environment)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _gpus() -> list[str]:
    """Return the names of NVIDIA GPUs as reported by the driver."""
    names = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        text = path.read_text(encoding="utf-8", errors="replace")
        names += [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Model:")]
    return names
