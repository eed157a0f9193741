"""What the steps after a distiller get of a mixed table, in training and in prediction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from distillkit import Distilled, KMeansCoreset, Preprocessing, RandomSubset, make_pipeline
from distillkit.base import BaseDistiller, Outcome
from distillkit.exceptions import DataError
from distillkit.tables import TableEncoder
from distillkit.tables._estimator_frame import MOST_LEVELS, estimator_frame

N_ROWS = 240
TREES = HistGradientBoostingClassifier(categorical_features="from_dtype", min_samples_leaf=2, max_iter=5)
DISTILLERS = [KMeansCoreset(0.3, random_state=0), RandomSubset(0.3, random_state=0)]


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "id": [f"{i:05d}-X" for i in rng.permutation(N_ROWS)],
            "age": rng.integers(17, 90, N_ROWS),
            "children": pd.array(rng.integers(0, 5, N_ROWS), dtype="Int64"),
            "city": rng.choice(["Oslo", "Rome", "Bern"], N_ROWS, p=[0.6, 0.3, 0.1]),
            "plan": pd.Categorical(rng.choice(["S", "M", "L"], N_ROWS), categories=["S", "M", "L", "XL"], ordered=True),
            "member": rng.random(N_ROWS) < 0.5,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 999, N_ROWS), unit="h"),
            "charges": [f"{value:.2f}" for value in rng.normal(size=N_ROWS)],
        }
    )
    table.loc[::7, "children"] = pd.NA
    table.loc[::9, "city"] = np.nan
    return table.set_index(pd.Index([f"r{i}" for i in range(N_ROWS)]))


@pytest.fixture
def labels(frame):
    return pd.Series(np.where(frame["age"] + 20 * frame["member"] > 60, "yes", "no"), index=frame.index)


def containers(frame):
    """The frame in each container."""
    pl = pytest.importorskip("polars")
    return frame, pl.from_pandas(frame), pl.from_pandas(frame).to_arrow()


def expected_frame(X, fitted):
    """The frame for the next step by pandas alone."""
    cities = pd.CategoricalDtype(sorted(fitted["city"].dropna().unique()))
    plans = pd.CategoricalDtype(["S", "M", "L"], ordered=True)
    return pd.DataFrame(
        {
            "id": pd.Categorical([None] * len(X), categories=[]),
            "age": X["age"].astype(float),
            "children": X["children"].astype("Float64").to_numpy(float, na_value=np.nan),
            "city": X["city"].where(X["city"].isin(cities.categories)).astype(cities),
            "plan": X["plan"].astype(plans),
            "member": X["member"].astype(float),
            "since": (X["since"] - pd.Timestamp("1970-01-01")) / pd.Timedelta("1D"),
            "charges": X["charges"].astype(float),
        },
        index=X.index,
    )


@pytest.mark.parametrize("distiller", DISTILLERS)
@pytest.mark.filterwarnings("ignore:.*like an identifier")
def test_new_rows_become_numbers_and_categories_with_the_levels_of_the_training_rows(distiller, frame, labels):
    train, test = frame[:180], frame[180:].copy()
    test.iloc[0, frame.columns.get_loc("city")] = "Paris"
    distiller = clone(distiller).fit(train, labels[:180])
    expected = expected_frame(test, train)
    assert pd.isna(expected["city"].iloc[0])
    pd.testing.assert_frame_equal(distiller.transform(test), expected)


@pytest.mark.filterwarnings("ignore:.*like an identifier")
def test_a_step_gets_the_picked_rows_as_transform_returns_them(frame, labels):
    distiller = RandomSubset(0.3, random_state=0)
    rows, _ = distiller.fit_resample(frame, labels)
    pd.testing.assert_frame_equal(rows, frame.iloc[distiller.sample_indices_])
    expected = distiller.transform(frame).iloc[distiller.sample_indices_]
    pd.testing.assert_frame_equal(distiller.transform(rows), expected)
    pd.testing.assert_frame_equal(clone(distiller).fit_transform(frame, labels), expected)
    seen = SeenRows()
    make_pipeline(clone(distiller), seen).fit(frame, labels)
    pd.testing.assert_frame_equal(seen.rows_, expected)
    model = Distilled(clone(distiller), SeenRows()).fit(frame, labels)
    pd.testing.assert_frame_equal(model.estimator_.rows_, expected)
    pd.testing.assert_frame_equal(model.distiller_.X_distilled_, rows)


class SeenRows(LogisticRegression):
    """A model that keeps the rows that it gets."""

    def fit(self, X, y):
        self.rows_, self.classes_ = X, np.unique(y)
        return self


@pytest.mark.parametrize("distiller", DISTILLERS)
@pytest.mark.filterwarnings("ignore:.*like an identifier")
def test_training_and_new_rows_have_the_same_types_in_every_container(distiller, frame, labels):
    predictions = []
    for X in containers(frame):
        made = clone(distiller)
        rows = made.fit_transform(X, labels.to_numpy())
        carried = made.transform(X)
        assert type(rows) is type(carried) is type(X)
        if X is frame:
            assert (rows.dtypes == carried.dtypes).all()
        else:
            assert rows.schema == carried.schema
        predictions.append(make_pipeline(clone(distiller), TREES).fit(X, labels.to_numpy()).predict(X))
    np.testing.assert_array_equal(predictions[0], predictions[1])
    np.testing.assert_array_equal(predictions[0], predictions[2])


@pytest.mark.parametrize("distiller", [KMeansCoreset(0.5, random_state=0), RandomSubset(0.5, random_state=0)])
@pytest.mark.filterwarnings("ignore")
def test_trees_take_every_type_of_column(distiller, table):
    y = np.arange(len(table)) % 2
    pipe = make_pipeline(clone(distiller), TREES).fit(table, y)
    assert pipe.predict(table).shape == y.shape
    made = pipe[0].transform(table)
    assert list(getattr(made, "column_names", None) or made.columns) == pipe[0].feature_names_in_.tolist()


def test_the_levels_of_an_enum_stay_in_their_order(frame):
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"size": ["S", "L", "M", "L"], "n": [1, 2, 3, 4]})
    table = table.with_columns(pl.col("size").cast(pl.Enum(["S", "M", "L", "XL"])))
    encoder = TableEncoder().fit(table)
    assert estimator_frame(encoder, table).schema["size"] == pl.Enum(["S", "M", "L"])
    assert estimator_frame(encoder, table)["size"].to_list() == ["S", "L", "M", "L"]
    assert estimator_frame(encoder, table.to_pandas())["size"].cat.categories.tolist() == ["S", "M", "L"]


def test_the_most_frequent_levels_are_kept_and_the_others_are_missing():
    codes = np.repeat(np.arange(300), np.arange(300, 0, -1))  # the level 0 is the most frequent one
    table = pd.DataFrame({"code": [f"level {code}" for code in codes], "x": np.arange(len(codes)) % 7})
    made = estimator_frame(TableEncoder().fit(table), table)["code"]
    assert set(made.cat.categories) == {f"level {code}" for code in range(MOST_LEVELS)}
    np.testing.assert_array_equal(made.isna(), codes >= MOST_LEVELS)
    kept = made.notna().to_numpy()
    assert made[kept].astype(str).tolist() == table["code"][kept].tolist()
    y = codes % 2
    assert make_pipeline(RandomSubset(0.5, random_state=0), TREES).fit(table, y).predict(table).shape == y.shape


def test_levels_of_several_types_become_text():
    table = pd.DataFrame({"mixed": pd.Series([1, "1", "a", None] * 5, dtype=object), "kind": [True, None] * 10})
    made = estimator_frame(TableEncoder().fit(table), table)
    assert made["mixed"].cat.categories.tolist() == ["1", "a"]
    assert made["mixed"].iloc[:3].tolist() == ["1", "1", "a"]
    assert made["kind"].iloc[0] == 1
    assert made["kind"].isna().tolist() == [False, True] * 10
    numbers = pd.DataFrame({"code": pd.Categorical([7, 9, 7, 8])})
    assert estimator_frame(TableEncoder().fit(numbers), numbers)["code"].cat.categories.tolist() == [7, 8, 9]


def test_durations_are_days():
    table = pd.DataFrame({"time": pd.to_timedelta([36, 48, None], unit="h"), "day": ["1970-01-02", None, "1969-12-31"]})
    made = estimator_frame(TableEncoder().fit(table), table)
    np.testing.assert_array_equal(made["time"], [1.5, 2, np.nan])
    np.testing.assert_array_equal(made["day"], [1, np.nan, -1])


def test_numbers_where_the_training_rows_hold_text_are_refused():
    table = pd.DataFrame({"zip": ["1", "2", "1"], "x": [1.0, 2.0, 3.0]})
    distiller = RandomSubset(2, random_state=0).fit(table)
    with pytest.raises(DataError, match="'zip' holds numbers, but text in the training rows"):
        distiller.transform(table.astype({"zip": int}))
    assert distiller.transform(table.assign(zip=np.nan))["zip"].isna().all()


@pytest.mark.parametrize(
    "step",
    [
        OneHotEncoder(handle_unknown="ignore"),
        TableEncoder(),
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["city", "plan"]), (StandardScaler(), ["age", "charges"])
        ),
        make_column_transformer(
            (OrdinalEncoder(encoded_missing_value=-1), make_column_selector(dtype_include="category")),
            (SimpleImputer(), make_column_selector(dtype_include=np.number)),
        ),
    ],
    ids=["one-hot", "encoder", "names", "selectors"],
)
@pytest.mark.parametrize("distiller", DISTILLERS)
@pytest.mark.filterwarnings("ignore")
def test_transformers_work_after_a_distiller(distiller, step, frame, labels):
    pipe = make_pipeline(clone(distiller), clone(step), LogisticRegression(max_iter=500))
    assert pipe.fit(frame, labels).predict(frame).shape == (N_ROWS,)


@pytest.mark.filterwarnings("ignore")
def test_searches_and_clones_work_with_raw_frames(frame, labels):
    pipe = make_pipeline(KMeansCoreset(0.3, random_state=0), TREES)
    assert cross_val_score(clone(pipe), frame, labels, cv=2).mean() > 0.7
    search = GridSearchCV(pipe, {"kmeanscoreset__budget": [2, 0.3]}, cv=2).fit(frame, labels)
    assert (search.cv_results_["mean_test_score"] > 0.5).all()
    assert search.predict(frame).shape == (N_ROWS,)


def by_hand(table, levels, number, identifier):
    """A real table with its text as categories, as one would prepare it with pandas."""
    table = table.drop(columns=identifier)
    for name, categories in levels.items():
        known = table[name].where(table[name].isin(categories))
        table[name] = known.astype(pd.CategoricalDtype(categories))
    return table.assign(**{name: pd.to_numeric(table[name], errors="coerce") for name in number})


@pytest.mark.parametrize(
    ("name", "target", "number", "identifier"),
    [("adult", "income", [], []), ("telco-churn", "Churn", ["TotalCharges"], ["customerID"])],
)
@pytest.mark.parametrize("picks", [True, False])
@pytest.mark.filterwarnings("ignore:.*like an identifier")
def test_trees_on_a_raw_table_are_those_of_categories_made_by_hand(name, target, number, identifier, picks, real_data):
    table = pd.read_csv(real_data("adult/adult.csv" if name == "adult" else f"tables/{name}.csv"))
    labels = table.pop(target)
    train, test = slice(0, 5000), slice(5000, 7000)
    distiller = RandomSubset(0.05, random_state=0) if picks else KMeansCoreset(0.05, max_iter=3, random_state=0)
    trees = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=10, random_state=0)
    pipe = make_pipeline(clone(distiller), clone(trees)).fit(table[train], labels[train])
    text = [key for key in table.columns if table[key].dtype == "str" and key not in number + identifier]
    levels = {key: sorted(table[key][train].unique()) for key in text}
    rows, kinds = distiller.fit_resample(table[train], labels[train])
    expected = trees.fit(by_hand(rows, levels, number, identifier), kinds, sample_weight=distiller.sample_weight_)
    probabilities = expected.predict_proba(by_hand(table[test], levels, number, identifier))
    np.testing.assert_allclose(pipe.predict_proba(table[test]), probabilities, atol=1e-12)
    assert pipe.score(table[test], labels[test]) > 0.7


@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.filterwarnings("ignore:.*like an identifier")
def test_set_output_converts_frames_with_their_types(output, frame, labels):
    pytest.importorskip("polars")
    expected = RandomSubset(0.3, random_state=0).fit(frame, labels).transform(frame)
    for X in containers(frame):
        distiller = RandomSubset(0.3, random_state=0).set_output(transform=output)
        rows, _ = distiller.fit_resample(X, labels.to_numpy())
        assert type(rows).__module__.partition(".")[0] == output
        carried = distiller.transform(X)
        if output == "pandas":
            # polars holds an ordered pandas category as one without order
            plain = [x.reset_index(drop=True).astype({"plan": str}) for x in (carried, expected)]
            pd.testing.assert_frame_equal(*plain)
            assert pd.api.types.is_datetime64_any_dtype(rows["since"])
        else:
            assert carried["city"].to_list() == [None if pd.isna(x) else x for x in expected["city"]]
            assert str(rows.schema["since"]).startswith("Datetime")


class Doubled(BaseDistiller):
    """Made rows in a space of the method's own."""

    def _distill(self, rows, run):
        scaling = Preprocessing(np.zeros(rows.X.shape[1]), np.full(rows.X.shape[1], 0.5))
        return Outcome(X=rows.X[::4], y=rows.y[::4], preprocessing=scaling)


@pytest.mark.filterwarnings("ignore:.*like an identifier")
def test_a_method_with_a_space_of_its_own_hands_that_on(frame, labels):
    pipe = make_pipeline(Doubled(), LogisticRegression()).fit(frame, labels)
    np.testing.assert_allclose(pipe[0].transform(frame), 2 * pipe[0].encoder_.transform(frame))
    assert pipe.score(frame, labels) > 0.7


@pytest.mark.parametrize("distiller", DISTILLERS)
def test_gaps_in_new_rows_of_a_frame_of_numbers_reach_the_model(distiller, frame, labels):
    numbers = pd.DataFrame({"age": frame["age"], "x": np.arange(N_ROWS, dtype=float)})
    gaps = numbers.mask(np.random.default_rng(0).random(numbers.shape) < 0.3)
    for X, new in zip(containers(numbers), containers(gaps), strict=True):
        pipe = make_pipeline(clone(distiller), TREES).fit(X, labels.to_numpy())
        np.testing.assert_array_equal(pipe.predict(new), pipe[-1].predict(gaps))
    with pytest.raises(ValueError, match="contains NaN"):
        make_pipeline(clone(distiller), TREES).fit(numbers.to_numpy(), labels).predict(gaps.to_numpy())
    with pytest.raises(ValueError, match="infinity"):
        make_pipeline(clone(distiller), TREES).fit(numbers, labels).predict(numbers.assign(age=np.inf))


@pytest.mark.filterwarnings("ignore:.*like an identifier")
def test_columns_in_another_order_are_refused_or_aligned(frame, labels):
    for X in containers(frame):
        distiller = RandomSubset(0.3, random_state=0).fit(X, labels.to_numpy())
        with pytest.raises(ValueError, match="same order"):
            distiller.transform(X.select(X.column_names[::-1]) if hasattr(X, "column_names") else X[X.columns[::-1]])
    unnamed = frame.set_axis(range(frame.shape[1]), axis=1)
    distiller = RandomSubset(0.3, random_state=0).fit(unnamed, labels)
    pd.testing.assert_frame_equal(distiller.transform(unnamed[unnamed.columns[::-1]]), distiller.transform(unnamed))
    numbers = pd.DataFrame(np.random.default_rng(0).normal(size=(N_ROWS, 3)))
    distiller = RandomSubset(0.3, random_state=0).fit(numbers, labels)
    with pytest.raises(DataError, match="columns 2, 1, 0, but RandomSubset was fitted on 0, 1, 2"):
        distiller.transform(numbers[[2, 1, 0]])
    assert distiller.fit(numbers.add_prefix("x"), labels).transform(numbers.add_prefix("x")).shape == numbers.shape


@pytest.mark.parametrize("compose", [make_pipeline, Distilled])
def test_a_model_that_takes_numbers_alone_says_how_it_gets_them(compose, frame, labels):
    with pytest.raises(ValueError, match="could not convert string to float") as told:
        compose(RandomSubset(0.5, random_state=0), LogisticRegression()).fit(frame, labels)
    (note,) = told.value.__notes__
    assert "put distillkit.tables.TableEncoder() in front of the distiller" in note
