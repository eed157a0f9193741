"""What is asked of made rows: conditions, constraints, teachers, and files that give the same rows again."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression

from distillkit import TreeSynthesizer
from distillkit.exceptions import ArtefactError, DataError
from distillkit.synthesis import load_synthesizer
from distillkit.utils._sealed_files import read_sealed, sealed_card, write_sealed


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    n = 1200
    age = rng.integers(18, 90, n)
    frame = pd.DataFrame(
        {
            "age": age,
            "city": rng.choice(["Rome", "Oslo", "Bern"], n, p=[0.6, 0.3, 0.1]),
            "income": age * 100 + rng.normal(0, 500, n).round(1),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "member": rng.random(n) < 0.3,
        }
    )
    frame.loc[rng.random(n) < 0.2, "income"] = np.nan
    return frame


@pytest.fixture(scope="module")
def trees(frame):
    return TreeSynthesizer(budget=3, random_state=0).fit(frame, np.where(frame["age"] > 50, "old", "young"))


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"age": ">=30"}, "age >= 30"),
        ({"age": ">=30, <40", "city": ["Oslo", "Bern"]}, "30 <= age < 40 and city != 'Rome'"),
        ({"age": (30, 40)}, "30 <= age <= 40"),
        ({"age": (None, 40)}, "age <= 40"),
        ({"age": [33, 44]}, "age in (33, 44)"),
        ({"city": "Bern", "member": True}, "city == 'Bern' and member"),
        ({"city": "!=Rome"}, "city != 'Rome'"),
        ({"member": "False"}, "not member"),
        ({"income": None}, "income.isna()"),
        ({"since": ">=2021-06-01", "income": "<4000"}, "since >= '2021-06-01' and income < 4000"),
        ({"since": (pd.Timestamp("2021-06-01"), "2021-07-01")}, "'2021-06-01' <= since <= '2021-07-01'"),
    ],
)
def test_conditions_hold_in_every_row(trees, given, query):
    rows, labels = trees.sample(300, given=given)
    assert len(rows) == len(labels) == 300
    assert len(rows.query(query)) == 300


def test_classes_have_their_shares_under_a_condition(trees, frame):
    _, labels = trees.sample(1000, given={"age": ">=45"})
    real = np.mean(frame.loc[frame["age"] >= 45, "age"] > 50)
    assert abs(np.mean(labels == "old") - real) < 0.05


def test_asked_labels_keep_their_order_under_a_condition(trees):
    asked = np.array(["old", "young", "young", "old"] * 20)
    rows, labels = trees.sample(y=asked, given={"city": "Bern"}, random_state=1)
    assert labels.tolist() == asked.tolist()
    assert (rows["city"] == "Bern").all()
    assert rows["age"][asked == "old"].min() > rows["age"][asked == "young"].max() - 8


def test_conditioned_rows_are_those_of_rejection(trees):
    """Sampling under a condition is sampling without one, and leaving out the other rows."""
    rows, _ = trees.sample(3000, given={"age": ">=60"})
    free, _ = trees.sample(12000)
    free = free[free["age"] >= 60]
    assert abs(rows["age"].mean() - free["age"].mean()) < 0.6
    assert abs((rows["city"] == "Rome").mean() - (free["city"] == "Rome").mean()) < 0.04


@pytest.mark.parametrize(
    "constraints",
    ["age < 60 or member", lambda rows: (rows["age"] < 60) | rows["member"], ["age < 60 or member", "age > 0"]],
)
def test_constraints_hold_in_every_row(trees, constraints):
    rows, _ = trees.sample(200, constraints=constraints)
    assert ((rows["age"] < 60) | rows["member"]).all()


def test_conditions_and_constraints_on_arrays():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)).astype(np.float32)
    rows, _ = TreeSynthesizer(budget=2, random_state=0).fit(X).sample(100, given={0: ">0"}, constraints="x1 > x0")
    assert rows.dtype == np.float32
    assert (rows[:, 0] > 0).all()
    assert (rows[:, 1] > rows[:, 0]).all()


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"given": {"town": "Rome"}}, "given names the column 'town'"),
        ({"given": {"city": "Paris"}}, "column 'city' has no level 'Paris'"),
        ({"given": {"city": ">Rome"}}, "holds labels, which > cannot compare"),
        ({"given": {"city": []}}, "empty list"),
        ({"given": {"age": "old"}}, "column 'age' holds numbers"),
        ({"given": {"since": ">=soon"}}, "column 'since' holds dates"),
        ({"given": ["age"]}, "is no mapping"),
        ({"given": {"age": ">200"}}, "only 0 of"),
        ({"constraints": "wage > 3"}, "the constraint 'wage > 3' fails"),
        ({"constraints": "age + 1"}, "must return True or False"),
        ({"constraints": [3]}, "neither a function"),
        ({"y": "ancient"}, "'ancient', which was not trained on"),
    ],
)
def test_what_cannot_be_made_is_said_in_one_sentence(trees, request_, message, monkeypatch):
    monkeypatch.setattr("distillkit.synthesis.requests._sampler._MOST_MISSES", 5000)
    with pytest.raises(DataError, match=message):
        trees.sample(5, **request_)


def test_a_teacher_labels_made_rows(frame):
    y = np.where(
        np.random.default_rng(0).random(len(frame)) < 0.1, "young", np.where(frame["age"] > 50, "old", "young")
    )
    trees = TreeSynthesizer(budget=3, teacher=HistGradientBoostingClassifier(max_iter=20), random_state=0).fit(frame, y)
    rows, labels = trees.sample(500)
    assert np.mean((rows["age"] > 50) == (labels == "old")) > 0.98
    _, labels = trees.sample(y={"old": 30, "young": 10})
    assert sorted(labels) == ["old"] * 30 + ["young"] * 10
    with pytest.raises(ArtefactError, match="teacher is a model"):
        trees.save("never.safetensors")


def test_a_teacher_of_numbers_labels_made_rows():
    X = np.random.default_rng(0).normal(size=(300, 2))
    y = X @ [1.0, 2.0] + np.random.default_rng(1).normal(size=300)
    trees = TreeSynthesizer(budget=20, teacher=LinearRegression(), random_state=0).fit(X, y)
    model = LinearRegression().fit(X, y)
    rows, targets = trees.sample(50)
    np.testing.assert_allclose(targets, model.predict(rows))
    np.testing.assert_allclose(trees.y_distilled_, model.predict(trees.X_distilled_))


@pytest.mark.parametrize("selection", ["random", "kmeans", "filter+kmeans", "auto"])
def test_selections_keep_the_budget(frame, selection):
    y = np.where(frame["age"] > 50, "old", "young")
    trees = TreeSynthesizer(budget={"old": 4, "young": 2}, selection=selection, pool=50, random_state=0).fit(frame, y)
    assert trees.y_distilled_.tolist() == ["old"] * 4 + ["young"] * 2
    assert list(trees.X_distilled_.columns) == list(frame.columns)


SCRIPT = """
import sys
from distillkit.synthesis import load_synthesizer
rows, labels = load_synthesizer(sys.argv[1]).sample(50, given={"age": ">=30"}, random_state=3)
rows.assign(label=labels).to_pickle(sys.argv[2])
"""


def test_a_saved_synthesizer_samples_the_same_rows_in_another_process(trees, tmp_path):
    path = trees.save(tmp_path / "trees.safetensors")
    with safe_open(path, framework="numpy") as file:
        assert "distillkit.synthesizer" in file.metadata()
    subprocess.run([sys.executable, "-c", SCRIPT, path, tmp_path / "rows.pkl"], check=True)
    rows, labels = trees.sample(50, given={"age": ">=30"}, random_state=3)
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / "rows.pkl"), rows.assign(label=labels), check_exact=True)
    copy = TreeSynthesizer.load(path)
    assert copy.X_distilled_.equals(trees.X_distilled_)
    assert copy.y_distilled_.tolist() == trees.y_distilled_.tolist()
    assert copy.get_params() == trees.get_params()


def test_damaged_and_other_files_are_refused(trees, tmp_path):
    path = trees.save(tmp_path / "trees.safetensors")
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtefactError, match="do not match their checksum"):
        load_synthesizer(path)
    with pytest.raises(ArtefactError, match="there is no file"):
        load_synthesizer(tmp_path / "none")
    with pytest.raises(ArtefactError, match="not a synthesizer"):
        load_synthesizer(trees.distilled_.save(tmp_path / "set.safetensors"))


@pytest.mark.parametrize("name", ["distillkit:evaluate", "distillkit.synthesis:load_synthesizer", "os:system"])
def test_a_card_names_nothing_but_synthesizers(trees, tmp_path, name):
    path = trees.save(tmp_path / "trees.safetensors")
    card, tensors = read_sealed(path, "distillkit.synthesizer", 1, thing="one", creation="save()", remedy="save it")
    text = sealed_card({key: value for key, value in card.items() if key != "sha256"} | {"class": name}, tensors)
    write_sealed(path, "distillkit.synthesizer", text, tensors)
    with pytest.raises(ArtefactError, match=f"its class '{name}' is no synthesizer of distillkit"):
        load_synthesizer(path)


@pytest.mark.parametrize("y", [None, np.arange(60) / 7, np.arange(60) % 3])
def test_arrays_and_every_kind_of_label_are_saved(y, tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 3))
    trees = TreeSynthesizer(budget=2, random_state=0).fit(X, y, sample_weight=np.arange(1.0, 61))
    copy = load_synthesizer(trees.save(tmp_path / "trees.safetensors"))
    for part, other in zip(trees.sample(20, random_state=1), copy.sample(20, random_state=1), strict=True):
        np.testing.assert_array_equal(part, other)
