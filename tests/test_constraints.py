"""The pins of constraints.txt install wherever the README says that gx2c does."""

from __future__ import annotations

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
