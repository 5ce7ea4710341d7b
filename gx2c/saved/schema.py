"""The schema of model.json and of models.json."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gx2c.data.layout import PEARSON

# Raised when files of this version could no longer be read by the one before
FORMAT = 3

Scores = dict[str, float | None]


class Part(BaseModel):
    """Checked whenever it is made."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class DatasetPart(Part):
    """The data on which a model was trained.

    Attributes
    ----------
    checksum
        SHA-256 over the files of the dataset.
    measure
        Name of the measure in its connectome; in the name of its file it stands after meas-.
    measured
        SHA-256 over its regions and that connectome, which other files do not change.
    divisor
        Number by which the measure was divided, so that it lies within [-1, 1]; predictions times
        this number have the measure's own scale.
    placed
        Whether regions have coordinates, and not only distances.
    """

    name: str
    checksum: str
    regions: list[str]
    measure: str = PEARSON
    measured: str = ""
    divisor: float = 1.0
    placed: bool = True


class OriginPart(Part):
    """A model from which networks started; arrays such as `origin_0.coords_mm` place its regions.

    Attributes
    ----------
    model, digest
        Its name, and a hash of its content.
    dataset, regions, placed, training_regions
        As of a model.
    """

    model: str
    digest: str
    dataset: str
    regions: list[str]
    placed: bool
    training_regions: list[str]


class MembersPart(Part):
    """One config with all its seeds, and what they learned.

    Attributes
    ----------
    views
        For each seed, the features that it reads, and the geography that is added.
    groups
        Learned parts, in groups of seeds that are computed together.
    scores
        For each seed, None if it diverged or was not scored.
    """

    config: dict[str, Any]
    learning_rates: list[float]
    seeds: list[int]
    scores: list[Scores | None]
    views: list[dict[str, Any]]
    groups: list[dict[str, Any]]


class ModelFile(Part):
    """All of a saved model but its arrays.

    Attributes
    ----------
    format
        `FORMAT` of the version that wrote it.
    gx2c
        That version.
    model
        Name of the model.
    reads
        Data of regions that it reads, some of `gx2c.saved.matching.READS`.
    dataset, split, fold, seed
        The training data; `fold` is None of a model that was trained on all regions.
    training_regions, test_regions
        Labels.
    genes
        Symbols of the genes that any member reads, in order. The arrays `gene_means` and
        `gene_deviations` are those of the training regions.
    members
        The ensemble, config by config; one config with one seed for a single model.
    weights
        By model, its share in the prediction of `best`, the mean of the models' mean predictions.
    scores
        Those of the mean prediction of the test regions.
    conditions
        Deviations from the defaults in data, target and split.
    expected
        The mean test scores of the sweep whose configs these are, where no region is left to test.
    origins
        The model from which its networks started, if any, and those from which that one did: their
        training regions count as seen.
    profile, versions, processor
        How and where it was computed.
    arrays
        Shape of each array in `ARRAYS_FILE`.
    files
        SHA-256 of each other file of the folder.
    """

    format: int = Field(ge=1, le=FORMAT)
    gx2c: str
    model: str
    reads: list[str]
    dataset: DatasetPart
    split: str
    fold: int | None
    seed: int
    training_regions: list[str]
    test_regions: list[str]
    genes: list[str]
    members: list[MembersPart] = Field(min_length=1)
    weights: dict[str, float] = Field(default_factory=dict)
    scores: Scores
    expected: Scores = Field(default_factory=dict)
    conditions: list[str] = Field(default_factory=list)
    origins: list[OriginPart] = Field(default_factory=list)
    profile: dict[str, Any]
    versions: dict[str, str]
    processor: str
    arrays: dict[str, list[int]]
    files: dict[str, str]

    def __repr__(self) -> str:
        return f"ModelFile({self.model}; {', '.join(type(self).model_fields)})"


class IndexEntry(Part):
    """One saved model of a run; `folder` is relative to the run's."""

    model: str
    fold: int
    folder: str


class IndexFile(Part):
    """The saved models of a run; `model` is that of the sweep."""

    format: int = Field(default=FORMAT, ge=1, le=FORMAT)
    gx2c: str
    model: str
    models: list[IndexEntry]
