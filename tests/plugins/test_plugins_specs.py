"""Specs with invalid fields."""

from __future__ import annotations

import pytest

from distillkit.exceptions import PluginWarning
from distillkit.plugins import KINDS


def record_of(manager, name):
    return manager._records[name]


BAD_FIELDS = {
    "name=3": "lower case words",
    "name='Her Ding'": "lower case words",
    "name='a/b'": "lower case words",
    "name='a:b'": "lower case words",
    "target='no_colon'": "a callable or 'package.module:Name'",
    "target=5": "a callable or",
    "summary=None": "text",
    "requires=('faiss')": "a tuple of import names",
    "version=0": "an int of at least 1",
    "version=True": "an int of at least 1",
    "kind='magic'": "one of automatic, condensation, control, coreset, knowledge, synthesis",
    "reduces='both'": "one of model, rows",
    "reduces=None": "one of model, rows",
    "label_mode='any'": "one of hard, soft",
    "tasks='classification'": "a frozenset of classification, regression",
    "tasks=frozenset()": "a frozenset of",
    "tasks=frozenset({'ranking'})": "a frozenset of",
    "modalities=frozenset({'tabular'})": "a frozenset of image, series, table",
    "budgeted=1": "True or False",
    "reference=None": "text",
    "presets={'fast': 3}": "a mapping of names",
    "presets=['fast']": "a mapping of names",
}


@pytest.mark.parametrize("field", BAD_FIELDS)
def test_a_method_with_an_invalid_field(site, field):
    values = {"name": "'herding'", "target": "'a:B'"} | dict([field.split("=", 1)])
    site.add(
        "dk-bad",
        f"@hookimpl\ndef distillkit_methods():\n    return [MethodSpec({', '.join(f'{k}={v}' for k, v in values.items())})]",
    )
    manager, caught = site.load()
    assert len(caught) == 1
    error = record_of(manager, "dk-bad:m").error
    assert f"has {field.split('=')[0]}=" in error
    assert f"it must be {BAD_FIELDS[field]}" in error


@pytest.mark.parametrize(
    ("kind", "spec", "cause"),
    [
        (
            "dataset",
            "DatasetSpec(name='a', target='b:C', task='ranking', modality='table')",
            "task='ranking': it must be one of",
        ),
        (
            "dataset",
            "DatasetSpec(name='a', target='b:C', task='regression', modality='text')",
            "modality='text': it must be one of",
        ),
        (
            "dataset",
            "DatasetSpec(name='a', target='b:C', task='regression', modality='table', revision=2)",
            "revision=2: it must be text",
        ),
        ("evaluator", "EvaluatorSpec(name='a', target='b:C', flatten=None)", "flatten=None: it must be True or False"),
        (
            "metric",
            "MetricSpec(name='a', target='b:C', stage='test')",
            "stage='test': it must be one of data, prediction, run",
        ),
        (
            "metric",
            "MetricSpec(name='a', target='b:C', stage='run', greater_is_better=0)",
            "greater_is_better=0: it must be",
        ),
        ("reporter", "ReporterSpec(name='a', target='b:C', extension='.tex')", "extension='.tex': it must be"),
        ("executor", "ExecutorSpec(name='a', target='')", "target='': it must be"),
    ],
)
def test_specs_of_every_kind_are_checked(site, kind, spec, cause):
    site.add("dk-bad", f"@hookimpl\ndef {KINDS[kind][0]}():\n    return [{spec}]")
    manager, caught = site.load()
    assert caught == []  # its hook has not been asked yet
    with pytest.warns(PluginWarning, match="dk-bad"):
        manager.specs(kind)
    assert cause in record_of(manager, "dk-bad:m").error


def test_published(site):
    good = "PublishedResult(method='herding', dataset='mnist', budget='10', evaluator='e', metric='accuracy', value=0.5, source='s')"
    site.add("dk-good", f"@hookimpl\ndef distillkit_published():\n    return [{good}, {good}]")
    wrong = {
        "value": "float('nan')", "std": "-1.0", "n": "0", "method": "''", "protocol": "None", "preset": "1",
        "label_mode": "'firm'", "size_factor": "0", "bytes": "1.5", "epochs": "-1", "judge": "2", "verified": "'yes'", "note": "None",
    }  # fmt: skip
    for index, (field, value) in enumerate(wrong.items()):
        bad = good.replace("value=0.5", f"value={value}") if field == "value" else good[:-1] + f", {field}={value})"
        bad = bad.replace("method='herding', ", "") if field == "method" else bad
        site.add(f"dk-bad{index}", f"@hookimpl\ndef distillkit_published():\n    return [{bad}]")
    manager, _ = site.load()
    with pytest.warns(PluginWarning) as caught:
        results = manager.published()
    assert len(caught) == len(wrong)
    assert [result.value for result in results if result.method == "herding" and result.source == "s"] == [0.5, 0.5]
    for index, field in enumerate(wrong):
        assert f"PublishedResult has {field}=" in record_of(manager, f"dk-bad{index}:m").error
