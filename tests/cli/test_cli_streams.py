"""Closed and strange streams, and signals: files are written, and no command ends with a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import click
import pytest

from distillkit.cli import _group, _signals
from distillkit.cli._interrupts import after_distillation, after_run
from distillkit.cli._streams import OutputState, _Descriptor

REPORTS = ("leaderboard.txt", "leaderboard.md", "leaderboard.csv", "leaderboard.html")


@pytest.fixture
def results(finished):
    """The results folder of the finished run, without its reports, and the text of one of them."""
    folder = finished[0] / "results" / "mini"
    before = (folder / "leaderboard.md").read_text()
    for name in REPORTS:
        (folder / name).unlink()
    yield folder
    assert all((folder / name).stat().st_size > 100 for name in REPORTS)
    assert (folder / "leaderboard.md").read_text() == before


def shell(command, **environment):
    command = command.replace("distillkit", f"{sys.executable} -m distillkit", 1)
    environment = {**os.environ, **environment}
    return subprocess.run(["bash", "-c", command], capture_output=True, env=environment, timeout=100)


def test_closed_streams_cost_no_report(results):
    done = shell(f"distillkit report {results} >&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_reader_that_leaves_costs_no_report_and_is_no_failure(results):
    done = shell(f"distillkit report {results} | head -1; echo ${{PIPESTATUS[0]}}", PYTHONIOENCODING="ascii")
    assert (done.stdout, done.stderr) == (b"mini\n0\n", b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")  # noqa: PTH110
def test_a_full_disk_costs_no_report_and_is_told(results):
    done = shell(f"distillkit report {results} >/dev/full", PYTHONIOENCODING="latin-1")
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "distillkit: part of the output is missing: standard output cannot be written: No space left on device.\n"
    )


def test_output_that_nobody_reads_is_discarded():
    reader, writer = os.pipe()
    os.close(reader)
    state = OutputState()
    descriptor = _Descriptor(writer, state)
    assert descriptor.write(b"lost") == 4
    assert descriptor.write(b"lost as well") == 12
    assert state.error is None
    os.close(writer)
    assert _Descriptor(os.open(os.devnull, os.O_RDONLY), state).write(b"refused") == 7
    assert state.error == "Bad file descriptor"


@pytest.fixture
def play(monkeypatch, distillkit_):
    """Run a command that does what a function does, with signals as in a process of its own."""
    names = [name for name in _signals._NAMES if hasattr(signal, name)]
    before = {name: signal.getsignal(getattr(signal, name)) for name in names}
    for name in names:
        signal.signal(getattr(signal, name), signal.SIG_DFL)

    def run(callback):
        monkeypatch.setitem(_group.cli.commands, "play", click.Command("play", callback=callback))
        return distillkit_("play")

    yield run
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


@pytest.mark.parametrize(
    ("number", "text"),
    [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "ended by SIGTERM"), (signal.SIGHUP, "ended by SIGHUP")],
)
def test_a_signal_says_what_was_done_and_has_the_usual_status(play, number, text):
    def work():
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        except KeyboardInterrupt as exc:
            exc.add_note("two of three are done;")
            exc.add_note("the same command goes on.")
            raise

    told = play(work)
    assert told.status == 128 + number
    assert told.err.strip() == f"distillkit: {text}: two of three are done; the same command goes on."


def test_a_second_signal_ends_the_process_at_once(play, monkeypatch):
    written = []

    def end(status):
        raise SystemExit(f"ended with {status}")

    monkeypatch.setattr(_signals.os, "_exit", end)
    monkeypatch.setattr(_signals.os, "write", lambda *call: written.append(call))

    def work():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    assert play(work).status == "ended with 143"
    assert written == [(2, b"distillkit: interrupted again: ended at once.\n")]


def test_ignored_signals_stay_ignored_and_handlers_are_put_back(play):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    told = play(lambda: os.kill(os.getpid(), signal.SIGHUP))
    assert (told.status, told.err) == (0, "")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_interrupted_distillation_says_what_is_true(distillkit_, monkeypatch, tmp_path, table):
    from distillkit import KMeansCoreset

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(KMeansCoreset, "fit", interrupt)
    output = tmp_path / "s.csv"
    told = distillkit_("distill", "kmeans", table, "-t", "animal", "-b", "2", "-o", output)
    assert told.status == 130
    assert told.err.strip() == f"distillkit: interrupted: {output} was not written, and the same command starts anew."
    assert after_distillation(None, output) == f"{output} was not written, and the same command starts anew."
    assert after_run(None, None) == "no cell was run; the same command starts the run."
    pytest.importorskip("torch", reason="condensers need torch")
    from distillkit import GradientMatchingDistiller

    checkpoint = tmp_path / "c.ckpt"
    assert "checkpoint=FILE" in after_distillation(GradientMatchingDistiller(), output)
    assert "starts anew" in after_distillation(GradientMatchingDistiller(checkpoint=checkpoint), output)
    checkpoint.touch()
    text = after_distillation(GradientMatchingDistiller(checkpoint=str(checkpoint)), output)
    assert text == f"{output} was not written; the same command goes on from the checkpoint {checkpoint}."


def test_an_interrupt_while_writing_leaves_no_part_of_a_file(distillkit_, monkeypatch, tmp_path, table):
    import pandas as pd

    def write_half(_frame, path, **_):
        path.write_text("width,hei")
        raise KeyboardInterrupt

    (tmp_path / "s.csv").write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", write_half)
    assert distillkit_("distill", "random", table, "-b", "2", "-o", tmp_path / "s.csv").status == 130
    assert (tmp_path / "s.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["animals.csv", "s.csv"]
