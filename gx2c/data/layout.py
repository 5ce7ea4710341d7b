"""Where datasets lie and how their files are called; no other module spells a file name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import gx2c
from gx2c.errors import DataError, UserError

DESCRIPTION = "dataset_description.json"
PACKAGE_DIR = Path(gx2c.__file__).parent
# A clone has data/ beside the package; an installed wheel carries the same folders inside it
DATASET_DIRS = (PACKAGE_DIR.parent / "data", PACKAGE_DIR / "_datasets")

MAIN_COHORT = "main"
HOLDOUT_COHORT = "holdout"
_RELMAT = "_meas-PearsonCorrelation_relmat.tsv"
_STRUCTURAL = "_meas-StructuralConnectivity_relmat.tsv"


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


def _entity(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", name) or "unnamed"


@dataclass(frozen=True)
class DatasetFolder:
    """The paths of one dataset's files.

    Attributes
    ----------
    root
        The folder.
    """

    root: Path

    @property
    def name(self) -> str:
        """The dataset's name: that of its folder."""
        return self.root.resolve().name

    @property
    def description(self) -> Path:
        """Licences, citations and checksums."""
        return self.root / DESCRIPTION

    @property
    def expression(self) -> Path:
        """Regions x genes."""
        return self.root / "expression.parquet"

    @property
    def regions(self) -> Path:
        """Label, hemisphere, network and coordinates of each region."""
        return self.root / "regions.tsv"

    @property
    def genes(self) -> Path:
        """Chromosome and transcription start of each gene."""
        return self.root / "genes.tsv"

    @property
    def individuals(self) -> Path:
        """Connectomes of single people, one row each; optional."""
        return self.root / "individual_connectomes.parquet"

    @property
    def readme(self) -> Path:
        """The page for people."""
        return self.root / "README.md"

    def connectomes(self, *, holdout: bool) -> list[Path]:
        """Find the connectome files of the main or of the holdout cohort, sorted."""
        found = sorted(self.root.glob(f"*{_RELMAT}"))
        return [
            path
            for path in found
            if (f"cohort-{HOLDOUT_COHORT}" in path.name.split("_")) is holdout
        ]

    def structural_connectomes(self) -> list[Path]:
        """Find the structural connectome files, sorted; there should be one at most."""
        return sorted(self.root.glob(f"*{_STRUCTURAL}"))

    def data_files(self) -> list[Path]:
        """List the files that a brain is made of; any may be missing."""
        connectomes = self.connectomes(holdout=False) + self.connectomes(holdout=True)
        optional = self.structural_connectomes()
        optional += [self.individuals] if self.individuals.exists() else []
        return [self.expression, self.regions, self.genes, *connectomes, *optional]

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


def dataset_folders() -> dict[str, DatasetFolder]:
    """Find the datasets that come with gx2c: name -> folder, sorted by name."""
    found: dict[str, DatasetFolder] = {}
    for parent in DATASET_DIRS:
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
    path = Path(name_or_path).expanduser()
    if path.is_file():
        raise DataError(str(path), ["this is a file; a dataset is a folder: give the folder"])
    if path.is_dir() and str(name_or_path).strip():
        return path
    raise UserError(
        f"no dataset named {str(name_or_path)!r} and no such folder; "
        f"choose from {sorted(known)} or give the path of a dataset folder"
    )
