"""The command ``distillkit report-set``."""

import numpy as np
import pandas as pd
import pytest

from distillkit import KMeansCoreset, RandomSubset
from distillkit.datasets import load_dataset


@pytest.fixture
def houses(tmp_path):
    """A CSV file of houses, another one of unseen houses, and a small set whose rows are copies."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"city": rng.choice(["Rome", "Oslo"], 300), "size": rng.normal(size=300).round(6)})
    frame["sold"] = np.where(frame["size"] + rng.normal(size=300) > 0, "yes", "no")
    frame[:200].to_csv(tmp_path / "real.csv", index=False)
    frame[200:].to_csv(tmp_path / "test.csv", index=False)
    X, y = frame[:200].drop(columns="sold"), frame["sold"][:200]
    RandomSubset(5, random_state=0).fit(X, y).distilled_.save(tmp_path / "small.safetensors")
    return tmp_path


def test_it_prints_the_report_and_writes_the_page(distillkit_, houses):
    page = houses / "sub" / "report.html"
    told = distillkit_(
        *("report-set", houses / "small.safetensors", "--data", houses / "real.csv", "--target", "sold"),
        *("--test", houses / "test.csv", "--output", page),
    )
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith("10 rows (")
    assert "RED copies: 10 of the 10 published rows are copies of training rows." in told.out
    assert "tested on 100 rows" in told.out
    assert f"wrote {page}" in told.out
    html = page.read_text(encoding="utf-8")
    assert "<h1>10 rows for 200, made by RandomSubset</h1>" in html
    assert "10 of the 10 published rows are copies of training rows." in html


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_distill_writes_is_read_again(distillkit_, houses, suffix):
    small = houses / f"kmeans{suffix}"
    made = distillkit_("distill", "kmeans", houses / "real.csv", "-t", "sold", "-b", 5, "-o", small)
    assert made.status == 0, made.err
    told = distillkit_("report-set", small, "-d", houses / "real.csv", "-t", "sold")
    assert (told.status, told.err) == (0, "")
    assert "GREEN copies" in told.out
    assert "sample_weight" not in told.out


def test_the_target_is_the_column_that_the_set_does_not_have(distillkit_, houses):
    told = distillkit_("report-set", houses / "small.safetensors", "--data", houses / "real.csv")
    assert told.status == 0, told.err
    assert "sold" in told.out
    assert "category, target" in told.out


def test_a_named_dataset_and_options_of_reading(distillkit_, houses):
    digits = load_dataset("digits")
    path = (
        KMeansCoreset(2, random_state=0).fit(digits.own_rows, digits.y_train).distilled_.save(houses / "d.safetensors")
    )
    told = distillkit_("report-set", path, "--data", "digits")
    assert told.status == 0, told.err
    assert "20 rows (" in told.out
    frame = pd.read_csv(houses / "real.csv").assign(note="x")
    frame.to_csv(houses / "other.csv", sep=";", decimal=",", index=False)
    small = houses / "small.safetensors"
    told = distillkit_(
        "report-set", small, "-d", houses / "other.csv", "-t", "sold", "--decimal", ",", "--drop", "note"
    )
    assert (told.status, told.err) == (0, "")
    assert "RED copies: 10 of the 10" in told.out


def test_weights_of_the_data_are_told(distillkit_, houses):
    frame = pd.read_csv(houses / "real.csv")
    frame.assign(sample_weight=np.arange(200) + 1).to_csv(houses / "weighted.csv", index=False)
    told = distillkit_("report-set", houses / "small.safetensors", "-d", houses / "weighted.csv", "-t", "sold")
    assert told.status == 0
    assert "which the report does not use" in " ".join(told.out.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-t", "absent"), "no column 'absent'"),
        (("-t", "sold", "-o", "report.pdf"), "ends in .html"),
        (("-t", "sold", "--test", "missing.csv"), "missing.csv"),
        (("-t", "sold", "--drop", "city"), "has also 'city'"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(refused, houses, options, message):
    assert message in refused("report-set", houses / "small.safetensors", "-d", houses / "real.csv", *options)


def test_a_file_that_is_no_small_set_is_told(refused, houses):
    (houses / "other.safetensors").write_bytes(b"nothing")
    assert "other.safetensors" in refused("report-set", houses / "other.safetensors", "-d", houses / "real.csv")
    assert "missing.safetensors" in refused("report-set", houses / "missing.safetensors", "-d", houses / "real.csv")
