"""The parameters of a teacher-student fit and the values that they may take."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from distillkit.knowledge._student_estimator import StudentEstimator

__all__ = ["StudentParameters"]


class StudentParameters(StudentEstimator):
    """Base of `TeacherStudentDistiller` with its parameters, which are documented there."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "teacher": "no_validation",  # checked in fit, with a helpful message
        "student": "no_validation",
        "temperature": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "loss": [StrOptions({"kd", "dkd", "dist", "logit_std", "mse_logits"})],
        "temperature_schedule": [tuple, callable, None],
        "alpha_schedule": [tuple, callable, None],
        "task": [StrOptions({"auto", "classification", "regression"})],
        "teacher_fit": [StrOptions({"if_unfitted", "never", "always"})],
        "teacher_cv": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"}), None],
        "n_labeled": [Interval(Integral, 1, None, closed="left"), None],
        "augment": [StrOptions({"auto", "neighbors"}), None],
        "n_augment": [Interval(Integral, 1, None, closed="left"), None],
        "refit": ["boolean"],
        "control": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "epochs": [Interval(Integral, 1, None, closed="left"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_seconds": [Interval(Real, 0, None, closed="neither"), None],
        "device": [str],
        "verbose": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        teacher: Any = None,
        student: Any = None,
        *,
        temperature: float | str = "auto",
        alpha: float = 0.1,
        loss: str = "kd",
        temperature_schedule: Any = None,
        alpha_schedule: Any = None,
        task: str = "auto",
        teacher_fit: str = "if_unfitted",
        teacher_cv: int | str | None = "auto",
        n_labeled: int | None = None,
        augment: str | None = "auto",
        n_augment: int | None = None,
        control: bool = True,
        validation_fraction: float | None = 0.1,
        refit: bool = True,
        epochs: int | None = None,
        batch_size: int = 256,
        lr: float = 5e-3,
        max_seconds: float | None = None,
        device: str = "auto",
        verbose: bool = False,
        random_state: Any = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.temperature = temperature
        self.alpha = alpha
        self.loss = loss
        self.temperature_schedule = temperature_schedule
        self.alpha_schedule = alpha_schedule
        self.task = task
        self.teacher_fit = teacher_fit
        self.teacher_cv = teacher_cv
        self.n_labeled = n_labeled
        self.augment = augment
        self.n_augment = n_augment
        self.control = control
        self.validation_fraction = validation_fraction
        self.refit = refit
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.max_seconds = max_seconds
        self.verbose = verbose
        self.device = device
        self.random_state = random_state
