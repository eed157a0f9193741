"""A distillation whose process is killed goes on where its last checkpoint was written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from distillkit.bench.execution import _jobs
from distillkit.condensation.loop._loop import Loop
from distillkit.distilled import DistilledSet

ITERATIONS = 12
PARAMS = {
    "gradient-matching": {"max_iter": ITERATIONS, "network": "mlp", "patience": None},
    "distribution-matching": {"max_iter": ITERATIONS, "patience": None},
    "kernel": {"max_iter": 5 * ITERATIONS, "patience": None},  # its points of resumption lie further apart
    "bilevel": {"max_iter": ITERATIONS, "patience": None},
}


class Killed(BaseException):
    """Stands for the signal: no error that a method or a job could catch."""


@pytest.fixture
def distil(tmp_path):
    folder = tmp_path / "data" / "iris"
    _jobs.prepare(name="iris", params={}, root=None, folder=str(folder), targets=str(folder) + ".json")

    def run(name, method, params):
        place = {"data": str(folder), "artefact": str(tmp_path / name / "k.safetensors")}
        (tmp_path / name).mkdir(exist_ok=True)
        return _jobs.distil(method=method, params=params, task="classification", budget=2, seed=0, metrics=[], **place)

    return run


@pytest.fixture
def killed_after(monkeypatch):
    """Let the process die after some updates, with a checkpoint after each; return what is done."""
    rounds = []
    original = Loop._update

    def arm(n_updates):
        rounds.clear()

        def update(self, *args, **kwargs):
            if n_updates is not None and len(rounds) == n_updates:
                raise Killed
            rounds.append(self.run.n_iter)
            return original(self, *args, **kwargs)

        monkeypatch.setattr(Loop, "_update", update)
        return rounds

    monkeypatch.setattr("distillkit.condensation.loop._loop._SECONDS_BETWEEN_WRITES", -1)
    return arm


@pytest.mark.parametrize("method", PARAMS)
def test_a_killed_distillation_goes_on_and_gives_the_same_set(distil, killed_after, tmp_path, method):
    n_updates = PARAMS[method]["max_iter"]
    rounds = killed_after(None)
    whole = distil("whole", method, PARAMS[method])
    assert len(rounds) == n_updates
    rounds = killed_after(n_updates - 4)
    with pytest.raises(Killed):
        distil("parts", method, PARAMS[method])
    assert (tmp_path / "parts" / "k.checkpoint").stat().st_size > 0
    rounds = killed_after(None)
    resumed = distil("parts", method, PARAMS[method])
    assert 0 < len(rounds) < n_updates
    assert resumed["set_digest"] == whole["set_digest"]
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == ["k.json", "k.safetensors"]


def test_the_method_inside_another_one_goes_on_too(distil, killed_after, tmp_path):
    params = {"distiller": "distribution-matching"}
    killed_after(3)
    with pytest.raises(Killed):
        distil("parts", "soft-random", params)
    assert (tmp_path / "parts" / "k.distiller__checkpoint").exists()
    rounds = killed_after(3)
    with pytest.raises(Killed):
        distil("parts", "soft-random", params)
    assert rounds[0] >= 2


def test_a_damaged_checkpoint_is_a_new_start(distil, killed_after, tmp_path):
    killed_after(None)
    whole = distil("whole", "kernel", PARAMS["kernel"])
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "k.checkpoint").write_bytes(b"no checkpoint")
    rounds = killed_after(None)
    assert distil("parts", "kernel", PARAMS["kernel"])["set_digest"] == whole["set_digest"]
    assert len(rounds) == PARAMS["kernel"]["max_iter"]


def test_seconds_before_the_interruption_count(distil, killed_after, tmp_path, monkeypatch):
    killed_after(7)
    with pytest.raises(Killed):
        distil("parts", "kernel", PARAMS["kernel"])
    path = tmp_path / "parts" / "k.checkpoint"
    _add_seconds(path, 1000.0)
    killed_after(None)
    assert distil("parts", "kernel", PARAMS["kernel"])["seconds_distil"] > 1000


def _add_seconds(path, seconds):
    """Change the seconds that a checkpoint says were spent."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (the file is not a dict)
    (name,) = metadata
    card = json.loads(metadata[name])
    card["values"]["seconds"] += seconds
    save_file(tensors, path, metadata={name: json.dumps(card)})


def test_the_files_of_a_set_do_not_tell_where_checkpoints_lay(distil, tmp_path):
    distil("one", "kernel", PARAMS["kernel"])
    small = DistilledSet.load(tmp_path / "one" / "k.safetensors")
    assert "checkpoint" not in small.provenance["params"]
    assert str(tmp_path) not in json.dumps(small.provenance)
    assert np.isfinite(small.X).all()


def test_a_path_of_the_user_is_kept(distil, tmp_path):
    mine = tmp_path / "mine.safetensors"
    distil("one", "kernel", {**PARAMS["kernel"], "checkpoint": str(mine)})
    assert mine.exists()
