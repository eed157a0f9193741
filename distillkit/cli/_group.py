"""The group of all commands; those of plugins are loaded only when they are needed."""

from __future__ import annotations

import click

from distillkit.cli._check import check
from distillkit.cli._compare import compare
from distillkit.cli._distill import distill
from distillkit.cli._list import list_
from distillkit.cli._merge import merge
from distillkit.cli._new_plugin_command import new_plugin
from distillkit.cli._plan import plan
from distillkit.cli._publish import publish
from distillkit.cli._recommend import recommend
from distillkit.cli._report import report
from distillkit.cli._report_set import report_set
from distillkit.cli._reproduce import reproduce
from distillkit.cli._run import run
from distillkit.cli._show import show
from distillkit.cli._verify import verify
from distillkit.utils._versions import __version__

__all__ = ["cli"]


class _Group(click.Group):
    """A command group that loads the commands of plugins only if no built-in command matches."""

    _plugins_loaded = False

    def _load_plugins(self) -> None:
        if not self._plugins_loaded:
            self._plugins_loaded = True
            from distillkit.plugins import get_manager

            get_manager().add_commands(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load_plugins()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is None:
            self._load_plugins()
            command = super().get_command(ctx, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            from distillkit.exceptions import UnknownNameError

            raise UnknownNameError("command", name, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="distillkit")
def cli() -> None:
    """Distil training sets and models into small ones, and compare the methods on a leaderboard.

    Start with: distillkit run quickstart
    """


for _command in (
    run,
    plan,
    report,
    report_set,
    reproduce,
    verify,
    compare,
    merge,
    publish,
    list_,
    show,
    check,
    distill,
    recommend,
    new_plugin,
):
    cli.add_command(_command)
