"""The decoder: an MLP on [z_i; z_j] whose first layer acts once per region."""

from __future__ import annotations

from collections.abc import Sequence

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
        assert self.first.bias is not None
        return torch.baddbmm(self.first.bias, z, self.first.weight[:, : self.embedding_dim])

    def right(self, z: Tensor) -> Tensor:
        """Apply the first layer's half for the second region of a pair."""
        return torch.bmm(z, self.first.weight[:, self.embedding_dim :])

    def within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs i != j of one block, (n_members, n * (n - 1))."""
        pairs = self.left(z).unsqueeze(2) + self.right(z).unsqueeze(1)
        return self.decode_hidden(off_diagonal(pairs))

    def between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists, `left` and `right`, (n_members, n_left, n_right)."""
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
            hidden = self.dropout(norm(torch.relu(hidden)))
        out: Tensor = self.last(hidden)
        return out.squeeze(2)
