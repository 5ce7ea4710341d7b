"""The decoder: an MLP on [z_i; z_j] whose first layer acts once per region."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gx2c.models.population import PopulationBatchNorm, PopulationDropout, PopulationLinear


def off_diagonal(pairs: Tensor) -> Tensor:
    """Drop the self-pairs of (n_members, n, n, dim): (n_members, n * (n - 1), dim), row-major.

    Without its first row, the flattened square has the diagonal in the last column of n - 1
    rows of length n + 1: a view instead of a gather.
    """
    n_members, n, _, dim = pairs.shape
    rest = pairs.reshape(n_members, n * n, dim)[:, 1:]
    return rest.reshape(n_members, n - 1, n + 1, dim)[:, :, :-1].reshape(n_members, -1, dim)


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
    """

    def __init__(
        self, embedding_dim: int, hidden_dims: Sequence[int], *, dropout: float, n_members: int
    ) -> None:
        super().__init__()
        widths = [2 * embedding_dim, *hidden_dims]
        self.embedding_dim = embedding_dim
        self.linears = nn.ModuleList(
            PopulationLinear(a, b, n_members=n_members)
            for a, b in zip(widths, widths[1:], strict=False)
        )
        self.norms = nn.ModuleList(
            PopulationBatchNorm(width, n_members=n_members) for width in hidden_dims
        )
        self.dropout = PopulationDropout(dropout)
        self.last = PopulationLinear(widths[-1], 1, n_members=n_members)

    def per_region(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Apply both halves of the first layer, (n_members, n, hidden) each."""
        first = self.linears[0]
        left = torch.baddbmm(first.bias, z, first.weight[:, : self.embedding_dim])
        return left, torch.bmm(z, first.weight[:, self.embedding_dim :])

    def within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs i != j of one block, (n_members, n * (n - 1))."""
        left, right = self.per_region(z)
        return self._decode(off_diagonal(left.unsqueeze(2) + right.unsqueeze(1)))

    def between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists of `per_region` halves, (n_members, n_left, n_right)."""
        n_members, n_left, dim = left.shape
        pairs = (left.unsqueeze(2) + right.unsqueeze(1)).reshape(n_members, -1, dim)
        return self._decode(pairs).reshape(n_members, n_left, -1)

    def _decode(self, hidden: Tensor) -> Tensor:
        for index, norm in enumerate(self.norms):
            if index > 0:
                hidden = self.linears[index](hidden)
            hidden = self.dropout(norm(torch.relu(hidden)))
        return self.last(hidden).squeeze(2)
