from __future__ import annotations

import pytest

from distillkit import metrics

RECORD = {
    "rows_seen": 600.0,
    "rows": 10.0,
    "bytes_seen": 4800.0,
    "bytes": 60.0,
    "seconds_distil": 1.5,
    "seconds_train": 0.25,
}


@pytest.mark.parametrize(
    ("name", "value", "needs"),
    [
        ("rows_kept", 10, ["rows"]),
        ("bytes_kept", 60, ["bytes"]),
        ("compression_rows", 60, ["rows", "rows_seen"]),
        ("compression_bytes", 80, ["bytes", "bytes_seen"]),
        ("seconds_distil", 1.5, ["seconds_distil"]),
        ("seconds_train", 0.25, ["seconds_train"]),
    ],
)
def test_each_from_the_record_and_none_without_what_it_needs(name, value, needs):
    metric = getattr(metrics, name)
    assert metric(RECORD) == value
    for key in RECORD:
        partial = {other: RECORD[other] for other in RECORD if other != key}
        assert metric(partial) == (None if key in needs else value)


def test_no_rows_at_all_have_no_ratio():
    assert metrics.compression_rows({"rows_seen": 5.0, "rows": 0.0}) is None
