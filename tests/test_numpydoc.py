"""What is read from docstrings: the introduction, and the parameters with defaults and meanings."""

from __future__ import annotations

from distillkit.utils._numpydoc import DocumentedParameter, introduction, parameters


class Base:
    """A base.

    Parameters
    ----------
    size : int
        Number of rows.

        More of it.
    """


class Thing(Base):
    """Does one thing.

    It is done
    in two lines.

    Parameters
    ----------
    size : int or None, default=None
        See `Base`. At least 1.
    a, b : float
        Two weights.

    Notes
    -----
    name : no parameter
    """

    def __init__(self, size=None, *, a, b=0.5, other=(), **rest):
        pass


def make(task, n=1):
    """Make it; see `Thing`.

    Parameters
    ----------
    task : str
    n : int
        As for `somewhere`.
    """


def test_the_introduction_ends_at_the_first_section():
    assert introduction(Thing) == "Does one thing.\nIt is done in two lines."
    assert introduction(make) == "Make it; see `Thing`."
    assert introduction(lambda: None) == ""


def test_parameters_have_the_default_of_the_signature_and_the_meaning_of_the_docstring():
    assert parameters(Thing) == [
        DocumentedParameter("size", "None", "int or None, default=None", "Number of rows. More of it. At least 1."),
        DocumentedParameter("a", None, "float", "Two weights."),
        DocumentedParameter("b", "0.5", "float", "Two weights."),
        DocumentedParameter("other", "()", "", ""),
    ]


def test_parameters_that_are_given_are_left_out_and_unknown_references_stay():
    assert parameters(make, frozenset({"task"})) == [DocumentedParameter("n", "1", "int", "As for `somewhere`.")]
    assert parameters(lambda x: x) == [DocumentedParameter("x", None, "", "")]
