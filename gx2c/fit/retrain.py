"""Fresh models of one config: fitted on some regions of several brains, scored on test regions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from gx2c.data.brain import Brain, FloatArray, IntArray, Regions
from gx2c.errors import UserError
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.in_turn import FitInTurn
from gx2c.fit.prepare import TrainingSet
from gx2c.fit.scoring import score_or_diverged, score_train_test
from gx2c.models import MODELS, Model
from gx2c.models.spec import EXPRESSION, TRAIN_TEST_EDGES
from gx2c.splits.fold import Fold

DEFAULT_PROFILE = ComputeProfile()


class FittedModels:
    """One config, fitted on some regions of each of several brains.

    Parameters
    ----------
    config
        The config to fit.
    brains
        The true brain, or surrogates of it; their networks train side by side.
    train_regions
        Indices; nothing else of a brain is read, except with `TRAIN_TEST_EDGES`.
    test_regions
        Indices that a model of `TRAIN_TEST_EDGES` must know; no other model reads them.
    learning_rates, seeds, profile
        As in `retrain`; only networks use them.

    Raises
    ------
    UserError
        If a model reads edges between training and test regions and is given no test regions.
    """

    def __init__(
        self,
        config: FitConfig,
        brains: Sequence[Brain],
        train_regions: IntArray,
        test_regions: IntArray | None = None,
        *,
        learning_rates: Sequence[float] = (),
        seeds: Sequence[int] = (),
        profile: ComputeProfile = DEFAULT_PROFILE,
    ) -> None:
        self._sets = [_cut(config, brain, train_regions, test_regions) for brain in brains]
        self._fitted = _fit(config, self._sets, learning_rates, seeds, profile)

    def predict(
        self, brains: Sequence[Brain], regions: IntArray, weight: float | None = None
    ) -> list[FloatArray]:
        """Predict the connectome among some regions, with each brain's model.

        `weight` replaces that of the task; see `TrainingSet.finisher`.
        """
        shown = [s.show(b, regions) for s, b in zip(self._sets, brains, strict=True)]
        predicted = self._fitted.predict(shown)
        return [
            s.finisher(r, weight)(p) for s, r, p in zip(self._sets, shown, predicted, strict=True)
        ]

    def weights(self) -> dict[str, Tensor]:
        """Return all weights, the first axis counting brains; empty if there are no networks."""
        return self._fitted.weights()


def _cut(
    config: FitConfig, brain: Brain, train_regions: IntArray, test_regions: IntArray | None
) -> TrainingSet:
    """Cut the data that a config may see; one model also sees edges to the test regions."""
    # to choose and copy thousands of genes would take longer than most fits of place alone
    genes = config.genes if EXPRESSION in config.uses else None
    training = TrainingSet.cut(brain, train_regions, genes, config.task)
    if TRAIN_TEST_EDGES not in config.uses:
        return training
    if test_regions is None:
        raise UserError(
            f"{config.model} reads {TRAIN_TEST_EDGES}, so it must know the test regions when it is "
            "fitted; evaluate it on folds (gx2c.cross_validate)"
        )
    edges = brain.connectome[np.ix_(train_regions, test_regions)]
    return replace(training, train_test_edges=edges)


class _ClosedForms:
    def __init__(self, config: FitConfig, training_sets: Sequence[TrainingSet]) -> None:
        self.models: list[Model] = []
        for training in training_sets:
            model = MODELS[config.model].build(**config.hyperparameters)
            model.fit(training.regions, training.connectome)
            if training.train_test_edges is not None:
                model.see_edges(training.train_test_edges)
            self.models.append(model)

    def predict(self, regions: Sequence[Regions]) -> list[FloatArray]:
        return [model.predict(shown) for model, shown in zip(self.models, regions, strict=True)]

    def weights(self) -> dict[str, Tensor]:
        return {}


def _fit(
    config: FitConfig,
    training_sets: Sequence[TrainingSet],
    learning_rates: Sequence[float],
    seeds: Sequence[int],
    profile: ComputeProfile,
) -> FitInTurn | _ClosedForms:
    if not MODELS[config.model].trains_in_epochs:
        return _ClosedForms(config, training_sets)
    fit = FitInTurn(config, training_sets, seeds=seeds, profile=profile)
    for number, rate in enumerate(learning_rates, start=1):
        fit.run_epoch(number, rate)
    return fit


@dataclass(frozen=True)
class Retrained:
    """One retrained model on one outer fold.

    Attributes
    ----------
    predicted
        (n_test_regions, n_test_regions), symmetric.
    scores
        Each metric over the undirected test edges that count; None if the fit diverged.
    weights
        Weights of a network; empty for a closed form.
    profile
        Number format, kernel and threads with which it was computed.
    train_test_scores
        Each metric over the edges between training and test regions, if they were asked for.
    train_test_predicted
        (n_train_regions, n_test_regions), the prediction behind them.
    """

    predicted: FloatArray
    scores: dict[str, float] | None
    weights: dict[str, Tensor]
    profile: ComputeProfile
    train_test_scores: dict[str, float] | None = None
    train_test_predicted: FloatArray | None = None


def retrain(
    config: FitConfig,
    brains: Sequence[Brain],
    fold: Fold,
    *,
    learning_rates: Sequence[float],
    seeds: Sequence[int],
    profile: ComputeProfile,
    train_test_edges: bool = False,
) -> list[Retrained]:
    """Retrain one config on the training regions of a fold, once for each brain.

    Parameters
    ----------
    config
        Config chosen without the test regions.
    brains
        The true brain, or surrogates of it; their networks train side by side.
    fold
        The fold whose test regions are scored.
    learning_rates
        One per epoch, as recorded in the search; its length is the number of epochs. Empty for a
        closed form.
    seeds
        One per brain.
    profile
        Device, threads and number format.
    train_test_edges
        Whether to score edges between training and test regions too.
    """
    with profile.active():
        fitted = FittedModels(
            config,
            brains,
            fold.train_regions,
            fold.test_regions,
            learning_rates=learning_rates,
            seeds=seeds,
            profile=profile,
        )
        predicted, weights = fitted.predict(brains, fold.test_regions), fitted.weights()
        scores = [score_or_diverged(p, b, fold) for p, b in zip(predicted, brains, strict=True)]
        across: list[FloatArray | None] = [None] * len(brains)
        if train_test_edges and None not in scores:
            across = [*_predict_across(fitted, brains, fold)]
    return [
        Retrained(
            predicted[k],
            scores[k],
            {name: value[k : k + 1].cpu().contiguous() for name, value in weights.items()},
            profile,
            None if (found := across[k]) is None else score_train_test(found, brains[k], fold),
            across[k],
        )
        for k in range(len(brains))
    ]


def fit_predict_closed_form(config: FitConfig, brain: Brain, fold: Fold) -> FloatArray:
    """Fit a closed form on a fold's training regions and predict its held-out regions."""
    fitted = FittedModels(config, [brain], fold.train_regions, fold.test_regions)
    return fitted.predict([brain], fold.test_regions)[0]


def _predict_across(fitted: FittedModels, brains: Sequence[Brain], fold: Fold) -> list[FloatArray]:
    n_train = len(fold.train_regions)
    everything = np.concatenate([fold.train_regions, fold.test_regions])
    return [found[:n_train, n_train:] for found in fitted.predict(brains, everything)]
