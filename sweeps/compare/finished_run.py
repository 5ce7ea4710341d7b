"""The scores of one finished run on its test regions, for comparison with others."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json
from sweeps.folder.summary_file import Summary, read_summary
from sweeps.folder.summary_parts import Scores
from sweeps.request.files import read_folds, read_options
from sweeps.request.option import Affects
from sweeps.request.options import SweepOptions
from sweeps.request.table import OPTIONS

# Options that name a run, or determine where and how it was computed or which scores it has: two
# runs that differ in nothing else have the same settings
_NO_SETTING = {Affects.NULLS, Affects.ROUNDING, Affects.PLACEMENT}
NOT_SETTINGS = {
    *("model", "seeds", "preset", "warm_start"),
    *(name for name, one in OPTIONS.items() if one.affects in _NO_SETTING),
}

# Files of a view that models read but are not tested on
READ_BY_MODELS = ("embeddings", "gene_vectors")


class FoldRegions(NamedTuple):
    """Names of the regions of one outer fold."""

    train: frozenset[str]
    test: frozenset[str]


@dataclass(frozen=True)
class FinishedRun:
    """A run with its scores per outer fold.

    Attributes
    ----------
    paths
        The run folder.
    summary, options
        Results and options of the run.
    checksum
        Checksum of the data on which its models were tested.
    folds
        Regions of each outer fold.
    """

    paths: SweepPaths
    summary: Summary
    options: SweepOptions
    checksum: str
    folds: Sequence[FoldRegions]

    @property
    def root(self) -> Path:
        """The run folder."""
        return self.paths.root

    @property
    def model(self) -> str:
        """The model of the run."""
        return self.summary.model

    @property
    def places(self) -> dict[int, list[int]]:
        """Positions in `folds` of the folds of each seed."""
        found: dict[int, list[int]] = {}
        for place, fold in enumerate(self.summary.folds):
            seed = self.summary.seed if fold.seed is None else fold.seed
            found.setdefault(seed, []).append(place)
        return found

    @property
    def test(self) -> list[Scores]:
        """Test scores of the model per outer fold; NaN where undefined."""
        return [fold.test for fold in self.summary.folds]

    @property
    def geography(self) -> list[Scores]:
        """Test scores of geography per outer fold."""
        return [fold.test for fold in self.summary.rival_folds]

    @cached_property
    def scored(self) -> Mapping[str, Any]:
        """Options that determine the meaning of the scores.

        The learned target may differ (for example the geography residual), because the measured
        edges are scored.
        """
        view = asdict(self.options.view)
        return {k: v for k, v in view.items() if k not in READ_BY_MODELS} | {
            "score": self.options.score
        }

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """Options by which two runs of a model with one seed may differ."""
        return {k: v for k, v in self.options.to_dict().items() if k not in NOT_SETTINGS}


def name_among(run: FinishedRun, runs: Sequence[FinishedRun]) -> str:
    """Return the model's name, with the settings that distinguish its runs: `smt (genes all)`."""
    others = [other.settings for other in runs if other.model == run.model]
    differ = [k for k, v in run.settings.items() if any(other.get(k) != v for other in others)]
    settings = ", ".join(f"{name} {run.settings[name]}" for name in differ)
    return f"{run.model} ({settings})" if settings else run.model


def read_finished(root: Path) -> FinishedRun:
    """Read a run folder.

    Raises
    ------
    UserError
        If it does not contain a finished run.
    """
    paths = SweepPaths(root)
    summary, inputs = read_summary(paths), read_json(paths.inputs)
    if len(summary.rival_folds) != len(summary.folds):
        raise UserError(f"{root} has no geography scores on its folds; give a finished sweep")
    return FinishedRun(
        paths,
        summary,
        read_options(paths),
        # runs of earlier versions only have that of all files
        inputs.get("measured") or inputs["checksum"],
        [FoldRegions(frozenset(f["train"]), frozenset(f["test"])) for f in read_folds(paths)],
    )
