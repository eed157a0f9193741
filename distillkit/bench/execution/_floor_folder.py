"""Keeps the floors of metrics in a folder, so that sets of equal make-up share them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from distillkit.bench.evaluation._data_metrics import FloorCache
from distillkit.bench.results._store import write_json
from distillkit.metrics.reference._floors import FloorValues

__all__ = ["floor_folder"]


def floor_folder(folder: Path) -> FloorCache:
    """Return a cache that keeps the floors of one prepared dataset in a folder, one file each."""

    def cache(key: str, compute: Callable[[], FloorValues]) -> FloorValues:
        path = folder / f"{key}.json"
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            pairs = [
                None if kept[name] is None else (float(kept[name][0]), float(kept[name][1]))
                for name in ("picked", "fresh")
            ]
            return FloorValues(pairs[0], pairs[1], int(kept["draws"]), str(kept["note"]))
        except (OSError, ValueError, LookupError, TypeError):  # not there yet, or damaged
            floor = compute()
        write_json(path, {"picked": floor.picked, "fresh": floor.fresh, "draws": floor.draws, "note": floor.note})
        return floor

    return cache
