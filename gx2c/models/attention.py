"""Multi-head attention over tokens with ALiBi, through the fastest exact kernel at hand."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# q, k, v (batch, heads, tokens, dim), slopes (heads,) or None -> (batch, heads, tokens, dim)
AttentionKernel = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


def alibi_slopes(n_heads: int) -> Tensor:
    """Geometric slopes 2^(-8 h / n_heads), h = 1 ... n_heads.

    References
    ----------
    Press, Smith & Lewis (2022), "Train short, test long", section 3.
    """
    return torch.tensor([2 ** (-8 * (head + 1) / n_heads) for head in range(n_heads)])


def alibi_bias(slopes: Tensor, n_tokens: int) -> Tensor:
    """Return the symmetric bias -slope |i - j|, (n_heads, n_tokens, n_tokens)."""
    position = torch.arange(n_tokens, device=slopes.device, dtype=slopes.dtype)
    return -slopes[:, None, None] * (position[:, None] - position[None, :]).abs()


@functools.lru_cache(maxsize=16)
def bias_of(slopes: Tensor, n_tokens: int, dtype: torch.dtype) -> Tensor:
    """Return `alibi_bias`, built once for each slopes and number of tokens."""
    return alibi_bias(slopes, n_tokens).to(dtype)


def sdpa_attention(q: Tensor, k: Tensor, v: Tensor, slopes: Tensor | None) -> Tensor:
    """Attend through torch's scaled_dot_product_attention."""
    bias = None if slopes is None else bias_of(slopes, q.shape[2], q.dtype).unsqueeze(0)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)


def flash_attention(q: Tensor, k: Tensor, v: Tensor, slopes: Tensor | None) -> Tensor:
    """Attend through flash-attn (half precision, CUDA only), with a deterministic backward."""
    from flash_attn import flash_attn_func

    q, k, v = (x.transpose(1, 2).to(torch.bfloat16) for x in (q, k, v))
    slopes = None if slopes is None else slopes.float()
    out: Tensor = flash_attn_func(q, k, v, alibi_slopes=slopes, deterministic=True)
    return out.transpose(1, 2)


ATTENTION_KERNELS: dict[str, AttentionKernel] = {"sdpa": sdpa_attention, "flash": flash_attention}


def flash_attention_is_available() -> bool:
    """Say whether flash-attn is installed beside a CUDA device."""
    return torch.cuda.is_available() and importlib.util.find_spec("flash_attn") is not None
