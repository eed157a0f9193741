"""Mixed tables through every distiller, pipelines, files and the command line."""

from __future__ import annotations

import inspect
import pickle
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import check_classifier_data_not_an_array

from distillkit import (
    ClassMeans,
    CraigCoreset,
    Distilled,
    DistilledSet,
    KCenterCoreset,
    KMeansCoreset,
    Preprocessing,
    RandomSubset,
    SoftLabels,
    StreamingCoreset,
    TeacherStudentDistiller,
    WholeSet,
    evaluate,
    make_pipeline,
)
from distillkit.base import BaseDistiller, Outcome
from distillkit.budget import Budget
from distillkit.cli import main
from distillkit.cli._single import distil_rows, make_distiller
from distillkit.coresets import certify
from distillkit.distilled._reading import read_card
from distillkit.exceptions import ArtefactError, DataError
from distillkit.plugins import get_manager
from distillkit.tables import TableEncoder

N_ROWS = 120
CHEAP = {
    "max_iter": 2,
    "epochs": 1,
    "n_models": 1,
    "n_experts": 1,
    "expert_epochs": 2,
    "pool": 10,
    "width": 8,
    "n_networks": 1,
    "student_epochs": 1,
    "expert_steps": 1,
    "synthetic_steps": 1,
    "max_start_epoch": 1,
}


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": rng.integers(17, 90, N_ROWS),
            "income": np.where(rng.random(N_ROWS) < 0.2, np.nan, rng.lognormal(10, 1, N_ROWS)),
            "children": pd.array(rng.integers(0, 5, N_ROWS), dtype="Int64"),
            "city": rng.choice(["Oslo", "Rome", "Bern"], N_ROWS, p=[0.6, 0.3, 0.1]),
            "plan": pd.Categorical(rng.choice(["S", "M", "L"], N_ROWS), categories=["S", "M", "L", "XL"], ordered=True),
            "member": rng.random(N_ROWS) < 0.5,
            "since": pd.date_range("2020-01-01", periods=N_ROWS),
        }
    ).set_axis([f"r{i}" for i in range(N_ROWS)])
    table.loc[::7, "children"] = pd.NA
    table.loc[::9, "city"] = np.nan
    return table


@pytest.fixture
def labels(frame):
    return pd.Series(np.where(frame["age"] + 20 * frame["member"] > 60, "yes", "no"), index=frame.index, name="buys")


def polars_of(frame):
    return pytest.importorskip("polars").from_pandas(frame)


def assert_made_like(rows, frame):
    """The rows have the columns and types of the frame, and values as it has them."""
    assert list(rows.columns) == list(frame.columns)
    assert (rows.dtypes == frame.dtypes).all()
    for name in ("age", "children"):
        values = rows[name].dropna()
        assert frame[name].min() <= values.min() <= values.max() <= frame[name].max()
    for name in ("city", "plan", "member"):
        assert set(rows[name].dropna()) <= set(frame[name].dropna())
    assert rows["since"].dt.normalize().equals(rows["since"])
    assert rows["since"].between(frame["since"].min(), frame["since"].max()).all()


METHODS = [name for name, spec in get_manager().short_specs("method").items() if spec.reduces == "rows"]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_takes_a_mixed_table(name, frame, labels, tmp_path):
    spec = get_manager().get("method", name)
    cls = spec.load()
    params = {key: value for key, value in CHEAP.items() if key in inspect.signature(cls).parameters}
    distiller = make_distiller(name, Budget(3), params, {"random_state": 0})
    before = frame.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so few steps do not converge
        small = distil_rows(distiller, frame, labels.to_numpy(), standardize=True)
    pd.testing.assert_frame_equal(frame, before)
    path = small.save(tmp_path / "small.safetensors")
    for result in (small, DistilledSet.load(path)):
        rows = result.to_pandas("buys", weight=None)
        assert set(rows.pop("buys")) == {"no", "yes"}
        if result.soft_labels is not None:
            np.testing.assert_allclose(rows.pop("p_no") + rows.pop("p_yes"), 1, atol=1e-6)
        assert_made_like(rows, frame)
        if result.indices is not None:
            pd.testing.assert_frame_equal(rows, frame.iloc[result.indices])


@pytest.mark.parametrize("distiller", [RandomSubset(3, random_state=0), KCenterCoreset(3, random_state=0), WholeSet()])
def test_picked_rows_are_the_original_rows(distiller, frame, labels):
    rows, kinds = distiller.fit_resample(frame, labels)
    pd.testing.assert_frame_equal(rows, frame.iloc[distiller.sample_indices_])
    pd.testing.assert_series_equal(kinds, labels.iloc[distiller.sample_indices_])
    pd.testing.assert_frame_equal(distiller.X_distilled_, rows)
    assert distiller.n_features_in_ == 7
    assert distiller.feature_names_in_.tolist() == list(frame.columns)
    pd.testing.assert_frame_equal(
        clone(distiller).fit_transform(frame, labels), distiller.transform(frame).iloc[distiller.sample_indices_]
    )


def test_rows_that_need_no_distances_are_not_encoded(frame, labels, monkeypatch):
    seen = []
    transform = TableEncoder.transform
    monkeypatch.setattr(TableEncoder, "transform", lambda self, X: seen.append(len(X)) or transform(self, X))
    subset = RandomSubset(3, random_state=0).fit(frame, labels)
    assert seen == [6]
    certified = RandomSubset(3, certify=True, random_state=0).fit(frame, labels)
    assert seen == [6, N_ROWS]
    np.testing.assert_array_equal(subset.distilled_.X, certified.distilled_.X)
    assert subset.distilled_.provenance["bytes_seen"] == certified.distilled_.provenance["bytes_seen"]


class Scaled(BaseDistiller):
    """Made rows in a space of the method's own."""

    def _distill(self, rows, run):
        scaling = Preprocessing(np.zeros(rows.X.shape[1]), np.full(rows.X.shape[1], 2.0))
        return Outcome(X=rows.X[:4], y=rows.y[:4], preprocessing=scaling)


def test_a_method_with_a_space_of_its_own_returns_encoded_rows(frame, labels):
    distiller = Scaled()
    rows, _ = distiller.fit_resample(frame, labels)
    carried = distiller.transform(frame)
    assert list(rows.columns) == list(carried.columns) == list(distiller.distilled_.feature_names)
    np.testing.assert_allclose(rows, carried[:4])
    np.testing.assert_allclose(distiller.distilled_.transform(frame), carried)
    pd.testing.assert_frame_equal(distiller.distilled_.to_frame(), frame[:4].reset_index(drop=True))
    assert type(Scaled().fit(polars_of(frame), labels.to_numpy()).transform(polars_of(frame))).__name__ == "DataFrame"


def test_fitted_distillers_are_pickled_and_cross_validated(frame, labels):
    distiller = KMeansCoreset(0.3, random_state=0).fit(frame, labels)
    again = pickle.loads(pickle.dumps(distiller))
    pd.testing.assert_frame_equal(again.distilled_.to_frame(), distiller.distilled_.to_frame())
    model = Distilled(make_pipeline(TableEncoder(), KMeansCoreset(0.3, random_state=0)), LogisticRegression())
    assert cross_val_score(model, frame, labels, cv=3).mean() > 0.6


def test_transform_needs_no_labels(frame, labels):
    distiller = CraigCoreset(3, random_state=0).fit(frame, labels)
    assert distiller.transform(frame).shape == frame.shape


def test_made_rows_are_floats_for_the_next_step_and_rounded_in_the_set(frame, labels):
    distiller = KMeansCoreset(3, random_state=0)
    rows, kinds = distiller.fit_resample(frame, labels)
    assert list(rows.columns) == list(frame.columns)
    assert rows["age"].dtype == np.float64
    assert (rows["age"] % 1 != 0).any()
    assert rows["plan"].dtype == frame["plan"].dtype
    assert kinds.tolist() == ["no"] * 3 + ["yes"] * 3
    assert_made_like(distiller.distilled_.to_pandas(weight=None).drop(columns="target"), frame)
    assert isinstance(distiller.encoder_, TableEncoder)
    assert distiller.distilled_.X.shape == (6, len(distiller.distilled_.feature_names))


@pytest.mark.parametrize("cls", [RandomSubset, ClassMeans, KMeansCoreset])
def test_polars_and_pyarrow_frames_come_back_in_their_container(cls, frame, labels):
    table = polars_of(frame)
    for X, y in ((table, polars_of(labels.to_frame())["buys"]), (table.to_arrow(), labels.to_numpy())):
        distiller = cls(random_state=0) if cls is not ClassMeans else cls()
        rows, kinds = distiller.fit_resample(X, y)
        assert type(rows) is type(X)
        assert type(kinds) is type(y)
        assert distiller.feature_names_in_.tolist() == list(frame.columns)
        if hasattr(distiller, "sample_indices_"):
            assert rows.equals(
                X[distiller.sample_indices_.tolist()] if X is table else X.take(distiller.sample_indices_)
            )
        else:
            assert distiller.distilled_.to_frame().schema == X.schema
        assert type(distiller.transform(X)) is type(X)


def test_frames_of_numbers_come_back_in_their_container():
    pl = pytest.importorskip("polars")
    numbers = pl.DataFrame({"a": [1, 2, 3, 4], "b": [0.5, 1.5, 2.5, 9.5]})
    expected = KMeansCoreset(2, random_state=0).fit(numbers.to_pandas())
    for X in (numbers, numbers.to_arrow()):
        distiller = KMeansCoreset(2, random_state=0)
        rows = distiller.fit_transform(X)
        assert type(rows) is type(X)
        np.testing.assert_array_equal(distiller.X_distilled_, expected.X_distilled_)
        assert type(distiller.transform(X)) is type(X)
        assert RandomSubset(2, random_state=0).fit_transform(X).schema == X.schema
    assert distiller.distilled_.to_pandas(weight=None).dtypes.tolist() == [np.int64, np.float64]
    assert not hasattr(expected, "encoder_")


def test_a_refit_on_numbers_forgets_the_encoder(frame, labels):
    distiller = KMeansCoreset(3, random_state=0).fit(frame, labels)
    assert not hasattr(distiller.fit(np.eye(6)), "encoder_")
    assert isinstance(distiller.X_distilled_, np.ndarray)


def test_integer_arrays_and_lists_give_one_model():
    X = np.array([[1, 2], [2, 4], [7, 9], [8, 8], [5, 1], [6, 3]])
    y = [0, 0, 0, 1, 1, 1]
    for rows in (X, X.astype(float)):
        made = KMeansCoreset(2, random_state=0).fit(X.tolist(), y).X_distilled_
        np.testing.assert_array_equal(KMeansCoreset(2, random_state=0).fit(rows, y).X_distilled_, made)
    check_classifier_data_not_an_array("Distilled", Distilled(KMeansCoreset(0.5, random_state=0), LogisticRegression()))


@pytest.mark.parametrize("representative", ["centroid", "member"])
def test_trees_learn_from_categories_after_a_distiller(representative, frame, labels):
    X = frame.drop(columns="since").astype({"city": "category"})
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", min_samples_leaf=2, random_state=0)
    distiller = KMeansCoreset(0.3, representative=representative, random_state=0)
    pipe = make_pipeline(distiller, model).fit(X, labels)
    assert pipe.score(X, labels) > 0.7
    assert Distilled(distiller, model).fit(X, labels).score(X, labels) == pipe.score(X, labels)


def test_the_encoder_as_a_step_gives_the_encoded_rows_to_later_steps(frame, labels):
    pipe = make_pipeline(TableEncoder(), KMeansCoreset(0.3, random_state=0), LogisticRegression())
    assert pipe.fit(frame, labels).score(frame, labels) > 0.7


@pytest.mark.parametrize(
    "teacher", [LogisticRegression(max_iter=500), None, "linear", MLPClassifier((4,), max_iter=20)]
)
@pytest.mark.filterwarnings("ignore")
def test_a_teacher_labels_the_rows_of_a_table(teacher, frame, labels):
    soft = SoftLabels(KMeansCoreset(3, random_state=0), teacher, random_state=0)
    rows, _ = soft.fit_resample(frame, labels)
    assert list(rows.columns) == list(frame.columns)
    assert soft.soft_labels_.shape == (6, 2)


def test_a_set_of_a_table_is_evaluated_on_frames(frame, labels):
    distiller = KMeansCoreset(0.2, random_state=0).fit(frame, labels)
    small = distiller.distilled_
    result = evaluate(small, frame[frame.columns[::-1]], labels, X=frame, y=labels, evaluators=["logistic", "knn"])
    assert (result["accuracy"] > 0.6).all()
    model = small.fit(LogisticRegression())
    assert model.score(small.transform(frame), labels) == result.loc["logistic", "accuracy"]
    assert np.isfinite(certify(small, frame, labels).excess)


def test_a_prefix_holds_the_first_rows(frame, labels):
    small = KCenterCoreset(4, random_state=0).fit(frame, labels).distilled_
    prefix = small.prefix(2, frame, labels)
    pd.testing.assert_frame_equal(prefix.to_frame(), frame.iloc[prefix.indices])
    np.testing.assert_array_equal(prefix.sample_weight, small.prefix(2, small.encode(frame), labels).sample_weight)


@pytest.mark.parametrize("cls", [KMeansCoreset, RandomSubset])
def test_files_hold_the_table_in_its_types(cls, frame, labels, tmp_path):
    small = cls(3, random_state=0).fit(frame, labels).distilled_
    again = DistilledSet.load(small.save(tmp_path / "small.safetensors"))
    pd.testing.assert_frame_equal(again.to_frame(), small.to_frame())
    np.testing.assert_array_equal(again.transform(frame), small.transform(frame))
    assert read_card(tmp_path / "small.safetensors")["schema"] == 3
    assert again.to_arrow().num_columns == 9
    assert [*polars_of(frame).columns, "target", "sample_weight"] == again.to_polars().columns
    polars_set = cls(3, random_state=0).fit(polars_of(frame), labels.to_numpy()).distilled_
    again = DistilledSet.load(polars_set.save(tmp_path / "polars.safetensors"))
    assert again.to_frame().equals(polars_set.to_frame())
    assert len(again.to_pandas()) == 6


def test_a_set_of_numbers_is_read_by_older_versions_too(tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3, 9], "b": [1.5, 2.5, 9.5, 3.5]})
    small = KMeansCoreset(2, random_state=0).fit(frame).distilled_
    path = small.save(tmp_path / "numbers.safetensors")
    assert read_card(path)["schema"] == 1
    assert DistilledSet.load(path).to_pandas(weight=None).dtypes.tolist() == [np.int64, np.float64]


def test_rows_that_no_file_can_hold_are_refused(tmp_path):
    frame = pd.DataFrame({"x": pd.Series([1, "a", 2, "b"], dtype=object), "n": range(4)})
    small = RandomSubset(2, random_state=0).fit(frame).distilled_
    assert len(small.to_pandas()) == 2
    with pytest.raises(ArtefactError, match="cannot be written as Arrow"):
        small.save(tmp_path / "mixed.safetensors")


def test_new_rows_must_be_a_frame_with_the_same_columns(frame, labels):
    distiller = KMeansCoreset(3, random_state=0).fit(frame, labels)
    with pytest.raises(DataError, match="fitted on a table with named columns"):
        distiller.transform(frame.to_numpy())
    with pytest.raises(ValueError, match="feature names"):
        distiller.transform(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match="inconsistent"):
        KMeansCoreset(3).fit(frame, labels[:-1])
    with pytest.raises(DataError, match="infinity"):
        KMeansCoreset(3).fit(frame.assign(age=np.inf), labels)


def test_a_stream_of_frames_is_encoded_by_its_first_chunk(frame, labels):
    chunks = [(frame.iloc[part], labels.iloc[part]) for part in (slice(0, 60), slice(60, None))]
    stream = StreamingCoreset(3, chunk_size=40, random_state=0).fit(iter(chunks))
    assert list(stream.X_distilled_.columns) == list(frame.columns)
    assert_made_like(stream.distilled_.to_pandas(weight=None).drop(columns="target"), frame)
    whole = StreamingCoreset(3, coreset="random", random_state=0).fit(frame, labels)
    pd.testing.assert_frame_equal(whole.X_distilled_, frame.iloc[whole.sample_indices_])


@pytest.mark.parametrize("method", ["random", "kmeans", "kcenter"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".safetensors", ".npz"])
def test_the_command_line_takes_text_and_gaps(method, suffix, frame, labels, tmp_path, monkeypatch, capsys):
    frame.assign(buys=labels).to_csv(tmp_path / "table.csv", index=False)
    source = pd.read_csv(tmp_path / "table.csv")
    out = tmp_path / f"small{suffix}"
    command = ["distill", method, str(tmp_path / "table.csv"), "-t", "buys", "-b", "5", "-o", str(out)]
    monkeypatch.setattr(sys, "argv", ["distillkit", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code, capsys.readouterr().err
    if suffix == ".npz":
        with np.load(out) as arrays:
            assert arrays["X"].shape == (10, len(arrays["columns"]))
        return
    if suffix == ".safetensors":
        rows = DistilledSet.load(out).to_pandas("buys")
    else:
        rows = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert list(rows.columns) == [*source.columns, "sample_weight"]
    rows = rows.drop(columns="sample_weight").assign(since=rows["since"].astype(str))
    if method != "kmeans":
        keys = source.set_index("since")
        pd.testing.assert_frame_equal(rows.set_index("since"), keys.loc[rows["since"]], check_dtype=False)
    assert rows["since"].str.fullmatch(r"2020-\d\d-\d\d").all()
    assert (rows["children"].dropna() % 1 == 0).all()
    assert set(rows["plan"]) <= {"S", "M", "L"}


@pytest.mark.parametrize("flag", ["--standardize", "--no-standardize"])
def test_the_command_line_keeps_the_units_of_a_mixed_table_on_request(flag, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    kinds, large = np.repeat(["a", "b"], 40), np.tile([0.0, 9000.0], 40) + rng.normal(size=80)
    small = np.where(kinds == "a", 0.0, 0.5) + rng.normal(size=80) / 100
    pd.DataFrame({"large": large, "small": small, "kind": kinds}).to_csv(tmp_path / "t.csv", index=False)
    out = tmp_path / "out.safetensors"
    command = ["distillkit", "distill", "kmeans", str(tmp_path / "t.csv"), "-b", "2", flag, "-o", str(out)]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit):
        main()
    made = DistilledSet.load(out)
    # In their own units the large numbers decide alone, otherwise the two columns that agree.
    rows = made.to_pandas(weight=None)
    by_large = np.ptp(rows["large"]) > 8000
    assert by_large == (flag == "--no-standardize")
    assert (set(rows["kind"]) == {"a", "b"}) != by_large
    assert made.table.encoder.standardize != by_large
    assert made.X.shape == (2, len(made.feature_names))


@pytest.mark.parametrize("seed", range(12))
def test_generated_tables_are_distilled_or_refused_in_our_words(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 60))
    makers = [
        lambda: rng.normal(size=n) * 10.0 ** rng.integers(-30, 30),
        lambda: rng.integers(-(2**40), 2**40, n),
        lambda: rng.integers(0, 3, n).astype(str),
        lambda: pd.Categorical(rng.choice(["x", "y"], n)),
        lambda: rng.random(n) < 0.3,
        lambda: pd.Timestamp("1800-01-01") + pd.to_timedelta(rng.integers(0, 10**5, n), unit="D"),
        lambda: pd.array(rng.integers(0, 200, n), dtype="UInt8"),
        lambda: [f"{value:.9f}" for value in rng.random(n)],
        lambda: np.full(n, np.nan),
    ]
    columns = {f"c{i}": pd.Series(makers[rng.integers(len(makers))]()) for i in range(int(rng.integers(1, 7)))}
    frame = pd.DataFrame(columns)
    for name in frame.columns[rng.random(len(columns)) < 0.4]:
        frame[name] = frame[name].mask(rng.random(n) < 0.4)
    before = frame.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*like an identifier.*")
        for distiller in (KMeansCoreset(2, random_state=0), KCenterCoreset(2, random_state=0)):
            rows = distiller.fit(frame).distilled_.to_pandas(weight=None)
            assert (rows.dtypes == frame.dtypes).all()
            assert list(rows.columns) == list(frame.columns)
    pd.testing.assert_frame_equal(frame, before)


def column_pipeline():
    """A teacher that needs the frame itself, because it selects columns by name."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer(
        (numbers, ["age", "income"]), (OneHotEncoder(handle_unknown="ignore"), ["city", "plan"])
    )
    return make_pipeline(columns, LogisticRegression())


@pytest.mark.parametrize("distiller", [KMeansCoreset(3, random_state=0), RandomSubset(3, random_state=0)])
def test_a_teacher_of_frames_labels_the_rows_of_a_table(distiller, frame, labels):
    fitted = column_pipeline().fit(frame, labels)
    soft = SoftLabels(distiller, FrozenEstimator(fitted), temperature=1, alpha=0).fit(frame, labels)
    rows = soft.distilled_.to_frame()
    np.testing.assert_allclose(soft.soft_labels_, fitted.predict_proba(rows), atol=1e-9)
    trained = SoftLabels(distiller, column_pipeline(), temperature=1, alpha=0).fit(frame, labels)
    np.testing.assert_allclose(trained.soft_labels_, soft.soft_labels_, atol=1e-6)
    assert trained.teacher_.predict(frame).shape == (N_ROWS,)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("teacher", [None, "linear", column_pipeline()])
def test_a_student_learns_from_a_mixed_table(teacher, frame, labels):
    model = TeacherStudentDistiller(teacher, LogisticRegression(max_iter=500), random_state=0).fit(frame, labels)
    assert model.predict(frame).shape == (N_ROWS,)
    assert model.score(frame, labels) > 0.7
    assert model.predict_teacher(frame).shape == (N_ROWS,)
    assert model.n_features_in_ == 7
    assert model.feature_names_in_.tolist() == list(frame.columns)
    with pytest.raises(DataError, match="fitted on a table with named columns"):
        model.predict(frame.to_numpy())
