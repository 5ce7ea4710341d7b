"""The site of the documentation: `make docs` builds it from the Markdown of the repository."""

from pathlib import Path
from typing import Any

import gx2c

project = "gx2c"
author = copyright = "The gx2c authors"
release = gx2c.__version__

# The whole repository is the source, so links work on the site as they do in the files
root_doc = "docs/contents"
include_patterns = [
    "docs/*.md",
    "docs/*.rst",
    "*.md",
    "cluster/*.md",
    "benchmarks/*.md",
    "data/*.md",
    "data/*/README.md",
]
exclude_patterns = [".*", "runs", "build", "dist"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4

default_role = "code"
autodoc_typehints = "none"
napoleon_google_docstring = False

html_theme = "furo"
html_title = "gx2c"
highlight_language = "none"
html_copy_source = False
html_show_sourcelink = False


def setup(app: Any) -> None:
    """Open the site at its start page."""
    app.connect("build-finished", _redirect)


def _redirect(app: Any, exception: Exception | None) -> None:
    if exception is None:
        page = '<meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/start.html">'
        Path(app.outdir, "index.html").write_text(f"{page}\n")
