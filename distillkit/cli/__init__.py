"""The command line interface of distillkit.

Importing it loads only click; each command imports its dependencies when it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Run the command line; an error is printed as one line on stderr and sets the exit status.

    The status is 2 for wrong usage and errors of distillkit, 128 plus its number for a signal
    (130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP), and 1 for unexpected errors, for output that
    cannot be written and where a command says so.
    """
    import warnings

    from distillkit.cli._signals import stop_on_signals
    from distillkit.cli._streams import sturdy_streams

    with sturdy_streams() as output:
        warnings.showwarning = _show_warning(warnings.showwarning)
        with stop_on_signals():
            message, status = _run_command()
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        if output.error is not None and status == 0:
            message, status = f"part of the output is missing: standard output cannot be written: {output.error}.", 1
        if message:
            print(f"distillkit: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)


def _run_command() -> tuple[str, int]:
    """Run the command of the arguments and return a message, if there is one, and the status."""
    import click

    from distillkit.cli._group import cli
    from distillkit.cli._signals import explain_stop
    from distillkit.exceptions import DistillkitError

    try:
        status = cli.main(prog_name="distillkit", standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        return "", exc.exit_code
    except DistillkitError as exc:
        return str(exc), 2
    except (click.Abort, KeyboardInterrupt) as exc:
        return explain_stop(exc)
    except SystemExit:
        raise
    except BaseException as exc:  # A bug of distillkit or of a plugin; the traceback is shown on request.
        if os.environ.get("DISTILLKIT_TRACEBACK"):
            raise
        return (
            f"unexpected {type(exc).__name__}: {exc} (set DISTILLKIT_TRACEBACK=1 to see where, and please report it)",
            1,
        )
    else:
        return "", status if isinstance(status, int) else 0


def _show_warning(default: Callable[..., None]) -> Callable[..., None]:
    """Return a `showwarning` that prints distillkit's warnings without the source line."""
    from distillkit.exceptions import DistillkitWarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
        if issubclass(category, DistillkitWarning):
            print(f"distillkit: warning: {' '.join(str(message).split())}", file=sys.stderr)
        else:
            default(message, category, *place, **options)

    return show
