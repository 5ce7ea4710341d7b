"""One small encoder shared by both regions of a pair: linear, or an MLP."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gx2c.models.bilinear import PENALTIES
from gx2c.models.bilinear_head import BilinearHead
from gx2c.models.headed_network import HeadedNetwork
from gx2c.models.keywords import require_choice
from gx2c.models.pair_head import PairHead
from gx2c.models.population import PopulationBatchNorm, PopulationLinear
from gx2c.models.protocol import ModelSpec

DECODERS = ("bilinear", "mlp")


class SharedEncoder(HeadedNetwork):
    """An encoder of expression, then a pair head or a bilinear form.

    Batch statistics of an encoder count each region of a block once; where both ends of every
    pair are encoded, as published, a region counts as often as it is in a pair.

    Parameters
    ----------
    encoder
        (n_members, n_regions, n_genes) -> (n_members, n_regions, embedding_dim).
    head
        Decodes pairs of embeddings.
    penalty_norm, penalty_weight
        A key of `PENALTIES` and the factor on its sum over `penalised`, added to the loss.
    penalised
        The part of the network whose parameters the penalty counts; None for all of it.
    """

    def __init__(
        self,
        encoder: nn.Module,
        head: PairHead | BilinearHead,
        *,
        penalty_norm: str,
        penalty_weight: float,
        penalised: nn.Module | None = None,
    ) -> None:
        super().__init__()
        require_choice("penalty_norm", penalty_norm, PENALTIES)
        self.encoder, self.head = encoder, head
        self.penalty_norm, self.penalty_weight = PENALTIES[penalty_norm], penalty_weight
        self._penalised = [*(self if penalised is None else penalised).parameters()]

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Encode each region once, (n_members, n_regions, embedding_dim)."""
        z: Tensor = self.encoder(expression)
        return z

    def penalty(self) -> Tensor | None:
        """Return the weighted norm, summed over members."""
        if self.penalty_weight == 0:
            return None
        norms = [self.penalty_norm(weight).sum() for weight in self._penalised]
        return self.penalty_weight * torch.stack(norms).sum()


def shared_linear(
    n_genes: int,
    *,
    embedding_dim: int = 24,
    hidden_dims: Sequence[int] = (64, 32),
    dropout: float = 0.2,
    penalty_norm: str = "l2",
    penalty_weight: float = 0.0,
    n_members: int = 1,
    attention: str = "sdpa",
) -> SharedEncoder:
    """Make a linear encoder with a pair head; the penalty is on all parameters.

    Parameters
    ----------
    n_genes
        Genes per region.
    embedding_dim
        Length of z.
    hidden_dims, dropout
        Of the pair head.
    penalty_norm, penalty_weight
        See `SharedEncoder`.
    n_members
        Networks held side by side.
    """
    return SharedEncoder(
        PopulationLinear(n_genes, embedding_dim, n_members=n_members),
        PairHead(embedding_dim, hidden_dims, dropout=dropout, n_members=n_members),
        penalty_norm=penalty_norm,
        penalty_weight=penalty_weight,
    )


def shared_mlp(
    n_genes: int,
    *,
    encoder_dim: int = 256,
    embedding_dim: int = 16,
    decoder: str = "bilinear",
    hidden_dims: Sequence[int] = (32,),
    dropout: float = 0.0,
    penalty_weight: float = 0.0,
    n_members: int = 1,
    attention: str = "sdpa",
) -> SharedEncoder:
    """Make an encoder of two layers, each Linear, ReLU and BatchNorm; L1 penalty on the encoder.

    Parameters
    ----------
    n_genes
        Genes per region.
    encoder_dim, embedding_dim
        Width of the hidden layer, and length of z.
    decoder
        "bilinear", or "mlp" for a pair head.
    hidden_dims, dropout
        Of the pair head; of no effect with a bilinear decoder.
    penalty_weight
        Factor on the sum of the encoder's absolute parameters.
    n_members
        Networks held side by side.
    """
    require_choice("decoder", decoder, DECODERS)
    encoder = nn.Sequential(
        PopulationLinear(n_genes, encoder_dim, n_members=n_members),
        nn.ReLU(),
        PopulationBatchNorm(encoder_dim, n_members=n_members),
        PopulationLinear(encoder_dim, embedding_dim, n_members=n_members),
        nn.ReLU(),
        PopulationBatchNorm(embedding_dim, n_members=n_members),
    )
    head: PairHead | BilinearHead = (
        BilinearHead(embedding_dim, n_members=n_members)
        if decoder == "bilinear"
        else PairHead(embedding_dim, hidden_dims, dropout=dropout, n_members=n_members)
    )
    return SharedEncoder(
        encoder, head, penalty_norm="l1", penalty_weight=penalty_weight, penalised=encoder
    )


_REFERENCE = "GeneEx2Conn, NeurIPS 2025"

SPECS = (
    ModelSpec(
        name="shared_linear",
        kind="iterative",
        uses=("expression",),
        build=shared_linear,
        summary="A linear encoder shared by both regions, and an MLP on the pair",
        reference=_REFERENCE,
        defaults={
            "embedding_dim": 24,
            "hidden_dims": (64, 32),
            "dropout": 0.2,
            "penalty_norm": "l2",
            "penalty_weight": 1e-4,
        },
    ),
    ModelSpec(
        name="shared_mlp",
        kind="iterative",
        uses=("expression",),
        build=shared_mlp,
        summary="An MLP encoder shared by both regions, and a bilinear form or an MLP on the pair",
        reference=_REFERENCE,
        defaults={
            "encoder_dim": 256,
            "embedding_dim": 16,
            "decoder": "bilinear",
            "penalty_weight": 0.0,
        },
    ),
)
