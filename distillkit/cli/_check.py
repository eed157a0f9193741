"""The command ``distillkit check``, which checks what is registered against its contract."""

from __future__ import annotations

import json

import click

from distillkit.cli._completion import Name

__all__ = ["check"]


@click.group("check")
def check() -> None:
    """Check a registered metric against what it has to fulfil.

    Example: distillkit check metric mmd
    """


@check.command("metric")
@click.argument("name", type=Name("metric"))
@click.option("--skip", multiple=True, metavar="CHECK", help="Leave out a check, such as scale (may be repeated).")
@click.option("--param", "-p", "params", multiple=True, metavar="NAME=VALUE", help="Option of the metric, as TOML.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON, for programs.")
def check_metric(name: str, skip: tuple[str, ...], params: tuple[str, ...], as_json: bool) -> None:
    """Run invariances and graded corruption on the metric NAME.

    The order of rows, their units and their types must not matter, NaN must be refused, and worse
    sets or predictions must have worse values. The exit status is 1 if a check fails; the message
    says how to mend it. The metric is called about a hundred times; options that make a costly one
    quick can be given with --param.

    Example: distillkit check metric mmd
    """
    from distillkit.cli._distill import parse_params
    from distillkit.testing.metrics._run import metric_results

    names = [f"check_{each.removeprefix('check_')}" for each in skip]
    try:
        results = metric_results(name, names, options=parse_params(params))
    except ValueError as exc:  # A metric of a stage without checks.
        raise click.UsageError(str(exc)) from exc
    if as_json:
        click.echo(json.dumps([vars(result) for result in results], indent=1))
    else:
        for result in results:
            click.echo(f"{'ok    ' if result.passed else 'FAILED'} {result.name.removeprefix('check_')}: {result.text}")
        failed = sum(not result.passed for result in results)
        click.echo(f"{name}: {len(results) - failed} of {len(results)} checks passed")
    if not all(result.passed for result in results):
        raise click.exceptions.Exit(1)
