"""Decoders of pairs of embeddings: an MLP on [z_i; z_j] or on their mean, a bilinear form."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.layers.population import (
    PopulationBatchNorm,
    PopulationDropout,
    PopulationLayer,
    PopulationLinear,
    parameter,
)

# With this size z' W z of standardised embeddings starts near a tenth; with the initialisation of
# `torch.nn.Bilinear` it starts at several times the connectome
INITIAL_SIZE = 0.2


class Head(nn.Module):
    """Decodes pairs of embeddings, from what it makes of each end alone."""

    def left(self, z: Tensor) -> Tensor:
        """Prepare the embedding of the first region of a pair."""
        raise NotImplementedError

    def right(self, z: Tensor) -> Tensor:
        """Prepare the embedding of the second region of a pair; as it is by default."""
        return z

    def between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists, `left` and `right`, (n_members, n_left, n_right)."""
        raise NotImplementedError

    def within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs i != j of one block, (n_members, n * (n - 1))."""
        return off_diagonal(self.between(self.left(z), self.right(z)).unsqueeze(3)).squeeze(2)

    def set_output_mean(self, means: Tensor) -> None:
        """Start the output at the mean training edge of each member, (n_members,)."""
        raise NotImplementedError


class BilinearHead(Head):
    """Decodes pairs of embeddings as `torch.nn.Bilinear` with one output."""

    def __init__(self, embedding_dim: int) -> None:
        super().__init__()
        self.form = BilinearForm(embedding_dim)

    def left(self, z: Tensor) -> Tensor:
        """Apply the form."""
        return torch.bmm(z, self.form.weight)

    def between(self, left: Tensor, right: Tensor) -> Tensor:
        """Multiply both ends and add the intercept."""
        return torch.baddbmm(self.form.bias, left, right.transpose(1, 2))

    def set_output_mean(self, means: Tensor) -> None:
        """Start the intercept there."""
        self.form.bias.data[:, 0, 0] = means


class BilinearForm(PopulationLayer):
    """The matrix and the intercept of a bilinear form."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight, self.bias = parameter(dim, dim), parameter(1, 1)

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Draw from U(-b, b) with b = `INITIAL_SIZE` / dim."""
        bound = INITIAL_SIZE / self.weight.shape[1]
        for values in (self.weight, self.bias):
            nn.init.uniform_(values.data[member], -bound, bound, generator=generator)


def off_diagonal(pairs: Tensor) -> Tensor:
    """Drop the self-pairs of (n_members, n, n, dim): (n_members, n * (n - 1), dim), row-major.

    Without its first row, the flattened square has the diagonal in the last column of n - 1
    rows of length n + 1: a view instead of a gather.
    """
    n_members, n, _, dim = pairs.shape
    rest = pairs.reshape(n_members, n * n, dim)[:, 1:]
    return rest.reshape(n_members, n - 1, n + 1, dim)[:, :, :-1].reshape(n_members, -1, dim)


def sum_of_pairs(left: Tensor, right: Tensor) -> Tensor:
    """Add left[i] and right[j] of two (n_members, n, dim) for all i != j, row-major.

    The sums are (n_members, n * (n - 1), dim).
    """
    return _SumOfPairs.apply(left, right)  # type: ignore[no-untyped-call]


class _SumOfPairs(torch.autograd.Function):
    """Saves nothing, and sums gradients in one square instead of one for each slice."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor) -> Tensor:
        pairs = off_diagonal(left.unsqueeze(2) + right.unsqueeze(1))
        # for two regions it is a view, which must not be changed in place afterwards
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


class PairHead(Head):
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

    Raises
    ------
    UserError
        If there is no hidden layer, or the dropout is not a probability below 1.
    """

    def __init__(self, embedding_dim: int, hidden_dims: Sequence[int], *, dropout: float) -> None:
        super().__init__()
        if not hidden_dims:
            raise UserError("hidden_dims is empty; give the width of at least one hidden layer")
        widths = list(hidden_dims)
        self.embedding_dim = embedding_dim
        self.first = PopulationLinear(2 * embedding_dim, widths[0])
        self.middle = nn.ModuleList(
            PopulationLinear(a, b) for a, b in zip(widths, widths[1:], strict=False)
        )
        self.norms = nn.ModuleList(PopulationBatchNorm(width) for width in hidden_dims)
        self.dropout = PopulationDropout(dropout)
        self.last = PopulationLinear(widths[-1], 1)

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
        # one split needs one backward pass; two slices would each fill a gradient with zeros
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


class MeanHead(PairHead):
    """Like `PairHead`, with (z_i + z_j) / 2 instead of [z_i; z_j]: symmetric by construction."""

    def __init__(self, embedding_dim: int, hidden_dims: Sequence[int], *, dropout: float) -> None:
        super().__init__(embedding_dim, hidden_dims, dropout=dropout)
        self.first = PopulationLinear(embedding_dim, hidden_dims[0])

    def _halves(self, z: Tensor) -> tuple[Tensor, Tensor]:
        assert self.first.bias is not None
        half = torch.bmm(z / 2, self.first.weight)
        return half + self.first.bias, half


HEADS: dict[str, type[PairHead]] = {"concat": PairHead, "mean": MeanHead}
