"""The house style is measured: widths of lines, names of locals, first lines of modules, and one name for one class.

``python tests/test_style.py [FILE OR FOLDER ...]`` prints the measures, and what exceeds them.
"""

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("distillkit", "plugins", "benchmarks", "docs")
PROSE_WIDTH, CODE_WIDTH = 100, 120
EMPTY_NAMES = frozenset({"found", "made", "own", "wanted", "told", "kept", "seen", "given"})
"""Names for locals that say nothing about what the value is."""
LARGEST_SHARE = 0.015


def python_files(*places):
    for place in places or [ROOT / folder for folder in FOLDERS]:
        files = [place] if place.is_file() else sorted(place.rglob("*.py"))
        yield from (path for path in files if not {".tox", "templates", "auto_examples", "_build"} & set(path.parts))


def prose_lines(text):
    """Return the numbers of the lines that hold nothing but prose: comments and docstrings."""
    numbers = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#"):
            numbers.add(token.start[0])
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        for part in body if isinstance(body, list) else ():
            if (
                isinstance(part, ast.Expr)
                and isinstance(part.value, ast.Constant)
                and isinstance(part.value.value, str)
            ):
                numbers.update(range(part.lineno, part.end_lineno + 1))
    return numbers


def too_wide(path):
    text = path.read_text(encoding="utf-8")
    prose = prose_lines(text) if path.suffix == ".py" else range(1, text.count("\n") + 2)
    for number, line in enumerate(text.splitlines(), 1):
        limit = PROSE_WIDTH if number in prose else CODE_WIDTH
        if len(line) > limit and "http" not in line and "noqa" not in line:
            yield f"{path.relative_to(ROOT)}:{number}: {len(line)} characters, of {limit}"


def assigned_names(tree):
    """Yield the names that are assigned to anywhere but as attributes: targets of =, for, with, walrus and comprehensions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def count_names(paths):
    counts = Counter()
    for path in paths:
        counts.update(assigned_names(ast.parse(path.read_text(encoding="utf-8"))))
    return counts


def share_of_empty_names(counts):
    return sum(counts[name] for name in EMPTY_NAMES) / max(1, sum(counts.values()))


def classes(paths):
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node.name


def first_line(path):
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in python_files()])
def test_no_line_is_too_wide(path):
    assert not list(too_wide(path))


def test_the_widths_are_measured(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "wide.py"
    path.write_text(f'"""{"a" * 100}"""\n\nx = "{"b" * 110}"\n# {"c" * 100}\ny = "{"d" * 120}"\n')
    assert [line.split(":")[1] for line in too_wide(path)] == ["1", "4", "5"]


def test_locals_say_what_they_hold():
    counts = count_names(python_files(ROOT / "distillkit", ROOT / "plugins"))
    assert sum(counts.values()) > 1000
    assert share_of_empty_names(counts) <= LARGEST_SHARE


def test_a_class_name_means_one_class():
    counts = Counter(classes(python_files(ROOT / "distillkit")))
    assert not {name for name, count in counts.items() if count > 1}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=str(path.relative_to(ROOT)))
        for path in python_files(ROOT / "distillkit", ROOT / "plugins")
        if "tests" not in path.parts
    ],
)
def test_the_first_line_of_a_module_is_one_sentence(path):
    line = first_line(path)
    assert line, "it has no docstring"
    assert line[0].isupper() or line[0] in "`\"'" or not line[0].isalpha()
    assert line.endswith("."), "its first line is no whole sentence"
    assert len(line.split()) >= 3


def main(*places):
    paths = list(python_files(*(Path(place).resolve() for place in places)))
    counts = count_names(paths)
    wide = [line for path in paths for line in too_wide(path)]
    print(*wide, sep="\n")
    print(
        *(
            f"{path.relative_to(ROOT)}: first line {first_line(path)!r}"
            for path in paths
            if not first_line(path).endswith(".")
        ),
        sep="\n",
    )
    named = ", ".join(f"{name} {counts[name]}" for name in sorted(EMPTY_NAMES))
    print(
        f"{len(wide)} lines too wide; {share_of_empty_names(counts):.1%} of {sum(counts.values())} assigned names are empty: {named}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
