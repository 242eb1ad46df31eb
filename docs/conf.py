"""Sphinx settings. The pages fetch nothing: fonts, styles and formulas are local."""

import sys
from pathlib import Path

import oddgan

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "oddgan"
author = "The oddgan authors"
copyright = "The oddgan authors, Apache-2.0"
version = release = oddgan.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "oddgan_docs"]
exclude_patterns = ["_build", "_ext", "api"]
templates_path: list[str] = []
# Docstrings put names in single backticks: linked where the name is documented, code otherwise.
default_role = "py:obj"
smartquotes = False  # quotes are part of values
maximum_signature_line_length = 90

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"

html_theme = "furo"
html_title = "oddgan"
html_static_path = ["_static"]
html_css_files = ["oddgan.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#9a3412", "color-brand-content": "#9a3412"},
    "dark_css_variables": {"color-brand-primary": "#fdba74", "color-brand-content": "#fdba74"},
}
