"""The bilinear decoder: one form on two embeddings, y_ij = z_i' W z_j + b."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gx2c.models.pair_head import off_diagonal
from gx2c.models.population import PopulationLayer

# With it z' W z of standardised embeddings begins at a tenth of a correlation; as
# `torch.nn.Bilinear` starts, it is several times the connectome
INITIAL_SIZE = 0.2


class BilinearHead(nn.Module):
    """Decodes pairs of embeddings as `torch.nn.Bilinear` with one output.

    Parameters
    ----------
    embedding_dim
        Length of z.
    n_members
        Networks held side by side.
    """

    def __init__(self, embedding_dim: int, *, n_members: int) -> None:
        super().__init__()
        self.form = BilinearForm(embedding_dim, n_members=n_members)

    def left(self, z: Tensor) -> Tensor:
        """Apply the form to the first region of a pair."""
        return torch.bmm(z, self.form.weight)

    def right(self, z: Tensor) -> Tensor:
        """Return the second region's embedding as it is."""
        return z

    def within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs i != j of one block, (n_members, n * (n - 1))."""
        return off_diagonal(self.between(self.left(z), z).unsqueeze(3)).squeeze(2)

    def between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists, `left` and `right`, (n_members, n_left, n_right)."""
        return torch.baddbmm(self.form.bias, left, right.transpose(1, 2))

    def set_output_mean(self, means: Tensor) -> None:
        """Start the intercept at the mean training edge of each member, (n_members,)."""
        self.form.bias.data[:, 0, 0] = means


class BilinearForm(PopulationLayer):
    """The matrix and the intercept of a bilinear form."""

    def __init__(self, dim: int, *, n_members: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_members, dim, dim))
        self.bias = nn.Parameter(torch.empty(n_members, 1, 1))

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Draw from U(-b, b) with b = `INITIAL_SIZE` / dim."""
        bound = INITIAL_SIZE / self.weight.shape[1]
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter.data[member], -bound, bound, generator=generator)
