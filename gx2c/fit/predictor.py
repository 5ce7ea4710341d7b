"""Networks of one shape that predict side by side: the part of them that remains after training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gx2c.data.brain import FloatArray, Regions
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.prepare import InputMaker, NetworkInputs
from gx2c.models import MODELS
from gx2c.models.layers.bases import PairNetwork
from gx2c.models.layers.transformer import use_kernel
from gx2c.models.spec import GENE_DIMS

# For all members together while predicting: bounds memory whatever the number of regions
MAX_PAIRS_AT_ONCE = 16_384
MAX_REGIONS_AT_ONCE = 64


def build_network(
    config: FitConfig, n_features: int, *, n_members: int, n_gene_dims: int, profile: ComputeProfile
) -> PairNetwork:
    """Build the networks of a config, without weights.

    Parameters
    ----------
    config
        Config of a model that trains in epochs.
    n_features
        Columns that describe a region.
    n_members
        Networks side by side.
    n_gene_dims
        Numbers that describe each gene; 0 for none.
    profile
        Its attention kernel is used.
    """
    spec = MODELS[config.model]
    dims = {GENE_DIMS: n_gene_dims} if n_gene_dims and spec.reads_gene_vectors else {}
    network: PairNetwork = spec.build(
        n_features, **dims, n_members=n_members, **config.hyperparameters
    )
    use_kernel(network, profile.attention)
    return network


@dataclass(frozen=True)
class NetworkPredictor:
    """Trained networks of one shape, each with the statistics of its own training regions.

    Attributes
    ----------
    network
        As `build_network` makes it, with weights.
    input_makers
        One per member.
    profile
        Device and number format of the prediction.
    n_gene_dims
        As in `build_network`.
    """

    network: PairNetwork
    input_makers: Sequence[InputMaker]
    profile: ComputeProfile
    n_gene_dims: int = 0

    def __len__(self) -> int:
        return len(self.input_makers)

    def inputs(self, regions: Sequence[Regions]) -> tuple[Tensor, Tensor]:
        """Return each member's standardised features and coordinates, (n_members, n_regions, …)."""
        device = torch.device(self.profile.device)
        makers = zip(self.input_makers, regions, strict=True)
        return _pad([maker(shown, device) for maker, shown in makers])

    def encode(self, regions: Sequence[Regions]) -> Tensor:
        """Return each member's embeddings, (n_members, n_regions, embedding_dim).

        Members with fewer regions than others repeat their own; those rows mean nothing.
        """
        expression, coords = self.inputs(regions)
        per_chunk = max(1, MAX_REGIONS_AT_ONCE // len(expression))
        parts = (torch.split(tensor, per_chunk, dim=1) for tensor in (expression, coords))
        chunks = [self.network.encode(x, c) for x, c in zip(*parts, strict=True)]
        return torch.cat(chunks, dim=1)

    @torch.no_grad()
    def embed(self, regions: Sequence[Regions]) -> list[FloatArray]:
        """Return each member's embeddings of its regions, (n_regions, embedding_dim)."""
        self.network.eval()
        with self.profile.autocast():
            embedded = self.encode(regions).double().cpu().numpy()
        return [z[: len(shown)] for z, shown in zip(embedded, regions, strict=True)]

    @torch.no_grad()
    def predict(self, regions: Sequence[Regions]) -> list[FloatArray]:
        """Predict the connectome among each member's regions.

        Returns
        -------
        list of (n_regions, n_regions) arrays
            Symmetric, (i, j) and (j, i) averaged, within [-1, 1]; NaN where the network overflows.
        """
        self.network.eval()
        with self.profile.autocast():
            z = self.encode(regions)
            rows = max(1, MAX_PAIRS_AT_ONCE // (z.shape[0] * z.shape[1]))
            chunks = [
                self.network.decode_between(part, z).float() for part in torch.split(z, rows, dim=1)
            ]
        predicted = torch.cat(chunks, dim=1).double().cpu().numpy()
        return [_finish(p[: len(r), : len(r)]) for p, r in zip(predicted, regions, strict=True)]


def _pad(inputs: Sequence[NetworkInputs]) -> tuple[Tensor, Tensor]:
    """Stack members of different size; surplus rows repeat the first region and are cut later."""
    most = max(len(i.expression) for i in inputs)
    rows = [torch.arange(most) % len(i.expression) for i in inputs]
    return (
        torch.stack([i.expression[r] for i, r in zip(inputs, rows, strict=True)]),
        torch.stack([i.coords[r] for i, r in zip(inputs, rows, strict=True)]),
    )


def _finish(predicted: FloatArray) -> FloatArray:
    # clipping would turn an overflow into a confident 1, and hide that the fit diverged
    finite = np.where(np.isfinite(predicted), predicted, np.nan)
    return np.clip((finite + finite.T) / 2, -1.0, 1.0)
