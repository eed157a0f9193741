"""Computes the keys of a cell from its fields, so that a stored row can be checked by its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from distillkit.bench.planning._cells import ANY_LABELS
from distillkit.bench.planning._keys import PROTOCOL, digest

__all__ = ["CellKeys", "cell_keys", "data_options"]

_LOCATION_PARAMS = frozenset({"path", "test_path", "download"})
"""Dataset parameters that only say where the files are, and so do not change the results."""


class CellKeys(NamedTuple):
    """The keys of the prepared data, of the distilled set and of the cell."""

    data_key: str
    distil_key: str
    key: str


def cell_keys(fields: Mapping[str, Any]) -> CellKeys:
    """Return the keys of a cell.

    Parameters
    ----------
    fields : mapping
        The fields of a `Cell`, as a planned cell or a results row has them. Those that rows of
        earlier versions lack have the values that these versions used.

    Returns
    -------
    CellKeys
        Hashes of everything that determines the data, the distilled set and the outcome. The path
        of a file is not among it, because the revision has a fingerprint of its content.
    """
    # 1. Collect what determines the data, then the distilled set, then the outcome.
    data = {
        "protocol": fields.get("protocol", PROTOCOL),
        "dataset": fields["dataset_name"],
        "params": data_options(fields["dataset_params"]),
        "revision": fields["dataset_revision"],
        "split": fields.get("split"),
    }
    distillation = data | {
        "method": _identity(fields, "method", fields["plugin"]),
        "budget": fields["budget"],
        # All seeds share the distilled set of a deterministic method.
        "seed": None if fields.get("deterministic") else fields["distil_seed"],
    }
    threads = fields.get("threads", 1)
    if threads != 1:  # The number of threads changes the last digits of networks.
        distillation["threads"] = threads
    if fields["label_mode"] == ANY_LABELS:  # Each evaluation seed trains a teacher and a student of its own.
        distillation["eval_seed"] = fields["eval_seed"]
    outcome = distillation | {
        "evaluator": _identity(fields, "evaluator", fields.get("evaluator_plugin", "distillkit")),
        "seeds": [fields["distil_seed"], fields["eval_seed"]],
        "label_mode": fields["label_mode"],
        # A row has the values of the metrics under their names, and the versions apart.
        "metrics": list(fields.get("metric_versions", fields["metrics"])),
    }
    # 2. Hash each of them.
    return CellKeys(*map(digest, (data, distillation, outcome)))


def data_options(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a dataset that change its rows, other than the split."""
    return {name: value for name, value in params.items() if name not in _LOCATION_PARAMS | {"split"}}


def _identity(fields: Mapping[str, Any], kind: str, plugin: str) -> list[Any]:
    """Return the values that determine the results of a method or evaluator."""
    name = fields[f"{kind}_name"].rpartition("/")[2]  # The name may be that of the plugin and of the spec.
    return [plugin, name, fields[f"{kind}_version"], fields[f"{kind}_params"]]
