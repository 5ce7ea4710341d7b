"""From regions to a network's tensors, with training regions' statistics only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gx2c.data.brain import Brain, FloatArray, IntArray, Regions
from gx2c.data.genes import select_genes
from gx2c.data.individuals import Individuals
from gx2c.fit.config import GeneOptions
from gx2c.fit.features import ShowFeature, learn_features
from gx2c.fit.residual import take_geography_out
from gx2c.fit.task import GEOGRAPHY_RESIDUAL, Task
from gx2c.models import Model
from gx2c.models.features import Standardiser
from gx2c.models.protocol import TrainingView

DEFAULT_TASK = Task()


@dataclass(frozen=True)
class TrainingSet:
    """All that a fit may see: its training regions and the connectome among them.

    Attributes
    ----------
    regions
        The training regions; in the place of expression are the task's features, by default the
        chosen genes in the chosen order.
    connectome
        (n_train_regions, n_train_regions), what is to be learned: the connectome, or what
        geography leaves of it.
    gene_indices
        Which of the brain's genes were chosen, in order.
    features
        Shows the features of any regions.
    geography
        What is added to predictions; None if nothing was taken out.
    taken_out
        (n_train_regions, n_train_regions), what was taken out of the connectome, or None.
    individuals
        Connectomes of single people among the training regions, or None.
    train_test_edges
        (n_train_regions, n_test_regions), measured; only for a model that is marked as using them.
    gene_vectors
        (n_chosen_genes, n_dims), numbers that describe the chosen genes, or None.
    """

    regions: Regions
    connectome: FloatArray
    gene_indices: IntArray
    features: ShowFeature
    geography: Model | None = None
    taken_out: FloatArray | None = None
    individuals: Individuals | None = None
    train_test_edges: FloatArray | None = None
    gene_vectors: FloatArray | None = None

    @classmethod
    def cut(
        cls,
        brain: Brain,
        train_regions: IntArray,
        genes: GeneOptions,
        task: Task = DEFAULT_TASK,
    ) -> TrainingSet:
        """Cut training regions out of a brain; genes and features are decided on them alone."""
        regions = brain.regions(train_regions)
        chosen = select_genes(
            regions,
            brain.genes,
            brain.tss,
            which=genes.which,
            order=genes.order,
            seed=genes.seed,
        )
        features = learn_features(task.features, brain, train_regions, chosen)
        connectome = brain.connectome_block(train_regions)
        shown = regions.with_columns(features(brain, train_regions))
        people = brain.individual_connectomes
        individuals = (
            None if people is None else Individuals(people, brain.n_regions, train_regions)
        )
        vectors = None if brain.gene_vectors is None else brain.gene_vectors[chosen]
        if task.learned != GEOGRAPHY_RESIDUAL:
            return cls(
                shown,
                connectome,
                chosen,
                features,
                individuals=individuals,
                gene_vectors=vectors,
            )
        part = take_geography_out(regions, connectome)
        return cls(
            shown,
            part.residual,
            chosen,
            features,
            geography=part.model,
            taken_out=connectome - part.residual,
            individuals=individuals,
            gene_vectors=vectors,
        )

    def show(self, brain: Brain, region_indices: IntArray) -> Regions:
        """Show other regions with the same features in the same order."""
        columns = self.features(brain, region_indices)
        return brain.regions(region_indices).with_columns(columns)

    def finisher(self, regions: Regions) -> Callable[[FloatArray], FloatArray]:
        """Return what turns a model's prediction for some regions into one of their connectome.

        Where geography was taken out it is added again, within [-1, 1].
        """
        if self.geography is None:
            return lambda predicted: predicted
        offset = self.geography.predict(regions)
        return lambda predicted: np.clip(predicted + offset, -1.0, 1.0)


@dataclass(frozen=True)
class NetworkInputs:
    """Expression and coordinates of some regions as tensors, (n_regions, n_features) each."""

    expression: Tensor
    coords: Tensor


class InputMaker:
    """Turns regions into `NetworkInputs` with statistics of the training regions."""

    def __init__(self, training: Regions) -> None:
        self.expression = Standardiser.learn(training.expression)
        self.coords = Standardiser.learn(training.coords_mm)

    def view(self, training: TrainingSet) -> TrainingView:
        """Show a network the training set, standardised."""
        return TrainingView(
            expression=self.expression.apply(training.regions.expression),
            connectome=training.connectome,
            coords_mm=training.regions.coords_mm,
            gene_vectors=training.gene_vectors,
        )

    def __call__(self, regions: Regions, device: torch.device) -> NetworkInputs:
        """Standardise any regions, to float32."""
        expression = self.expression.apply(regions.expression)
        coords = self.coords.apply(regions.coords_mm)
        return NetworkInputs(_tensor(expression, device), _tensor(coords, device))


def _tensor(values: FloatArray, device: torch.device) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(device)
