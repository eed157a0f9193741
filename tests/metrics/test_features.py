from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import MinMaxScaler

from distillkit import metrics
from distillkit.distilled import DistilledSet
from distillkit.exceptions import DataError
from distillkit.metrics import Reference, make_extractor
from distillkit.metrics.features import _inception, _networks


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32).reshape(-1, 1, 8, 8), y


@pytest.mark.parametrize("name", ["pca", "random", "classifier"])
def test_features_are_scaled_and_depend_on_the_rows_alone(name, digits):
    X, y = digits
    order = np.random.default_rng(0).permutation(len(X))
    reference, shuffled = Reference(X, y), Reference(X[order], y[order])
    found, extractor = reference.features(name), reference.extractor(name)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    assert found.var(axis=0).mean() == pytest.approx(1, rel=1e-4)
    first = slice(0, 20)  # the last components of images with empty pixels are arbitrary
    np.testing.assert_allclose(shuffled.extractor(name).transform(X[:9])[:, first], found[:9, first], atol=2e-4)
    np.testing.assert_allclose(extractor.transform(X[:9]), found[:9], rtol=1e-5, atol=1e-5)  # float32
    assert shuffled.extractor(name).identity == extractor.identity
    assert extractor.identity.startswith(f"{name}:")
    assert Reference(X, (y + 1) % 10).extractor(name).identity != extractor.identity


def test_the_seed_changes_networks_alone(digits):
    reference = Reference(*digits)
    for name, same in (("pca", True), ("rows", True), ("values", True), ("random", False)):
        assert (reference.extractor(name, 0) is reference.extractor(name, 1)) == same
    assert reference.extractor("random", 0).identity != reference.extractor("random", 1).identity


def test_the_classifier_knows_the_classes(digits):
    X, y = digits
    train = Reference(X[:1200], y[:1200])
    p = train.extractor("classifier").probabilities(X[1200:])
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    assert np.mean(p.argmax(axis=1) == y[1200:]) > 0.85
    with pytest.raises(DataError, match="needs labels of at least two classes to train on: choose 'pca'"):
        Reference(X, np.linspace(0, 1, len(X))).features("classifier")
    with pytest.raises(DataError, match="has no class probabilities: choose 'classifier'"):
        metrics.inception_score(X, y, DistilledSet(X[:5], y[:5], classes=np.arange(10)), features="pca")


def test_what_the_user_gives(digits):
    X, y = digits
    reference = Reference(X, y)
    fitted = MinMaxScaler().fit(X[:100].reshape(100, -1))
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 5))
    for features, expected in (
        (fitted, fitted.transform(X.reshape(len(X), -1))),
        (module, module(torch.from_numpy(X)).detach().numpy()),
        (mean_rows, X.mean(axis=(1, 2))),
    ):
        found, extractor = reference.features(features), reference.extractor(features)
        scaled = (expected - expected.mean(axis=0)) / np.sqrt(expected.var(axis=0).mean())
        np.testing.assert_allclose(found, scaled, atol=1e-4)
        assert reference.extractor(features) is extractor
        assert reference.without([0, 1]).extractor(features) is extractor
    unfitted = TruncatedSVD(5, random_state=0)
    assert reference.features(unfitted).shape == (len(X), 5)
    assert not hasattr(unfitted, "components_")
    identity = reference.extractor(module).identity
    assert identity.startswith("sequential:")
    with torch.no_grad():
        module[1].bias += 1
    assert Reference(X, y).extractor(module).identity != identity
    with pytest.raises(DataError, match="features=3 is no extractor"):
        reference.features(3)
    with pytest.raises(DataError, match="hold NaN or infinite"):
        reference.features(lambda rows: rows * np.nan)


def mean_rows(rows):
    return rows.mean(axis=(1, 2))


def test_inception_without_weights_says_where_they_belong(digits, monkeypatch, tmp_path):
    monkeypatch.setenv("DISTILLKIT_INCEPTION", str(tmp_path / "weights.pth"))
    with pytest.raises(DataError, match=r"which are not at .*weights.pth: put them there"):
        metrics.fid(*digits, DistilledSet(digits[0][:4], digits[1][:4], classes=np.arange(10)), features="inception")
    (tmp_path / "weights.pth").write_bytes(b"")
    with pytest.raises(DataError, match="needs images"):
        Reference(load_diabetes(return_X_y=True)[0]).features("inception")


def test_inception_sees_color_images_of_its_size_and_range(digits, monkeypatch, tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"")
    monkeypatch.setenv("DISTILLKIT_INCEPTION", str(tmp_path / "weights.pth"))
    seen = []

    class Stub(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(3, 7)

        def forward(self, images):
            seen.append(images)
            return self.fc(images.mean(dim=(2, 3)))

    network = Stub().eval()
    monkeypatch.setattr(_inception.InceptionExtractor, "_network", lambda *_: network)
    X = digits[0][:40] * 16
    extractor = Reference(X, digits[1][:40]).extractor("inception")
    assert {tuple(images.shape[1:]) for images in seen} == {(3, 299, 299)}
    mean, deviation = (np.array(values)[:, None] for values in (_inception._MEAN, _inception._DEVIATION))
    raw = extractor.raw(X[:2])
    np.testing.assert_allclose(raw[0], ((X[0].mean() / 16 - mean) / deviation)[:, 0], atol=0.02)
    np.testing.assert_allclose(extractor.probabilities(X[:2]).sum(axis=1), 1)
    assert extractor.probabilities(X[:2]).shape == (2, 7)


def test_an_extractor_object_is_not_changed_by_its_use(digits):
    extractor = make_extractor("pca")
    reference = Reference(*digits)
    assert reference.features(extractor).shape == (len(digits[0]), 64)
    assert not extractor.fingerprint
    assert isinstance(make_extractor("random", 3), _networks.RandomExtractor)
