"""Writes a working plugin package: a small but real method with its tests and README."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from distillkit.exceptions import PluginError
from distillkit.utils._versions import __version__

__all__ = ["write_plugin"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_LENGTH = 50

_FILES = {  # written file: template
    "pyproject.toml": "pyproject.toml.tmpl",
    "README.md": "README.md.tmpl",
    ".gitignore": "gitignore.tmpl",
    "{module}/__init__.py": "package/init.py.tmpl",
    "{module}/plugin.py": "package/plugin.py.tmpl",
    "{module}/_coreset.py": "package/coreset.py.tmpl",
    "{module}/py.typed": "package/py.typed.tmpl",
    "tests/test_{module}.py": "tests/test_package.py.tmpl",
}


def write_plugin(name: str, folder: Path) -> list[Path]:
    """Write the package ``distillkit-<name>`` into a folder of that name.

    Parameters
    ----------
    name : str
        Name of the method as used in a suite: lower case words of letters and digits, joined by
        ``-``. A leading ``distillkit-`` is dropped, since the package name has it anyway.
    folder : Path
        Where to create the folder of the package; created if it does not exist.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    PluginError
        If the name is not valid or belongs to a built-in method, if any of the files exists already
        (then none is written), or if the folder cannot be written.
    """
    name = name.removeprefix("distillkit-")
    _check_name(name)
    words = name.split("-")
    values = {
        "name": name,
        "dist": f"distillkit-{name}",
        "module": "distillkit_" + "_".join(words),
        "cls": "".join(word.capitalize() for word in words) + "Coreset",
        **_host_versions(),
    }
    root = Path(folder) / values["dist"]
    texts = {root / path.format_map(values): _render(template, values) for path, template in _FILES.items()}
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


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _MAX_LENGTH:
        raise PluginError(
            f"{name!r} is not a name for a plugin: use lower case words of letters and digits, joined by '-', "
            f"starting with a letter, at most {_MAX_LENGTH} characters; for example 'my-method'."
        )
    from distillkit.builtin import distillkit_methods

    if name in {spec.name for spec in distillkit_methods()}:
        raise PluginError(f"{name!r} is a built-in method, which a plugin cannot replace: choose another name.")


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
