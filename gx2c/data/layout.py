"""Where datasets lie and how their files are called; no other module spells a file name."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from gx2c.errors import DataError, UserError, did_you_mean
from gx2c.files import user_path

DESCRIPTION = "dataset_description.json"
EXPRESSION = "expression.parquet"
REGIONS = "regions.tsv"
GENES = "genes.tsv"
INDIVIDUALS = "individual_connectomes.parquet"
README = "README.md"
# Key of the description of a dataset that was imported with --trust-row-order
TRUSTED = "RowOrderTrusted"
PACKAGE_DIR = Path(__file__).parents[1]
# A clone has data/ next to the package; an installed wheel carries the same folders inside it
DATASET_DIRS = (PACKAGE_DIR.parent / "data", PACKAGE_DIR / "_datasets")

MAIN_COHORT = "main"
HOLDOUT_COHORT = "holdout"
# Names of measures after meas- (BIDS BEP017)
PEARSON, FIBRES = "PearsonCorrelation", "StructuralConnectivity"
_RELMAT = f"_meas-{PEARSON}_relmat.tsv"
_STRUCTURAL = f"_meas-{FIBRES}_relmat.tsv"
# Distances of regions, which stand in for coordinates where regions.tsv has none
DISTANCE = "Distance"
_MEASURE = re.compile(r"(?:^|_)meas-([0-9A-Za-z]+)_relmat\.tsv$")


def relmat_name(segmentation: str, cohort: str) -> str:
    """Name a connectome's file after BIDS BEP017.

    Parameters
    ----------
    segmentation
        The parcellation; BIDS entities hold letters and digits only, others are dropped.
    cohort
        The group of people: "main" or "holdout".
    """
    return f"task-rest_cohort-{cohort}_seg-{_entity(segmentation)}{_RELMAT}"


def structural_name(segmentation: str) -> str:
    """Name a structural connectome's file after BIDS BEP017."""
    return f"seg-{_entity(segmentation)}{_STRUCTURAL}"


def measure_name(segmentation: str, measure: str) -> str:
    """Name the file of another measure of pairs of regions after BIDS BEP017."""
    return f"seg-{_entity(segmentation)}_meas-{_entity(measure)}_relmat.tsv"


def _entity(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", name) or "unnamed"


@dataclass(frozen=True)
class DatasetFolder:
    """The paths of one dataset's files."""

    root: Path  # The folder

    @property
    def name(self) -> str:
        """The dataset's name: that of its folder."""
        return self.root.resolve().name

    def connectomes(self, *, holdout: bool) -> list[Path]:
        """Find the connectome files of the main or of the holdout cohort, sorted."""
        mark = f"cohort-{HOLDOUT_COHORT}"
        found = self._ending(_RELMAT)
        return [path for path in found if (mark in path.name.split("_")) is holdout]

    def structural_connectomes(self) -> list[Path]:
        """Find the structural connectome files, sorted; there should be one at most."""
        return self._ending(_STRUCTURAL)

    def measures(self) -> dict[str, Path]:
        """Find the files of other measures of pairs of regions, by the name after meas-."""
        found: dict[str, Path] = {}
        for path in self._ending("_relmat.tsv"):
            match = _MEASURE.search(path.name)
            if match and not path.name.endswith((_RELMAT, _STRUCTURAL)):
                found.setdefault(match[1], path)
        return found

    def _ending(self, ending: str) -> list[Path]:
        # macOS puts a file ._NAME next to NAME on foreign disks
        return sorted(p for p in self.root.glob(f"*{ending}") if not p.name.startswith("."))

    def data_files(self) -> list[Path]:
        """List the files there that a brain is made of."""
        connectomes = self.connectomes(holdout=False) + self.connectomes(holdout=True)
        named = [self.root / name for name in (EXPRESSION, REGIONS, GENES, INDIVIDUALS)]
        found = [path for path in named if path.exists()]
        return [*found, *connectomes, *self.structural_connectomes(), *self.measures().values()]

    def files(self) -> list[Path]:
        """List every file of the dataset but its description, sorted by name."""
        return sorted(
            path
            for path in self.root.iterdir()
            if path.is_file() and path.name != DESCRIPTION and not path.name.startswith(".")
        )


def sidecar(connectome: Path) -> Path:
    """Return the path of a connectome's JSON sidecar."""
    return connectome.with_suffix(".json")


def cache_dir() -> Path:
    """Return the folder of what gx2c fetched: $GX2C_CACHE, else the platform's own place."""
    given = os.environ.get("GX2C_CACHE")
    return user_path(given) if given else platformdirs.user_cache_path("gx2c")


def dataset_folders() -> dict[str, DatasetFolder]:
    """Find the datasets that come with gx2c or were fetched: name -> folder, sorted by name."""
    found: dict[str, DatasetFolder] = {}
    for parent in (*DATASET_DIRS, cache_dir() / "datasets"):
        for description in sorted(parent.glob(f"*/{DESCRIPTION}")):
            found.setdefault(description.parent.name, DatasetFolder(description.parent))
    return dict(sorted(found.items()))


def find_dataset(name_or_path: str | Path) -> Path:
    """Find a dataset's folder.

    Parameters
    ----------
    name_or_path
        A dataset's name (see `list_datasets`) or the path of a folder.

    Raises
    ------
    UserError
        If there is no such dataset; the message lists the names there are.
    DataError
        If the path is a file.
    """
    known = dataset_folders()
    if str(name_or_path) in known:
        return known[str(name_or_path)].root
    path = user_path(name_or_path)
    if path.is_file():
        raise DataError(str(path), ["this is a file; a dataset is a folder: give the folder"])
    if path.is_dir() and str(name_or_path).strip():
        if not any((path / name).exists() for name in (DESCRIPTION, REGIONS, EXPRESSION)):
            raise UserError(
                f"{path} holds no dataset; gx2c data import {path} --out FOLDER makes one of most "
                "files of connectomes and expression"
            )
        return path
    raise UserError(
        f"no dataset named {str(name_or_path)!r} and no such folder; "
        f"{did_you_mean(str(name_or_path), known)}choose from {sorted(known)} "
        "or give the path of a dataset folder; gx2c data list names those that can be fetched"
    )
