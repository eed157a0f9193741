"""Every example of the gallery runs as a script."""

import ast
import runpy
import warnings

import pytest


@pytest.mark.timeout(300)  # seconds of computing, which may be minutes on a machine that is shared
@pytest.mark.usefixtures("drawing")
def test_the_example_runs(example):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*non-interactive.*")  # plt.show has no screen here
        runpy.run_path(str(example), run_name="__main__")


def test_the_example_has_a_title_and_says_what_it_shows(example):
    title, line, empty, text = ast.get_docstring(ast.parse(example.read_text(encoding="utf-8"))).split("\n", 3)
    assert set(line) == {"="}
    assert len(line) == len(title)
    assert not empty
    assert text.endswith(".")
