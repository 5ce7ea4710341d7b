"""Vary the steps of networks trained side by side, each from its own random stream."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gx2c.data.brain import FloatArray
from gx2c.data.individuals import Individuals
from gx2c.fit.augmentation import NOISE, STRONG, SUBJECTS, Augmentation
from gx2c.fit.config import FitConfig
from gx2c.fit.prepare import TrainingSet
from gx2c.metrics.detail import STRONG as STRONG_EDGE

# Keeps these draws apart from those of blocks and dropout, which have the same seed
STREAM = 0xA06


class Varied(NamedTuple):
    """One step of all members."""

    features: Tensor  # (n_members, n_block, n_columns), standardised
    targets: Tensor  # (n_members, n_block, n_block)
    # (n_members, n_block, n_block), 1 where an edge counts in the loss and 0 where not
    counts: Tensor


class Augmenter:
    """Varies the steps of K members; what happens to one depends on its seed and the epoch alone.

    Parameters
    ----------
    augmentation
        The variations.
    individuals
        For each member the people's connectomes among its training regions, or None.
    offsets
        For each member the values removed from its targets, (n_train_regions, n_train_regions).
    max_epochs
        Number of epochs over which the schedule runs.
    """

    def __init__(
        self,
        augmentation: Augmentation,
        individuals: Sequence[Individuals | None],
        offsets: Sequence[FloatArray | None],
        *,
        max_epochs: int,
    ) -> None:
        self.augmentation, self.max_epochs = augmentation, max_epochs
        self.individuals, self.offsets = individuals, offsets
        self._rngs: list[np.random.Generator] = []
        self._probability = 0.0

    def begin_epoch(self, number: int, seeds: Sequence[int]) -> None:
        """Reseed every member's stream."""
        self._probability = self.augmentation.probability_of(number, self.max_epochs)
        self._rngs = [
            np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAM,)))
            for seed in seeds
        ]

    def vary(self, block: Sequence[Tensor], features: Tensor, targets: Tensor) -> Varied:
        """Vary a step.

        Parameters
        ----------
        block
            For each member the training regions of the step, (n_block,).
        features, targets
            As in `Varied`.
        """
        varied = Varied(features.clone(), targets.clone(), torch.ones_like(targets))
        for member, rng in enumerate(self._rngs):
            if rng.random() < self._probability:
                self._vary_member(member, block[member], varied, rng)
        return varied

    def _vary_member(
        self, member: int, rows: Tensor, varied: Varied, rng: np.random.Generator
    ) -> None:
        kinds = self.augmentation.kinds
        if STRONG in kinds:
            strong = (varied.targets[member].abs() > STRONG_EDGE).float()
            strong.fill_diagonal_(0.0)
            # a block without a strong edge is trained on as it is
            varied.counts[member] = strong if bool(strong.any()) else torch.ones_like(strong)
        if self.augmentation.needs_subjects:
            group = varied.targets[member].cpu().numpy()
            found = self._draw_people(member, rows.cpu().numpy(), group, rng)
            varied.targets[member] = torch.from_numpy(found).to(varied.targets)
        if NOISE in kinds:
            like = varied.features[member]
            drawn = rng.standard_normal(tuple(like.shape), dtype=np.float32)
            noise = torch.from_numpy(drawn).to(like)
            # a column without variance stays without
            moves = (like != 0).any(dim=0)
            varied.features[member] = like + self.augmentation.noise * noise * moves

    def _draw_people(
        self, member: int, rows: np.ndarray, group: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        people = self.individuals[member]
        assert people is not None, "checked before the first trial"
        draw = people.draw_one if SUBJECTS in self.augmentation.kinds else people.draw_each_edge
        found = draw(rows, rng)
        offset = self.offsets[member]
        if offset is not None:
            found = found - offset[np.ix_(rows, rows)]
        # an edge that the person lacks keeps the group's value
        return np.where(np.isfinite(found), found, group).astype(np.float32)


def make_augmenter(config: FitConfig, training_sets: Sequence[TrainingSet]) -> Augmenter | None:
    """Make the augmenter of a config; None if its training data are never varied."""
    augmentation = config.task.augmentation
    if not augmentation.kinds or not augmentation.probability:
        return None
    return Augmenter(
        augmentation,
        [s.individuals for s in training_sets],
        [s.taken_out for s in training_sets],
        max_epochs=config.training.max_epochs,
    )
