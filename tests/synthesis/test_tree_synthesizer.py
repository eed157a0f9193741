"""Sequential trees: rows with the joint distribution of the training rows, and what can be asked of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from distillkit import TreeSynthesizer
from distillkit.exceptions import DataError
from distillkit.synthesis.tabular._flat_tree import FlatTree
from distillkit.synthesis.tabular._leaf_values import LeafValues
from distillkit.synthesis.tabular._scores import RankScore
from distillkit.synthesis.tabular._variables import Variables
from distillkit.tables import TableEncoder


@pytest.fixture(scope="module")
def people():
    """A frame in which age, city, income and label depend on each other."""
    rng = np.random.default_rng(0)
    n = 1500
    age = rng.integers(18, 90, n)
    city = np.where(
        age > 50, rng.choice(["Rome", "Oslo"], n, p=[0.8, 0.2]), rng.choice(["Rome", "Bern"], n, p=[0.3, 0.7])
    )
    income = np.where(rng.random(n) < 0.4, 0.0, rng.lognormal(3, 0.5, n).round(2) * np.where(city == "Bern", 2, 1))
    frame = pd.DataFrame(
        {
            "id": [f"P-{number:05d}X" for number in rng.permutation(90000)[:n]],
            "age": age,
            "city": city,
            "income": income,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(age * 10, unit="D"),
            "member": rng.random(n) < 0.3,
            "visits": pd.array(rng.integers(0, 4, n), dtype="Int64"),
        }
    )
    frame.loc[rng.random(n) < 0.2, "income"] = np.nan
    return frame, np.where(age + rng.normal(0, 10, n) > 55, "old", "young")


@pytest.fixture(scope="module")
def fitted(people):
    with pytest.warns(Warning, match="identifier"):
        return TreeSynthesizer(budget=5, random_state=0).fit(*people)


@pytest.mark.parametrize("gaps", [False, True])
def test_a_flat_tree_finds_the_leaves_of_scikit_learn(gaps):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4)).astype(np.float32)
    if gaps:
        X[rng.random(X.shape) < 0.2] = np.nan
    model = DecisionTreeRegressor(min_samples_leaf=3, random_state=0).fit(X[:200], np.nan_to_num(X[:200]).sum(axis=1))
    np.testing.assert_array_equal(FlatTree.of(model).apply(X), model.apply(X))
    stump = DecisionTreeClassifier(min_samples_leaf=200).fit(X[:200], np.arange(200) % 2)
    np.testing.assert_array_equal(FlatTree.of(stump).apply(X), stump.apply(X))


def test_weighted_values_are_drawn_in_proportion_to_their_weights():
    values, weight = np.array([1.0, 2.0, 3.0, 7.0]), np.array([1.0, 5.0, 4.0, 2.0])
    leaves = LeafValues.of(np.array([1, 1, 1, 2]), 3, values, weight, smooth=False)
    drawn = leaves.draw(np.ones(20000, dtype=np.int64), np.random.default_rng(0))
    shares = [np.mean(drawn == value) for value in values]
    np.testing.assert_allclose(shares, [0.1, 0.5, 0.4, 0.0], atol=0.015)
    assert set(leaves.draw(np.full(9, 2), np.random.default_rng(0))) == {7.0}


def test_rare_numbers_are_moved_within_their_leaf_and_repeated_ones_are_not():
    rng = np.random.default_rng(0)
    values = np.concatenate([np.zeros(50), rng.normal(10, 1, 50)])
    leaves = LeafValues.of(np.zeros(100, dtype=np.int64), 1, values, None, smooth=True)
    drawn = leaves.draw(np.zeros(4000, dtype=np.int64), rng)
    positive = drawn[drawn != 0]
    assert abs(np.mean(drawn == 0) - 0.5) < 0.03
    assert positive.min() >= values[50:].min()
    assert positive.max() <= values.max()
    assert np.isin(positive, values).mean() < 0.01
    assert abs(positive.mean() - values[50:].mean()) < 0.1


def test_ranks_are_mean_ranks():
    score = RankScore.of(np.array([3.0, np.nan, 1.0, 3.0, 9.0]))
    np.testing.assert_allclose(score(np.array([1.0, 3.0, 9.0, 99.0, np.nan])), [0.125, 0.5, 0.875, 0.875, np.nan])


def test_variables_of_a_frame_are_encoded_and_decoded(people):
    frame = people[0].drop(columns="id")
    encoder = TableEncoder().fit(frame)
    X = encoder.transform(frame)
    variables = Variables.of(X, encoder)
    np.testing.assert_allclose(variables.snap(X), X, atol=1e-9)
    assert [part.kind for part in variables.parts] == ["number", "one-hot", "number", "number", "boolean", "number"]
    assert Variables.from_state(variables.to_state()).to_state() == variables.to_state()


def test_one_hot_columns_of_an_array_stay_one_hot():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.eye(3)[rng.integers(0, 3, 300)], rng.normal(size=300), rng.integers(0, 50, 300) / 4])
    rows, labels = TreeSynthesizer(budget=4, random_state=0).fit(X).sample(200)
    assert labels is None
    assert set(map(tuple, rows[:, :3])) == set(map(tuple, np.eye(3)))
    assert np.isin(rows[:, 4], np.arange(50) / 4).all()


def test_the_joint_distribution_is_learned(people, fitted):
    frame, y = people
    rows, labels = fitted.sample(4000)
    for city in ("Rome", "Oslo", "Bern"):
        assert abs((rows["city"] == city).mean() - (frame["city"] == city).mean()) < 0.03
    assert not ((rows["age"] > 50) & (rows["city"] == "Bern")).mean() > 0.03  # never, in the training rows
    assert abs(rows["income"].isna().mean() - 0.2) < 0.03
    assert abs((rows["income"] == 0).mean() - (frame["income"] == 0).mean()) < 0.03
    assert abs(np.corrcoef(rows["age"], labels == "old")[0, 1] - np.corrcoef(frame["age"], y == "old")[0, 1]) < 0.05


def test_a_model_of_made_rows_predicts_real_ones():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2000, 3))
    y = (X @ [1, -2, 0.5] + rng.normal(size=2000) > 0).astype(int)
    rows, labels = TreeSynthesizer(budget=5, random_state=0).fit(X[:1000], y[:1000]).sample(1000)
    real = LogisticRegression().fit(X[:1000], y[:1000]).score(X[1000:], y[1000:])
    assert LogisticRegression().fit(rows, labels).score(X[1000:], y[1000:]) > real - 0.03


def test_types_and_names_are_those_of_the_training_rows(people, fitted):
    rows, labels = fitted.sample(20)
    assert list(rows.columns) == list(people[0].columns)
    assert (rows.dtypes == people[0].dtypes).all()
    assert sorted(np.unique(labels)) == ["old", "young"]
    assert rows["age"].between(18, 90).all()
    assert (rows["income"].dropna() == rows["income"].dropna().round(2)).all()


def test_identifiers_are_new_and_of_the_same_form(people, fitted):
    rows, _ = fitted.sample(500)
    assert rows["id"].str.fullmatch(r"P-\d{5}X").all()
    assert rows["id"].is_unique
    assert not set(rows["id"]) & set(people[0]["id"])
    assert fitted.decoder_.identifiers == ("id",)
    assert fitted.X_distilled_["id"].str.fullmatch(r"P-\d{5}X").all()
    assert fitted.distilled_.to_frame()["id"].equals(fitted.X_distilled_["id"])


def test_row_numbers_go_on():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"user_id": np.arange(100, 200), "x": rng.normal(size=100)})
    rows, _ = TreeSynthesizer(budget=2, random_state=0).fit(frame, frame["x"] > 0).sample(5)
    assert rows["user_id"].tolist() == [200, 201, 202, 203, 204]
    assert rows["user_id"].dtype == frame["user_id"].dtype


def test_class_counts_are_exact(fitted, people):
    share = np.mean(people[1] == "old")
    _, labels = fitted.sample(1000)
    assert abs((labels == "old").sum() - 1000 * share) < 1
    _, labels = fitted.sample(y={"old": 7, "young": 2})
    assert sorted(labels) == ["old"] * 7 + ["young"] * 2


def test_the_same_seed_gives_the_same_rows(fitted):
    first, second, other = (fitted.sample(50, random_state=seed)[0] for seed in (1, 1, 2))
    assert first.equals(second)
    assert not first.equals(other)


def test_columns_that_no_time_is_left_for_depend_on_the_label_alone():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    X = np.column_stack([y + rng.normal(size=400), rng.normal(size=400)])
    X[:, 1] += 5 * X[:, 0]
    trees = TreeSynthesizer(budget=2, max_seconds=1e-9, random_state=0).fit(X, y)
    rows, labels = trees.sample(2000)
    assert trees.distilled_.provenance["stopped_by"] == "max_seconds"
    assert abs(np.corrcoef(rows[labels == 0].T)[0, 1]) < 0.1
    assert rows[labels == 1, 0].mean() > rows[labels == 0, 0].mean() + 0.7


def test_wide_tables_choose_the_most_similar_columns():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(300, 6))
    X = np.column_stack([base, base + 0.01 * rng.normal(size=base.shape)])
    trees = TreeSynthesizer(budget=2, max_predictors=2, random_state=0).fit(X)
    rows, _ = trees.sample(400)
    for column in range(6):
        assert np.corrcoef(rows[:, column], rows[:, 6 + column])[0, 1] > 0.9
    assert all(len(column.columns) <= 3 for column in trees.generator_.model.trees)


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.random.default_rng(0).normal(size=(30, 2)), np.zeros(30, dtype=int)),
        (np.random.default_rng(0).normal(size=(30, 2)), np.array([1] + [0] * 29)),
        (np.ones((30, 2)), np.arange(30) % 2),
        (pd.DataFrame({"empty": [None] * 30, "x": np.arange(30.0)}), np.arange(30) % 2),
        (pd.DataFrame({"empty": [None] * 30}), np.arange(30) % 2),
        (pd.DataFrame({"a": np.where(np.arange(30) % 3, 1.0, np.nan)}), np.arange(30) % 2),
    ],
    ids=["one class", "one row in a class", "constant columns", "all missing", "nothing else", "a constant with gaps"],
)
def test_odd_tables_work(X, y):
    trees = TreeSynthesizer(budget=1, random_state=0).fit(X, y)
    rows, labels = trees.sample(10)
    assert rows.shape == (10, X.shape[1])
    assert set(labels) <= set(y)
    if isinstance(X, pd.DataFrame):
        assert (rows.dtypes == X.dtypes).all()


def test_rare_levels_among_hundreds_come_back():
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, 401)
    cities = rng.choice([f"c{number}" for number in range(400)], 3000, p=shares / shares.sum())
    frame = pd.DataFrame({"city": cities, "x": rng.normal(size=3000)})
    rows, _ = TreeSynthesizer(budget=2, random_state=0).fit(frame, frame["x"] > 0).sample(3000)
    assert rows["city"].nunique() > 0.7 * frame["city"].nunique()
    assert set(rows["city"]) <= set(cities)


def test_series_are_refused():
    with pytest.raises(DataError, match="makes tables"):
        TreeSynthesizer().fit(np.zeros((20, 2, 9)))


def test_numbers_beyond_the_targets_are_refused():
    trees = TreeSynthesizer(budget=2, random_state=0).fit(np.arange(60.0)[:, None], np.arange(60) / 7)
    rows, targets = trees.sample(3, [1.0, 4.0, 8.0])
    assert targets.tolist() == [1.0, 4.0, 8.0]
    assert (np.diff(rows[:, 0]) > 0).all()
    with pytest.raises(DataError, match="lie between 0 and 8"):
        trees.sample(1, [9.0])
