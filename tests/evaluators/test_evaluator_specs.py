from __future__ import annotations

import inspect

import pytest

from distillkit import evaluators
from distillkit.evaluators._specs import evaluator_specs
from distillkit.exceptions import DataError

SPECS = {spec.name: spec for spec in evaluator_specs()}


@pytest.mark.parametrize("name", SPECS)
def test_each_makes_an_estimator_for_its_tasks_and_presets(name):
    spec = SPECS[name]
    factory = spec.load()
    assert factory is getattr(evaluators, factory.__name__)
    assert spec.summary
    assert not spec.missing()
    for task in ("classification", "regression"):
        if task not in spec.tasks:
            with pytest.raises(DataError, match=name):
                factory(task, 0)
            continue
        for params in ({}, *spec.presets.values()):
            model = factory(task, 0, **params)
            assert params.items() <= model.get_params().items()


@pytest.mark.parametrize("name", SPECS)
def test_what_a_suite_can_set_is_written_out(name):
    kinds = {p.name: p.kind for p in inspect.signature(SPECS[name].load()).parameters.values()}
    assert list(kinds)[:2] == ["task", "random_state"]
    assert {kind for key, kind in kinds.items() if key not in ("task", "random_state")} == {
        inspect.Parameter.KEYWORD_ONLY
    }


def test_every_public_factory_has_a_spec():
    assert {spec.load().__name__ for spec in SPECS.values()} == set(evaluators.__all__)


def test_names_that_are_not_there():
    with pytest.raises(AttributeError, match="has no attribute 'make_svm'"):
        evaluators.make_svm  # noqa: B018
    assert dir(evaluators) == evaluators.__all__
