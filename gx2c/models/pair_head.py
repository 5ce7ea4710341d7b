"""The decoder: an MLP on [z_i; z_j] whose first layer acts once per region."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.population import PopulationBatchNorm, PopulationDropout, PopulationLinear


def off_diagonal(pairs: Tensor) -> Tensor:
    """Drop the self-pairs of (n_members, n, n, dim): (n_members, n * (n - 1), dim), row-major.

    Without its first row, the flattened square has the diagonal in the last column of n - 1
    rows of length n + 1: a view instead of a gather.
    """
    n_members, n, _, dim = pairs.shape
    rest = pairs.reshape(n_members, n * n, dim)[:, 1:]
    return rest.reshape(n_members, n - 1, n + 1, dim)[:, :, :-1].reshape(n_members, -1, dim)


def sum_of_pairs(left: Tensor, right: Tensor) -> Tensor:
    """Add left[i] and right[j] for all i != j, (n_members, n * (n - 1), dim), row-major.

    Parameters
    ----------
    left, right
        (n_members, n, dim).
    """
    out: Tensor = _SumOfPairs.apply(left, right)  # type: ignore[no-untyped-call]
    return out


class _SumOfPairs(torch.autograd.Function):
    """Saves nothing, and sums gradients in one square instead of one for each slice."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor) -> Tensor:
        pairs = off_diagonal(left.unsqueeze(2) + right.unsqueeze(1))
        # of two regions it is a view, which may not be changed in place afterwards
        return pairs.clone() if pairs._is_view() else pairs

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        n_members, n_pairs, dim = grad.shape
        n = (1 + math.isqrt(1 + 4 * n_pairs)) // 2
        square = grad.new_empty(n_members, n * n, dim)
        square[:, 0] = 0
        rest = square[:, 1:].view(n_members, n - 1, n + 1, dim)
        rest[:, :, -1] = 0
        rest[:, :, :-1] = grad.view(n_members, n - 1, n, dim)
        square = square.view(n_members, n, n, dim)
        return square.sum(2), square.sum(1)


class PairHead(nn.Module):
    """[Linear, ReLU, BatchNorm, Dropout] x len(hidden_dims), then Linear to one value.

    The first Linear on [z_i; z_j] is A z_i + B z_j + b: A z and B z are computed once per
    region and added per pair, which is exact.

    Parameters
    ----------
    embedding_dim
        Length of z.
    hidden_dims
        Widths of the hidden layers, at least one.
    dropout
        Probability after each hidden layer.
    n_members
        Networks held side by side.

    Raises
    ------
    UserError
        If there is no hidden layer, or the dropout is not a probability below 1.
    """

    def __init__(
        self, embedding_dim: int, hidden_dims: Sequence[int], *, dropout: float, n_members: int
    ) -> None:
        super().__init__()
        if not hidden_dims:
            raise UserError("hidden_dims is empty; give the width of at least one hidden layer")
        widths = list(hidden_dims)
        self.embedding_dim = embedding_dim
        self.first = PopulationLinear(2 * embedding_dim, widths[0], n_members=n_members)
        self.middle = nn.ModuleList(
            PopulationLinear(a, b, n_members=n_members)
            for a, b in zip(widths, widths[1:], strict=False)
        )
        self.norms = nn.ModuleList(
            PopulationBatchNorm(width, n_members=n_members) for width in hidden_dims
        )
        self.dropout = PopulationDropout(dropout)
        self.last = PopulationLinear(widths[-1], 1, n_members=n_members)

    def left(self, z: Tensor) -> Tensor:
        """Apply the first layer's half for the first region of a pair, with the bias."""
        return self._halves(z)[0]

    def right(self, z: Tensor) -> Tensor:
        """Apply the first layer's half for the second region of a pair."""
        return self._halves(z)[1]

    def within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs i != j of one block, (n_members, n * (n - 1))."""
        return self.decode_hidden(sum_of_pairs(*self._halves(z)))

    def _halves(self, z: Tensor) -> tuple[Tensor, Tensor]:
        # one split has one backward; two slices would each fill a gradient with zeros
        first, second = torch.split(self.first.weight, self.embedding_dim, dim=1)
        assert self.first.bias is not None
        return torch.bmm(z, first).add_(self.first.bias), torch.bmm(z, second)

    def between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists of halves, (n_members, n_left, n_right)."""
        n_members, n_left, dim = left.shape
        pairs = (left.unsqueeze(2) + right.unsqueeze(1)).reshape(n_members, -1, dim)
        return self.decode_hidden(pairs).reshape(n_members, n_left, -1)

    def set_output_mean(self, means: Tensor) -> None:
        """Start the last bias at the mean training edge of each member, (n_members,)."""
        assert self.last.bias is not None
        self.last.bias.data[:, 0, 0] = means

    def decode_hidden(self, hidden: Tensor) -> Tensor:
        """Decode pairs from the sum of their halves, (n_members, n_pairs, hidden_dims[0])."""
        for index, norm in enumerate(self.norms):
            if index > 0:
                hidden = self.middle[index - 1](hidden)
            hidden = self.dropout(norm(hidden.relu_()))
        out: Tensor = self.last(hidden)
        return out.squeeze(2)
