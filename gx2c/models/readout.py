"""From tokens to an embedding: side by side, their mean, or a weighted mean."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.models.keywords import require_choice
from gx2c.models.population import (
    PopulationBatchNorm,
    PopulationDropout,
    PopulationLayerNorm,
    PopulationLinear,
)

POOLING_DIM = 32
POOLING_DROPOUT = 0.1


class Flatten(nn.Module):
    """Each token through one linear map, then all side by side.

    Parameters
    ----------
    model_dim, n_tokens
        Of the tokens.
    token_output_dim
        To which each token is mapped.
    n_members
        Networks held side by side.
    """

    def __init__(
        self, model_dim: int, n_tokens: int, *, token_output_dim: int, n_members: int
    ) -> None:
        super().__init__()
        self.embedding_dim = n_tokens * token_output_dim
        self.project = PopulationLinear(model_dim, token_output_dim, n_members=n_members)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (n_members, n_regions, n_tokens, model_dim) to (..., embedding_dim)."""
        out: Tensor = self.project(tokens.flatten(1, 2))
        return out.view(*tokens.shape[:2], -1)


class MeanPooling(nn.Module):
    """The plain mean of the tokens.

    Parameters
    ----------
    model_dim
        Token width, and length of the embedding.
    """

    def __init__(self, model_dim: int) -> None:
        super().__init__()
        self.embedding_dim = model_dim

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (n_members, n_regions, n_tokens, model_dim) to (..., model_dim)."""
        return tokens.mean(dim=2)


class AttentionPooling(nn.Module):
    """The mean of the tokens, weighted by the softmax of a small network's scores.

    Linear to `POOLING_DIM`, BatchNorm, GELU, Dropout, Linear to one score, Dropout. The batch
    statistics count the tokens of each region of a block once; where both ends of every pair are
    encoded, as published, a region counts as often as it is in a pair.

    Parameters
    ----------
    model_dim
        Token width, and length of the embedding.
    of_pairs
        Whether the tokens are of pairs, which come in chunks: then a LayerNorm takes the place of
        the BatchNorm, whose statistics would depend on the chunk.
    n_members
        Networks held side by side.
    """

    def __init__(self, model_dim: int, *, of_pairs: bool = False, n_members: int) -> None:
        super().__init__()
        self.embedding_dim = model_dim
        self.hidden = PopulationLinear(model_dim, POOLING_DIM, n_members=n_members)
        norm = PopulationLayerNorm if of_pairs else PopulationBatchNorm
        self.norm = norm(POOLING_DIM, n_members=n_members)
        self.score = PopulationLinear(POOLING_DIM, 1, n_members=n_members)
        self.dropout = PopulationDropout(POOLING_DROPOUT)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (n_members, n_regions, n_tokens, model_dim) to (..., model_dim)."""
        hidden = F.gelu(self.norm(self.hidden(tokens.flatten(1, 2))))
        scores = self.dropout(self.score(self.dropout(hidden)))
        weights = torch.softmax(scores.view(*tokens.shape[:3]), dim=2)
        out: Tensor = (weights.unsqueeze(2) @ tokens.to(weights.dtype)).squeeze(2)
        return out


Readout = Flatten | MeanPooling | AttentionPooling
READOUTS = ("flatten", "mean", "attention")


def make_readout(
    kind: str,
    model_dim: int,
    n_tokens: int,
    *,
    token_output_dim: int,
    n_members: int,
    of_pairs: bool = False,
) -> Readout:
    """Make a readout.

    Parameters
    ----------
    kind
        One of `READOUTS`.
    model_dim, n_tokens, token_output_dim
        As of `Flatten`; the last is of no effect for other kinds.
    n_members
        Networks held side by side.
    of_pairs
        See `AttentionPooling`.
    """
    require_choice("readout", kind, READOUTS)
    if kind == "flatten":
        return Flatten(model_dim, n_tokens, token_output_dim=token_output_dim, n_members=n_members)
    if kind == "mean":
        return MeanPooling(model_dim)
    return AttentionPooling(model_dim, of_pairs=of_pairs, n_members=n_members)
