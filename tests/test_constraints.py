"""The pins of constraints.txt install wherever the README says that gx2c does."""

from __future__ import annotations

import ast
import importlib.util
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

PINS = (Path(__file__).parents[1] / "constraints.txt").read_text().split()


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0"])
def test_every_pin_takes_the_oldest_python_of_each_kind(python: str) -> None:
    refused, seen = [], 0
    for pin in PINS:
        try:
            wanted = metadata(Requirement(pin).name).get("Requires-Python")
        except PackageNotFoundError:
            continue
        seen += 1
        if wanted and python not in SpecifierSet(wanted):
            refused.append(f"{pin} needs {wanted}")
    assert refused == []
    assert seen > len(PINS) / 2


def test_the_dashboards_come_with_their_extra() -> None:
    extras = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    named = extras["project"]["optional-dependencies"]["dashboard"]
    assert {Requirement(one).name for one in named} == {"optuna-dashboard", "tensorboard"}


# Modules that Python 3.12 and 3.13 took out of the standard library
GONE = frozenset(
    "aifc asynchat asyncore audioop cgi cgitb chunk crypt distutils imghdr imp lib2to3 mailcap "
    "msilib nis nntplib ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib uu xdrlib".split()
)
# setuptools' former module, which `gx2c.importing.ahba.compatibility` replaces
REPLACED = frozenset(("pkg_resources",))


def test_abagen_imports_nothing_that_newer_pythons_lack() -> None:
    spec = importlib.util.find_spec("abagen")
    assert spec is not None and spec.origin is not None
    named = set()
    for path in Path(spec.origin).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                named |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                named.add(node.module.split(".")[0])
    assert {"numpy", "pandas"} <= named and not named & GONE
    needed = {name for name in named if name not in sys.stdlib_module_names} - {"abagen"}
    known = {one.partition("==")[0].lower() for one in PINS} | {"skimage", "sklearn", *REPLACED}
    assert sorted(needed - known) == []
