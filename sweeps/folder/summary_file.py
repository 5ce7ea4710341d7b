"""The schema of summary.json, for writing and reading."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_as, write_json
from sweeps.folder.summary_parts import (
    Across,
    Average,
    Averages,
    Details,
    FoldSummary,
    Gain,
    Geography,
    Nulls,
    Part,
    Provenance,
    StoredVerdict,
)

_HINT = "give a finished run folder, or finish it with `gx2c sweep --resume`"


class Summary(Part):
    """All numbers of a run."""

    model: str
    dataset: str
    split: str
    split_label: str = ""
    deterministic_split: bool = False
    conditions: list[str] = Field(default_factory=list)
    seed: int
    n_regions: int
    n_genes: int | None = None
    rerun_of: str = ""
    folds: list[FoldSummary] = Field(min_length=1)
    test: Averages
    # the best configs alone, where `test` is an ensemble's
    single: Averages = Field(default_factory=dict)
    # the same configs without geography, of `geography+MODEL`
    alone: Averages = Field(default_factory=dict)
    # of each model that `best` averages
    families: dict[str, Averages] = Field(default_factory=dict)
    geography: Geography | None = None
    # of the first surrogate, and of the others
    nulls: Nulls | None = None
    more_nulls: dict[str, Nulls] = Field(default_factory=dict)
    verdict: StoredVerdict | None = None
    details: dict[str, Details] = Field(default_factory=dict)
    train_test: Across | None = None
    provenance: Provenance = Provenance()
    seconds: dict[str, float] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)
    # Checksums of the tables that are read with it
    files: dict[str, str] = Field(default_factory=dict)

    @property
    def seeds(self) -> list[int]:
        """The seeds of the splits; summaries of earlier versions have one."""
        return list(dict.fromkeys(self.seed if f.seed is None else f.seed for f in self.folds))

    @property
    def places(self) -> list[int]:
        """The number of each outer fold among those of all seeds, as in the names of files."""
        several = len(self.seeds) > 1
        return [place if several else fold.fold for place, fold in enumerate(self.folds)]

    @property
    def fold_names(self) -> list[str]:
        """A short name for each outer fold, with its seed if there are several."""
        if len(self.seeds) == 1:
            return [f"fold {fold.fold}" for fold in self.folds]
        return [f"seed {fold.seed} fold {fold.fold}" for fold in self.folds]

    @property
    def seeds_named(self) -> str:
        """The seeds in words, such as "seeds 1, 2"."""
        plural = "s" if len(self.seeds) > 1 else ""
        return f"seed{plural} {', '.join(map(str, self.seeds))}"

    def in_a_row(self) -> Self:
        """Return the summary with folds numbered as in the names of files."""
        if len(self.seeds) == 1:
            return self

        def numbered(folds: list[FoldSummary]) -> list[FoldSummary]:
            return [
                fold.model_copy(update={"fold": place, "number": fold.fold})
                for place, fold in enumerate(folds)
            ]

        rival = self.geography
        if rival is not None:
            rival = rival.model_copy(update={"folds": numbered(rival.folds)})
        return self.model_copy(update={"folds": numbered(self.folds), "geography": rival})

    @property
    def members(self) -> str:
        """How many models each prediction averages; a range where folds differ."""
        counts = [fold.n_members for fold in self.folds]
        few, many = min(counts), max(counts)
        return f"{few}" if few == many else f"{few} to {many}"

    def weight_of(self, family: str) -> float:
        """Return the share of a model in the mean of `best`, averaged over folds."""
        return sum(fold.weights.get(family, 0.0) for fold in self.folds) / len(self.folds)

    def score(self, metric: str) -> Average:
        """Return the model's test score, undefined where there is none."""
        return self.test.get(metric, Average())

    def rival(self, metric: str) -> Average:
        """Return geography's test score, undefined where there is none."""
        return Average() if self.geography is None else self.geography.test.get(metric, Average())

    def gain(self, metric: str) -> Gain:
        """Return the gain over geography, undefined where there is none."""
        return Gain() if self.geography is None else self.geography.gain.get(metric, Gain())

    @property
    def rival_folds(self) -> list[FoldSummary]:
        """Geography on every outer fold; empty where it was not run."""
        return [] if self.geography is None else self.geography.folds

    @property
    def is_geography(self) -> bool:
        """Whether the run's model is the baseline itself."""
        return self.geography is not None and self.geography.model == self.model


def write_summary(paths: SweepPaths, summary: Summary) -> None:
    """Write a summary, without the keys that were not set."""
    write_json(paths.summary, summary.model_dump(exclude_unset=True))


def read_summary(paths: SweepPaths) -> Summary:
    """Read the summary of a finished run.

    Raises
    ------
    UserError
        If there is none, or it is another file; the first problem is named.
    """
    if not paths.summary.exists():
        raise UserError(f"{paths.root} holds no finished run (no {paths.summary.name}); {_HINT}")
    return read_as(Summary, paths.summary, hint=_HINT)
