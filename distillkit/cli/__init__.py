"""The command line interface of distillkit.

Importing it loads only click; each command imports its dependencies when it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Run the command line; an error is printed as one line on stderr and sets the exit status.

    The status is 2 for wrong usage and errors of distillkit, 130 for an interrupt, and 1 for
    unexpected errors.
    """
    import warnings

    import click

    from distillkit.cli._group import cli
    from distillkit.exceptions import DistillkitError

    warnings.showwarning = _show_warning(warnings.showwarning)
    try:
        status = cli.main(prog_name="distillkit", standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except DistillkitError as exc:
        _stop(str(exc), 2)
    except (click.Abort, KeyboardInterrupt):
        _stop("interrupted; a run goes on where it stopped when the same command is given again.", 130)
    except Exception as exc:  # A bug of distillkit or of a plugin; the traceback is shown on request.
        if os.environ.get("DISTILLKIT_TRACEBACK"):
            raise
        _stop(
            f"unexpected {type(exc).__name__}: {exc} (set DISTILLKIT_TRACEBACK=1 to see where, and please report it)", 1
        )
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _stop(message: str, status: int) -> None:
    print(f"distillkit: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)


def _show_warning(default: Callable[..., None]) -> Callable[..., None]:
    """Return a `showwarning` that prints distillkit's warnings without the source line."""
    from distillkit.exceptions import DistillkitWarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
        if issubclass(category, DistillkitWarning):
            print(f"distillkit: warning: {' '.join(str(message).split())}", file=sys.stderr)
        else:
            default(message, category, *place, **options)

    return show
