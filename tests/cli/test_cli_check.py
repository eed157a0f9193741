"""The command ``distillkit check metric``."""

from __future__ import annotations

import json

import pytest

from distillkit.specs import MetricSpec


def always_the_same(X, y, distilled, random_state=0):
    return 0.5


@pytest.fixture
def own_metric(monkeypatch):
    """Register a metric that cannot tell a good set from a bad one."""
    spec = MetricSpec(name="own", target=always_the_same, stage="data")
    from distillkit.plugins import get_manager

    known = type(get_manager()).get
    monkeypatch.setattr(
        type(get_manager()), "get", lambda self, kind, name: spec if name == "own" else known(self, kind, name)
    )


def test_a_right_metric_passes_each_check(distillkit_):
    told = distillkit_("check", "metric", "accuracy")
    assert told.status == 0
    lines = told.out.splitlines()
    assert lines[-1] == f"accuracy: {len(lines) - 1} of {len(lines) - 1} checks passed"
    assert all(line.startswith("ok     ") for line in lines[:-1])
    assert "ok     row_order: The order of the test rows has no effect." in lines


def test_a_wrong_metric_ends_with_status_one_and_the_remedy(distillkit_, own_metric):
    told = distillkit_("check", "metric", "own")
    assert told.status == 1
    failed = [line for line in told.out.splitlines() if line.startswith("FAILED ")]
    assert [line.split()[1] for line in failed] == ["not_finite:", "response:"]
    assert "raise a DataError, or return None, never a number" in failed[0]
    assert told.out.splitlines()[-1].startswith("own: ")


def test_checks_can_be_skipped_and_printed_as_json(distillkit_, own_metric):
    told = distillkit_("check", "metric", "own", "--json", "--skip", "response", "--skip", "check_not_finite")
    assert told.status == 0
    results = json.loads(told.out)
    assert all(result["passed"] for result in results)
    assert not {"check_response", "check_not_finite"} & {result["name"] for result in results}


def test_what_cannot_be_checked(refused, distillkit_):
    assert "unknown metric 'acuracy': did you mean 'accuracy'" in refused("check", "metric", "acuracy")
    assert "unknown check 'check_oder': did you mean 'check_row_order'" in refused(
        "check", "metric", "accuracy", "--skip", "oder"
    )
    told = distillkit_("check", "metric", "rows")
    assert told.status == 2
    assert "metric 'rows' is of stage 'run'" in told.err
