"""The cost of training: how the bench measures it, and when the leaderboard gives a reduction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

from distillkit.bench.evaluation import _training_cost
from distillkit.bench.evaluation._evaluate import train_and_predict
from distillkit.bench.evaluation._training_cost import TrainingCost, optimizer_steps, repeated
from distillkit.bench.leaderboard import build_leaderboard
from distillkit.coresets import RandomSubset
from distillkit.evaluators import make_convnet, make_logistic, make_mlp
from distillkit.specs import EvaluatorSpec, MetricSpec

METRICS = {"accuracy": MetricSpec(name="accuracy", target="x:y", stage="prediction")}


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    return (rng.normal(size=(60, 4)) + y[:, None]).astype(np.float32), y


def test_steps_are_those_that_the_models_count(rows: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = rows
    with pytest.warns(ConvergenceWarning):
        perceptron = MLPClassifier((4,), batch_size=25, max_iter=7, random_state=0).fit(X, y)
    assert perceptron.t_ == 7 * 60
    assert optimizer_steps(perceptron, 60) == 7 * 3
    assert optimizer_steps(perceptron.set_params(batch_size="auto"), 60) == 7
    logistic = LogisticRegression().fit(X, y)
    assert optimizer_steps(logistic, 60) == logistic.n_iter_[0]
    assert optimizer_steps(HistGradientBoostingClassifier(max_iter=9).fit(X, y), 60) == 9
    assert optimizer_steps(KNeighborsClassifier().fit(X, y), 60) is None


def test_steps_of_the_evaluators_are_found_inside_them(rows: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = rows
    assert optimizer_steps(make_mlp("classification", 0, steps=40, min_epochs=1).fit(X, y), 60) == 40
    assert (optimizer_steps(make_logistic("classification", 0).fit(X, y), 60) or 0) > 1
    images = X[:, :, None].repeat(4, axis=2)[:, None]
    model = make_convnet("classification", 0, width=2, steps=5).fit(images, y)
    assert optimizer_steps(model, 60) == model.estimator_.n_iter_ == 5  # one batch for each pass


def test_a_short_fit_is_repeated_and_a_long_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_training_cost, "interleaved_cpu_seconds", lambda _calls, **_: [[0.02, 0.01, 9.0]])
    assert repeated(TrainingCost(0.3, 1, 5), int) == TrainingCost(0.02, 3, 5)
    assert repeated(TrainingCost(0.31, 1, 5), int) == TrainingCost(0.31, 1, 5)


def test_repeats_train_new_models_on_the_same_rows(
    rows: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[Any] = []

    def make(_task: str, random_state: int) -> LogisticRegression:
        models.append(LogisticRegression(random_state=random_state))
        return models[-1]

    def calls(functions: list[Any], **_: Any) -> list[list[float]]:
        return [[0.1 for function in functions for _ in range(3) if function() is not None]]

    monkeypatch.setattr(_training_cost, "interleaved_cpu_seconds", calls)
    small = RandomSubset(10, random_state=0).fit(*rows).distilled_
    spec = EvaluatorSpec(name="own", target=make)
    found = train_and_predict(small, rows[0], spec, "classification", 3, repeat=True)
    assert len(models) == 4
    assert {model.random_state for model in models} == {3}
    for model in models[1:]:
        np.testing.assert_array_equal(model.coef_, models[0].coef_)
    assert found.cost == TrainingCost(0.1, 3, int(models[0].n_iter_[0]))
    train_and_predict(small, rows[0], spec, "classification", 3)
    assert len(models) == 5


def cell(method: str, seed: int, **costs: Any) -> dict[str, Any]:
    budget = "-" if method == "whole" else "10"
    fields = {
        "suite": "test", "dataset": "digits", "dataset_revision": "1", "task": "classification", "modality": "image",
        "method": method, "method_name": method, "method_version": 1, "method_params": {}, "kind": "coreset",
        "plugin": "distillkit", "plugin_version": "0.1.0", "budget": budget, "distil_seed": seed, "evaluator": "mlp",
        "evaluator_name": "mlp", "evaluator_version": 1, "evaluator_params": {}, "eval_seed": 0, "label_mode": "hard",
        "split": seed, "n_test": 100, "n_train": 300,
    }  # fmt: skip
    size = 1000 if method == "whole" else 100
    return fields | {
        "key": f"{method}/{seed}", "status": "ok", "metrics": {"accuracy": 0.9}, "rows": size, "rows_seen": 1000,
    } | costs  # fmt: skip


def reductions(costs: dict[str, list[dict[str, Any]]]) -> dict[str, tuple[Any, Any]]:
    """Return the reductions in time and in steps, by method."""
    found = [cell(method, seed, **each) for method, cells in costs.items() for seed, each in enumerate(cells)]
    table = build_leaderboard(found, {row["key"]: row for row in found}, METRICS, title="t").table
    table = table.astype(object).where(table.notna(), None).set_index("method")
    return {
        method: (table.loc[method, "training-time-reduction"], table.loc[method, "training-step-reduction"])
        for method in costs
    }


def timed(*seconds: float, n_timed: int = 1, steps: int | None = 1000) -> list[dict[str, Any]]:
    return [{"cpu_train": each, "n_timed_train": n_timed, "steps_train": steps} for each in seconds]


def test_the_reduction_is_that_of_median_cpu_seconds_and_of_steps() -> None:
    found = reductions({"whole": timed(10, 11, 10.5, steps=20_000), "a": timed(1.0, 1.1, 1.05)})
    assert found == {"whole": (1.0, 1.0), "a": (pytest.approx(10), pytest.approx(20))}


def test_identical_work_has_reductions_within_a_factor_of_13_or_none() -> None:
    whole = timed(10, 10, 10, steps=20_000)
    near = reductions({"whole": whole, "a": timed(1.0, 1.0, 1.0), "b": timed(1.2, 1.2, 1.2)})
    assert (near["a"][0], near["b"][0]) == pytest.approx((10, 10 / 1.2))
    far = reductions({"whole": whole, "a": timed(1.0, 1.0, 1.0), "b": timed(1.4, 1.4, 1.4)})
    assert far["a"] == far["b"] == (None, pytest.approx(20))  # steps do not depend on the machine
    other_work = reductions({"whole": whole, "a": timed(1.0, 1.0, 1.0), "b": timed(1.4, 1.4, 1.4, steps=1400)})
    assert other_work["b"][0] == pytest.approx(10 / 1.4)


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        (timed(10, 10), timed(1, 1, 1)),  # too few fits of the whole set
        (timed(10, 10, 10), timed(1, 1)),
        (timed(10, 10, 10), timed(1, 1.5, 2.5)),  # quartiles too far apart
        ([{}, {}, {}], timed(1, 1, 1)),  # rows of an earlier version
    ],
)
def test_few_or_scattered_times_give_no_reduction(whole: list[dict[str, Any]], part: list[dict[str, Any]]) -> None:
    assert reductions({"whole": whole, "a": part})["a"][0] is None


def test_repeats_within_a_cell_count() -> None:
    assert reductions({"whole": timed(10, n_timed=5), "a": timed(1, n_timed=3)})["a"][0] == pytest.approx(10)


def test_a_model_without_steps_has_no_reduction_of_steps() -> None:
    found = reductions({"whole": timed(10, 10, 10, steps=None), "a": timed(1, 1, 1, steps=None)})
    assert found["a"] == (pytest.approx(10), None)
