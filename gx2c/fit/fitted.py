"""A config fitted on some regions of several brains, for sweeps, estimators and saved models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Self

import numpy as np
from torch import Tensor

from gx2c.data.brain import Brain, FloatArray, IntArray, Regions
from gx2c.data.unmeasured import Unmeasured
from gx2c.errors import UserError
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.in_turn import FitInTurn, weights_of
from gx2c.fit.predictor import NetworkPredictor
from gx2c.fit.prepare import TrainingSet, View
from gx2c.fit.start import Start
from gx2c.models import MODELS, Model
from gx2c.models.protocol import ReadsTestEdges
from gx2c.models.spec import EXPRESSION, TRAIN_TEST_EDGES

DEFAULT_PROFILE = ComputeProfile()


@dataclass(frozen=True)
class ClosedForm:
    """A fitted closed form, as a group of one member."""

    model: Model

    def __len__(self) -> int:
        return 1

    def predict(self, regions: Sequence[Regions]) -> list[FloatArray]:
        """Predict the connectome among the regions of its one member."""
        return [self.model.predict(*regions)]


@dataclass(frozen=True, repr=False)
class FittedModels:
    """One config, fitted once for each member, and nothing that only training needs.

    Attributes
    ----------
    config
        The config.
    views
        Data that each member reads.
    groups
        Members that are computed together, in order: other groups would change rounding.
    """

    config: FitConfig
    views: Sequence[View]
    groups: Sequence[NetworkPredictor | ClosedForm]

    def __repr__(self) -> str:
        return f"FittedModels({self.config.model}, {len(self.views)} member(s))"

    @classmethod
    def fit(
        cls,
        config: FitConfig,
        brains: Sequence[Brain],
        train_regions: IntArray,
        test_regions: IntArray | None = None,
        *,
        learning_rates: Sequence[float] = (),
        seeds: Sequence[int] = (),
        profile: ComputeProfile = DEFAULT_PROFILE,
        start: Start | None = None,
    ) -> Self:
        """Fit a config on some regions of each of several brains.

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
        start
            As in `NetworkFit`.

        Raises
        ------
        UserError
            If a model reads edges between training and test regions and is given no test regions.
        """
        sets = [_cut(config, brain, train_regions, test_regions) for brain in brains]
        groups: Sequence[NetworkPredictor | ClosedForm]
        if MODELS[config.model].trains_in_epochs:
            fit = FitInTurn(config, sets, seeds=seeds, profile=profile, start=start)
            for number, rate in enumerate(learning_rates, start=1):
                fit.run_epoch(number, rate)
            groups = [group.fitted for group in fit.groups]
        else:
            groups = [ClosedForm(_fit_closed_form(config, training)) for training in sets]
        return cls(config, [training.view() for training in sets], groups)

    def predict(
        self,
        brains: Sequence[Brain | Unmeasured],
        regions: IntArray,
        weight: float | None = None,
    ) -> list[FloatArray]:
        """Predict the connectome among some regions, with each brain's model.

        `weight` replaces that of the task; see `View.finisher`.
        """
        shown = self._show(brains, regions)
        predicted = [one for group, own in self._by_group(shown) for one in group.predict(own)]
        return [
            v.finisher(r, weight)(p) for v, r, p in zip(self.views, shown, predicted, strict=True)
        ]

    def embed(self, brains: Sequence[Brain | Unmeasured], regions: IntArray) -> list[FloatArray]:
        """Return each network's embedding of some regions, (n_regions, n_dims); none of others."""
        return [
            embedding
            for group, own in self._by_group(self._show(brains, regions))
            if isinstance(group, NetworkPredictor)
            for embedding in group.embed(own)
        ]

    def _show(self, brains: Sequence[Brain | Unmeasured], regions: IntArray) -> list[Regions]:
        return [v.show(b, regions) for v, b in zip(self.views, brains, strict=True)]

    def _by_group(
        self, shown: Sequence[Regions]
    ) -> Iterator[tuple[NetworkPredictor | ClosedForm, Sequence[Regions]]]:
        for group, end in zip(self.groups, accumulate(map(len, self.groups)), strict=True):
            yield group, shown[end - len(group) : end]

    def weights(self) -> dict[str, Tensor]:
        """Return all weights, the first axis counting brains; empty if there are no networks."""
        networks = [g.network for g in self.groups if isinstance(g, NetworkPredictor)]
        return weights_of(networks) if networks else {}


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


def _fit_closed_form(config: FitConfig, training: TrainingSet) -> Model:
    model: Model = MODELS[config.model].build(**config.hyperparameters)
    model.fit(training.regions, training.connectome)
    if training.train_test_edges is not None:
        assert isinstance(model, ReadsTestEdges), (
            f"{config.model} declares edges that it cannot read"
        )
        model.see_edges(training.train_test_edges)
    return model
