"""Settings of the documentation site: ``sphinx-build -W docs docs/_build/html`` builds it."""

import html
import os
import re
import warnings

import matplotlib as mpl
from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

import distillkit

mpl.use("agg")
# Threads that wait for each other in a busy loop slow small jobs down on shared cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
warnings.filterwarnings("ignore", message=".*is non-interactive.*")

project = "distillkit"
author = "the distillkit authors"
project_copyright = author
release = distillkit.__version__
version = release

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "examples", "**.ipynb_checkpoints", "Thumbs.db"]
templates_path = ["_templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}

# Docstrings name objects in single backticks; where no object has the name, they stay plain code.
default_role = "py:obj"
add_module_names = False
toc_object_entries_show_parents = "hide"
autosummary_generate = True
autosummary_imported_members = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"  # numpydoc sections say the types, with shapes and ranges
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "remove_config_comments": True,
    "capture_repr": (),
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1,
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": False,
    "abort_on_example_error": False,
    "only_warn_on_example_error": False,
}

html_math_renderer = "mathml"  # see setup
html_theme = "pydata_sphinx_theme"
html_title = "distillkit"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "github_url": "https://github.com/distillkit/distillkit",
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
# Pages without pages below them have nothing to show on the left.
html_sidebars = {
    name: []
    for name in (
        "index",
        "tour",
        "choosing",
        "troubleshooting",
        "glossary",
        "changelog",
    )
}


def _mathml(node, *, as_block=False):
    """Return a formula as MathML, which browsers show without a script or a network."""
    formula = re.sub(
        r"\\[bB]ig+[lrm]?(?![a-zA-Z])", "", node.astext()
    )  # sizes follow by themselves
    try:
        return tex2mathml(formula, as_block=as_block)
    except MathError as error:
        logging.getLogger(__name__).warning(
            "%s in the formula %s", error, formula, location=node
        )
        return f"<code>{html.escape(formula)}</code>"


def _write_inline(translator, node):
    """Write a formula in a line of text."""
    translator.body.append(_mathml(node))
    raise nodes.SkipNode


def _write_block(translator, node):
    """Write a formula that stands by itself."""
    translator.body.append(f'<div class="formula">{_mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app):
    """Register the renderer of formulas."""
    app.add_html_math_renderer("mathml", (_write_inline, None), (_write_block, None))
