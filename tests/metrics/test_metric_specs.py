from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from distillkit import metrics
from distillkit.coresets import RandomSubset
from distillkit.datasets import load_dataset
from distillkit.exceptions import DataError
from distillkit.metrics._specs import metric_specs
from distillkit.metrics.reference import Reference

SPECS = {spec.name: spec for spec in metric_specs()}
HELPERS = {
    "vendi_score",
    "expected_coverage",
    "floors",
    "make_extractor",
    "privacy_report",
    "random_sets",
    "shares_reference",
}
# Results in more detail, and scores that combine several runs.
HELPERS |= {"compare_gradients", "influences", "two_sample_test"}
HELPERS |= {"augmentation_robust_score", "label_robust_score", "selection_correlation"}
NEITHER = {
    "model-bytes",
    "density",
    "vendi-ratio",
    "variance-ratio",
    "label-entropy",
    "rows",
    "bytes",
    "parameters",
    "ssim-diversity",
    "influence",
}
FIRST = {"prediction": ["y_true", "y_pred"], "run": ["record"], "data": ["X", "y", "distilled", "random_state"]}


@pytest.mark.parametrize("name", SPECS)
def test_each_can_be_loaded_and_is_called_as_its_stage_says(name):
    spec = SPECS[name]
    function = spec.load()
    first = ["y_true", "probabilities"] if "probabilities" in spec.needs else FIRST[spec.stage]
    assert list(inspect.signature(function).parameters)[: len(first)] == first
    assert function is getattr(metrics, function.__name__)
    assert spec.summary
    assert not spec.missing()


def test_every_public_metric_has_a_spec():
    functions = {name for name in metrics.__all__ if getattr(metrics, name).__class__.__name__ == "function"}
    assert {spec.load().__name__ for spec in SPECS.values()} == functions - HELPERS


def test_directions():
    better = {name: spec.greater_is_better for name, spec in SPECS.items()}
    assert {name for name, up in better.items() if up is None} == NEITHER
    lower = {"rmse", "seconds-distil", "seconds-train", "mmd", "wasserstein", "sliced-wasserstein", "coreset-error"}
    lower |= {"log-loss", "brier", "calibration-error", "ssim-memorisation", "autocorrelation-error"}
    lower |= {"spectrum-distance", "marginal-tv", "marginal-ks", "correlation-error", "gradient-distance"}
    lower |= {"two-sample-auc", "two-sample-accuracy", "meta-loss"}
    lower |= {spec.name for spec in SPECS.values() if spec.privacy} - {"nndr"}
    lower |= {"fid", "kid", "kl-targets", "js-targets", "kl-predictions", "js-predictions"}
    assert {name for name, up in better.items() if up is False} == lower


@pytest.mark.parametrize("name", sorted(spec.name for spec in SPECS.values() if spec.stage == "data"))
@pytest.mark.parametrize("mistake", ["order", "method", "arrays"])
def test_arguments_that_are_no_distilled_set_are_named(name, mistake):
    data = load_dataset("iris")
    method = RandomSubset(3, random_state=0).fit(data.X_train, data.y_train)
    arguments, remedy = {
        "order": ((method.distilled_, data.X_train, data.y_train), "give the training rows first"),
        "method": ((data.X_train, data.y_train, method), "give its attribute distilled_"),
        "arrays": ((data.X_train, data.y_train, method.X_distilled_), "give the distilled_ of a fitted method"),
    }[mistake]
    with pytest.raises(DataError, match=f"distilled must be a DistilledSet, but it is a .*: {remedy}"):
        SPECS[name].load()(*arguments)


def test_names_that_are_not_there():
    with pytest.raises(AttributeError, match="has no attribute 'accuracies'"):
        metrics.accuracies  # noqa: B018
    assert dir(metrics) == metrics.__all__


def test_reading_the_specs_loads_no_library():
    code = (
        "import sys\n"
        "from distillkit.metrics._specs import metric_specs\n"
        "from distillkit.evaluators._specs import evaluator_specs\n"
        "assert metric_specs() and evaluator_specs()\n"
        "loaded = {'numpy', 'sklearn', 'scipy', 'torch', 'faiss', 'ot', 'pandas'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("dataset", ["iris", "diabetes"])
def test_a_reference_stands_for_its_rows_and_targets(dataset):
    data = load_dataset(dataset)
    small = RandomSubset(3, random_state=0).fit(data.X_train, data.y_train).distilled_
    reference = Reference(data.X_train, data.y_train, task=data.task)
    specs = [spec for spec in metric_specs() if spec.shares_reference and spec.standard and data.task in spec.tasks]
    specs = [spec for spec in specs if not spec.needs & {"images", "series"}]
    assert "coreset-error" in {spec.name for spec in specs}
    for spec in specs:
        of_rows = spec.load()(data.X_train, data.y_train, small, random_state=0)
        assert spec.load()(reference, None, small, random_state=0) == of_rows, spec.name
