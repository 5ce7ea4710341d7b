from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from sweeps.cli.app import app
from sweeps.request.geneex2conn import Translation, translate
from sweeps.request.options import SweepOptions, make_options


@pytest.fixture
def translated(tmp_path: Path) -> Callable[..., Translation]:
    """Translate an experiment of GeneEx2Conn that has these options."""

    def call(given: dict[str, Any] | None = None, **file: Any) -> Translation:
        path = tmp_path / "experiment.yml"
        path.write_text(yaml.safe_dump(file))
        return translate(path, given or {})

    return call


@pytest.fixture(scope="session")
def options_of() -> Callable[[str], SweepOptions]:
    """Read a printed command as the command line does."""
    sweep = typer.main.get_command(app).commands["sweep"]

    def call(command: str) -> SweepOptions:
        program, name, *words = shlex.split(command)
        assert (program, name) == ("gx2c", "sweep")
        given = sweep.make_context("sweep", words).params
        free = {"out", "resume", "notify", "from_geneex2conn"}
        return make_options(**{name: value for name, value in given.items() if name not in free})

    return call
