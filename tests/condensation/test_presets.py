from __future__ import annotations

import numpy as np
import pytest

from distillkit.condensation import GradientMatchingDistiller
from distillkit.condensation.gradient._presets import PRESETS, preset_params

SMALL = {"width": 4, "hidden": (8,), "max_iter": 3, "random_state": 0, "device": "cpu"}
PUBLISHED = {
    "pad": True,
    "real_batch": 256,
    "clip_rms": None,
    "precision": "float32",
    "patience": None,
}
WRITTEN_OUT = {
    "dc": {**PUBLISHED, "lr": 0.1, "init": "noise"},
    "dsa": {**PUBLISHED, "lr": 0.1, "init": "real", "augment": "auto"},
    "fast": {},
}


def resolved(rows_per_class=1, network="convnet", **settings):
    params = GradientMatchingDistiller(**settings).get_params()
    return preset_params(GradientMatchingDistiller, params, network, rows_per_class)


def images_of_mnists_size():
    rng = np.random.RandomState(0)
    return rng.normal(size=(30, 1, 28, 28)).astype(np.float32), np.repeat([0, 1], 15)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_its_parameters_written_out(preset):
    X, y = images_of_mnists_size()
    named = GradientMatchingDistiller(1, preset=preset, **SMALL).fit(X, y)
    spelled = GradientMatchingDistiller(1, **WRITTEN_OUT[preset], **SMALL).fit(X, y)
    assert named.X_distilled_.tobytes() == spelled.X_distilled_.tobytes()
    assert named.n_iter_ == 3
    other = GradientMatchingDistiller(1, **SMALL).fit(X, y)
    assert np.array_equal(other.X_distilled_, named.X_distilled_) == (preset == "fast")


def test_the_published_settings():
    for preset, init, augment in (("dc", "noise", None), ("dsa", "real", "auto")):
        params = resolved(preset=preset)
        assert (params["width"], params["real_batch"], params["lr"], params["momentum"]) == (128, 256, 0.1, 0.5)
        assert (params["init"], params["augment"], params["clip_rms"], params["average"]) == (init, augment, None, 0.0)
        assert params["preset"] is None


@pytest.mark.parametrize(("rows", "updates"), [(1, 1_000), (10, 10_000), (50, 50_000)])
def test_a_thousand_networks_whatever_the_updates_of_each(rows, updates):
    assert resolved(rows, preset="dc")["max_iter"] == updates
    assert resolved(rows, preset="dsa", outer_steps=3)["max_iter"] == 3_000


def test_a_value_that_differs_from_its_default_wins_and_one_that_equals_it_does_not():
    settings = {"width": 32, "lr": 0.3, "max_iter": 7, "clip_rms": 2.0, "init": "mean", "patience": 5, "real_batch": 9}
    params = resolved(preset="dc", **settings)
    assert {name: params[name] for name in settings} == settings
    assert params["pad"] is True
    assert resolved(preset="dc", init="kmeans")["init"] == "noise"  # as documented: it is the default
    assert resolved(preset="dsa", augment=["flip"])["augment"] == ["flip"]
    assert resolved(preset="dsa", augment=np.array(["flip"]))["augment"].tolist() == ["flip"]


def test_an_mlp_gets_the_published_rate_of_one(table):
    assert resolved(network="mlp", preset="dc")["lr"] == 0.01
    assert resolved(network="mlp", preset="dc", lr=0.5)["lr"] == 0.5
    assert resolved(network="mlp", preset="fast")["lr"] is None
    named = GradientMatchingDistiller(2, preset="dc", **SMALL).fit(*table)
    spelled = GradientMatchingDistiller(2, **{**WRITTEN_OUT["dc"], "lr": 0.01}, **SMALL).fit(*table)
    assert named.X_distilled_.tobytes() == spelled.X_distilled_.tobytes()


@pytest.mark.parametrize("preset", PRESETS)
def test_every_kind_of_rows(preset, images, numbers):
    X, y = images
    for data, budget in ((images, 2), ((X.reshape(60, 2, 32), y), 2), (numbers, 5)):
        distiller = GradientMatchingDistiller(budget, preset=preset, **SMALL)
        before = distiller.get_params()
        assert np.isfinite(distiller.fit(*data).X_distilled_).all()
        assert distiller.get_params() == before  # parameters are what the user gave, as scikit-learn demands


def test_a_run_is_resumed_by_its_preset_or_by_what_that_stands_for(images, tmp_path):
    path = tmp_path / "run"
    whole = GradientMatchingDistiller(1, preset="dsa", **SMALL).fit(*images)
    GradientMatchingDistiller(1, preset="dsa", checkpoint=path, **{**SMALL, "max_iter": 1}).fit(*images)
    rest = GradientMatchingDistiller(1, checkpoint=path, **WRITTEN_OUT["dsa"], **SMALL).fit(*images)
    assert rest.X_distilled_.tobytes() == whole.X_distilled_.tobytes()


def test_an_unknown_preset_is_refused(images):
    with pytest.raises(ValueError, match="The 'preset' parameter"):
        GradientMatchingDistiller(preset="published").fit(*images)
