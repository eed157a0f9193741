"""Every suite that ships can be planned where its data lies."""

from __future__ import annotations

import pytest

from distillkit.bench.planning._load_suite import load_suite, shipped_suites
from distillkit.bench.planning._make_plan import make_plan
from distillkit.exceptions import DatasetNotFoundError


@pytest.mark.parametrize("name", ["quickstart", "digits"])
def test_shipped_suites_without_files_can_be_planned(name):
    made = make_plan(load_suite(name))
    assert {"random", "class-means", "whole", "kmeans"} <= {cell.method for cell in made.cells}
    assert {cell.dataset for cell in made.cells} == {"digits"}


@pytest.mark.parametrize("name", sorted(set(shipped_suites()) - {"quickstart", "digits"}))
def test_shipped_suites_with_files_can_be_planned(name):
    try:
        made = make_plan(load_suite(name))
    except DatasetNotFoundError as exc:
        pytest.skip(f"its data is not there: {exc}")
    assert {cell.dataset for cell in made.cells} == {entry.label for entry in made.suite.datasets}
    assert any(cell.skip is None for cell in made.cells)


def test_data_that_is_not_on_disk_is_told_at_once(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=f"mnist is not in the data folder {tmp_path}"):
        make_plan(load_suite("mnist"), tmp_path)
