"""Detailed scores: by groups of edges, given geography, and against noise."""

from collections.abc import Sequence
from typing import Any

from gx2c.data import Brain
from gx2c.data.brain import FloatArray
from gx2c.metrics import (
    DetailedScores,
    average_details,
    average_scores,
    corrected_resampled_t,
    is_binary,
    score_in_detail,
)
from gx2c.models.names import BEST, GEOGRAPHY, families_of, split_name
from gx2c.splits import Fold
from sweeps.folder.paths import SweepPaths
from sweeps.folder.results import Result, read_connectome
from sweeps.folder.summary_parts import Across, AcrossModel, Average, Details, DetailsFold, Scores
from sweeps.phases.control import alone_paths
from sweeps.phases.retrain import read_scores

TRAIN_TEST_LABEL = "edges between training and test regions: one end was seen in training"


def averages(scores: Sequence[Scores], folds: Sequence[Fold]) -> dict[str, Average]:
    """Average each metric over folds."""
    return {
        name: Average(**{**average, **corrected([one[name] for one in scores], folds, "se")})
        for name, average in average_scores(scores).items()
    }


def corrected(values: Sequence[float], folds: Sequence[Fold], *names: str) -> dict[str, Any]:
    """Return fields of the `CorrectedT` of values on the folds of several seeds.

    There are none for a single seed, for seeds with the same folds, and for pairs of blocks, which
    share test regions.
    """
    tested: dict[int, set[bytes]] = {}
    for fold in folds:
        tested.setdefault(fold.seed, set()).add(fold.test_regions.tobytes())
    distinct = {frozenset(regions) for regions in tested.values()}
    if not 1 < len(tested) == len(distinct) or folds[0].blocks is not None:
        return {}
    sizes = {
        "n_test": [len(fold.test_regions) for fold in folds],
        "n_train": [len(fold.train_regions) for fold in folds],
    }
    found = corrected_resampled_t(values, **sizes)._asdict()
    return {name: found[name] for name in names}


def ensemble_of(result: Result) -> dict[str, Any]:
    """Return the fields of a `FoldSummary` about an ensemble; none for a single model."""
    found: dict[str, Any] = {}
    if result.others or result.weights:
        found = {
            "n_members": len(result.member_scores),
            "n_diverged": result.member_scores.count(None),
        }
    if result.others:
        found |= {"single": result.single or {}, "spread": result.spread}
    task = result.config.get("task", {})
    if result.weights:
        found["weights"] = result.weights
    return found | ({"weight": task["weight"]} if task.get("geography") else {})


def single_scores(paths: SweepPaths, model: str, folds: Sequence[Fold]) -> dict[str, Any]:
    """Return the field of a `Summary` with the best configs' scores; none without ensembles."""
    scores = read_scores(paths, model, len(folds), edges="single")
    return {"single": averages(scores, folds)} if scores else {}


def family_scores(paths: SweepPaths, model: str, folds: Sequence[Fold]) -> dict[str, Any]:
    """Return the field of a `Summary` with the scores of the models that `best` averages."""
    if model != BEST:
        return {}
    scores = {name: read_scores(paths, name, len(folds)) for name in families_of(model)}
    return {"families": {name: averages(found, folds) for name, found in scores.items()}}


def alone_scores(paths: SweepPaths, model: str, folds: Sequence[Fold]) -> dict[str, Any]:
    """Return the field of a `Summary` with the scores without geography; none if there are none."""
    name, after_geography = split_name(model)
    alone, n_folds = alone_paths(paths), len(folds)
    if not after_geography or not all(alone.retrained(name, f).exists() for f in range(n_folds)):
        return {}
    return {"alone": averages(read_scores(alone, name, n_folds), folds)}


def summarise_details(
    paths: SweepPaths, brain: Brain, folds: Sequence[Fold], models: Sequence[str]
) -> dict[str, Details]:
    """Return every detailed score of the retrained models, per fold and averaged.

    Parameters
    ----------
    paths
        A folder with retrained models.
    brain, folds
        Their data and folds.
    models
        Names; if geography is among them, the others are also scored given its prediction.
    """
    found = {}
    for model in models:
        rival = GEOGRAPHY if GEOGRAPHY in models and model != GEOGRAPHY else None
        scores = [_score(paths, brain, fold, k, model, rival) for k, fold in enumerate(folds)]
        found[model] = Details(
            mean={name: Average(**a) for name, a in average_details(scores).items()},
            folds=[
                DetailsFold(
                    fold=fold.number,
                    seed=fold.seed,
                    values=s.values,
                    n_edges=s.n_edges,
                    reasons=s.reasons,
                )
                for fold, s in zip(folds, scores, strict=True)
            ],
        )
    return found


def _score(
    paths: SweepPaths, brain: Brain, fold: Fold, number: int, model: str, rival: str | None
) -> DetailedScores:
    def predicted(name: str) -> FloatArray:
        return read_connectome(paths.predicted(name, number, brain.name))[1]

    test = fold.test_regions
    holdout = brain.holdout_connectome
    return score_in_detail(
        predicted(model),
        brain.connectome_block(test),
        coords_mm=brain.coords_mm[test],
        hemisphere=brain.hemisphere[test],
        network=[brain.network[i] for i in test.tolist()],
        geography=None if rival is None else predicted(rival),
        holdout=None if holdout is None else holdout[test][:, test],
        edges=None if fold.blocks is None else fold.scored_edges(),
        binary=is_binary(brain.connectome),
    )


def summarise_train_test(
    paths: SweepPaths, models: Sequence[str], folds: Sequence[Fold]
) -> Across | None:
    """Return the scores of edges between training and test regions; None if not requested."""
    found = {m: read_scores(paths, m, len(folds), edges="train_test") for m in models}
    if any(len(scores) < len(folds) for scores in found.values()):
        return None
    return Across(
        label=TRAIN_TEST_LABEL,
        models={
            model: AcrossModel(mean=averages(scores, folds), folds=scores)
            for model, scores in found.items()
        },
    )
