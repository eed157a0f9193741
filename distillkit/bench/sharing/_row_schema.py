"""The JSON Schema of a results row, derived from the checks that every row has to pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distillkit.bench.results import _schema as checks

__all__ = ["row_schema"]

_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "a whole number": {"type": "integer"},
    "a number": {"type": "number"},
    "true or false": {"type": "boolean"},
    "an object": {"type": "object"},
    "a list of texts": {"type": "array", "items": {"type": "string"}},
    "encoded codes or values": {
        "type": "object",
        "oneOf": [{"required": ["codes"]}, {"required": ["values"]}],
        "properties": {name: {"type": "string"} for name in ("codes", "values", "type")},
    },
}
"""JSON Schema of each kind of value, by the words of its check."""

_OR_NULL, _VALUES, _ONE_OF = " or null", "an object whose values are each ", "one of "


def row_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a results row.

    Returns
    -------
    dict
        Rows that pass `distillkit.bench.results._schema.wrong_row` are valid by it.
    """
    needed, optional = checks.row_fields()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A results row of distillkit",
        "type": "object",
        "required": sorted(needed),
        "properties": _properties({**optional, **needed}) | {"schema": {"const": checks.SCHEMA}},
    }


def _properties(fields: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    return {name: _schema_of(words) for name, (words, _) in sorted(fields.items())}


def _schema_of(words: str) -> dict[str, Any]:
    """Return the schema of a value from the words that describe it."""
    if words.startswith(_VALUES):  # first, since its values may be null themselves
        return {"type": "object", "additionalProperties": _schema_of(words.removeprefix(_VALUES))}
    if words.endswith(_OR_NULL):
        return {"anyOf": [_schema_of(words.removesuffix(_OR_NULL)), {"type": "null"}]}
    if words.startswith(_ONE_OF):
        return {"enum": words.removeprefix(_ONE_OF).split(", ")}
    return _TYPES[words]
