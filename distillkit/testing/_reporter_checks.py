"""Checks of reporters: the files written, their place, and that equal rows give equal files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from distillkit.specs import ReporterSpec
from distillkit.testing._example_leaderboard import example_leaderboard
from distillkit.testing._problem import expect
from distillkit.testing._runner import BoundCheck, bound

__all__ = ["reporter_checks"]


@dataclass(frozen=True)
class _Reporter:
    """The reporter under check."""

    spec: ReporterSpec
    write: Callable[[Any, Path], list[Path]]


def check_files(subject: _Reporter) -> None:
    """It returns the files that it wrote, all inside the folder, which it creates."""
    with TemporaryDirectory() as place:
        folder = Path(place) / "new" / "folder"
        files = subject.write(example_leaderboard(), folder)
        expect(isinstance(files, list), f"it must return a list of paths, not {type(files).__name__}")
        for path in files:
            expect(isinstance(path, Path) and path.is_file(), f"it returned {path!r}, which is no file: write it first")
            inside = folder.resolve() in path.resolve().parents
            expect(inside, f"{path} lies outside the folder that was given: write below it")


def check_extension(subject: _Reporter) -> None:
    """One of the files has the extension that is registered, unless nothing is written to files."""
    with TemporaryDirectory() as place:
        files = subject.write(example_leaderboard(), Path(place))
        suffixes = [path.suffix for path in files]
    wanted = f".{subject.spec.extension}"
    expect(
        not files or wanted in suffixes,
        f"the registered extension is {wanted}, but the files have {', '.join(suffixes)}: make the two agree",
    )


def check_content(subject: _Reporter) -> None:
    """Text files are UTF-8 and not empty."""
    with TemporaryDirectory() as place:
        for path in subject.write(example_leaderboard(), Path(place)):
            content = path.read_bytes()
            expect(content, f"{path.name} is empty")
            if b"\0" not in content:
                try:
                    content.decode("utf-8")
                except UnicodeDecodeError as exc:
                    raise AssertionError(f"{path.name} is not UTF-8: open it with encoding='utf-8' ({exc})") from exc


def check_repeatable(subject: _Reporter) -> None:
    """Writing it twice gives the same files, so that a results folder can be under version control.

    A file that is a database may differ.
    """
    contents = []
    for _ in range(2):
        with TemporaryDirectory() as place:
            files = subject.write(example_leaderboard(), Path(place))
            contents.append({path.relative_to(place): path.read_bytes() for path in files if _is_text(path)})
    changed = sorted(str(path) for path in contents[0] if contents[1].get(path) != contents[0][path])
    expect(not changed, f"{', '.join(changed)} differs when written again: leave times and random names out")


def check_rewrite(subject: _Reporter) -> None:
    """Writing into a folder that has its files already replaces them."""
    with TemporaryDirectory() as place:
        first = subject.write(example_leaderboard(empty=True), Path(place))
        subject.write(example_leaderboard(), Path(place))
        fresh = {path.name: path.read_bytes() for path in first if _is_text(path)}
    with TemporaryDirectory() as place:
        alone = {path.name: path.read_bytes() for path in subject.write(example_leaderboard(), Path(place))}
    stale = sorted(name for name, content in fresh.items() if name in alone and alone[name] != content)
    expect(not stale, f"{', '.join(stale)} keeps parts of an earlier report: write the whole file anew")


def check_empty(subject: _Reporter) -> None:
    """A leaderboard without finished cells is written, too."""
    with TemporaryDirectory() as place:
        subject.write(example_leaderboard(empty=True), Path(place))


def check_leaderboard_untouched(subject: _Reporter) -> None:
    """It does not change the leaderboard, which other reporters write after it."""
    import pandas as pd

    leaderboard, same = example_leaderboard(), example_leaderboard()
    with TemporaryDirectory() as place:
        subject.write(leaderboard, Path(place))
    try:
        pd.testing.assert_frame_equal(leaderboard.table, same.table)
    except AssertionError as exc:
        raise AssertionError("it changes leaderboard.table: work on a copy") from exc
    expect(leaderboard.rows == same.rows, "it changes leaderboard.rows: work on a copy")


def _is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes()


CHECKS: tuple[Callable[[_Reporter], None], ...] = (
    check_files,
    check_extension,
    check_content,
    check_repeatable,
    check_rewrite,
    check_empty,
    check_leaderboard_untouched,
)


def reporter_checks(spec: ReporterSpec) -> list[BoundCheck]:
    """Return the checks of a reporter."""
    subject = _Reporter(spec, spec.load())
    return [(check.__name__, bound(check, subject)) for check in CHECKS]
