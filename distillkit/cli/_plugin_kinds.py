"""The kinds of plugin packages that ``distillkit new-plugin`` can write."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PLUGIN_KINDS", "PluginKind"]

_SUITE = "In a suite:\n\n```toml\n{}\n```"


@dataclass(frozen=True)
class PluginKind:
    """What distinguishes the packages of one kind; the templates hold their code.

    Parameters
    ----------
    registry_kind : str
        The kind by which the plugin manager knows what the package provides.
    spec : str
        Class of the specification that the package returns.
    object_name : str
        Pattern of the name of the class or function, with ``words`` in snake case and ``Words`` in
        camel case.
    file : str
        Name of its module, without the suffix.
    fields : tuple of str
        Further fields of the specification, as code.
    needs : tuple of str
        Requirements of the package besides distillkit.
    replace : str
        What the author replaces by his own.
    usage : str
        The part of the README on how to use it, a template.
    """

    registry_kind: str
    spec: str
    object_name: str
    file: str
    fields: tuple[str, ...]
    needs: tuple[str, ...]
    replace: str
    usage: str

    @property
    def hook(self) -> str:
        """The hook that the package implements."""
        return f"distillkit_{self.registry_kind}s"


PLUGIN_KINDS = {
    "method": PluginKind(
        registry_kind="method",
        spec="MethodSpec",
        object_name="{Words}Coreset",
        file="_coreset",
        fields=('kind="coreset"', 'summary="Rows of each class nearest to its mean"', "deterministic=True"),
        needs=("numpy>=1.26", "scikit-learn>=1.7"),
        replace="the rule in `_distill`",
        usage=(
            "```python\nfrom $module import $object\n\n"
            "small = $object(budget=10).fit(X, y)      # 10 rows per class\n"
            "small.X_distilled_, small.y_distilled_, small.sample_weight_\n```\n\n"
            + _SUITE.format('methods = ["random", "kmeans", "$name"]')
        ),
    ),
    "dataset": PluginKind(
        registry_kind="dataset",
        spec="DatasetSpec",
        object_name="load_{words}",
        file="_dataset",
        fields=(
            'task="classification"',
            'modality="table"',
            'summary="Points of two interleaved half circles"',
            'license="CC0-1.0"',
        ),
        needs=("numpy>=1.26", "scikit-learn>=1.7"),
        replace="the drawing of the rows",
        usage=(
            "```python\nfrom distillkit.datasets import load_dataset\n\n"
            'data = load_dataset("$name", noise=0.2)\n```\n\n'
            + _SUITE.format('datasets = ["digits", { name = "$name", noise = 0.2 }]')
        ),
    ),
    "metric": PluginKind(
        registry_kind="metric",
        spec="MetricSpec",
        object_name="{words}_score",
        file="_metric",
        fields=(
            'stage="prediction"',
            'tasks=frozenset({"classification"})',
            "value_range=(0.0, 1.0)",
            'summary="Geometric mean of the recalls of all classes"',
        ),
        needs=("numpy>=1.26", "scikit-learn>=1.7"),
        replace="the formula",
        usage="The metric is a column of each leaderboard of a suite that names no metrics. "
        + _SUITE.format('metrics = ["accuracy", "$name"]'),
    ),
    "evaluator": PluginKind(
        registry_kind="evaluator",
        spec="EvaluatorSpec",
        object_name="make_{words}",
        file="_evaluator",
        fields=('summary="Extremely randomized trees"', 'presets={"large": {"n_estimators": 500}}'),
        needs=("numpy>=1.26", "scikit-learn>=1.7"),
        replace="the model and its settings",
        usage=_SUITE.format('evaluators = ["logistic", "$name", { name = "$name:large" }]'),
    ),
    "reporter": PluginKind(
        registry_kind="reporter",
        spec="ReporterSpec",
        object_name="write_{words}",
        file="_reporter",
        fields=('extension="json"', 'summary="One JSON object for each entry of the leaderboard"'),
        needs=("pandas>=2.1",),
        replace="the format",
        usage="Each `distillkit run` writes `$name.json` into the results folder, and so does\n"
        "`distillkit report results/my-suite --format $name`.",
    ),
    "engine": PluginKind(
        registry_kind="executor",
        spec="ExecutorSpec",
        object_name="run_{words}",
        file="_executor",
        fields=('summary="Runs cells in child processes on this machine, the largest groups first"',),
        needs=(),
        replace="the order, or the place where groups run,",
        usage="```console\n$$ distillkit run my-suite.toml --jobs 4 --executor $name\n```",
    ),
}
"""The kinds by the word that ``--kind`` takes."""
