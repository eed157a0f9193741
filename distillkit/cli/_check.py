"""The command ``distillkit check``, which checks what a plugin provides against its contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from distillkit.cli._check_targets import CheckTarget, targets_of, usage_error
from distillkit.cli._completion import Name
from distillkit.cli._options import data_root_option, plugin_option

if TYPE_CHECKING:
    from distillkit.testing._runner import CheckResult

__all__ = ["check"]


@click.command("check")
@click.argument(
    "words",
    metavar="[KIND] NAME|PATH",
    nargs=-1,
    type=Name("method", "dataset", "metric", "evaluator", "reporter", "executor", "plugin", files=True),
)
@click.option("--skip", multiple=True, metavar="CHECK", help="Leave out a check, such as scale (may be repeated).")
@click.option("--param", "-p", "params", multiple=True, metavar="NAME=VALUE", help="Parameter or option, as TOML.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON, for programs.")
@data_root_option
@plugin_option
def check(
    words: tuple[str, ...], skip: tuple[str, ...], params: tuple[str, ...], as_json: bool, data_root: Path | None
) -> None:
    """Check a method, dataset, metric, evaluator, reporter or executor against its contract.

    NAME is that of anything registered, or of a plugin, all of whose things are checked then. PATH
    is a Python file with hooks, or the folder of a package. KIND is needed only if several things
    have the name.

    All kinds: the registration, the docstring, and that the specification can be sent to other
    processes. Methods: budgets, shapes, types, labels, weights, seeds, pickling, bad input.
    Datasets: shapes, units, labels, splits, and test rows among the training rows. Evaluators: that
    they learn, seeds, weights. Metrics: invariances and graded corruption. Reporters: their files.
    Executors: that each group runs once, jobs and interrupts.

    The exit status is 1 if a check fails; the message says how to mend it. Parameters that make a
    costly method or metric quick can be given with --param.

    Example: distillkit check metric mmd

    Example: distillkit check ./distillkit-my-method
    """
    from distillkit.cli._distill import parse_params

    if (error := usage_error(words)) is not None:
        raise error
    targets, options = targets_of(words), parse_params(params)
    outcomes = [(target, _results(target, skip, options, data_root)) for target in targets]
    if as_json:
        about = [{"kind": target.kind, "subject": target.name} for target, _ in outcomes]
        listed = [one | vars(result) for one, (_, results) in zip(about, outcomes, strict=True) for result in results]
        click.echo(json.dumps(listed, indent=1))
    else:
        for target, results in outcomes:
            _print(target, results, several=len(outcomes) > 1)
    if not all(result.passed for _, results in outcomes for result in results):
        raise click.exceptions.Exit(1)


def _results(
    target: CheckTarget, skip: tuple[str, ...], options: dict[str, Any], root: Path | None
) -> list[CheckResult]:
    from distillkit.testing._conformance import left_out, spec_results

    names = [f"check_{each.removeprefix('check_')}" for each in skip]
    results = spec_results(target.spec, names, options={**target.preset, **options}, root=root)
    return results + left_out(target.kind, target.name)


def _print(target: CheckTarget, results: list[CheckResult], *, several: bool) -> None:
    if several:
        click.echo(f"{target.kind} {target.name}")
    for result in results:
        click.echo(f"{'ok    ' if result.passed else 'FAILED'} {result.name.removeprefix('check_')}: {result.text}")
    failed = sum(not result.passed for result in results)
    click.echo(f"{target.name}: {len(results) - failed} of {len(results)} checks passed")
