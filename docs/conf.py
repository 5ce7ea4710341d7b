"""The site of the documentation: `make docs` builds it from the Markdown of the repository."""

import os
import sys
from hashlib import sha256
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
    "docs/notebooks/*.md",
    "*.md",
    "cluster/*.md",
    "benchmarks/*.md",
    "data/*.md",
    "data/*/README.md",
]
exclude_patterns = [".*", "runs", "build", "dist"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4

# Notebooks run again when they, or the code, have changed
_root = Path(__file__).parents[1]
_code = sorted(path for room in ("gx2c", "sweeps") for path in (_root / room).rglob("*.py"))
_state = sha256(b"".join(path.read_bytes() for path in _code)).hexdigest()[:12]
nb_execution_mode = "cache"
nb_execution_cache_path = str(_root / "build/notebooks" / _state)
nb_execution_in_temp = nb_execution_raise_on_error = nb_merge_streams = True
nb_execution_timeout = 600
# their `!gx2c` is that of this environment
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

default_role = "code"
autodoc_typehints = "none"
napoleon_google_docstring = False

html_theme = "furo"
html_title = "gx2c"
highlight_language = "none"
html_copy_source = False
html_show_sourcelink = False
# summaries of what a search finds would be fetched, which a page opened as a file may not do
html_show_search_summary = False


def setup(app: Any) -> None:
    """Open the site at its start page."""
    app.connect("build-finished", _redirect)


def _redirect(app: Any, exception: Exception | None) -> None:
    if exception is None:
        page = '<meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/start.html">'
        Path(app.outdir, "index.html").write_text(f"{page}\n")
