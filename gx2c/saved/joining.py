"""Saved models of several families, joined into one that averages them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gx2c.data.brain import Brain, IntArray
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.fitted import FittedModels
from gx2c.saved.model import SavedModel
from gx2c.saved.writing import Training, model_files


def joined_files(
    models: Mapping[str, SavedModel],
    weights: Mapping[str, float],
    brain: Brain,
    scores: Mapping[str, float],
) -> dict[str, bytes]:
    """Return the files of the weighted mean of several saved models, by name.

    Parameters
    ----------
    models
        By name, all trained on the same regions of `brain`.
    weights
        The share of each of them.
    brain
        Their dataset.
    scores
        Those of the mean prediction of the test regions.
    """
    about = next(iter(models.values())).about
    members = [part for one in models.values() for part in one.about.members]
    training = Training(
        _indices(brain, about.training_regions),
        _indices(brain, about.test_regions),
        learning_rates=[part.learning_rates for part in members],
        seeds=[part.seeds for part in members],
        profile=ComputeProfile(**about.profile),
        split=about.split,
        fold=about.fold,
        seed=about.seed,
        scores=scores,
        member_scores=[_numbers(one) for part in members for one in part.scores],
        conditions=about.conditions,
        weights=weights,
    )
    fitted = [part for one in models.values() for part in _on_genes_of(brain, one)]
    return model_files(fitted, brain, training)


def _on_genes_of(brain: Brain, model: SavedModel) -> list[FittedModels]:
    """Return what a saved model fitted, reading genes by their places in a brain."""
    place = {gene: number for number, gene in enumerate(brain.genes)}
    places = {number: place[gene] for number, gene in enumerate(model.genes)}
    return [
        replace(
            one,
            views=[replace(v, features=v.features.renumbered(places)) for v in one.views],
        )
        for one in model.fitted
    ]


def _indices(brain: Brain, labels: Sequence[str]) -> IntArray:
    place = {label: number for number, label in enumerate(brain.labels)}
    return np.array([place[label] for label in labels], dtype=np.int64)


def _numbers(scores: Mapping[str, float | None] | None) -> dict[str, float] | None:
    if scores is None:
        return None
    return {name: np.nan if score is None else score for name, score in scores.items()}
