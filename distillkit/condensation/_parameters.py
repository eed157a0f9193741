"""Texts of the parameters that several condensers share, and the headings of their groups."""

from __future__ import annotations

__all__ = ["HEADINGS", "PARAMETERS"]

HEADINGS = (
    "What is matched",
    "Network",
    "Start and rows",
    "Steps and time",
    "Validation",
    "Resources",
)
"""Lines that divide the parameters of a condenser in its docstring, in this order."""

_OBJECTIVE = {
    "real_batch": """\
real_batch : int or None, default=None
    Training rows of each class that are drawn per visit of a network. None takes {{real_rows}}, or
    {{real_numbers}} for a continuous target. The literature draws 256 per class, which costs
    correspondingly more and changes little.
""",
    "real_draw": """\
real_draw : {"random", "clusters"}, default="random"
    How real rows are drawn. "random" draws uniformly. "clusters" divides each class by k-means
    once and draws the same share from every cluster, so that the mean over a batch strays less from
    the mean over the class; choose it where `real_batch` is small.
""",
    "augment": """\
augment : "auto", sequence of str or None, default=None
    Random changes of images; see `distillkit.nn.Augmentation` for the names. "auto" takes the
    literature's choice for images and none for other rows.
""",
}

_NETWORK = {
    "network": """\
network : {"auto", "mlp", "convnet", "convnet1d", "lenet", "resnet18"} or callable, default="auto"
    "auto" takes an MLP for tables and for images of fewer than 8 pixels a side, a 1-D ConvNet for
    series and a ConvNet for larger images. Choose the kind of network that will be trained on the
    rows. A callable of (shape, n_outputs) returns a torch module.
""",
    "width": """\
width : int or None, default=None
    Channels of a ConvNet. None takes {{default_width}}. Time and memory grow with it; rows made
    with a narrow network serve wider ones, too.
""",
    "depth": """\
depth : int or None, default=None
    Blocks of a ConvNet. None takes three, or fewer where the rows are small: as many as leave the
    last norm 4x4 pixels, or 16 steps of time.
""",
    "hidden": """\
hidden : sequence of int or None, default=None
    Units of the hidden layers of an MLP. None takes {{default_hidden}}.
""",
    "norm": """\
norm : {"instance", "none"}, default="instance"
    Normalization in each block of a ConvNet. Choose that of the network that will be trained on
    the rows.
""",
    "pad": """\
pad : bool, default=False
    Whether a ConvNet pads images of 28x28 pixels to 32x32, as the literature does. Without padding
    the network sees fewer pixels, so that steps are faster; leave it off unless published settings
    are to be repeated.
""",
}

_ROWS = {
    "init": """\
init : {"kmeans", "mean", "real", "noise"}, name of a method, or distiller, default="kmeans"
    The rows to start from. "kmeans" takes the centroids of k-means in each class (the mean of the
    class for one row), "mean" the means of random parts of a class, "real" random training rows,
    and "noise" standard normal numbers. A continuous target is clustered together with the
    features, averaged over parts between its quantiles, taken with the row, or set to its
    quantiles.
    Any other method can make the first rows at the same budget: give its registered name, such as
    ``init="uncertainty:hard-fifth"``, or a distiller, such as
    ``init=KMeansCoreset(representative="member")``, which is cloned. Where its `random_state` is
    None, it is seeded from that of the condenser.
""",
    "downscale": """\
downscale : int, default=1
    Factor by which the sides of the stored images or series are smaller than those of the rows,
    which are interpolated from them. With 2, four images take the bytes of one, so that
    ``budget=40, downscale=2`` takes the bytes of ``budget=10``. (The literature calls this
    multi-formation and counts the four images as one.)
""",
    "task": """\
task : {"auto", "classification", "regression"}, default="auto"
    See `BaseDistiller`.
""",
    "lr_normalized": """\
lr : float or None, default=None
    Step size, in standard deviations of the data. Gradients are divided by their running root mean
    square over all rows, so that the best step size does not depend on the scale of the loss: an
    update moves the rows by about ``lr / (1 - momentum)`` at most. None takes 0.05.
""",
    "lr_adam": """\
lr : float, default=0.01
    Learning rate of Adam for the rows, in standard deviations of the data.
""",
    "momentum": """\
momentum : float, default=0.5
    Momentum of the gradient descent on the rows, in [0, 1).
""",
    "schedule": """\
schedule : {"constant", "linear"}, default="constant"
    How the learning rates of the rows change over a fit. "linear" lets them fall to zero by the
    update `max_iter`, or, where `max_seconds` will end the fit before it, by the end of the time
    (from half of the time on). Where `max_seconds` alone ends the fit, they follow the clock.
""",
    "target_lr": """\
target_lr : float or None, default=None
    Step size for continuous targets, in their standard deviations. None keeps the targets of the
    start.
""",
    "learn_labels": """\
learn_labels : {"auto"} or bool, default="auto"
    Whether targets are optimized with the rows. Class labels become probabilities in
    ``soft_labels_``, beside the labels they started from. "auto" learns continuous targets, which
    take no more room for it, and keeps class labels as they are.
""",
    "label_lr": """\
label_lr : float, default=0.01
    Learning rate of Adam for learned targets: for the logits of classes, or for numbers in their
    standard deviations.
""",
    "clip_rms": """\
clip_rms : float or None, default={{default}}
    Gradient clipping: the largest root mean square that the gradient of one synthetic row may have.
    A larger gradient is scaled down to it. None does not clip.
""",
    "average": """\
average : float, default={{default}}
    Decay of a running mean of the rows over the updates, in [0, 1). The running mean, which is less
    noisy than the rows themselves, is what is validated and returned; 0 returns the rows.
""",
    "clip": """\
clip : bool, default=False
    Whether rows are held in the range of the training rows: that of each column of a table, or that
    of all values of images and series. By default they are free, as in the literature. Where X
    holds integers, the result is rounded and held within the integer type in any case.
""",
}

_STEPS = {
    "max_iter": """\
max_iter : int or None, default=None
    Updates of the rows at most. None takes {{_default_max_iter}}, or no limit where `max_seconds`
    is given, which then ends the fit alone. Of two limits, the one that is reached first ends it.
""",
    "max_seconds": """\
max_seconds : float or None, default=None
    Wall-clock budget of the fit in seconds, checked after each update. At least one update is done.
    None sets no limit.
""",
    "tol": """\
tol : float, default=1e-3
    Smallest relative fall of the {{monitored}} that counts as progress.
""",
    "patience": """\
patience : int, "auto" or None, default="auto"
    Updates without progress after which the rows have converged, which ends the fit. "auto" takes
    {{_default_patience}}, or None where `max_seconds` alone ends the fit (see `max_iter`). None
    never stops early.
""",
    "record_every": """\
record_every : int, default={{default}}
    Updates per entry of `history_`.
""",
}

_VALIDATION = {
    "validation_fraction": """\
validation_fraction : float or None, default=None
    Share of the training rows of each class that is held out for early stopping. Every
    `validation_every` updates a network is trained on the synthetic rows and scored on those held
    out (accuracy, or R2). The rows of the best score are returned, and `patience` counts the
    updates since then. None holds out nothing and goes by the smoothed loss.
""",
    "validation_every": """\
validation_every : int, default={{default}}
    Updates between two validations, rounded up to whole entries of `history_`.
""",
}

_RESOURCES = {
    "precision": """\
precision : {"auto", "float32", "bfloat16"}, default="auto"
    "auto" is bfloat16 for images where the processor supports it, and float32 otherwise.
""",
    "checkpoint": """\
checkpoint : path-like or None, default=None
    File that the run is written to now and then and at its end, and resumed from where it exists.
    With the same data and settings the result equals that of an uninterrupted run. Seconds and
    updates of earlier parts count; raise `max_iter` or `max_seconds` to go on with a run that has
    ended.
""",
    "on_interrupt": """\
on_interrupt : {"raise", "return"}, default="raise"
    What Ctrl-C does: "raise" ends the fit with KeyboardInterrupt, "return" ends it with the best
    rows so far (``stopped_by="interrupted"``).
""",
    "device": """\
device : str, default="auto"
    Where torch computes: "cpu", "cuda" or another name that torch knows. "auto" takes a GPU where
    there is one.
""",
    "processes": """\
processes : "auto" or None, default="auto"
    Which processes share the fit. "auto" takes those of the group that `torch.distributed` was
    initialized with, if there is one, as in a script that ``torchrun`` starts: each process matches
    its share of the classes, all of them must call `fit` with the same data and parameters, and all
    get the same result, which is that of one process up to rounding. None fits in each process on
    its own.
""",
    "verbose": """\
verbose : bool, default=False
    Whether to show the progress of `fit`; see `BaseDistiller`.
""",
    "random_state": """\
random_state : int, RandomState instance or None, default=None
    Fixes everything random; see `BaseDistiller`.
""",
    "max_norm": """\
max_norm : float or None, default="deprecated"
    Former name of `clip_rms`, which it overrides where it is given, with a FutureWarning. It will
    be removed in version 0.3.
""",
}

PARAMETERS = {
    "budget": """\
budget : int, float or dict, default=0.1
    Rows to make, in all or per class; see `BaseDistiller`.
""",
    **_OBJECTIVE,
    **_NETWORK,
    **_ROWS,
    **_STEPS,
    **_VALIDATION,
    **_RESOURCES,
}
"""Texts of the parameters by name, for `distillkit.utils._docstrings.fill_docstring`."""
