"""A name with an optional preset is resolved in one place, and means the same wherever it is given."""

import pytest

from distillkit import GradientMatchingDistiller, KernelDistiller, KMeansCoreset, RandomSubset, SoftLabels
from distillkit.bench.execution._jobs import build_distiller
from distillkit.budget import Budget
from distillkit.cli._single import make_distiller
from distillkit.exceptions import UnknownNameError
from distillkit.plugins import PluginManager
from distillkit.plugins._methods import make_method


@pytest.fixture(scope="module")
def manager():
    return PluginManager(disabled=True).load()


def test_the_more_particular_parameters_win(manager):
    resolved = manager.resolve("method", "kmeans:medoids")
    assert (resolved.name, resolved.spec) == ("kmeans", manager.get("method", "kmeans"))
    assert resolved.params() == {"representative": "member"}
    assert resolved.params({"representative": "centroid", "n_init": 2}) == {"representative": "member", "n_init": 2}
    assert resolved.params({"n_init": 2}, {"representative": "centroid"}) == {"representative": "centroid", "n_init": 2}
    soft = manager.resolve("method", "soft-kmeans")
    assert soft.params({"teacher": "linear"}) == {"distiller": "kmeans", "teacher": "linear"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kmean:medoids", "unknown method 'kmean': did you mean 'kmeans'"),
        ("kmeans:medoid", "unknown preset of kmeans 'medoid': did you mean 'medoids'"),
    ],
)
@pytest.mark.parametrize(
    "way",
    [
        make_method,
        lambda text: make_distiller(text, Budget(1), {}, {}),
        lambda text: build_distiller("soft-random", {"distiller": text}, "classification", 1, 0),
    ],
    ids=["plugin", "command line", "bench"],
)
def test_an_unknown_name_or_preset_is_one_error_everywhere(way, text, message):
    with pytest.raises(UnknownNameError, match=message):
        way(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kmeans:medoids", KMeansCoreset(3, representative="member", random_state=0)),
        ("random", RandomSubset(3, random_state=0)),
        ("gradient-matching:dc", GradientMatchingDistiller(3, preset="dc", random_state=0)),
        ("kernel-soft", KernelDistiller(3, learn_labels=True, random_state=0)),
        ("soft-random", SoftLabels(RandomSubset(3, random_state=0), random_state=0)),
    ],
)
def test_the_command_line_and_the_bench_make_the_same_method(manager, name, expected):
    from_command_line = make_distiller(name, Budget(3), {}, {"random_state": 0})
    resolved = manager.resolve("method", name)
    from_bench = build_distiller(resolved.name, resolved.params(), None, 3, 0)
    assert repr(from_command_line) == repr(expected)
    assert repr(from_bench) == repr(expected)
