"""The command ``distillkit recommend``."""

import json

import numpy as np
import pandas as pd
import pytest

from distillkit.bench.planning._load_suite import load_suite
from distillkit.bench.planning._make_plan import make_plan


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"city": rng.choice(["Rome", "Oslo"], 200), "size": rng.normal(size=200)})
    frame["sold"] = np.where(frame["size"] + rng.normal(size=200) > 0, "yes", "no")
    path = tmp_path / "houses.csv"
    frame.to_csv(path, index=False)
    return path


def test_it_ranks_methods_and_writes_a_suite_that_can_be_planned(distillkit_, source, tmp_path):
    suite = tmp_path / "sub" / "mine.toml"
    result = distillkit_("recommend", source, "-t", "sold", "-b", 5, "--no-probe", "--device", "cpu", "--suite", suite)
    assert result.status == 0, result.out
    assert "Recommended, the best first:" in result.out
    cells = make_plan(load_suite(str(suite)), None).cells
    assert cells
    assert not [cell for cell in cells if cell.failure]


def test_json_is_for_programs(distillkit_, source):
    result = distillkit_(
        "recommend", source, "-t", "sold", "-b", 5, "--no-probe", "--device", "cpu", "--privacy", "--json"
    )
    assert result.status == 0, result.out
    advice = json.loads(result.out)
    assert advice["situation"]["privacy"] is True
    assert advice["methods"][0]["kind"] == "synthesis"
    assert {"method", "reasons", "seconds", "memory_mb"} <= set(advice["methods"][0])


def test_a_named_dataset_is_named_in_the_suite(distillkit_, tmp_path):
    suite = tmp_path / "iris.toml"
    result = distillkit_("recommend", "iris", "-b", 5, "--no-probe", "--device", "cpu", "--suite", suite)
    assert result.status == 0, result.out
    assert 'datasets = ["iris"]' in suite.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--target"),
        (("-t", "sold", "--seconds", "0"), "--seconds"),
        (("-t", "sold", "-b", "9000"), "asks for"),
        (("-t", "absent"), "absent"),
    ],
)
def test_wrong_use_has_status_2_and_says_why(distillkit_, source, options, message):
    result = distillkit_("recommend", source, "--no-probe", "--device", "cpu", *options)
    assert result.status == 2
    assert message in result.err
