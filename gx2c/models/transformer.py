"""Tokens of neighbouring genes and the post-norm transformer block of the SMT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.attention import ATTENTION_KERNELS, alibi_slopes
from gx2c.models.population import (
    PopulationDropout,
    PopulationLayerNorm,
    PopulationLinear,
)


def gene_tokens(expression: Tensor, genes_per_token: int) -> Tensor:
    """Cut the gene axis into contiguous tokens.

    Parameters
    ----------
    expression
        (n_members, n_regions, n_genes), genes in the order wanted.
    genes_per_token
        Length of a token; a last short one is padded with zeros, which a linear map ignores.

    Returns
    -------
    Tensor
        (n_members, n_regions, n_tokens, genes_per_token).
    """
    n_members, n_regions, n_genes = expression.shape
    padding = -n_genes % genes_per_token
    padded = F.pad(expression, (0, padding))
    return padded.view(n_members, n_regions, -1, genes_per_token)


def make_blocks(
    block: Callable[..., nn.Module], n_layers: int, model_dim: int, *, n_heads: int, **keywords: Any
) -> nn.ModuleList:
    """Stack blocks of one kind.

    Raises
    ------
    UserError
        If the heads do not divide the width of a token.
    """
    if model_dim % n_heads:
        raise UserError(f"model_dim {model_dim} is not divisible by n_heads {n_heads}")
    return nn.ModuleList(block(model_dim, n_heads=n_heads, **keywords) for _ in range(n_layers))


class TransformerBlock(nn.Module):
    """Self-attention and feed-forward, each followed by dropout, addition and LayerNorm.

    As published there is no output projection after attention.

    Parameters
    ----------
    dim
        Token width.
    n_heads
        Attention heads; must divide `dim`.
    dropout
        Probability on both residual branches.
    alibi
        Whether tokens far apart along the genome attend to each other less.
    n_members
        Networks held side by side.
    attention
        A key of `ATTENTION_KERNELS`.
    """

    slopes: Tensor | None

    def __init__(
        self,
        dim: int,
        *,
        n_heads: int,
        dropout: float,
        alibi: bool,
        n_members: int,
        attention: str,
    ) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.attend = ATTENTION_KERNELS[attention]
        self.qkv = PopulationLinear(dim, 3 * dim, n_members=n_members)
        self.norm_attention = PopulationLayerNorm(dim, n_members=n_members)
        self.widen = PopulationLinear(dim, 4 * dim, n_members=n_members)
        self.narrow = PopulationLinear(4 * dim, dim, n_members=n_members)
        self.norm_feed_forward = PopulationLayerNorm(dim, n_members=n_members)
        self.dropout = PopulationDropout(dropout)
        slopes = alibi_slopes(n_heads) if alibi else None
        self.register_buffer("slopes", slopes, persistent=False)

    def forward(self, x: Tensor, n_tokens: int) -> Tensor:
        """Transform (n_members, n_regions * n_tokens, dim)."""
        x = self.norm_attention(self.dropout.add(x, self._attention(x, n_tokens)))
        hidden = self.narrow(self.widen(x).relu_())
        out: Tensor = self.norm_feed_forward(self.dropout.add(x, hidden))
        return out

    def _attention(self, x: Tensor, n_tokens: int) -> Tensor:
        n_members, rows, dim = x.shape
        # members and regions are both batch for attention: nothing is shared between them
        qkv = self.qkv(x).view(n_members * rows // n_tokens, n_tokens, 3, self.n_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = self.attend(q, k, v, self.slopes)
        return attended.transpose(1, 2).reshape(n_members, rows, dim).to(x.dtype)
