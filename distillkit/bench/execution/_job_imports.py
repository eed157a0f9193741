"""Names the modules that may be imported in advance for a job."""

from __future__ import annotations

from collections.abc import Iterable

from distillkit.bench.execution._rows import metric_name
from distillkit.plugins import get_manager
from distillkit.plugins._record import OWN

__all__ = ["job_imports"]


def job_imports(kind: str, name: str, metrics: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the modules that may be imported in advance for a job.

    These are the modules of built-in targets and the packages that a built-in method or evaluator
    requires, or an own one of the same class. Modules of plugins are imported only in the child of
    their own job, because importing them may have any effect.
    """
    manager = get_manager()
    used = [(kind, name), *(("metric", metric_name(metric)) for metric in metrics)]
    builtin = [manager.get(*each) for each in used if manager.provider(*each).dist == "distillkit"]
    known = manager.provider(kind, name).dist in ("distillkit", OWN)
    requires = manager.get(kind, name).requires if known else ()
    return (*requires, *sorted({spec.target.partition(":")[0] for spec in builtin if isinstance(spec.target, str)}))
