"""The extractor by Inception v3 with weights of ImageNet, if these are on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from distillkit.exceptions import DataError, MissingPackageError
from distillkit.metrics.features._base import ScaledExtractor

__all__ = ["InceptionExtractor", "weights_path"]

_FILE = "inception_v3_google-0cc3c7bd.pth"
_VARIABLE = "DISTILLKIT_INCEPTION"
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, by channel
_SIDE = 299
_BATCH = 32


def weights_path() -> Path:
    """Return the file of the weights.

    It is named by the environment variable ``DISTILLKIT_INCEPTION``, or it is where torchvision
    keeps it.

    Raises
    ------
    DataError
        If it does not exist. Nothing is downloaded.
    """
    import torch

    named = os.environ.get(_VARIABLE)
    path = Path(named) if named else Path(torch.hub.get_dir()) / "checkpoints" / _FILE
    if not path.is_file():
        raise DataError(
            f"features='inception' needs the weights {_FILE} of torchvision, which are not at {path}: put them "
            f"there, name their place in {_VARIABLE}, or choose 'classifier'."
        )
    return path


class InceptionExtractor(ScaledExtractor):
    """The last pooling layer (2,048 features) of torchvision's Inception v3.

    Pixels are scaled to [0, 1] by the smallest and largest value of the training images, and the
    images are resized with antialiasing. Values differ from those of the weights by which FID is
    usually published. For gray or small images, such as those of MNIST, they say little.
    """

    name = "inception"

    @property
    def recipe(self) -> tuple[Any, ...]:
        """The name and a hash of the file of the weights."""
        return self.name, hashlib.blake2b(weights_path().read_bytes(), digest_size=8).hexdigest()

    def learn(self, X: np.ndarray, y: Any, task: str | None, order: Callable[[], np.ndarray]) -> None:
        """Read the network, and learn the range of the pixels.

        Raises
        ------
        DataError
            If the rows are no images of one or three channels, or there are no weights.
        MissingPackageError
            If torchvision is not installed.
        """
        if X.ndim != 4 or X.shape[1] not in (1, 3):
            raise DataError(
                f"features='inception' needs images (n, channels, height, width) of 1 or 3 channels, not {X.shape}: "
                "choose 'pca' or 'classifier'."
            )
        self.lowest, self.range = float(X.min()), float(X.max() - X.min()) or 1.0
        self.network = self._network(weights_path())

    def raw(self, X: np.ndarray) -> np.ndarray:
        """Return the features (m, 2048) of images (m, channels, height, width)."""
        return self._outputs(X)[0]

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """Return the probabilities (m, 1000) of the classes of ImageNet."""
        logits = self._outputs(X)[1].astype(np.float64)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def _outputs(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return features and logits of images."""
        import torch
        from torch.nn.functional import interpolate

        head, features, logits = self.network.fc, [], []
        mean, deviation = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (_MEAN, _DEVIATION))
        self.network.fc = torch.nn.Identity()
        try:
            with torch.inference_mode():
                for start in range(0, len(X), _BATCH):
                    pixels = (X[start : start + _BATCH] - self.lowest) / self.range
                    images = torch.from_numpy(np.ascontiguousarray(pixels, dtype=np.float32))
                    images = images.expand(-1, 3, -1, -1)
                    resized = interpolate(images, (_SIDE, _SIDE), mode="bilinear", antialias=True)
                    features.append(self.network((resized - mean) / deviation))
                    logits.append(head(features[-1]))
        finally:
            self.network.fc = head
        return torch.cat(features).numpy(), torch.cat(logits).numpy()

    def _network(self, path: Path) -> Any:
        try:
            from torchvision.models import inception_v3
        except ImportError as exc:
            raise MissingPackageError("features='inception'", ["torchvision"]) from exc
        import torch

        network = inception_v3(weights=None, init_weights=False, transform_input=False)
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        return network.eval()
