"""From regions to a network's tensors, with training regions' statistics only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gx2c.data.brain import Brain, Regions
from gx2c.data.genes import select_genes
from gx2c.fit.config import GeneOptions
from gx2c.models.features import Standardiser
from gx2c.models.protocol import TrainingView

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class TrainingSet:
    """All that a fit may see: its training regions and the connectome among them.

    Attributes
    ----------
    regions
        The training regions, with the chosen genes in the chosen order.
    connectome
        (n_train_regions, n_train_regions).
    gene_indices
        Which of the brain's genes were chosen, in order.
    train_test_edges
        (n_train_regions, n_test_regions), measured; only for a model that is marked as using them.
    """

    regions: Regions
    connectome: FloatArray
    gene_indices: IntArray
    train_test_edges: FloatArray | None = None

    @classmethod
    def cut(cls, brain: Brain, train_regions: IntArray, genes: GeneOptions) -> TrainingSet:
        """Cut training regions out of a brain and choose genes on them alone."""
        regions = brain.regions(train_regions)
        chosen = select_genes(
            regions,
            brain.genes,
            brain.tss,
            which=genes.which,
            order=genes.order,
            seed=genes.seed,
        )
        return cls(regions.with_genes(chosen), brain.connectome_block(train_regions), chosen)

    def show(self, brain: Brain, region_indices: IntArray) -> Regions:
        """Show other regions with the same genes in the same order."""
        return brain.regions(region_indices).with_genes(self.gene_indices)


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
        )

    def __call__(self, regions: Regions, device: torch.device) -> NetworkInputs:
        """Standardise any regions, to float32."""
        expression = self.expression.apply(regions.expression)
        coords = self.coords.apply(regions.coords_mm)
        return NetworkInputs(_tensor(expression, device), _tensor(coords, device))


def _tensor(values: FloatArray, device: torch.device) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(device)
