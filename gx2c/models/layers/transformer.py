"""Tokens of neighbouring genes and the post-norm transformer block of the SMT."""

import functools
import importlib.util
import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.layers.population import (
    Layer,
    PopulationDropout,
    PopulationLayerNorm,
    PopulationLinear,
)

# q, k, v (batch, heads, tokens, dim), slopes (heads,) or None -> (batch, heads, tokens, dim)
AttentionKernel = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


def alibi_slopes(n_heads: int) -> Tensor:
    """Geometric slopes 2^(-8 h / n_heads), h = 1 ... n_heads.

    References
    ----------
    Press, Smith & Lewis (2022), "Train short, test long", section 3.
    """
    return torch.tensor([2 ** (-8 * (head + 1) / n_heads) for head in range(n_heads)])


@functools.lru_cache(maxsize=16)
def alibi_bias(slopes: Tensor, n_tokens: int, dtype: torch.dtype | None = None) -> Tensor:
    """Return the symmetric bias -slope |i - j|, (n_heads, n_tokens, n_tokens), from a cache."""
    position = torch.arange(n_tokens, device=slopes.device, dtype=slopes.dtype)
    bias = -slopes[:, None, None] * (position[:, None] - position[None, :]).abs()
    return bias.to(dtype or slopes.dtype)


def sdpa_attention(q: Tensor, k: Tensor, v: Tensor, slopes: Tensor | None) -> Tensor:
    """Attend through torch's scaled_dot_product_attention."""
    bias = None if slopes is None else alibi_bias(slopes, q.shape[2], q.dtype).unsqueeze(0)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)


def attention_weights(q: Tensor, k: Tensor, slopes: Tensor | None) -> Tensor:
    """Return the weights with which `sdpa_attention` averages v, (batch, heads, tokens, tokens)."""
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    if slopes is not None:
        scores = scores + alibi_bias(slopes, q.shape[2], q.dtype)
    return torch.softmax(scores, dim=3)


def flash_attention(q: Tensor, k: Tensor, v: Tensor, slopes: Tensor | None) -> Tensor:
    """Attend through flash-attn (half precision, CUDA only), with a deterministic backward."""
    from flash_attn import flash_attn_func

    q, k, v = (x.transpose(1, 2).to(torch.bfloat16) for x in (q, k, v))
    slopes = None if slopes is None else slopes.float()
    out: Tensor = flash_attn_func(q, k, v, alibi_slopes=slopes, deterministic=True)
    return out.transpose(1, 2)


ATTENTION_KERNELS: dict[str, AttentionKernel] = {"sdpa": sdpa_attention, "flash": flash_attention}


def flash_attention_is_available() -> bool:
    """Return whether flash-attn is installed and there is a CUDA device."""
    return torch.cuda.is_available() and importlib.util.find_spec("flash_attn") is not None


def gene_tokens(expression: Tensor, genes_per_token: int) -> Tensor:
    """Cut (n_members, n_regions, n_genes) into (n_members, n_regions, n_tokens, genes_per_token).

    A short last token is padded with zeros, which a linear map ignores.
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


class AttentionBlock(Layer):
    """Attention and feed-forward, each followed by dropout, addition and LayerNorm.

    With `alibi`, tokens far apart along the genome attend to each other less. The feed-forward
    layer is `widening` token widths wide, and a linear map follows attention if it `projects`.
    """

    slopes: Tensor | None

    def __init__(
        self, dim: int, *, n_heads: int, dropout: float, alibi: bool, widening: int, projects: bool
    ) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.attend: AttentionKernel = sdpa_attention
        self.qkv = PopulationLinear(dim, 3 * dim)
        self.out = PopulationLinear(dim, dim) if projects else nn.Identity()
        self.norm_attention = PopulationLayerNorm(dim)
        self.widen = PopulationLinear(dim, widening * dim)
        self.narrow = PopulationLinear(widening * dim, dim)
        self.norm_feed_forward = PopulationLayerNorm(dim)
        self.dropout = PopulationDropout(dropout)
        slopes = alibi_slopes(n_heads) if alibi else None
        self.register_buffer("slopes", slopes, persistent=False)


class TransformerBlock(AttentionBlock):
    """Self-attention block; as published there is no output projection after attention."""

    def __init__(self, dim: int, **settings: Any) -> None:
        super().__init__(dim, widening=4, projects=False, **settings)

    def forward(self, x: Tensor, n_tokens: int) -> Tensor:
        """Transform (n_members, n_regions * n_tokens, dim)."""
        x = self.norm_attention(self.dropout.add(x, self._attention(x, n_tokens)))
        hidden = self.narrow(self.widen(x).relu_())
        return self.norm_feed_forward(self.dropout.add(x, hidden))

    def _attention(self, x: Tensor, n_tokens: int) -> Tensor:
        n_members, rows, dim = x.shape
        # members and regions are both batch for attention: nothing is shared between them
        qkv = self.qkv(x).view(n_members * rows // n_tokens, n_tokens, 3, self.n_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = self.attend(q, k, v, self.slopes)
        return attended.transpose(1, 2).reshape(n_members, rows, dim).to(x.dtype)


class CrossAttentionBlock(AttentionBlock):
    """Cross-attention block; both regions are updated together with the same weights."""

    def __init__(self, dim: int, **settings: Any) -> None:
        super().__init__(dim, widening=2, projects=True, **settings)

    def forward(self, both: Tensor) -> Tensor:
        """Transform (n_members, 2, n_pairs, n_tokens, dim), first regions then second ones."""
        rows = both.flatten(1, 3)
        rows = self.norm_attention(rows + self.dropout(self._attention(rows, both.shape)))
        hidden = self.narrow(torch.relu(self.widen(rows)))
        return self.norm_feed_forward(rows + self.dropout(hidden)).view(both.shape)

    def _attention(self, rows: Tensor, shape: torch.Size) -> Tensor:
        n_members, _, n_pairs, n_tokens, dim = shape
        qkv = self.qkv(rows).view(n_members, 2, n_pairs, n_tokens, 3, self.n_heads, -1)
        q, k, v = qkv.permute(4, 0, 1, 2, 5, 3, 6)
        # keys and values come from the other region
        q, k, v = (x.flatten(0, 2) for x in (q, k.flip(1), v.flip(1)))
        attended = self.attend(q, k, v, self.slopes).transpose(1, 2).reshape(rows.shape)
        return self.out(attended.to(rows.dtype))


def use_kernel(network: nn.Module, attention: str) -> None:
    """Let every block of a network attend through one of `ATTENTION_KERNELS`."""
    for module in network.modules():
        if isinstance(module, AttentionBlock):
            module.attend = ATTENTION_KERNELS[attention]
