"""
Measure a distilled set of satellite images
===========================================

How near is a small set to the data that it stands for? Each distance answers in its own unit, so
that a number alone says little. Beside the distances of random training rows, and of real rows
that were held out, it says whether a set is better than chance, and where it is worse.
"""

import os
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from distillkit import DistilledSet, GradientMatchingDistiller, plot_rows
from distillkit.datasets import load_dataset
from distillkit.metrics import (
    Reference,
    floors,
    gradient_similarity,
    js_targets,
    mmd,
    wasserstein,
)

# %%
# Land cover seen by a satellite, ten classes of 70 training images in three colors. The archive
# is not part of the package: the page takes it from the data folder, and the digits of
# scikit-learn where it is not there. Images of 16 x 16 pixels keep this page short.

folder = Path(os.environ.get("DISTILLKIT_DATA", "."), "eurosat-subset").absolute()
if (folder / "train.tar").is_file():
    parts = {"path": str(folder / "train.tar"), "test_path": str(folder / "test.tar")}
    data = load_dataset("image-tar", **parts, size=16).as_float()
else:
    data = load_dataset("digits").as_float()
X, y = data.X_train, data.y_train
if X.ndim == 2:
    X = X.reshape(-1, 1, 8, 8) / 16
print(X.shape, "images,", len(data.classes), "classes")

# %%
# Gradient matching makes five images of each class. It starts from k-means and needs some
# hundred steps for a good set; twenty keep this page short.

distiller = GradientMatchingDistiller(budget=5, width=16, max_iter=20, random_state=0)
small = distiller.fit(X, y).distilled_
plot_rows(small)
plt.show()

# %%
# Four questions, each with the metric that answers it. The first compares the activations of a
# small network that learned the classes from the training images. The second sees nothing but
# the mean brightness of each image, in the units of the pixels. The third compares the shares of
# the classes, and the last one the gradients of the same loss on both sets. A reference keeps what
# the metrics compute from the training images alone, such as this network, for all sets.

reference = Reference(X, y)


def brightness(images):
    """Return the mean brightness of each image, shape (n, 1)."""
    return images.reshape(len(images), -1).mean(axis=1, keepdims=True)


def measure(small):
    """Return each metric of a set with its floors."""
    levels = DistilledSet(brightness(small.X), small.y, sample_weight=small.sample_weight)
    of_gradients = partial(gradient_similarity, checkpoints=(0, 20), n_networks=1)
    return {
        "features: MMD": floors(
            partial(mmd, features="classifier"), reference, None, small, draws=5
        ),
        "brightness: Wasserstein": floors(wasserstein, brightness(X), y, levels, draws=5),
        "class shares: JS": floors(js_targets, reference, None, small, draws=5),
        "gradients: cosine": floors(of_gradients, reference, None, small, draws=5),
    }


def in_words(name, found):
    """Say how a value lies to that of held-out rows."""
    if abs(found.z or 0.0) < 2:
        return "as real rows that were held out"
    nearer = (found.value > found.fresh[0]) == name.startswith("gradients")
    return "nearer than held-out rows" if nearer else "farther than held-out rows"


def show(found):
    """Print a line for each metric."""
    print(f"{'':24} {'set':>7} {'picked':>7} {'held out':>16} {'z':>6}")
    for name, each in found.items():
        fresh = f"{each.fresh[0]:8.4f} ± {each.fresh[1]:.4f}"
        z = "" if each.z is None else f"{each.z:6.1f}"
        print(
            f"{name:24} {each.value:7.4f} {each.picked[0]:7.4f} {fresh:>16} {z:>6}  {in_words(name, each)}"
        )


show(measure(small))

# %%
# The class shares are exact by construction, so that set and floor agree: five images of each
# class, and weights that sum to the training rows. Picked rows are compared with all training
# rows, themselves included, which makes them look nearer than any unseen row can be.
#
# Now the same images, brighter by a tenth of the range, as if another sensor had taken them.
# The Wasserstein distance of the brightness is about that tenth, and the others say what this
# does to a network. The shares of the classes see nothing.

brighter = DistilledSet(small.X + np.float32(0.1), small.y, sample_weight=small.sample_weight)
show(measure(brighter))

# %%
# And the first set without the images of one class. The random sets beside it lack that class as
# well, so that the shares are judged by their value: 0 for equal shares, 0.69 for sets that have
# no class in common.

rest = small.y != small.y[0]
fewer = DistilledSet(small.X[rest], small.y[rest], sample_weight=small.sample_weight[rest])
print(
    f"class shares: JS {js_targets(reference, None, fewer):.4f}, before {js_targets(reference, None, small):.4f}"
)
