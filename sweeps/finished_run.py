"""What one finished run says about its test regions, ready to be set beside others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gx2c.errors import UserError
from sweeps.fold_regions import read_folds
from sweeps.paths import SweepPaths
from sweeps.records import read_json
from sweeps.request import FREE_ON_RESUME, read_inputs, read_options

# Options that name a run, say where and how it was computed, or what was asked about its score:
# two runs that differ in nothing else have the same settings
NOT_SETTINGS = {
    *"model seed preset cpus_per_trial gpus_per_trial warm_start".split(),
    *"nulls null_search null_method null_moves".split(),
    *FREE_ON_RESUME,
}

# Files of a view that models read and none is tested on
READ_BY_MODELS = ("embeddings", "gene_vectors")

FoldScores = Sequence[Mapping[str, float]]


class FoldRegions(NamedTuple):
    """Names of the regions of one outer fold."""

    train: frozenset[str]
    test: frozenset[str]


@dataclass(frozen=True)
class FinishedRun:
    """A run with its scores per outer fold.

    Attributes
    ----------
    root
        The run folder.
    model, dataset, split, seed
        Of the run.
    checksum
        Of what its models were tested on.
    scored
        Options that decide what the scores mean.
    settings
        Options by which two runs of a model with one seed may differ.
    folds
        Regions of each outer fold.
    test, geography
        Test scores of the model and of geography per outer fold; NaN where undefined.
    summary
        The whole summary.
    """

    root: Path
    model: str
    dataset: str
    split: str
    seed: int
    checksum: str
    scored: Mapping[str, Any]
    settings: Mapping[str, Any]
    folds: Sequence[FoldRegions]
    test: FoldScores
    geography: FoldScores
    summary: Mapping[str, Any]


def name_among(run: FinishedRun, runs: Sequence[FinishedRun]) -> str:
    """Return the model's name, with what tells its runs apart: `smt (genes all)`."""
    others = [other.settings for other in runs if other.model == run.model]
    differ = [k for k, v in run.settings.items() if any(other.get(k) != v for other in others)]
    settings = ", ".join(f"{name} {run.settings[name]}" for name in differ)
    return f"{run.model} ({settings})" if settings else run.model


def read_finished(root: Path) -> FinishedRun:
    """Read a run folder.

    Raises
    ------
    UserError
        If it holds no finished run of this version.
    """
    paths = SweepPaths(root)
    if not paths.summary.exists():
        raise UserError(f"{root} holds no finished run (no {paths.summary.name})")
    summary, options = read_json(paths.summary), read_options(paths)
    folds, inputs = read_folds(paths), read_inputs(paths)
    try:
        return FinishedRun(
            root=root,
            model=summary["model"],
            dataset=summary["dataset"],
            split=summary["split"],
            seed=summary["seed"],
            # runs of earlier versions have but that of all files
            checksum=inputs.get("measured") or inputs["checksum"],
            # what a model learns (geography's residual, say) may differ: the real edges are scored
            scored={k: v for k, v in options.view.to_dict().items() if k not in READ_BY_MODELS}
            | {"score": options.score},
            settings={k: v for k, v in options.to_dict().items() if k not in NOT_SETTINGS},
            folds=[FoldRegions(frozenset(f["train"]), frozenset(f["test"])) for f in folds],
            test=[_numbers(fold["test"]) for fold in summary["folds"]],
            geography=[_numbers(fold["test"]) for fold in summary["geography"]["folds"]],
            summary=summary,
        )
    except (KeyError, TypeError):
        raise UserError(f"{paths.summary} is not the summary of a sweep") from None


def _numbers(scores: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float("nan") if value is None else value for name, value in scores.items()}
