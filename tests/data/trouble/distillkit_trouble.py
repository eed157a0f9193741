"""A plugin with methods, data and models that misbehave on request; what does not is cheap and predictable."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from distillkit import hookimpl
from distillkit.specs import DatasetSpec, EvaluatorSpec, MethodSpec, MetricSpec


def fail():
    raise ValueError("first line\n   second line")


def interrupt():
    raise KeyboardInterrupt


def segfault():
    sys.stderr.write("last words\n")
    sys.stderr.flush()
    ctypes.string_at(0)


def eat():
    hoard = []
    while True:
        hoard.append(np.ones(4_000_000))  # 32 MB, every page touched
        time.sleep(0.02)


def wait(hold, pid_file=None):
    """Wait as long as the file `hold` exists."""
    if pid_file:
        Path(pid_file).write_text(str(os.getpid()))
    while Path(hold).exists():
        time.sleep(0.02)


def leave_child(pid_file, hold=""):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(pid_file).write_text(str(child.pid))
    if hold:
        wait(hold)


def feed_child():
    """Let a child of this process hold 300 MB for a while."""
    subprocess.run([sys.executable, "-c", "import time; food = b'x' * 300_000_000; time.sleep(0.7)"], check=True)


def escape(pid_file, hold="", then="", size=0):
    """Start a process of an empty environment and a session of its own, whose parent ends at once."""
    script = (
        "import os, sys, time; os.setsid(); food = b'x' * int(sys.argv[2]); "
        "open(sys.argv[1] + '.part', 'w').write(str(os.getpid())); os.rename(sys.argv[1] + '.part', sys.argv[1]); "
        "time.sleep(600)"
    )
    if os.fork() == 0:
        if os.fork() == 0:
            os.execve(sys.executable, [sys.executable, "-c", script, pid_file, str(size)], {})  # noqa: S606
        os._exit(0)
    os.wait()
    while not Path(pid_file).exists():
        time.sleep(0.01)
    if hold:
        wait(hold)
    WAYS[then]()


def change_group(hold, pid_file):
    """Join the process group of the parent, and wait."""
    os.setpgid(0, os.getpgid(os.getppid()))
    wait(hold, pid_file)


def share(size, seconds=0.6):
    """Share memory with four forked workers."""
    food = b"x" * size
    workers = [os.fork() for _ in range(4)]
    if 0 in workers:
        len(food.strip(b"y"))
        time.sleep(seconds)
        os._exit(0)
    for pid in workers:
        os.waitpid(pid, 0)


def flood(size, told):
    """Write much to standard error, and tell how large its file became."""
    largest = 0
    for _ in range(size // 1_000_000):
        os.write(2, b"x" * 999_999 + b"\n")
        largest = max(largest, os.fstat(2).st_size)
        time.sleep(0.005)
    Path(told).write_text(str(largest))


def fill(size):
    """Write a temporary file, and say on standard error how it went."""
    with tempfile.TemporaryFile() as file:
        for _ in range(0, size, 4096):
            file.write(b"x" * 4096)
        file.flush()


def fill_and_die(size):
    """Fill the temporary folder, and die without a word."""
    with contextlib.suppress(OSError), Path(tempfile.mkstemp()[1]).open("wb", buffering=0) as file:
        while size > 0:
            size -= file.write(b"x" * 4096)
        os._exit(3)
    os._exit(4)


def rant(size):
    raise ValueError("begin" + "x" * size + "end")


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def fail_silently():
    raise UnspeakableError


def shout(size):
    for _ in range(size // 1000):
        sys.stderr.write("x" * 999 + "\n")


def shout_and_die(size):
    shout(size)
    os._exit(1)


def tell(file):
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    Path(file).write_text(" ".join(os.environ[name] for name in names))


def tell_place(file, module):
    """Tell where this process is, and import a module."""
    __import__(module)
    Path(file).write_text(f"{Path.cwd()} {os.environ.get('DISTILLKIT_TEST_VALUE')}")


WAYS = {
    "": lambda: None,
    "raise": fail,
    "exit": lambda: sys.exit("bye"),
    "interrupt": interrupt,
    "_exit": lambda: os._exit(7),
    "sigkill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": segfault,
    "allocate": lambda: np.ones(2**50),
    "eat": eat,
    "wait": wait,
    "leave a child": leave_child,
    "feed a child": feed_child,
    "escape": escape,
    "change group": change_group,
    "share": share,
    "flood": flood,
    "fill": fill,
    "fill and die": fill_and_die,
    "rant": rant,
    "unspeakable": fail_silently,
    "shout": shout,
    "shout and die": shout_and_die,
    "tell": tell,
    "tell place": tell_place,
}


def load_tiny(root, how="", n=24, **options):
    """Two clusters far apart: any sensible method and model get every row right."""
    from distillkit.datasets import Dataset

    WAYS[how](**options)
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = (10 * y[:, None] + rng.normal(size=(n, 3))).astype(np.float32)
    test = slice(None, None, 3)
    return Dataset("tiny", "classification", "table", X, y, X[test] + np.float32(0.1), y[test], classes=("a", "b"))


class First:
    """The first rows of each class; no scikit-learn, which takes a second to import."""

    def __init__(self, budget=1, how="", log=None, hold=None, pid_file=None, random_state=None):
        self.budget, self.how, self.log = budget, how, log
        self.hold, self.pid_file, self.random_state = hold, pid_file, random_state

    def get_params(self, deep=True):
        return dict(vars(self))

    def fit(self, X, y):
        from distillkit.budget import Budget
        from distillkit.distilled import DistilledSet

        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{self.budget} {self.random_state}\n")
        WAYS[self.how](**{"hold": self.hold, "pid_file": self.pid_file} if self.hold else {})
        labels, counts = np.unique(y, return_counts=True)
        quotas = Budget(self.budget).per_class(dict(zip(labels.tolist(), counts.tolist(), strict=True)))
        picks = np.concatenate([np.flatnonzero(y == label)[:size] for label, size in quotas.items()])
        self.distilled_ = DistilledSet(X[picks], y[picks], indices=picks, provenance={"stopped_by": "max_iter"})
        return self


def misbehaving(way):
    """Return a method of fixed size that misbehaves."""

    class Method(First):
        def __init__(self):
            super().__init__(how=way)

        def get_params(self, deep=True):
            return {}

    return Method


class WrongRows(First):
    """Leaves rows that lack a column."""

    def fit(self, X, y):
        return super().fit(X[:, 1:], y)


class Shrunk:
    """A model that cuts the first column at its middle, taught by one that is of another mind on the first row; reduces no rows."""

    n_parameters_teacher_, n_parameters_student_, latency_ratio_, stopped_by_ = 60, 20, 3.5, "max_iter"
    seconds_teacher_, seconds_student_ = 0.75, 0.25

    def __init__(self, how="", late="", log=None, random_state=None):
        self.how, self.late, self.log, self.random_state = how, late, log, random_state

    def get_params(self, deep=True):
        return dict(vars(self))

    def fit(self, X, y):
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{self.random_state}\n")
        WAYS[self.how]()
        self.middle = X[:, 0].mean()
        return self

    def predict(self, X):
        WAYS[self.late]()
        return (X[:, 0] > self.middle).astype(int)

    def predict_teacher(self, X):
        labels = self.predict(X)
        labels[0] = 1 - labels[0]
        return labels


class Bare:
    """No more than a model that is made small needs: it is fitted, and predicts."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def get_params(self, deep=True):
        return dict(vars(self))

    def fit(self, X, y):
        self.label = np.bincount(y).argmax()

    def predict(self, X):
        return np.full(len(X), self.label)


class Nearest:
    """The class whose mean is nearest."""

    def __init__(self, task, random_state, how=""):
        self.task, self.random_state, self.how = task, random_state, how

    def fit(self, X, y):
        WAYS[self.how]()
        self.labels = np.unique(y)
        self.means = np.stack([X[y == label].mean(axis=0) for label in self.labels])

    def predict(self, X):
        return self.labels[((X[:, None] - self.means) ** 2).sum(axis=2).argmin(axis=1)]


def right(y_true, y_pred):
    return np.mean(y_true == y_pred)


def broken(y_true, y_pred):
    raise ZeroDivisionError(f"{len(y_true)} rows, {len(y_pred)} predictions")


def farthest(X, y, distilled, random_state):
    return float(np.abs(X).max())


@hookimpl
def distillkit_datasets():
    return [DatasetSpec(name="tiny", target=load_tiny, task="classification", modality="table")]


@hookimpl
def distillkit_methods():
    ways = {"raises": "raise", "dies": "segfault", "eats": "eat"}
    return [
        MethodSpec(name="first", target=First, presets={"logged": {"log": "log.txt"}}),
        *(MethodSpec(name=name, target=misbehaving(way), budgeted=False) for name, way in ways.items()),
        MethodSpec(name="wrong-rows", target=WrongRows),
        MethodSpec(name="far-off", target="nowhere:Thing", requires=("no_such_package",)),
        MethodSpec(name="shrunk", target=Shrunk, reduces="model", kind="knowledge"),
        MethodSpec(name="bare", target=Bare, reduces="model", modalities=frozenset({"table"})),
        MethodSpec(name="numbers-only", target=First, tasks=frozenset({"regression"})),
        MethodSpec(name="pictures-only", target=First, modalities=frozenset({"image"})),
    ]


@hookimpl
def distillkit_evaluators():
    return [EvaluatorSpec(name="nearest", target=Nearest, tasks=frozenset({"classification"}))]


@hookimpl
def distillkit_metrics():
    task = frozenset({"classification"})
    return [
        MetricSpec(name="right", target=right, stage="prediction", tasks=task),
        MetricSpec(name="broken", target=broken, stage="prediction", tasks=task),
        MetricSpec(name="farthest", target=farthest, stage="data"),
    ]
