"""Compare finished runs, paired fold by fold: `gx2c compare RUN ...`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.errors import UserError
from gx2c.metrics import METRICS, better_by, corrected_resampled_t
from gx2c.models.names import GEOGRAPHY
from gx2c.nulls import fdr_p_values
from gx2c.splits import SPLITTERS
from sweeps.compare.finished_run import FinishedRun, name_among, read_finished

SCOPE = "differences generalise to other regions of this group-average brain, not to other people"
NO_SAMPLE = (
    "the folds of this split are the same for every seed, so they are not a sample for a test: "
    "differences are listed fold by fold"
)
SHARED_BLOCKS = (
    "pairs of blocks share held-out regions, which the test does not account for: differences are "
    "listed fold by fold"
)


@dataclass(frozen=True)
class Pairing:
    """One model against its rival within one split.

    Attributes
    ----------
    model, against
        Names of the model and its rival.
    folds
        One entry per seed and fold: "seed", "fold", "n_train", "n_test", and in "difference" the
        gain of the model over its rival by metric; positive is better, also for losses.
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
        The rival: geography, which every run has, or a model of the runs. If runs of one model have
        different settings, each counts as a model with a name such as `smt (genes all)`.

    Returns
    -------
    dict
        "scope", and in "splits" the "comparisons" of each split (one per model and metric) with
        false discovery rates over the models.

    Raises
    ------
    UserError
        If a run is not finished, or two of them were not tested on the same regions.
    """
    finished = [read_finished(run) for run in runs]
    _check_same_data(finished)
    splits = dict.fromkeys(run.summary.split for run in finished)
    return {
        "against": against,
        "scope": SCOPE,
        "splits": [
            _of_split([r for r in finished if r.summary.split == s], against) for s in splits
        ],
    }


def _check_same_data(runs: Sequence[FinishedRun]) -> None:
    first = runs[0]
    for run in runs[1:]:
        if run.checksum != first.checksum:
            raise UserError(
                f"{run.root} and {first.root} have different data ({run.summary.dataset}, "
                f"{first.summary.dataset}); compare runs of the same dataset"
            )
        if run.scored != first.scored:
            raise UserError(
                f"{run.root} and {first.root} have different targets or scores ({run.scored}, "
                f"{first.scored}); compare runs of the same target"
            )


def _of_split(runs: Sequence[FinishedRun], against: str) -> dict[str, Any]:
    by_model = _by_model(runs)
    pairings = list(_pairings(by_model, against))
    if not pairings:
        raise UserError(f"the only model given is {against} itself; add a run of another model")
    why_not = _why_not_tested(runs)
    tested = not why_not
    comparisons = [
        comparison
        for metric in METRICS
        for comparison in _compare_by(metric, pairings, tested=tested)
    ]
    return {
        "split": runs[0].summary.split,
        "split_label": SPLITTERS[runs[0].summary.split].label,
        "dataset": runs[0].summary.dataset,
        "seeds": sorted({seed for run in runs for seed in run.places}),
        "test": "corrected resampled t" if tested else None,
        "note": why_not,
        "comparisons": comparisons,
    }


def _by_model(runs: Sequence[FinishedRun]) -> dict[str, dict[int, FinishedRun]]:
    """Group runs by model and seed; different settings of one model count as models."""
    by_model: dict[str, dict[int, FinishedRun]] = {}
    for run in runs:
        seeds = by_model.setdefault(name_among(run, runs), {})
        for seed in run.places:
            if seed in seeds:
                raise UserError(
                    f"{run.root} and {seeds[seed].root} are both runs of {run.model} with seed "
                    f"{seed} and the same settings; give only one of them"
                )
            seeds[seed] = run
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
        pairs = [(seed, seeds[seed], rivals[seed]) for seed in sorted(seeds)]
        yield Pairing(model, against, [f for pair in pairs for f in _paired(*pair, against)])


def _paired(
    seed: int, run: FinishedRun, rival: FinishedRun, against: str
) -> Iterator[dict[str, Any]]:
    places, theirs = run.places[seed], rival.places[seed]
    if [run.folds[p] for p in places] != [rival.folds[p] for p in theirs]:
        raise UserError(
            f"{run.root} and {rival.root} have the same split and seed but folds of different "
            "regions; compare runs with the same folds and inner folds"
        )
    scores = rival.geography if against == GEOGRAPHY else rival.test
    for number, (place, its) in enumerate(zip(places, theirs, strict=True)):
        yield {
            "seed": seed,
            "fold": number,
            "n_train": len(run.folds[place].train),
            "n_test": len(run.folds[place].test),
            "difference": better_by(run.test[place], scores[its]),
        }


def _why_not_tested(runs: Sequence[FinishedRun]) -> str:
    """Return why folds are not a sample for a test, or "" if they are.

    Seeds are not repeats if the split is deterministic or the folds are the same.
    """
    of_seed = {
        seed: frozenset(run.folds[place].test for place in places)
        for run in runs
        for seed, places in run.places.items()
    }
    if SPLITTERS[runs[0].summary.split].deterministic or len(set(of_seed.values())) < len(of_seed):
        return NO_SAMPLE
    return SHARED_BLOCKS if runs[0].scored["score"] == "block-pairs" else ""


def _compare_by(
    metric: str, pairings: Sequence[Pairing], *, tested: bool
) -> Iterator[dict[str, Any]]:
    """Compare all models by one metric; the false discovery rate is over these models."""
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
    """Adjust by Benjamini-Hochberg, without the tests that could not be made."""
    p = np.asarray(p_values)
    made = np.isfinite(p)
    rates = np.full(len(p), np.nan)
    if made.any():
        rates[made] = fdr_p_values(p[made])
    return rates.tolist()
