"""Tokens of single genes: which gene it is, and how much it is expressed."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.keywords import require_choice
from gx2c.models.population import PopulationLayer, PopulationLinear
from gx2c.models.protocol import TrainingView
from gx2c.models.tokenisers import Tokeniser

# What tells genes apart: nothing but their place; their correlation with every gene over the
# training regions; numbers from a user's file
IDENTITIES = ("one_hot", "coexpression", "vectors")
# How expression enters: a line, a table of bins, or the sum of both
VALUES = ("continuous", "binned", "both")


class SingleGenes(Tokeniser):
    """One token a gene: a linear map of its identity beside an embedding of its expression.

    Parameters
    ----------
    n_genes
        Genes per region, and tokens.
    identity
        One of `IDENTITIES`.
    expression
        One of `VALUES`.
    expression_bins
        Bins between equally many quantiles of the training regions' standardised expression, all
        genes together; unused if `expression` is "continuous".
    n_gene_dims
        Numbers that describe a gene, where `identity` is "vectors".
    model_dim
        Token width.
    n_members
        Networks held side by side.

    Notes
    -----
    token = [identity map; expression map] through one more linear map, as published. That map is
    applied to either part where it is small: to the identity of each gene once for all regions,
    and to the line or the bins before a region looks them up.
    """

    vectors: Tensor | None

    def __init__(
        self,
        n_genes: int,
        *,
        identity: str,
        expression: str,
        expression_bins: int,
        n_gene_dims: int,
        model_dim: int,
        n_members: int,
    ) -> None:
        super().__init__()
        require_choice("identity", identity, IDENTITIES)
        require_choice("expression", expression, VALUES)
        if expression != "continuous" and expression_bins < 2:
            raise UserError(f"expression_bins is {expression_bins}; give at least 2")
        self.n_tokens, self.kind = n_genes, identity
        n_dims = n_gene_dims if identity == "vectors" else n_genes
        has_vectors = identity != "one_hot"
        self.register_buffer(
            "vectors", torch.zeros(n_members, n_genes, n_dims) if has_vectors else None
        )
        self.identity = PopulationLinear(n_dims, model_dim, n_members=n_members)
        self.line = (
            PopulationLinear(1, model_dim, n_members=n_members) if expression != "binned" else None
        )
        self.table = (
            BinTable(expression_bins, model_dim, n_members=n_members)
            if expression != "continuous"
            else None
        )
        self.fuse = PopulationLinear(2 * model_dim, model_dim, n_members=n_members)

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Learn bin edges and gene vectors from a member's training regions."""
        if self.table is not None:
            self.table.set_edges(member, training.expression)
        if self.kind == "coexpression":
            # genes are standardised, so that this is their correlation; 0 for a constant gene
            z = training.expression
            self._set_vectors(member, z.T @ z / len(z))
        elif self.kind == "vectors":
            if training.gene_vectors is None:
                raise UserError(
                    "identity is 'vectors' and there are none; give a file of gene vectors, or "
                    "identity 'one_hot' or 'coexpression'"
                )
            self._set_vectors(member, training.gene_vectors)

    def _set_vectors(self, member: int, values: np.ndarray) -> None:
        assert self.vectors is not None
        self.vectors[member].copy_(torch.from_numpy(values.astype(np.float32)))

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Return (n_members, n_regions, n_genes, model_dim)."""
        dim = self.fuse.n_out
        assert self.identity.bias is not None and self.fuse.bias is not None
        # a one-hot vector picks a row of the map
        genes = (
            self.identity.weight + self.identity.bias
            if self.vectors is None
            else self.identity(self.vectors)
        )
        of_genes = torch.baddbmm(self.fuse.bias, genes, self.fuse.weight[:, :dim])
        return of_genes.unsqueeze(1) + self._values(expression, self.fuse.weight[:, dim:])

    def _values(self, expression: Tensor, fuse: Tensor) -> Tensor:
        parts = []
        if self.line is not None:
            assert self.line.bias is not None
            slope, offset = (
                torch.bmm(part, fuse).unsqueeze(2) for part in (self.line.weight, self.line.bias)
            )
            parts.append(expression.unsqueeze(3) * slope + offset)
        if self.table is not None:
            parts.append(self.table(expression, fuse))
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]


class BinTable(PopulationLayer):
    """A row for each bin of expression.

    Parameters
    ----------
    n_bins, dim
        Rows and their width.
    n_members
        Networks held side by side.
    """

    edges: Tensor

    def __init__(self, n_bins: int, dim: int, *, n_members: int) -> None:
        super().__init__()
        self.n_bins = n_bins
        self.rows = nn.Parameter(torch.empty(n_members, n_bins, dim))
        # in the state: a rerun must cut as training did
        self.register_buffer("edges", torch.zeros(n_members, n_bins - 1))

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Draw from N(0, 0.1)."""
        nn.init.normal_(self.rows.data[member], 0.0, 0.1, generator=generator)

    def set_edges(self, member: int, expression: np.ndarray) -> None:
        """Put as many values of the training regions into each bin."""
        shares = np.linspace(0, 1, self.n_bins + 1)[1:-1]
        edges = np.quantile(expression, shares).astype(np.float32)
        self.edges[member].copy_(torch.from_numpy(edges))

    def forward(self, expression: Tensor, fuse: Tensor) -> Tensor:
        """Look up (n_members, n_regions, n_genes) in the rows times (n_members, dim, n_out)."""
        n_members = len(expression)
        bins = torch.searchsorted(self.edges, expression.reshape(n_members, -1).contiguous())
        rows = torch.bmm(self.rows, fuse)
        # unlike a lookup, a product has a deterministic gradient on every device
        picked = torch.bmm(F.one_hot(bins, self.n_bins).to(rows.dtype), rows)
        return picked.view(*expression.shape, -1)
