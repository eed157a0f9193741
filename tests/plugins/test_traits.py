"""Which methods publish training rows, and which start from them."""

import numpy as np
import pytest

from distillkit.exceptions import PluginError
from distillkit.plugins import get_manager
from distillkit.plugins._methods import make_method
from distillkit.plugins._traits import exposes_originals, starts_from_real
from distillkit.plugins._validation import check_results
from distillkit.specs import MethodSpec

CORESETS = [
    f"{name}{preset}"
    for name, spec in get_manager().short_specs("method").items()
    if spec.kind in ("coreset", "control") and spec.reduces == "rows"
    for preset in ("", *(f":{preset}" for preset in spec.presets))
    if spec.target.startswith("distillkit.coresets") and not {"torch"} & set(spec.requires)
]


def traits(name, **params):
    resolved = get_manager().resolve("method", name)
    values = resolved.params(overrides=params)
    return exposes_originals(resolved.spec, values), starts_from_real(resolved.spec, values)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.RandomState(0)
    return rng.normal(size=(60, 4)), np.repeat([0, 1, 2], 20)


@pytest.mark.parametrize("name", CORESETS)
def test_a_coreset_says_whether_its_rows_are_training_rows(name, rows):
    X, y = rows
    small = make_method(name, common={"budget": 4, "random_state": 0}).fit(X, y).distilled_
    published = {row.tobytes() for row in small.X} <= {row.tobytes() for row in X}
    assert traits(name) == (published, False)


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("kmeans", {"representative": "member"}, (True, False)),
        ("streaming", {"coreset": "kcenter"}, (True, False)),
        ("streaming", {"coreset": "kmeans:medoids"}, (True, False)),
        ("gradient-matching", {}, (False, False)),
        ("gradient-matching", {"init": "real"}, (False, True)),
        ("gradient-matching", {"init": "noise"}, (False, False)),
        ("gradient-matching", {"init": "herding"}, (False, True)),
        ("gradient-matching:dsa", {}, (False, True)),
        ("gradient-matching:dc", {}, (False, False)),
        ("distribution-matching", {"init": "kmeans:medoids"}, (False, True)),
        ("kernel-soft", {"init": "real"}, (False, True)),
        ("trajectory-matching", {"init": "mean"}, (False, False)),
        ("soft-random", {}, (True, False)),
        ("soft-kmeans", {}, (False, False)),
        ("soft-kmeans", {"distiller": "gradient-matching:dsa"}, (False, True)),
        ("gan", {}, (False, False)),
        ("teacher-student", {}, (False, False)),
    ],
)
def test_it_depends_on_presets_and_parameters(name, params, expected):
    assert traits(name, **params) == expected


@pytest.mark.parametrize("value", ["yes", {"init": "real"}, {1: ("real",)}])
def test_a_plugin_states_it_in_a_form_that_can_be_checked(value):
    spec = MethodSpec(name="a", target="a:B", exposes_originals=value)
    with pytest.raises(PluginError, match=r"exposes_originals=.* must be True, False or a mapping of parameters"):
        check_results([spec], MethodSpec)


@pytest.mark.parametrize(
    ("field", "value", "requirement"),
    [
        ("deterministic", "yes", "True, False or a mapping of parameters"),
        ("deterministic", {"start": "random"}, "True, False or a mapping of parameters"),
        ("tuned_on", 3, "'nothing', 'training rows', the name of a dataset"),
        ("tuned_on", ("digits", ""), "'nothing', 'training rows', the name of a dataset"),
        ("presets_tuned_on", {"deep": 3}, "a mapping of presets"),
        ("presets_tuned_on", "digits", "a mapping of presets"),
    ],
)
def test_wrong_statements_on_seeds_and_tuning_are_named(field, value, requirement):
    spec = MethodSpec(name="a", target="a:B", **{field: value})
    with pytest.raises(PluginError, match=f"has {field}=.* must be {requirement}"):
        check_results([spec], MethodSpec)
