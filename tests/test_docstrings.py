"""Docstrings whose shared parts are filled in by a decorator."""

import inspect
import pickle
import subprocess
import sys

import pytest

from distillkit import GradientMatchingDistiller
from distillkit.utils._docstrings import fill_docstring

TEXTS = {
    "size": "size : int, default={{default}}\n    At most {{most}} rows.\n\n    More in `Budget`.",
    "how": 'how : {"a", "b"}, default={{default}}',
}


@fill_docstring(TEXTS, most=7)
class Filled:
    """Rows.

    Parameters
    ----------
    {how}
    other : {"size", "how"}
    {size}
    """

    def __init__(self, how="a", *, other="size", size=None):
        self.how, self.other, self.size = how, other, size


def test_placeholders_are_filled_with_their_indentation_and_other_braces_stay():
    assert inspect.getdoc(Filled).splitlines() == [
        "Rows.",
        "",
        "Parameters",
        "----------",
        'how : {"a", "b"}, default="a"',
        'other : {"size", "how"}',
        "size : int, default=None",
        "    At most 7 rows.",
        "",
        "    More in `Budget`.",
    ]


def test_a_filled_class_is_pickled_as_any_other():
    again = pickle.loads(pickle.dumps(Filled("b")))
    assert type(again) is Filled
    assert again.how == "b"


def test_a_value_may_be_an_attribute_of_the_class():
    cls = type("Known", (Filled,), {"__doc__": "    {size}", "most": 9})
    assert "At most 9 rows." in fill_docstring(TEXTS)(cls).__doc__


def test_a_placeholder_without_a_text_or_a_value_is_an_error():
    with pytest.raises(KeyError, match="size"):
        fill_docstring({})(type("Empty", (), {"__doc__": "{size}"}))
    unfilled = type("Unfilled", (Filled,), {"__doc__": "    {size}"})
    with pytest.raises(AttributeError, match="most"):
        fill_docstring(TEXTS)(unfilled)


def test_a_class_without_a_docstring_is_left_alone():
    assert fill_docstring(TEXTS)(type("Bare", (), {})).__doc__ is None


def test_without_docstrings_a_class_is_left_alone_and_pickled():
    code = (
        "import pickle; from distillkit.utils._docstrings import fill_docstring\n"
        "@fill_docstring({})\n"
        "class Filled:\n"
        "    '{size}'\n"
        "    def __init__(self, size): self.size = size\n"
        "print(Filled.__doc__, pickle.loads(pickle.dumps(Filled(3))).size)"
    )
    done = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "None 3", done.stderr


def test_a_condenser_has_no_placeholder_left():
    assert "{{" not in GradientMatchingDistiller.__doc__
    assert "\n    {" not in GradientMatchingDistiller.__doc__
