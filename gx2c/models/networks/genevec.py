"""Gene attention: single genes as tokens, attending within a region, across a pair, or both."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.errors import UserError, require_choice
from gx2c.models.layers.population import (
    PopulationLayer,
    PopulationLinear,
    PreparedLayer,
    parameter,
    zeros,
)
from gx2c.models.layers.tokens import Tokeniser
from gx2c.models.networks.pair_attention import CrossGenevec, MixedGenevec, PairAttention
from gx2c.models.networks.smt import TokenNetwork
from gx2c.models.protocol import TrainingData
from gx2c.models.spec import COORDINATES, EXPRESSION, NETWORK, ModelSpec, plateau

# Identity of a gene: its position only; its correlation with every gene over the training regions;
# numbers from a user's file
IDENTITIES = ("one_hot", "coexpression", "vectors")
# Embedding of expression: a line, a table of bins, or the sum of both
VALUES = ("continuous", "binned", "both")


class SingleGenes(PreparedLayer, Tokeniser):
    """One token per gene: a linear map of its identity and an embedding of its expression.

    Parameters
    ----------
    n_genes
        Genes per region, and tokens.
    identity
        One of `IDENTITIES`.
    expression
        One of `VALUES`.
    expression_bins
        Number of quantile bins of the training regions' standardised expression, all genes
        together; unused if `expression` is "continuous".
    n_gene_dims
        Numbers that describe a gene if `identity` is "vectors".
    model_dim
        Token width.

    Notes
    -----
    token = [identity map; expression map] through one more linear map, as published. That map is
    applied to each part where that part is small: to the identity of each gene once for all
    regions, and to the line or the bins before a region looks them up.
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
    ) -> None:
        super().__init__()
        require_choice("identity", identity, IDENTITIES)
        require_choice("expression", expression, VALUES)
        if expression != "continuous" and expression_bins < 2:
            raise UserError(f"expression_bins is {expression_bins}; give at least 2")
        self.n_tokens, self.kind = n_genes, identity
        n_dims = n_gene_dims if identity == "vectors" else n_genes
        has_vectors = identity != "one_hot"
        self.register_buffer("vectors", zeros(n_genes, n_dims) if has_vectors else None)
        self.identity = PopulationLinear(n_dims, model_dim)
        self.line = PopulationLinear(1, model_dim) if expression != "binned" else None
        self.table = BinTable(expression_bins, model_dim) if expression != "continuous" else None
        self.fuse = PopulationLinear(2 * model_dim, model_dim)

    def prepare(self, member: int, training: TrainingData, *, seed: int) -> None:
        """Learn bin edges and gene vectors from a member's training regions."""
        if self.table is not None:
            self.table.set_edges(member, training.regions.expression)
        if self.kind == "coexpression":
            # genes are standardised, so this is their correlation; 0 for a constant gene
            z = training.regions.expression
            self._set_vectors(member, z.T @ z / len(z))
        elif self.kind == "vectors":
            if training.gene_vectors is None:
                raise UserError(
                    "identity is 'vectors', but no gene vectors are given; pass a file of them, or "
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
    """A row of `dim` numbers for each bin of expression."""

    edges: Tensor

    def __init__(self, n_bins: int, dim: int) -> None:
        super().__init__()
        self.n_bins = n_bins
        self.rows = parameter(n_bins, dim)
        # part of the state: a rerun must use the bins of training
        self.register_buffer("edges", zeros(n_bins - 1))

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Draw from N(0, 0.1)."""
        nn.init.normal_(self.rows.data[member], 0.0, 0.1, generator=generator)

    def set_edges(self, member: int, expression: np.ndarray) -> None:
        """Set edges so that each bin holds equally many values of the training regions."""
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


class SelfGenevec(TokenNetwork):
    """Attention among each region's genes; a `TokenNetwork` with the symmetric loss.

    Parameters
    ----------
    tokeniser
        Makes the tokens.
    symmetry_weight
        Factor on mean((y_ij - y_ji)^2) over the pairs of a block, added to the training loss.
    transformer
        See `TokenNetwork`.
    """

    def __init__(
        self, tokeniser: SingleGenes, *, symmetry_weight: float = 0.0, **transformer: Any
    ) -> None:
        super().__init__(tokeniser, **transformer)
        self.symmetry_weight = symmetry_weight


def genevec(
    n_genes: int,
    *,
    network: Callable[..., nn.Module],
    identity: str = "one_hot",
    expression: str = "continuous",
    expression_bins: int = 10,
    n_gene_dims: int = 1,
    model_dim: int = 32,
    **of_network: Any,
) -> nn.Module:
    """Make a network on single genes.

    Parameters
    ----------
    n_genes, identity, expression, expression_bins, n_gene_dims, model_dim
        See `SingleGenes`.
    network, of_network
        `SelfGenevec`, `CrossGenevec` or `MixedGenevec`, and its other keywords.
    """
    tokens = SingleGenes(
        n_genes,
        identity=identity,
        expression=expression,
        expression_bins=expression_bins,
        n_gene_dims=n_gene_dims,
        model_dim=model_dim,
    )
    return network(tokens, model_dim=model_dim, **of_network)


_PUBLISHED = {
    "identity": ("one_hot",),
    "expression": ("continuous", "binned"),
    "model_dim": (16, 32, 64),
    "n_heads": (2, 4),
    "n_layers": (2, 4),
    "hidden_dims": ((256, 128, 64),),
    "readout": ("flatten",),
    "alibi": (True, False),
    "encoder_dropout": (0.1, 0.2, 0.3),
    "dropout": (0.1, 0.2, 0.3),
    "learning_rate": (9e-5, 1e-4),
    "weight_decay": (0.0, 1e-5, 1e-4, 1e-3),
    "symmetric": (False,),
    "augment_probability": (0.3, 0.0, 0.1),
    "augment_schedule": ("decay", "constant"),
}
GENEVEC_SELF = ModelSpec(
    "genevec_self",
    genevec,
    NETWORK,
    summary="Single genes attend to one another within a region",
    reference="GeneEx2Conn (in development there)",
    fixed={"network": SelfGenevec, "token_output_dim": 1},
    passes_to=(SelfGenevec, TokenNetwork),
    best={"n_heads": 2, "n_layers": 2, "hidden_dims": (256, 128, 64), "symmetry_weight": 1e-5},
    training=plateau(9e-5, weight_decay=1e-5, block_regions=23),
    published={
        **_PUBLISHED,
        "combine": ("concat", "mean"),
        "symmetry_weight": (1e-5,),
        "augment_probability": (0.3, 0.1),
        "augment_schedule": ("decay",),
    },
    # each gene is a token, and the cost of attention grows with their square
    usual_options={"genes": "100_var"},
    gene_tokens=True,
    reads_gene_vectors=True,
)
SPECS = (
    GENEVEC_SELF,
    replace(
        GENEVEC_SELF,
        name="genevec_cross",
        summary="Single genes attend to those of the other region; each pair is evaluated",
        fixed={"network": CrossGenevec},
        passes_to=(CrossGenevec, PairAttention),
        best={"readout": "attention", "symmetry_weight": 1e-4},
        training=plateau(9e-5, weight_decay=1e-4, block_regions=32),
        published={**_PUBLISHED, "bidirectional": (True, False), "symmetry_weight": (1e-5, 1e-4)},
    ),
    replace(
        GENEVEC_SELF,
        name="genevec_mixed",
        summary="Single genes of both regions attend in one sequence; each pair is evaluated",
        uses_with=lambda given: (EXPRESSION, *[COORDINATES] * bool(given.get("with_coords"))),
        fixed={"network": MixedGenevec},
        passes_to=(MixedGenevec, PairAttention),
        best={},
        training=plateau(1e-4, weight_decay=1e-4, block_regions=32),
        published=_PUBLISHED,
    ),
)
