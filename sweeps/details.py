"""Scores beyond the basic five: by kinds of edges, beyond geography, and against noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gx2c.data import Brain
from gx2c.metrics import (
    DetailedScores,
    average_details,
    average_scores,
    is_binary,
    score_in_detail,
)
from gx2c.splits import Fold
from sweeps.options import GEOGRAPHY
from sweeps.paths import SweepPaths
from sweeps.retrain_phase import read_predicted, read_retrained

TRAIN_TEST_LABEL = "edges between training and test regions: one end was seen in training"


def summarise_details(
    paths: SweepPaths, brain: Brain, folds: Sequence[Fold], models: Sequence[str]
) -> dict[str, Any]:
    """Return every detailed score of the retrained models, per fold and averaged.

    Parameters
    ----------
    paths
        Of a folder with retrained models.
    brain, folds
        What they were trained and tested on.
    models
        Names; with geography among them, the others are also scored given its prediction.
    """
    return {model: _of_model(paths, brain, folds, model, models) for model in models}


def _of_model(
    paths: SweepPaths, brain: Brain, folds: Sequence[Fold], model: str, models: Sequence[str]
) -> dict[str, Any]:
    rival = GEOGRAPHY if GEOGRAPHY in models and model != GEOGRAPHY else None
    scores = [_score(paths, brain, fold, k, model, rival) for k, fold in enumerate(folds)]
    return {
        "mean": average_details(scores),
        "folds": [
            {"fold": k, "values": s.values, "n_edges": s.n_edges, "reasons": s.reasons}
            for k, s in enumerate(scores)
        ],
    }


def _score(
    paths: SweepPaths, brain: Brain, fold: Fold, number: int, model: str, rival: str | None
) -> DetailedScores:
    test = fold.test_regions
    holdout = brain.holdout_connectome
    return score_in_detail(
        read_predicted(paths, model, number, brain.name),
        brain.connectome_block(test),
        coords_mm=brain.coords_mm[test],
        hemisphere=brain.hemisphere[test],
        network=[brain.network[i] for i in test.tolist()],
        geography=None if rival is None else read_predicted(paths, rival, number, brain.name),
        holdout=None if holdout is None else holdout[test][:, test],
        edges=None if fold.blocks is None else fold.scored_edges(),
        binary=is_binary(brain.connectome),
    )


def summarise_train_test(
    paths: SweepPaths, models: Sequence[str], n_folds: int
) -> dict[str, Any] | None:
    """Return the scores of edges between training and test regions; None if not asked for."""
    records = {m: read_retrained(paths, m, n_folds) for m in models}
    if any("train_test" not in record for of_model in records.values() for record in of_model):
        return None
    found = {m: [record["train_test"] for record in records[m]] for m in models}
    return {
        "label": TRAIN_TEST_LABEL,
        "models": {m: {"mean": average_scores(s), "folds": s} for m, s in found.items()},
    }
