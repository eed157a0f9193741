"""The flat namespace: what it names exists, is all there is, and says what it takes."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import distillkit
import distillkit.testing
from distillkit.condensation._parameters import HEADINGS

NAMES = sorted(set(distillkit.__all__) - {"__version__"})
CODE = [
    name
    for name in NAMES
    if inspect.isroutine(getattr(distillkit, name)) or isinstance(getattr(distillkit, name), type)
]
DOCUMENTED = [getattr(distillkit, name) for name in CODE] + [
    getattr(distillkit.testing, name) for name in distillkit.testing.__all__
]
METHODS = [
    pytest.param(cls, name, id=f"{cls.__name__}.{name}")
    for cls in DOCUMENTED
    if isinstance(cls, type)
    for name, value in inspect.getmembers(cls)
    if not name.startswith("_")
    and inspect.isroutine(value)
    and (getattr(value, "__module__", None) or "").startswith("distillkit.")
]


def sections(docstring):
    """Split a numpydoc docstring into its sections."""
    parts = re.split(r"^([A-Z][\w ]+)\n-{3,}\n", inspect.cleandoc(docstring or ""), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)) | {"": parts[0]}


def documented_parameters(docstring):
    """Names in the section Parameters: the lines that are not indented, up to a colon, without the headings of groups."""
    lines = [line for line in sections(docstring).get("Parameters", "").splitlines() if line not in HEADINGS]
    heads = [line.partition(" : ")[0] for line in lines if line and not line[0].isspace()]
    return [name.strip() for head in heads for name in head.split(",")]


def signature_parameters(thing):
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(thing).parameters.values()
    return [stars.get(one.kind, "") + one.name for one in parameters if one.name not in ("self", "cls")]


def test_the_sections_of_a_docstring_are_told_apart():
    text = """Do it.

    Parameters
    ----------
    X, y : arrays
        Rows.
    **params : dict
    verbose

    Returns
    -------
    self
    """
    assert documented_parameters(text) == ["X", "y", "**params", "verbose"]
    assert sections(text)["Returns"].strip() == "self"


def test_headings_divide_the_parameters_of_every_condenser_alike():
    condensers = [cls for cls in DOCUMENTED if getattr(cls, "__module__", "").startswith("distillkit.condensation.")]
    assert len(condensers) == 5
    for cls in condensers:
        lines = sections(cls.__doc__)["Parameters"].splitlines()
        assert [line for line in lines if line in HEADINGS] == list(HEADINGS)
        assert lines[0].startswith("budget : ")
        assert lines[2] == HEADINGS[0]


@pytest.mark.parametrize("name", distillkit.__all__)
def test_every_name_can_be_imported(name):
    assert getattr(distillkit, name) is not None
    assert name in dir(distillkit)


def test_names_are_sorted_once_and_nothing_else_is_public():
    assert len(set(distillkit.__all__)) == len(distillkit.__all__)
    assert list(distillkit.__all__[1:]) == NAMES
    tree = ast.parse(Path(distillkit.__file__).read_text(encoding="utf-8"))
    typed = {
        alias.asname
        for block in tree.body
        if isinstance(block, ast.If)  # if TYPE_CHECKING
        for node in block.body
        for alias in node.names
    }
    assert typed == set(NAMES), "what type checkers see and what is imported on first use must be the same"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'distillkit' has no attribute 'KMeanCoreset'"):
        distillkit.KMeanCoreset  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_where_it_is_public_and_is_the_same_there(name):
    import importlib

    module = importlib.import_module(f"distillkit.{distillkit._HOMES[name]}")
    assert getattr(module, name) is getattr(distillkit, name)
    assert name in module.__all__
    assert not any(part.startswith("_") for part in distillkit._HOMES[name].split("."))


@pytest.mark.parametrize("thing", DOCUMENTED, ids=lambda thing: thing.__name__)
def test_parameters_are_documented_as_they_are(thing):
    assert sections(thing.__doc__)[""].strip(), "a summary is missing"
    assert documented_parameters(thing.__doc__) == signature_parameters(thing)


@pytest.mark.parametrize(("cls", "name"), METHODS)
def test_methods_are_documented_as_they_are(cls, name):
    method = getattr(cls, name)
    assert sections(method.__doc__)[""].strip(), "a summary is missing"
    if "Parameters" in sections(method.__doc__):
        assert documented_parameters(method.__doc__) == signature_parameters(method)


@pytest.mark.parametrize(
    "thing", [thing for thing in DOCUMENTED if not isinstance(thing, type)], ids=lambda thing: thing.__name__
)
def test_functions_say_what_they_return(thing):
    returned = inspect.signature(thing).return_annotation
    assert returned in ("None", None) or "Returns" in sections(thing.__doc__)


def test_the_package_is_typed():
    assert (Path(distillkit.__file__).parent / "py.typed").is_file()
