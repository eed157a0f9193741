"""The checks of metrics: right metrics pass, and each wrong one is caught by the check that is about its fault."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import accuracy_score, log_loss

from distillkit.exceptions import DataError, UnknownNameError
from distillkit.plugins import get_manager
from distillkit.specs import MetricSpec
from distillkit.testing import check_metric, metric_checks
from distillkit.testing.metrics._by_design import BY_DESIGN
from distillkit.testing.metrics._problem import make_problem
from distillkit.testing.metrics._run import metric_results

BUILT_IN = [name for name, spec in get_manager().short_specs("metric").items() if spec.stage != "run"]
# These train networks, or take long on many sets: here they are only called a few times.
# `distillkit check metric NAME` runs all of their checks.
SLOW = {"gradient-similarity", "gradient-distance", "two-sample-auc", "two-sample-accuracy", "inception-score"}
SLOW |= {"kl-predictions", "js-predictions", "vendi-ratio", "ssim-diversity", "ssim-memorisation"}
FEW = {"check_identity", "check_not_finite"}
QUICK = {name: {"checkpoints": (0, 5), "n_networks": 1} for name in ("gradient-similarity", "gradient-distance")}
QUICK |= {name: {"features": "pca"} for name in ("fid", "kid")}
DATA = {"greater_is_better": False, "ideal": 0.0}
SCORE = {"stage": "prediction", "tasks": frozenset({"classification"}), "ideal": 1.0, "value_range": (0.0, 1.0)}


def finite(*arrays):
    if not all(np.isfinite(array).all() for array in arrays):
        raise DataError("the rows hold NaN or infinite values: drop these rows.")


def energy(X, y, distilled, random_state=0, *, check=True, power=1.0):
    """Energy distance of weighted samples by class, in the units of the rows: a right metric."""
    rows, made, weight = X.reshape(len(X), -1), distilled.X.reshape(len(distilled), -1), distilled.sample_weight
    if check:
        finite(rows, made)
    total = 0.0
    for label in np.unique(y):
        a, b, w = rows[y == label].astype(float), made[distilled.y == label].astype(float), weight[distilled.y == label]
        if not len(b):
            b, w = made.astype(float), weight
        w = w / w.sum()
        inner = (cdist(a, a) ** power).mean()
        total += np.mean(y == label) * (
            2 * (cdist(a, b) ** power).mean(axis=0) @ w - inner - w @ cdist(b, b) ** power @ w
        )
    return float(max(total, 0.0))


def test_a_right_metric_passes():
    check_metric(energy, **DATA)


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_metrics_pass(name):
    spec = get_manager().get("metric", name)
    if spec.missing():
        pytest.skip(f"{name} needs {spec.missing()}")
    skip = {check for check, _ in metric_checks(name)} - FEW if name in SLOW else set()
    results = metric_results(name, skip, options=QUICK.get(name))
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize(("name", "check"), [("influence", "check_weights"), ("recall", "check_noise")])
def test_what_is_left_out_by_design_does_fail(name, check):
    spec = get_manager().get("metric", name)
    with pytest.raises(AssertionError, match=f"{name} fails {check}"):
        check_metric(spec, skip={other for other, _ in metric_checks(spec)} - {check})
    (result,) = [result for result in metric_results(name) if result.name == check]
    assert result.text == f"left out: {BY_DESIGN[name][check]}"


def biased(X, y, distilled, random_state=0):
    return energy(X, y, distilled) + 0.05


def ignores_nan(X, y, distilled, random_state=0):
    distilled = make_problem().set_of(
        np.clip(np.nan_to_num(distilled.X), -1e6, 1e6), distilled.y, distilled.sample_weight
    )
    return energy(np.clip(np.nan_to_num(X), -1e6, 1e6), y, distilled)


def first_rows(X, y, distilled, random_state=0):
    return energy(X[:100], y[:100], distilled)


def first_distilled_rows(X, y, distilled, random_state=0):
    return energy(X, y, make_problem().set_of(distilled.X[:30], distilled.y[:30], distilled.sample_weight[:30]))


def fixed_bandwidth(X, y, distilled, random_state=0):
    finite(X, distilled.X)
    return float(1 - np.exp(-cdist(X, distilled.X, "sqeuclidean") / 50).max(axis=1).mean())


def single_precision(X, y, distilled, random_state=0):
    finite(X, distilled.X)
    a, b = X.astype(np.float16), distilled.X.astype(np.float16)
    squares = (
        (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
        if X.dtype == np.float32
        else cdist(X, distilled.X) ** 2
    )
    return float(np.maximum(squares, 0).min(axis=1).mean(dtype=float))


def square_of_weights(X, y, distilled, random_state=0):
    distilled = make_problem().set_of(distilled.X, distilled.y, distilled.sample_weight**2)
    return energy(X, y, distilled)


def global_random(X, y, distilled, random_state=0):
    return energy(X, y, distilled) + np.random.rand()


def writes(X, y, distilled, random_state=0):
    value = energy(X, y, distilled)
    distilled.X *= 1.5
    return value


def needs_each_class(X, y, distilled, random_state=0):
    rows = {label: distilled.X[distilled.y == label] for label in np.unique(distilled.y)}
    return energy(X, y, distilled) + 0 * sum(len(rows[label]) for label in np.unique(y))


def needs_many(X, y, distilled, random_state=0):
    nearest = np.sort(cdist(distilled.X, distilled.X))[:, 1]  # the second row is the nearest other one
    return energy(X, y, distilled) + 0 * nearest.sum()


def one_over_spread(X, y, distilled, random_state=0):
    value = energy(X, y, distilled)
    return value if distilled.X.std(axis=0).min() > 0 and X.std(axis=0).min() > 0 else float("nan")


def one_over_classes(X, y, distilled, random_state=0):
    return energy(X, y, distilled) / (1 if len(np.unique(y)) > 1 else 0)


def rewards_noise(X, y, distilled, random_state=0):
    finite(X, distilled.X)
    return float(X.std() / distilled.X.std())


def rewards_few_classes(X, y, distilled, random_state=0):
    return energy(X, y, distilled) / (7 - len(np.unique(distilled.y))) ** 4


def rewards_copies(X, y, distilled, random_state=0):
    finite(X, distilled.X)
    return float(len(np.unique(distilled.X, axis=0)) / len(distilled))


def constant(X, y, distilled, random_state=0):
    finite(X, distilled.X)
    return 0.0


def below_zero(X, y, distilled, random_state=0):
    return energy(X, y, distilled) - 10.0


def rewards_publishing(X, y, distilled, random_state=0):
    finite(X, distilled.X)
    return float(np.median(cdist(distilled.X, X).min(axis=1)) / X.std())


BROKEN = [
    ("check_repeat", global_random, DATA),
    ("check_repeat", writes, DATA),
    ("check_repeat", below_zero, {**DATA, "value_range": (0.0, None)}),
    ("check_identity", biased, DATA),
    ("check_row_order", first_rows, DATA),
    ("check_row_order", first_distilled_rows, DATA),
    ("check_sizes", needs_many, DATA),
    ("check_scale", fixed_bandwidth, DATA),
    ("check_dtypes", single_precision, DATA),
    ("check_weights", square_of_weights, DATA),
    ("check_one_class", one_over_classes, DATA),
    ("check_missing_class", needs_each_class, {"greater_is_better": False}),
    ("check_duplicates", one_over_spread, DATA),
    ("check_not_finite", ignores_nan, DATA),
    ("check_noise", rewards_noise, {"greater_is_better": False}),
    ("check_noise", energy, {**DATA, "greater_is_better": True}),
    ("check_lost_classes", rewards_few_classes, {"greater_is_better": False}),
    ("check_repeated_rows", rewards_copies, {"greater_is_better": False}),
    ("check_response", constant, DATA),
    ("check_published_rows", rewards_publishing, {"greater_is_better": False, "privacy": True}),
]


@pytest.mark.parametrize(("check", "metric", "facts"), BROKEN, ids=[f"{row[0]}-{row[1].__name__}" for row in BROKEN])
def test_a_wrong_metric_is_caught_by_the_check_that_is_about_it(check, metric, facts):
    others = {name for name, _ in metric_checks(metric, **facts)} - {check}
    with pytest.raises(AssertionError, match=f"{metric.__name__.replace('_', '-')} fails {check}: ."):
        check_metric(metric, skip=others, **facts)


def accuracy(y_true, y_pred):
    return float(accuracy_score(y_true, y_pred))


def mean_loss(y_true, probabilities):
    return float(log_loss(y_true, probabilities, labels=np.arange(probabilities.shape[1])))


def nearness_of_codes(y_true, y_pred):
    finite(y_pred)
    return float(1 / (1 + np.abs(y_true - y_pred).mean()))


def number_right(y_true, y_pred):
    finite(y_pred)
    return float(np.sum(y_true == y_pred))


def first_half(y_true, y_pred):
    return accuracy(y_true[: len(y_true) // 2 + 1], y_pred[: len(y_true) // 2 + 1])


def silent_nan(y_true, y_pred):
    return float(np.nanmean(y_true == y_pred))


def sorts(y_true, y_pred):
    value = accuracy(y_true, y_pred)
    y_true.sort()
    return value


def halved(y_true, y_pred):
    return accuracy(y_true, y_pred) / 2


def share_of_variance(y_true, y_pred):
    finite(y_pred)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(1 - np.mean((y_true - y_pred) ** 2) / np.var(y_true))


def squashed_error(y_true, y_pred):
    finite(y_pred)
    return float(np.tanh(np.abs(y_true - y_pred).mean()))


def in_bytes(y_true, y_pred):
    finite(y_pred)
    return float(np.mean(y_true == y_pred)) if y_pred.dtype == np.int64 else 0.0


REGRESSION = {"stage": "prediction", "tasks": frozenset({"regression"}), "ideal": 0.0, "greater_is_better": False}
BROKEN_SCORES = [
    ("check_perfect", halved, SCORE),
    ("check_inputs", sorts, SCORE),
    ("check_row_order", first_half, SCORE),
    ("check_repeated_rows", number_right, {**SCORE, "value_range": (0.0, None), "ideal": None}),
    ("check_class_order", nearness_of_codes, SCORE),
    ("check_scale", squashed_error, REGRESSION),
    ("check_dtypes", in_bytes, SCORE),
    ("check_one_class", share_of_variance, {**REGRESSION, "ideal": 1.0, "greater_is_better": True}),
    ("check_not_finite", silent_nan, SCORE),
    ("check_errors", accuracy, {**SCORE, "greater_is_better": False}),
]


def test_right_scores_pass():
    check_metric(accuracy, **SCORE)
    facts = {"stage": "prediction", "tasks": frozenset({"classification"}), "needs": frozenset({"probabilities"})}
    check_metric(mean_loss, greater_is_better=False, **facts)


@pytest.mark.parametrize(
    ("check", "metric", "facts"), BROKEN_SCORES, ids=[f"{row[0]}-{row[1].__name__}" for row in BROKEN_SCORES]
)
def test_a_wrong_score_is_caught_by_the_check_that_is_about_it(check, metric, facts):
    others = {name for name, _ in metric_checks(metric, **facts)} - {check}
    with pytest.raises(AssertionError, match=f"{metric.__name__.replace('_', '-')} fails {check}: ."):
        check_metric(metric, skip=others, **facts)


def test_every_check_has_a_metric_that_breaks_it():
    facts = [DATA, {**DATA, "privacy": True}, SCORE, REGRESSION]
    names = {(each.get("stage", "data"), name) for each in facts for name, _ in metric_checks(energy, **each)}
    broken = {("data", row[0]) for row in BROKEN} | {("prediction", row[0]) for row in BROKEN_SCORES}
    assert broken == names


def test_the_message_says_how_to_mend_it():
    with pytest.raises(
        AssertionError, match=r"biased fails check_identity: .* 0\.05, not the ideal 0: remove the bias"
    ):
        check_metric(biased, **DATA)


def test_what_is_checked_depends_on_what_the_metric_says():
    def names(**facts):
        return {name.removeprefix("check_") for name, _ in metric_checks(energy, **facts)}

    assert "scale" in names()
    assert "scale" not in names(needs=frozenset({"images"}))
    assert {"noise", "lost_classes", "repeated_rows"} <= names()
    assert {"noise", "published_rows"} & names(privacy=True) == {"published_rows"}
    assert {"class_order", "scale"} & names(stage="prediction") == {"class_order"}


@pytest.mark.parametrize("needs", ["images", "series"])
def test_rows_have_the_shape_that_the_metric_needs(needs):
    shapes = set()

    def note(X, y, distilled, random_state=0):
        shapes.add((X.ndim, distilled.X.ndim))
        return energy(X, y, distilled)

    check_metric(note, needs=frozenset({needs}), **DATA)
    assert shapes == {(4, 4) if needs == "images" else (3, 3)}


def test_names_and_registrations_are_taken():
    assert [name for name, _ in metric_checks("mmd")] == [
        name for name, _ in metric_checks(get_manager().get("metric", "mmd"))
    ]
    spec = MetricSpec(name="own", target=energy, stage="data", **DATA)
    check_metric(spec)
    with pytest.raises(AssertionError, match="own fails check_noise"):
        check_metric(spec, greater_is_better=True)


def test_what_cannot_be_checked():
    with pytest.raises(UnknownNameError, match="unknown check 'check_nois'"):
        check_metric(energy, skip=["check_nois"])
    with pytest.raises(UnknownNameError, match="unknown metric 'mdm'"):
        check_metric("mdm")
    with pytest.raises(ValueError, match="metric 'rows' is of stage 'run'"):
        check_metric("rows")
    with pytest.raises(TypeError, match="3 is no metric: give a registered name"):
        check_metric(3)
