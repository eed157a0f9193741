"""The group of commands: built-in ones, then those of plugins, which are loaded only when they are asked for."""

from __future__ import annotations

import click

from distillkit.cli._distill import distill
from distillkit.cli._list import list_
from distillkit.cli._new_plugin_command import new_plugin
from distillkit.cli._plan import plan
from distillkit.cli._report import report
from distillkit.cli._run import run
from distillkit.utils._versions import __version__

__all__ = ["cli"]


class _Group(click.Group):
    """Asks plugins for their commands only where the built-in ones do not suffice."""

    _plugins_asked = False

    def _ask_plugins(self) -> None:
        if not self._plugins_asked:
            self._plugins_asked = True
            from distillkit.plugins import get_manager

            get_manager().add_commands(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._ask_plugins()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is None:
            self._ask_plugins()
            found = super().get_command(ctx, cmd_name)
        return found

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
    """Make a training set small without losing what it teaches, and prove which way is best.

    Start with: distillkit run quickstart
    """


for _command in (run, plan, report, list_, distill, new_plugin):
    cli.add_command(_command)
