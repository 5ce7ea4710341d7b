"""The folder that `gx2c data ahba` writes: names of its files, and what the importer reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.checks import UNSAMPLED
from gx2c.data.reading import read_shared
from gx2c.data.tables import numbers, read_tsv
from gx2c.data.writing import SHARED_COLUMN, SOURCE_COLUMN

REFERENCES = (
    "Hawrylycz et al. (2012), Nature 489, 391 (Allen Human Brain Atlas)",
    "Markello et al. (2021), eLife 10, e72129 (abagen)",
)
# Its presence marks the folder
RECIPE = "ahba.yaml"
EXPRESSION, REGIONS = READ = ("expression.parquet", "regions.tsv")
STABILITY, METHODS, COUNTS = "stability.tsv", "methods.txt", "samples_per_region.tsv"
# Before each line that abagen's process has for the user
PROGRESS = "progress "
# Below `DONORS`: one file per donor, and all samples before normalisation
DONORS, DONOR_EXPRESSION = "donors", "expression_donor{}.parquet"
SAMPLES = "samples_before_normalisation.parquet"
STABILITY_COLUMNS = ("gene", "stability")


@dataclass(frozen=True)
class Sampling:
    """Where the expression of each region comes from."""

    sources: Mapping[str, str]  # By label, one of `gx2c.data.checks.EXPRESSION_SOURCES`
    shared: frozenset[tuple[str, str]]  # Labels of regions that share tissue samples, both ways
    stability: Mapping[str, float]  # Differential stability by gene


def is_aside(path: Path) -> bool:
    """Return whether a file of such a folder holds what the importer does not read."""
    return path.name not in READ and any((parent / RECIPE).exists() for parent in path.parents[:2])


def read_sampling(folder: Path) -> Sampling | None:
    """Read the sources of expression and the stability of genes; None for any other folder.

    Raises
    ------
    DataError
        If a file cannot be read.
    """
    if not (folder / RECIPE).exists():
        return None
    table = read_tsv(folder / REGIONS, ("label", SOURCE_COLUMN, SHARED_COLUMN))
    genes = read_tsv(folder / STABILITY, STABILITY_COLUMNS)
    values: FloatArray = numbers(folder / STABILITY, genes, STABILITY_COLUMNS[1:])
    shared = read_shared(folder / REGIONS, table["label"], table[SHARED_COLUMN])
    return Sampling(
        dict(zip(table["label"], table[SOURCE_COLUMN], strict=True)),
        pairs_of(table["label"], shared),
        dict(zip(genes["gene"], values[:, 0].tolist(), strict=True)),
    )


def sampling_of(brain: Brain) -> Sampling | None:
    """Return the sources of expression and the stability of genes; None if they are unknown."""
    if brain.expression_from is None and brain.stability is None:
        return None
    n, shared, stability = brain.n_regions, brain.shared_samples, brain.stability
    return Sampling(
        dict(zip(brain.labels, brain.expression_from or (UNSAMPLED,) * n, strict=True)),
        frozenset() if shared is None else pairs_of(brain.labels, shared),
        {} if stability is None else dict(zip(brain.genes, stability.tolist(), strict=True)),
    )


def pairs_of(labels: Sequence[str], shared: NDArray[np.uint8]) -> frozenset[tuple[str, str]]:
    """Return the labels of the regions that share tissue samples, both ways."""
    return frozenset((labels[i], labels[j]) for i, j in np.argwhere(shared).tolist())
