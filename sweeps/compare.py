"""Compare finished runs, paired fold by fold: `gx2c compare RUN ...`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.errors import UserError
from gx2c.metrics import METRICS, corrected_resampled_t
from gx2c.nulls import fdr_p_values
from gx2c.splits.rules import DETERMINISTIC_SPLITS, SPLITS_USING_TARGET
from sweeps.finished_run import FinishedRun, name_among, read_finished
from sweeps.options import GEOGRAPHY

SCOPE = (
    "what is compared generalises to other regions of this group-average brain, not to other people"
)
NO_SAMPLE = (
    "the folds of this split are the same for every seed, so that there is no sample of them to "
    "test on: differences are listed fold by fold"
)
SHARED_BLOCKS = (
    "pairs of blocks share held-out regions, which the test does not allow for: differences are "
    "listed fold by fold"
)


@dataclass(frozen=True)
class Pairing:
    """One model against its rival within one split.

    Attributes
    ----------
    model, against
        Names.
    folds
        One entry a seed and fold: "seed", "fold", "n_train", "n_test", and in "difference" how
        much better the model is than its rival by each metric; positive is better for losses too.
    """

    model: str
    against: str
    folds: Sequence[Mapping[str, Any]]

    def differences(self, metric: str) -> list[float]:
        """Return the differences of one metric."""
        return [fold["difference"][metric] for fold in self.folds]


def compare_runs(runs: Sequence[Path], *, against: str = GEOGRAPHY) -> dict[str, Any]:
    """Compare each model of some finished runs with a rival on the same folds.

    Parameters
    ----------
    runs
        Run folders; several seeds of a model are averaged over as repeats.
    against
        The rival: geography, which every run holds, or a model of the runs. Where runs of one
        model have different settings, each is a model by the name `smt (genes all)`.

    Returns
    -------
    dict
        "scope", and in "splits" for each split its "comparisons" (one a model and metric) with
        false discovery rates over the models.

    Raises
    ------
    UserError
        If a run is not finished, or two of them were not tested on the same regions.
    """
    finished = [read_finished(run) for run in runs]
    _check_same_data(finished)
    splits = dict.fromkeys(run.split for run in finished)
    return {
        "against": against,
        "scope": SCOPE,
        "splits": [_of_split([r for r in finished if r.split == s], against) for s in splits],
    }


def _check_same_data(runs: Sequence[FinishedRun]) -> None:
    first = runs[0]
    for run in runs[1:]:
        if run.checksum != first.checksum:
            raise UserError(
                f"{run.root} and {first.root} are of different data ({run.dataset}, "
                f"{first.dataset}); compare runs of the same dataset"
            )
        if run.scored != first.scored:
            raise UserError(
                f"{run.root} and {first.root} do not score the same thing ({run.scored}, "
                f"{first.scored}); compare runs of the same target"
            )


def _of_split(runs: Sequence[FinishedRun], against: str) -> dict[str, Any]:
    by_model = _by_model(runs)
    pairings = list(_pairings(by_model, against))
    if not pairings:
        raise UserError(f"there is nothing but {against} to compare with {against}; add a run")
    why_not = _why_not_tested(runs)
    tested = not why_not
    comparisons = [
        comparison
        for metric in METRICS
        for comparison in _compare_by(metric, pairings, tested=tested)
    ]
    return {
        "split": runs[0].split,
        "split_label": SPLITS_USING_TARGET.get(runs[0].split, ""),
        "dataset": runs[0].dataset,
        "seeds": sorted({run.seed for run in runs}),
        "test": "corrected resampled t" if tested else None,
        "note": why_not,
        "comparisons": comparisons,
    }


def _by_model(runs: Sequence[FinishedRun]) -> dict[str, dict[int, FinishedRun]]:
    """Gather the seeds of each model; settings of one model that differ count as models."""
    by_model: dict[str, dict[int, FinishedRun]] = {}
    for run in runs:
        seeds = by_model.setdefault(name_among(run, runs), {})
        if run.seed in seeds:
            raise UserError(
                f"{run.root} and {seeds[run.seed].root} are both of {run.model} with seed "
                f"{run.seed} and the same settings; give one run for each"
            )
        seeds[run.seed] = run
    return by_model


def _pairings(by_model: Mapping[str, Mapping[int, FinishedRun]], against: str) -> Iterator[Pairing]:
    if against != GEOGRAPHY and against not in by_model:
        raise UserError(f"no run of {against} is given; choose from {sorted(by_model)}")
    for model, seeds in by_model.items():
        if model == against:
            continue
        rivals = seeds if against == GEOGRAPHY else by_model[against]
        if sorted(rivals) != sorted(seeds):
            raise UserError(
                f"{model} has seeds {sorted(seeds)} and {against} has {sorted(rivals)}; "
                "compare runs of the same seeds"
            )
        pairs = [(seeds[seed], rivals[seed]) for seed in sorted(seeds)]
        yield Pairing(model, against, [f for pair in pairs for f in _paired(*pair, against)])


def _paired(run: FinishedRun, rival: FinishedRun, against: str) -> Iterator[dict[str, Any]]:
    if run.folds != rival.folds:
        raise UserError(
            f"{run.root} and {rival.root} have the same split and seed, and folds of different "
            "regions; compare runs with the same folds and inner folds"
        )
    scores = rival.geography if against == GEOGRAPHY else rival.test
    for number, fold in enumerate(run.folds):
        yield {
            "seed": run.seed,
            "fold": number,
            "n_train": len(fold.train),
            "n_test": len(fold.test),
            "difference": {
                name: _better_by(name, run.test[number], scores[number]) for name in METRICS
            },
        }


def _better_by(metric: str, mine: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    sign = 1.0 if METRICS[metric].larger_is_better else -1.0
    return sign * (mine[metric] - theirs[metric])


def _why_not_tested(runs: Sequence[FinishedRun]) -> str:
    """Say why folds are no sample to test on; empty if they are.

    Seeds are no repeats by the rule's name, or because the folds are the same.
    """
    of_seed = {run.seed: frozenset(fold.test for fold in run.folds) for run in runs}
    if runs[0].split in DETERMINISTIC_SPLITS or len(set(of_seed.values())) < len(of_seed):
        return NO_SAMPLE
    return SHARED_BLOCKS if runs[0].scored["score"] == "block-pairs" else ""


def _compare_by(
    metric: str, pairings: Sequence[Pairing], *, tested: bool
) -> Iterator[dict[str, Any]]:
    """Compare all models by one metric: they are the family of the false discovery rate."""
    tests = [_test(pairing, metric) if tested else {} for pairing in pairings]
    rates = _false_discovery_rates([test.get("p_value", float("nan")) for test in tests])
    for pairing, test, rate in zip(pairings, tests, rates, strict=True):
        differences = pairing.differences(metric)
        yield {
            "model": pairing.model,
            "against": pairing.against,
            "metric": metric,
            "mean": float(np.mean(differences)),
            **test,
            **({"q_value": rate} if tested else {}),
            "differences": [
                {"seed": f["seed"], "fold": f["fold"], "difference": f["difference"][metric]}
                for f in pairing.folds
            ],
        }


def _test(pairing: Pairing, metric: str) -> dict[str, Any]:
    return corrected_resampled_t(
        pairing.differences(metric),
        n_test=[fold["n_test"] for fold in pairing.folds],
        n_train=[fold["n_train"] for fold in pairing.folds],
    )._asdict()


def _false_discovery_rates(p_values: Sequence[float]) -> list[float]:
    """Adjust by Benjamini and Hochberg; a test that could not be made is in no family."""
    p = np.asarray(p_values)
    made = np.isfinite(p)
    rates = np.full(len(p), np.nan)
    if made.any():
        rates[made] = fdr_p_values(p[made])
    return rates.tolist()
