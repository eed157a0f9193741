"""What the tests of the documents share: the pages written by hand, and the code blocks on them."""

import re
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BUILT = {"_build", "auto_examples", "generated"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def pages():
    written = [path for path in sorted(DOCS.rglob("*.md")) if not BUILT & set(path.parts)]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *written]


def pytest_generate_tests(metafunc):
    """Give each test that takes a `page` all pages, and each that takes an `example` all examples."""
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()])
    if "example" in metafunc.fixturenames:
        examples = sorted((DOCS / "examples").glob("plot_*.py"))
        metafunc.parametrize("example", [pytest.param(path, id=path.stem) for path in examples])


@pytest.fixture
def all_pages():
    return pages()


@pytest.fixture
def blocks():
    """Return the fenced blocks of a page: pairs of language and text, in order."""
    return lambda page: BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.fixture
def drawing(monkeypatch, tmp_path):
    """Run in a folder of its own, draw without a screen, and close all figures at the end."""
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")
    yield
    plt.close("all")
