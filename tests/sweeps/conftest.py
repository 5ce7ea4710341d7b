from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from real_sweeps import sweep

from gx2c.data import make_synthetic_brain, write_dataset
from sweeps.folder.paths import SweepPaths
from sweeps.report import build, picture
from sweeps.report.picture import Picture
from sweeps.report.reading import RunFiles


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder of 32 regions and 40 genes."""
    brain = make_synthetic_brain(n_regions=32, n_genes=40, seed=3)
    folder = tmp_path_factory.mktemp("datasets") / "tiny"
    return write_dataset(folder, brain, {"Name": "tiny", "Summary": "synthetic"})


@pytest.fixture(scope="session")
def mlp_run(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    """A finished sweep of the MLP; slow, for Ray starts."""
    return sweep("mlp", tiny_dataset, tmp_path_factory.mktemp("runs") / "mlp")


class BlankFigure(MagicMock):
    """Takes all that is drawn and keeps nothing."""

    def subplots(self, rows: int, columns: int, **_: object) -> np.ndarray:
        axes = np.empty((rows, columns), dtype=object)
        for place in np.ndindex(rows, columns):
            axes[place] = MagicMock()
            axes[place].plot.return_value = [MagicMock()]
            axes[place].bar.side_effect = lambda x, *_, **__: [MagicMock() for _ in x]
        return axes


# Any search of geography on tiny brains; the default of 32 would take most of the suite's time
GEOGRAPHY_CONFIGS = 6


@pytest.fixture(scope="session", autouse=True)
def brief_geography() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in ("sweeps.request.plan", "sweeps.compare.zoo"):
            patch.setattr(f"{module}.MIN_GEOGRAPHY_CONFIGS", GEOGRAPHY_CONFIGS)
        yield


drawn = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note whether a test wants pictures, before its fixtures make a report."""
    item.config.stash[drawn] = item.get_closest_marker("pictures") is not None


@pytest.fixture(scope="session", autouse=True)
def undrawn(pytestconfig: pytest.Config) -> Iterator[None]:
    """Leave a report's pictures empty, for they take seconds, unless a test wants them."""
    figures, svg = build._figures, Picture.svg

    def blank_figures(run: RunFiles) -> dict[str, Any]:
        with pytest.MonkeyPatch.context() as patch:
            if not pytestconfig.stash[drawn]:
                patch.setattr(picture, "Figure", BlankFigure)
            return figures(run)

    def blank_svg(one: Picture, **options: Any) -> str:
        return "<svg></svg>" if isinstance(one.figure, BlankFigure) else svg(one, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "_figures", blank_figures)
        patch.setattr(Picture, "svg", blank_svg)
        yield
