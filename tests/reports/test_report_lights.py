"""Privacy lights: sets that publish training rows are red, fresh rows are green, and each has its reason."""

import numpy as np
import pandas as pd
import pytest

from distillkit import CopulaSynthesizer, KMeansCoreset, RandomSubset, report


def lights(table, small):
    train, test, _ = table
    return report(train, small, test=test, metrics=[]).lights


@pytest.mark.parametrize(
    "method",
    [RandomSubset(20, random_state=0), KMeansCoreset(20, representative="member", random_state=0)],
    ids=["random", "members"],
)
def test_a_set_that_publishes_training_rows_is_red(table, method):
    found = lights(table, method.fit(*table[0]))
    assert found["privacy"].color == found["copies"].color == "red"
    assert found["copies"].reason == "40 of the 40 published rows are copies of training rows."


def test_the_file_of_such_a_set_is_red_as_well(table, picked, tmp_path):
    for name in ("small.safetensors", "small.csv", "small.parquet"):
        path = picked.save(tmp_path / name)
        assert lights(table, path)["copies"].color == "red", name


def test_fresh_rows_are_green(table):
    found = lights(table, table[2])
    assert {light.color for light in found.values()} == {"green"}
    assert "None of the 120 published rows is a copy" in found["copies"].reason


def test_rows_of_a_generator_are_judged(table):
    X, y = table[0]
    small = CopulaSynthesizer(20, random_state=0).fit(X, y).distilled_
    found = lights(table, small)
    assert found["copies"].color == "green"
    assert found["privacy"].color == "green"


def test_published_identifiers_are_red(table):
    (X, y), (X_test, y_test), (fresh, y_fresh) = table
    named = X.assign(id=[f"person {row}" for row in range(len(X))])
    test = X_test.assign(id=[f"guest {row}" for row in range(len(X_test))]), y_test
    # Their other values are fresh, so that the identifiers alone give the persons away.
    small = fresh.assign(id=named["id"][: len(fresh)].to_numpy())
    found = report((named, y), (small, y_fresh), test=test, metrics=[]).lights
    assert found["copies"].color == "green"
    assert found["privacy"].color == found["identifiers"].color == "red"
    assert "120 values of 'id'" in found["identifiers"].reason
    other = fresh.assign(id=[f"nobody {row}" for row in range(len(fresh))])
    assert report((named, y), (other, y_fresh), test=test, metrics=[]).lights["identifiers"].color == "green"


def test_without_held_out_rows_only_copies_can_be_told(table, picked):
    train, _, fresh = table
    found = report(train, fresh, metrics=[]).lights
    assert found["copies"].color == "green"
    assert found["privacy"].color == found["membership"].color == "amber"
    assert "give at least 50 rows that the method has not seen" in found["privacy"].reason
    assert report(train, picked, metrics=[]).lights["privacy"].color == "red"


def test_images_that_are_published_are_red():
    rng = np.random.default_rng(0)
    X, y = rng.random((200, 1, 6, 6)), np.arange(200) % 2
    small = RandomSubset(5, random_state=0).fit(X[:100], y[:100])
    held_out = (X[100:180], y[100:180])
    assert report((X[:100], y[:100]), small, test=held_out, metrics=[]).lights["privacy"].color == "red"
    fresh = (X[180:], y[180:])
    assert report((X[:100], y[:100]), fresh, test=held_out, metrics=[]).lights["privacy"].color == "green"


def test_units_of_the_columns_have_no_effect_on_the_lights(table):
    (X, y), (X_test, y_test), (fresh, y_fresh) = table
    scaled = [frame.assign(income=frame["income"] * 1e6) for frame in (X, X_test, fresh)]
    small = report((scaled[0], y), (scaled[2], y_fresh), test=(scaled[1], y_test), metrics=[])
    assert small.lights == lights(table, (fresh, y_fresh))
    assert isinstance(small.frame, pd.DataFrame)
