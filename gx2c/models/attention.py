"""Multi-head attention over tokens with ALiBi, through the fastest exact kernel at hand."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

# q, k, v (batch, heads, tokens, dim), slopes (heads,) or None -> (batch, heads, tokens, dim)
AttentionKernel = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]

# Measured (docs/performance.md): beyond it SDPA, which keeps no weights, is as fast
MOST_TOKENS_FOR_PRODUCTS = 192


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


def product_attention(q: Tensor, k: Tensor, v: Tensor, slopes: Tensor | None) -> Tensor:
    """Attend through plain matrix products, which keep all weights: for few tokens on a CPU."""
    if q.shape[2] > MOST_TOKENS_FOR_PRODUCTS:
        return sdpa_attention(q, k, v, slopes)
    bias = None if slopes is None else bias_of(slopes, q.shape[2], q.dtype)
    out: Tensor = _ProductAttention.apply(q, k, v, bias)
    return out


class _ProductAttention(torch.autograd.Function):
    """softmax(q k^T / sqrt(dim) + bias) v, in place wherever it can be."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
        batch, heads, tokens, dim = q.shape
        q, k, v = (x.reshape(batch * heads, tokens, dim) for x in (q * dim**-0.5, k, v))
        scores = torch.bmm(q, k.mT)
        if bias is not None:
            scores.view(batch, heads, tokens, tokens).add_(bias)
        weights = torch.softmax(scores, -1, out=scores)
        ctx.save_for_backward(q, k, v, weights)
        return torch.bmm(weights, v).view(batch, heads, tokens, dim)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        q, k, v, weights = ctx.saved_tensors
        shape = grad.shape
        grad = grad.reshape(q.shape)
        d_weights = torch.bmm(grad, v.mT)
        d_scores = torch.ops.aten._softmax_backward_data(d_weights, weights, -1, q.dtype)
        d_q = torch.bmm(d_scores, k).mul_(shape[-1] ** -0.5)
        d_k, d_v = torch.bmm(d_scores.mT, q), torch.bmm(weights.mT, grad)
        return d_q.view(shape), d_k.view(shape), d_v.view(shape), None


ATTENTION_KERNELS: dict[str, AttentionKernel] = {
    "sdpa": sdpa_attention,
    "products": product_attention,
    "flash": flash_attention,
}


def flash_attention_is_available() -> bool:
    """Say whether flash-attn is installed beside a CUDA device."""
    return torch.cuda.is_available() and importlib.util.find_spec("flash_attn") is not None
