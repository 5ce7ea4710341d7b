"""The block in which each region of a pair attends to the genes of the other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gx2c.models.attention import ATTENTION_KERNELS, alibi_slopes
from gx2c.models.population import PopulationDropout, PopulationLayerNorm, PopulationLinear


class CrossAttentionBlock(nn.Module):
    """Cross-attention and feed-forward, each followed by dropout, addition and LayerNorm.

    Both regions are updated at once and by the same weights.

    Parameters
    ----------
    dim
        Token width.
    n_heads
        Attention heads; must divide `dim`.
    dropout
        Probability on both residual branches; nothing is dropped in evaluation.
    alibi
        Whether genes far apart in order attend to each other less.
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
        self.out = PopulationLinear(dim, dim, n_members=n_members)
        self.norm_attention = PopulationLayerNorm(dim, n_members=n_members)
        self.widen = PopulationLinear(dim, 2 * dim, n_members=n_members)
        self.narrow = PopulationLinear(2 * dim, dim, n_members=n_members)
        self.norm_feed_forward = PopulationLayerNorm(dim, n_members=n_members)
        self.dropout = PopulationDropout(dropout)
        slopes = alibi_slopes(n_heads) if alibi else None
        self.register_buffer("slopes", slopes, persistent=False)

    def forward(self, both: Tensor) -> Tensor:
        """Transform (n_members, 2, n_pairs, n_tokens, dim), first regions then second ones."""
        rows = both.flatten(1, 3)
        rows = self.norm_attention(rows + self.dropout(self._attention(rows, both.shape)))
        hidden = self.narrow(torch.relu(self.widen(rows)))
        out: Tensor = self.norm_feed_forward(rows + self.dropout(hidden))
        return out.view(both.shape)

    def _attention(self, rows: Tensor, shape: torch.Size) -> Tensor:
        n_members, _, n_pairs, n_tokens, dim = shape
        qkv = self.qkv(rows).view(n_members, 2, n_pairs, n_tokens, 3, self.n_heads, -1)
        q, k, v = qkv.permute(4, 0, 1, 2, 5, 3, 6)
        # keys and values come from the other region
        q, k, v = (x.flatten(0, 2) for x in (q, k.flip(1), v.flip(1)))
        attended = self.attend(q, k, v, self.slopes).transpose(1, 2).reshape(rows.shape)
        out: Tensor = self.out(attended.to(rows.dtype))
        return out
