"""Batch normalisation of many members at once, in few passes over memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

EPSILON = 1e-5


def normalise_rows(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise each member's features over its rows, then scale and shift them.

    torch's own kernel knows no members: they would have to become channels, which copies all
    rows twice on the way there and twice on the way back.

    Parameters
    ----------
    x
        (n_members, rows, dim).
    weight, bias
        (n_members, dim).

    Returns
    -------
    tuple of Tensor
        The result in the shape and number format of x; mean and (biased) variance, each
        (n_members, dim), which carry no gradient.
    """
    full = torch.promote_types(x.dtype, torch.float32)
    out, mean, variance = _Normalise.apply(x.to(full), weight, bias)  # type: ignore[no-untyped-call]
    return out.to(x.dtype), mean, variance


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean = x.mean(1, keepdim=True)
        centred = x - mean
        variance = centred.square().mean(1)
        inverse = (variance + EPSILON).rsqrt()
        ctx.save_for_backward(centred, inverse, weight)
        scale = (inverse * weight).unsqueeze(1)
        mean = mean.squeeze(1)
        ctx.mark_non_differentiable(mean, variance)
        return torch.addcmul(bias.unsqueeze(1), centred, scale), mean, variance

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
        centred, inverse, weight = ctx.saved_tensors
        rows, scale = grad.shape[1], inverse * weight
        d_bias = grad.sum(1)
        d_weight = (grad * centred).sum(1).mul_(inverse)
        # scale * (grad - mean(grad) - normalised * mean(grad * normalised))
        shift, slope = -scale * d_bias / rows, -scale * inverse * d_weight / rows
        d_x = torch.addcmul(shift.unsqueeze(1), centred, slope.unsqueeze(1))
        return d_x.addcmul_(grad, scale.unsqueeze(1)), d_weight, d_bias
