"""Every public estimator passes scikit-learn's checks and, if it is a distiller, ours."""

from pathlib import Path

import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

import distillkit
from distillkit import (
    ClassMeans,
    CraigCoreset,
    Distilled,
    EL2NCoreset,
    FacilityLocationCoreset,
    ForgettingCoreset,
    GradMatchCoreset,
    GraNdCoreset,
    HerdingCoreset,
    InfluenceCoreset,
    KCenterCoreset,
    KMeansCoreset,
    LeverageCoreset,
    LightweightCoreset,
    Pipeline,
    RandomSubset,
    SensitivityCoreset,
    StreamingCoreset,
    UncertaintyCoreset,
    WholeSet,
    make_pipeline,
)
from distillkit.base import BaseDistiller, WeightedDistiller
from distillkit.testing import parametrize_with_checks

ESTIMATORS = [
    RandomSubset(),
    ClassMeans(),
    WholeSet(),
    KMeansCoreset(),
    KMeansCoreset(representative="member"),
    KCenterCoreset(),
    HerdingCoreset(),
    FacilityLocationCoreset(),
    FacilityLocationCoreset(metric="cosine", n_neighbors=5),
    LightweightCoreset(),
    SensitivityCoreset(),
    StreamingCoreset(),
    StreamingCoreset(coreset="random", chunk_size=8),
    GraNdCoreset(),
    EL2NCoreset(),
    CraigCoreset(),
    GradMatchCoreset(),
    LeverageCoreset(),
    InfluenceCoreset(),
    Distilled(RandomSubset(random_state=0), LogisticRegression()),
    Distilled(RandomSubset(random_state=0), Ridge()),
    Distilled(KMeansCoreset(0.5), LogisticRegression()),  # the checks seed it by its own random_state
    make_pipeline(StandardScaler(), RandomSubset(random_state=0), LogisticRegression()),
    Pipeline([("scale", StandardScaler()), ("model", Ridge())]),
]
CLASSIFYING = [ForgettingCoreset(), UncertaintyCoreset()]
# Methods that train networks run the same checks, beside their own tests and with settings that make them quick.
ELSEWHERE = {
    "AutoDistiller": "auto/test_auto_checks.py",
    "BilevelDistiller": "condensation/test_condensation_checks.py",
    "DistributionMatchingDistiller": "condensation/test_condensation_checks.py",
    "GANSynthesizer": "synthesis/test_gan_checks.py",
    "GradientMatchingDistiller": "condensation/test_condensation_checks.py",
    "KernelDistiller": "condensation/test_condensation_checks.py",
    "SoftLabels": "knowledge/test_knowledge_checks.py",
    "TeacherStudentDistiller": "knowledge/test_knowledge_checks.py",
    "TreeSynthesizer": "synthesis/test_table_checks.py",
    "ForestSynthesizer": "synthesis/test_table_checks.py",
    "CopulaSynthesizer": "synthesis/test_table_checks.py",
    "InterpolationSynthesizer": "synthesis/test_table_checks.py",
    "MixtureSynthesizer": "synthesis/test_table_checks.py",
    "SurrogateSynthesizer": "synthesis/test_table_checks.py",
    "TrajectoryMatchingDistiller": "condensation/test_condensation_checks.py",
}
PUBLIC = [
    name
    for name in distillkit.__all__
    if isinstance(getattr(distillkit, name), type) and issubclass(getattr(distillkit, name), BaseEstimator)
]


def test_every_method_that_reduces_rows_takes_weights():
    for name in PUBLIC:
        cls = getattr(distillkit, name)
        if issubclass(cls, BaseDistiller) and cls is not BaseDistiller:
            assert has_fit_parameter(cls, "sample_weight"), name
            assert issubclass(cls, WeightedDistiller), name
    assert not has_fit_parameter(BaseDistiller, "sample_weight")


@parametrize_with_checks(ESTIMATORS)
def test_contract(estimator, check):
    check(estimator)


@parametrize_with_checks(CLASSIFYING, tasks=["classification"])
def test_contract_of_what_needs_classes(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - {"BaseDistiller"}))
def test_every_public_estimator_is_checked(name):
    if name in ELSEWHERE:
        text = (Path(__file__).parent / ELSEWHERE[name]).read_text(encoding="utf-8")
        assert name in text
        assert "parametrize_with_checks" in text
    else:
        assert name in {type(estimator).__name__ for estimator in ESTIMATORS + CLASSIFYING}
