from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression, Ridge
from torch import nn

from distillkit.condensation import TrajectoryMatchingDistiller
from distillkit.exceptions import ArtefactError, DataError, DistillkitWarning


def matching(budget=1, **options):
    settings = {"max_iter": 3, "width": 4, "hidden": (8,), "n_experts": 2, "expert_epochs": 4, "student_steps": 3}
    common = {"random_state": 0, "record_every": 2, "device": "cpu"}
    return TrajectoryMatchingDistiller(budget, **{**settings, **common, **options})


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.safetensors"))


@pytest.mark.parametrize("data", ["images", "table", "numbers"])
def test_rows_come_back_as_they_came_and_the_same_seed_gives_the_same_bits(data, request):
    X, y = request.getfixturevalue(data)
    first, again, other = (matching(3, random_state=seed).fit(X, y) for seed in (0, 0, 1))
    assert first.X_distilled_.shape[1:] == X.shape[1:]
    assert first.X_distilled_.tobytes() == again.X_distilled_.tobytes()
    assert first.student_lr_ == again.student_lr_ > 0
    assert not np.array_equal(first.X_distilled_, other.X_distilled_)
    assert first.sample_weight_.sum() == pytest.approx(len(X))
    assert set(first.history_[0]) == {"iteration", "loss", "student_lr", "seconds"}
    assert first.n_experts_trained_ == 2


def test_the_student_comes_nearer(table):
    fitted = matching(2, init="noise", max_iter=60, record_every=15, lr=0.1, patience=None).fit(*table)
    losses = [record["loss"] for record in fitted.history_]
    assert losses[-1] < 0.7 * losses[0]
    assert losses[-1] < 1  # 1 is where the student set out


def test_models_learn_from_the_rows(table, numbers):
    X, y = table
    fitted = matching(2, max_iter=20).fit(X, y)
    scale = X.std(axis=0)
    model = LogisticRegression(max_iter=1000).fit(fitted.X_distilled_ / scale, fitted.y_distilled_)
    assert model.score(X / scale, y) > 0.85
    X, y = numbers
    fitted = matching(10, max_iter=20, target_lr=0.05).fit(X, y)
    assert Ridge(1e-3).fit(fitted.X_distilled_, fitted.y_distilled_).score(X, y) > 0.9


def test_experts_are_used_again_and_only_for_the_same_data_settings_and_seed(table, tmp_path):
    X, y = table
    first = matching(experts_dir=tmp_path).fit(X, y)
    assert len(files(tmp_path)) == 2
    weights = load_file(tmp_path / files(tmp_path)[0])["weights"]
    assert weights.shape[0] == 5  # the start and four epochs
    again = matching(experts_dir=tmp_path).fit(X, y)
    assert again.n_experts_trained_ == 0
    assert again.X_distilled_.tobytes() == first.X_distilled_.tobytes()
    assert matching(2, init="real", experts_dir=tmp_path).fit(X, y).n_experts_trained_ == 0
    assert matching(n_experts=3, experts_dir=tmp_path).fit(X, y).n_experts_trained_ == 1
    for other in ({"expert_lr": 0.01}, {"hidden": (7,)}, {"random_state": 1}):
        assert matching(experts_dir=tmp_path, **other).fit(X, y).n_experts_trained_ == 2
    assert matching(experts_dir=tmp_path).fit(X + 1, y).n_experts_trained_ == 2


def test_a_damaged_expert_is_trained_again(table, tmp_path):
    matching(experts_dir=tmp_path).fit(*table)
    path = tmp_path / files(tmp_path)[1]
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    assert matching(experts_dir=tmp_path).fit(*table).n_experts_trained_ == 1
    assert path.read_bytes() == whole


def test_an_expert_is_plain_gradient_descent(table, tmp_path):
    """One epoch in one batch is one step against the gradient of the mean loss."""
    X, y = table
    distiller = matching(experts_dir=tmp_path, n_experts=1, expert_epochs=1, expert_batch=90, hidden=(), expert_lr=0.1)
    distiller.fit(X, y)
    start, end = load_file(tmp_path / files(tmp_path)[0])["weights"]
    rows = torch.as_tensor((X - X.mean(axis=0)) / X.std(axis=0), dtype=torch.float32)
    weight, bias = start[:15].view(3, 5).requires_grad_(), start[15:].clone().requires_grad_()
    loss = nn.functional.cross_entropy(rows @ weight.T + bias, torch.as_tensor(np.unique(y, return_inverse=True)[1]))
    loss.backward()
    step = torch.cat([weight.grad.flatten(), bias.grad])
    torch.testing.assert_close(end, start - 0.1 * step, rtol=1e-4, atol=1e-6)


def test_nothing_is_left_of_a_temporary_folder(table, tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    matching().fit(*table)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_keeps_its_experts_beside_it(table, tmp_path):
    first = matching(checkpoint=tmp_path / "run").fit(*table)
    assert len(files(tmp_path / "run.experts")) == 2
    more = matching(checkpoint=tmp_path / "run", max_iter=6).fit(*table)
    assert (first.n_iter_, more.n_iter_, more.n_experts_trained_) == (3, 6, 0)
    for name in files(tmp_path / "run.experts"):
        (tmp_path / "run.experts" / name).unlink()
    with pytest.raises(ArtefactError, match="is missing or damaged: restore the file"):
        matching(checkpoint=tmp_path / "run", max_iter=9).fit(*table)


def test_seconds_end_experts_and_steps(images):
    fitted = matching(n_experts=10**6, max_iter=10**6, max_seconds=1.0, patience=None).fit(*images)
    assert fitted.distilled_.provenance["stopped_by"] == "max_seconds"
    assert 1 <= fitted.n_experts_trained_ < 10**6
    assert fitted.n_iter_ >= 1
    one = matching(expert_epochs=10**6, max_seconds=1e-6).fit(*images)
    assert (one.n_iter_, one.n_experts_trained_) == (1, 1)


def test_ctrl_c_among_the_experts_leaves_the_finished_ones(table, tmp_path):
    calls = []

    def make(shape, n_outputs):
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        torch.manual_seed(0)
        return nn.Linear(shape[0], n_outputs)

    at = None
    matching(network=make, experts_dir=tmp_path, n_experts=1).fit(*table)
    before, at = len(calls), len(calls)
    calls.clear()
    for path in files(tmp_path):
        (tmp_path / path).unlink()
    fitted = matching(network=make, experts_dir=tmp_path, n_experts=5, on_interrupt="return").fit(*table)
    assert before >= 2
    assert fitted.distilled_.provenance["stopped_by"] == "interrupted"
    assert fitted.n_iter_ == 0
    assert np.isfinite(fitted.X_distilled_).all()


def test_a_class_with_one_row_and_batches_larger_than_the_data(table):
    X, y = table
    keep = np.r_[0, np.flatnonzero(y != "a")]
    fitted = matching({"a": 1, "b": 2, "c": 3}, expert_batch=10**6, epoch_rows=10**6, student_batch=10**6)
    assert fitted.fit(X[keep], y[keep]).y_distilled_.tolist() == ["a", "b", "b", "c", "c", "c"]


def test_small_batches_of_the_student_take_every_row(table):
    fitted = matching(4, student_batch=5, student_steps=7, lr=1.0, clip_rms=None, max_iter=6).fit(*table)
    start = matching(4, student_batch=5, student_steps=7, lr=1e-12, max_iter=6).fit(*table)
    assert (np.abs(fitted.X_distilled_ - start.X_distilled_).max(axis=1) > 0).all()


def test_trouble_is_said(images, table):
    with pytest.warns(DistillkitWarning, match=r"at iteration \d+ of trajectory matching: .*; lower lr, rate_lr"):
        fitted = matching(lr=1e38, max_iter=20).fit(*images)
    assert np.isfinite(fitted.X_distilled_).all()
    with (
        pytest.warns(DistillkitWarning, match=r"expert 0 diverged .* at expert_lr=1e\+30"),
        pytest.raises(
            DataError,
            match=r"expert 0 diverged in epoch \d+ .* at expert_lr=3\.7e\+28, the last of 4 .*: lower expert_lr",
        ),
    ):
        matching(expert_lr=1e30).fit(*images)
    with pytest.raises(DataError, match="one class only"):
        matching().fit(images[0], np.zeros(60, dtype=int))
    with pytest.raises(DataError, match=r"augment=\['flip'\] is for images"):
        matching(augment=["flip"]).fit(*table)


def quadratic(rate, hidden=()):
    """A linear regression in one batch; it diverges at rates above 2 over the curvature."""
    settings = {"hidden": hidden, "expert_lr": rate, "expert_batch": 1000, "expert_epochs": 30, "student_lr": 1e-3}
    return matching(4, **settings)


def steepest(X, y):
    """Largest eigenvalue of the Hessian of the mean squared error, for standardized columns."""
    design = np.column_stack([(X - X.mean(axis=0)) / X.std(axis=0), np.ones(len(X))])
    return 2 * np.linalg.eigvalsh(design.T @ design / len(X))[-1]


@pytest.mark.parametrize("thirds", [0, 1, 2, 3])
def test_an_expert_that_diverges_is_trained_again_at_the_rate_that_theory_allows(thirds, numbers, tmp_path):
    X, y = numbers
    stable = 1.5 / steepest(X, y)  # of at most 2
    distiller = quadratic(stable * 3**thirds).set_params(experts_dir=tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = distiller.fit(X, y)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == thirds
    for number, text in enumerate(messages, start=1):
        assert f"trained at expert_lr={stable * 3 ** (thirds - number):.3g} instead" in text
        assert text.startswith("expert 0 diverged in epoch")
    assert fitted.expert_lr_ == pytest.approx(stable)
    provenance = fitted.distilled_.provenance
    assert fitted.n_experts_trained_ == 2
    if thirds:
        assert fitted.history_[-1]["expert_lr"] == pytest.approx(stable)
        assert provenance["expert_lr"] == pytest.approx([stable] * 2)  # the second did not have to diverge first
    else:
        assert "expert_lr" not in fitted.history_[-1]
        assert "expert_lr" not in provenance
    # The files equal those of a run at the lower rate, and a later fit knows the rate.
    weights = [load_file(tmp_path / name)["weights"] for name in files(tmp_path)]
    lower_rate = tmp_path / "own"
    quadratic(fitted.expert_lr_).set_params(experts_dir=lower_rate).fit(X, y)
    for first, name in zip(weights, files(lower_rate), strict=True):
        torch.testing.assert_close(first, load_file(lower_rate / name)["weights"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = distiller.fit(X, y)
    assert again.expert_lr_ == fitted.expert_lr_
    assert again.distilled_.provenance.get("expert_lr") == provenance.get("expert_lr")
    assert again.X_distilled_.tobytes() == fitted.X_distilled_.tobytes()


def test_an_expert_that_ends_worse_than_it_began_is_trained_again(numbers):
    """Just above the bound the loss rises, but is far from infinite."""
    X, y = numbers
    rate = 2.1 / steepest(X, y)
    with pytest.warns(DistillkitWarning, match=r"diverged in epoch 30 \(the loss went from \S+ to \d\S*\) at"):
        fitted = quadratic(rate).fit(X, y)
    assert fitted.expert_lr_ == pytest.approx(rate / 3)


def test_a_resumed_run_knows_the_rates_of_its_experts(numbers, tmp_path):
    rate = 4.0 / steepest(*numbers)
    with pytest.warns(DistillkitWarning, match="diverged"):
        whole = quadratic(rate).set_params(max_iter=4).fit(*numbers)
    with pytest.warns(DistillkitWarning, match="diverged"):
        quadratic(rate).set_params(max_iter=2, checkpoint=tmp_path / "run").fit(*numbers)
    parts = quadratic(rate).set_params(max_iter=4, checkpoint=tmp_path / "run").fit(*numbers)
    assert parts.distilled_.provenance["expert_lr"] == whole.distilled_.provenance["expert_lr"]
    assert [record["expert_lr"] for record in parts.history_] == [record["expert_lr"] for record in whole.history_]
    assert parts.X_distilled_.tobytes() == whole.X_distilled_.tobytes()


def test_a_folder_that_cannot_be(table, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtefactError, match="Give another experts_dir"):
        matching(experts_dir=tmp_path / "file").fit(*table)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_experts", 0), ("max_start_epoch", -1), ("student_lr", 0), ("rate_lr", -1), ("epoch_rows", 0)],
)
def test_settings_that_cannot_be(images, name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        matching(**{name: value}).fit(*images)


def test_series_and_augmented_images(images):
    X, y = images
    assert matching(2).fit(X.reshape(60, 2, 32), y).X_distilled_.shape == (4, 2, 32)
    assert matching(2, augment="auto", student_batch=3).fit(X, y).X_distilled_.shape == (4, 1, 8, 8)
