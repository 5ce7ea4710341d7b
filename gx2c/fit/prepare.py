"""From regions to a network's tensors, with training regions' statistics; variation of steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from gx2c.data.brain import Brain, FloatArray, IntArray, Regions
from gx2c.data.genes import select_genes
from gx2c.data.individuals import Individuals
from gx2c.data.unmeasured import Unmeasured
from gx2c.fit.augmentation import NOISE, STRONG, SUBJECTS, Augmentation
from gx2c.fit.config import GEOGRAPHY_RESIDUAL, FitConfig, GeneOptions, Task
from gx2c.fit.feature_kinds import ShowFeature
from gx2c.fit.features import learn_features
from gx2c.fit.residual import GeographyEnsemble, take_geography_out
from gx2c.metrics.detail import STRONG as STRONG_EDGE
from gx2c.models.features import Standardiser
from gx2c.models.protocol import TrainingData

DEFAULT_TASK = Task()
# Keeps these draws apart from those of blocks and dropout, which have the same seed
STREAM = 0xA06


@dataclass(frozen=True, kw_only=True)
class View:
    """The features that a fitted model reads of regions, and the end of its prediction.

    Attributes
    ----------
    features
        Shows the features of any regions.
    geography
        The model whose prediction is added to every other; None if nothing was removed.
    weight
        Factor of the model's prediction where a geography is added to it.
    """

    features: ShowFeature
    geography: GeographyEnsemble | None = None
    weight: float = 1.0

    def show(self, brain: Brain | Unmeasured, region_indices: IntArray) -> Regions:
        """Show regions with the same features in the same order."""
        columns = self.features(brain, region_indices)
        return brain.regions(region_indices).with_columns(columns)

    def finisher(
        self, regions: Regions, weight: float | None = None
    ) -> Callable[[FloatArray], FloatArray]:
        """Return a function that turns a model's prediction into one of the regions' connectome.

        Where geography was taken out it is added again, within [-1, 1]. `weight` replaces that of
        the task; with 0 a model that diverged does no harm.
        """
        if self.geography is None:
            return lambda predicted: predicted
        offset = self.geography.predict(regions)
        share = self.weight if weight is None else weight
        if share == 0:
            return lambda predicted: np.clip(offset, -1.0, 1.0)
        return lambda predicted: np.clip(share * predicted + offset, -1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class TrainingSet(View, TrainingData):
    """All data that a fit may see, cut out of a brain; genes and features are chosen on it alone.

    `regions` hold the task's features in place of expression, by default the chosen genes in the
    chosen order. `connectome` is the target: the connectome, or its residual after geography.

    Attributes
    ----------
    gene_indices
        The chosen genes among the brain's, in order.
    taken_out
        (n_train_regions, n_train_regions), the part removed from the connectome, or None.
    individuals
        Connectomes of single people among the training regions, or None.
    train_test_edges
        (n_train_regions, n_test_regions), measured; only for a model that is marked as using them.
    """

    gene_indices: IntArray
    taken_out: FloatArray | None = None
    individuals: Individuals | None = None
    train_test_edges: FloatArray | None = None

    @classmethod
    def cut(
        cls,
        brain: Brain,
        train_regions: IntArray,
        genes: GeneOptions | None,
        task: Task = DEFAULT_TASK,
    ) -> Self:
        """Cut training regions out of a brain; with no `genes`, no gene is chosen."""
        regions, connectome = brain.regions(train_regions), brain.connectome_block(train_regions)
        chosen = np.arange(0)
        if genes is not None:
            chosen = select_genes(
                regions.expression,
                brain.genes,
                which=genes.which,
                order=genes.order,
                tss=brain.tss,
                seed=genes.seed,
            )
        features = learn_features(task.features, brain, train_regions, chosen)
        people, vectors = brain.individual_connectomes, brain.gene_vectors
        target, geography, taken_out = connectome, None, None
        if task.learned == GEOGRAPHY_RESIDUAL:
            geography, target = take_geography_out(regions, connectome, task.geography)
            taken_out = connectome - target
        return cls(
            regions=regions.with_columns(features(brain, train_regions)),
            connectome=target,
            gene_vectors=None if vectors is None else vectors[chosen],
            gene_indices=chosen,
            features=features,
            geography=geography,
            weight=task.weight,
            taken_out=taken_out,
            individuals=None
            if people is None
            else Individuals(people, brain.n_regions, train_regions),
        )

    def view(self) -> View:
        """Return what remains of the data once a model is fitted."""
        return View(features=self.features, geography=self.geography, weight=self.weight)


@dataclass(frozen=True)
class NetworkInputs:
    """Expression and coordinates of some regions as tensors, (n_regions, n_features) each."""

    expression: Tensor
    coords: Tensor


@dataclass(frozen=True)
class InputMaker:
    """Turns regions into `NetworkInputs` with statistics of the training regions."""

    expression: Standardiser
    coords: Standardiser

    @classmethod
    def learn(cls, training: Regions) -> Self:
        """Learn from training regions."""
        return cls(Standardiser.learn(training.expression), Standardiser.learn(training.coords_mm))

    def __call__(self, regions: Regions, device: torch.device) -> NetworkInputs:
        """Standardise any regions, to float32."""
        expression = self.expression.apply(regions.expression)
        coords = self.coords.apply(regions.coords_mm)
        return NetworkInputs(_tensor(expression, device), _tensor(coords, device))


def _tensor(values: FloatArray, device: torch.device) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(device)


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
