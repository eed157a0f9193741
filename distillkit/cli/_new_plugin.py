"""Writes a working plugin package of any kind, small but real, with its tests and README."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from distillkit.cli._plugin_kinds import PLUGIN_KINDS
from distillkit.exceptions import PluginError
from distillkit.utils._versions import __version__

__all__ = ["write_plugin"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_LENGTH = 50

_FILES = {  # written file: template, in the folder of the kind if it starts with "kind/"
    "pyproject.toml": "common/pyproject.toml.tmpl",
    "README.md": "common/README.md.tmpl",
    ".gitignore": "common/gitignore.tmpl",
    "{module}/__init__.py": "common/init.py.tmpl",
    "{module}/plugin.py": "common/plugin.py.tmpl",
    "{module}/{file}.py": "{kind}/module.py.tmpl",
    "{module}/py.typed": "common/py.typed.tmpl",
    "tests/test_{module}.py": "{kind}/tests.py.tmpl",
    "tests/test_{module}_registration.py": "common/test_registration.py.tmpl",
}


def write_plugin(name: str, folder: Path, kind: str = "method") -> list[Path]:
    """Write the package ``distillkit-<name>`` into a folder of that name.

    Parameters
    ----------
    name : str
        Name of what the package provides, as used in a suite: lower case words of letters and
        digits, joined by ``-``. A leading ``distillkit-`` is dropped, since the package name has it
        anyway.
    folder : Path
        Where to create the folder of the package; created if it does not exist.
    kind : {"method", "dataset", "metric", "evaluator", "reporter", "engine"}
        What the package provides.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    PluginError
        If the name is not valid or belongs to something built in, if any of the files exists
        already (then none is written), or if the folder cannot be written.
    """
    name = name.removeprefix("distillkit-")
    _check_name(name, kind)
    values = _values(name, kind)
    root = Path(folder) / values["dist"]
    texts = {
        root / path.format_map(values): _render(template.format(kind=kind), values) for path, template in _FILES.items()
    }
    existing = [path for path in texts if path.exists()]
    if existing:
        raise PluginError(f"{existing[0]} is there already: nothing was written. Choose another name or folder.")
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as exc:
        raise PluginError(f"cannot write the plugin into {root}: {exc.strerror or exc}.") from exc
    return list(texts)


def _values(name: str, kind: str) -> dict[str, str]:
    """Return the values of the placeholders in the templates."""
    about, words = PLUGIN_KINDS[kind], name.split("-")
    values = {
        "name": name,
        "kind": kind,
        "registry_kind": about.registry_kind,
        "dist": f"distillkit-{name}",
        "module": "distillkit_" + "_".join(words),
        "object": about.object_name.format(words="_".join(words), Words="".join(map(str.capitalize, words))),
        "file": about.file,
        "hook": about.hook,
        "spec": about.spec,
        "fields": "\n".join(f"            {field}," for field in about.fields),
        "dependencies": "".join(f', "{need}"' for need in about.needs),
        "replace": about.replace,
        "pad": " " * (len("distillkit list plugins --strict") - len(f"distillkit list {about.registry_kind}s") + 1),
        **_host_versions(),
    }
    return {**values, "usage": Template(about.usage).substitute(values)}


def _check_name(name: str, kind: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _MAX_LENGTH:
        raise PluginError(
            f"{name!r} is not a name for a plugin: use lower case words of letters and digits, joined by '-', "
            f"starting with a letter, at most {_MAX_LENGTH} characters; for example 'my-method'."
        )
    from distillkit.plugins import PluginManager

    if name in PluginManager(disabled=True).load().specs(PLUGIN_KINDS[kind].registry_kind):
        article = "an" if kind[0] in "aeiou" else "a"
        raise PluginError(
            f"{name!r} is built in as {article} {kind}, which a plugin cannot replace: choose another name."
        )


def _host_versions() -> dict[str, str]:
    """Return the range of distillkit versions that the new plugin supports.

    It starts at this version and ends before the next one that may break compatibility.
    """
    match = re.match(r"(\d+)\.(\d+)", __version__)
    major, minor = map(int, match.groups()) if match else (0, 1)
    return {"host": f"{major}.{minor}", "next_host": f"{major}.{minor + 1}" if major == 0 else str(major + 1)}


def _render(template: str, values: dict[str, str]) -> str:
    path = files("distillkit").joinpath("templates", "plugin", *template.split("/"))
    return Template(path.read_text(encoding="utf-8")).substitute(values)
