"""Transformers on single genes with signatures, and on embeddings of regions from a user's file."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.population import PopulationDropout, PopulationLayerNorm, PopulationLinear
from gx2c.models.protocol import EXPRESSION, ModelSpec, TrainingView
from gx2c.models.smt import smt
from gx2c.models.token_network import TokenNetwork
from gx2c.models.tokenisers import Tokeniser

PROJECTIONS = (1, 3)
PROJECTION_DROPOUT = 0.1


class SignedGenes(Tokeniser):
    """One token a gene: its expression and its signature, side by side, through a projection.

    Parameters
    ----------
    n_genes
        Genes per region, and tokens.
    n_gene_dims
        Numbers in a signature.
    projection_layers
        1 for a linear map; 3 for Linear, LayerNorm, ReLU, Dropout, Linear, LayerNorm.
    model_dim
        Token width.
    n_members
        Networks held side by side.
    """

    signatures: Tensor

    def __init__(
        self,
        n_genes: int,
        *,
        n_gene_dims: int,
        projection_layers: int,
        model_dim: int,
        n_members: int,
    ) -> None:
        super().__init__()
        if projection_layers not in PROJECTIONS:
            raise UserError(
                f"projection_layers is {projection_layers}; choose from {list(PROJECTIONS)}"
            )
        self.n_tokens = n_genes
        self.register_buffer("signatures", torch.zeros(n_members, n_genes, n_gene_dims))
        self.embed = PopulationLinear(1 + n_gene_dims, model_dim, n_members=n_members)
        self.rest = nn.Sequential()
        if projection_layers > 1:
            self.rest = nn.Sequential(
                PopulationLayerNorm(model_dim, n_members=n_members),
                nn.ReLU(),
                PopulationDropout(PROJECTION_DROPOUT),
                PopulationLinear(model_dim, model_dim, n_members=n_members),
                PopulationLayerNorm(model_dim, n_members=n_members),
            )

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Keep the genes' signatures, standardised over the genes that the network sees."""
        if training.gene_vectors is None:
            raise UserError(
                "there are no gene signatures; give their file with --gene-vectors, or "
                "--gene-vectors groups for the gene groups that come with gx2c"
            )
        vectors = np.asarray(training.gene_vectors, dtype=np.float64)
        deviation = vectors.std(axis=0)
        scaled = (vectors - vectors.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
        self.signatures[member].copy_(torch.from_numpy(scaled.astype(np.float32)))

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Project each gene; what its signature adds is computed once for all regions."""
        weight, bias = self.embed.weight, self.embed.bias
        assert bias is not None
        of_genes = torch.baddbmm(bias, self.signatures, weight[:, 1:])
        tokens = expression.unsqueeze(3) * weight[:, None, :1] + of_genes.unsqueeze(1)
        projected: Tensor = self.rest(tokens.flatten(1, 2))
        return projected.view(tokens.shape)


def smt_celltype(
    n_genes: int,
    *,
    n_gene_dims: int = 1,
    projection_layers: int = 1,
    model_dim: int = 128,
    readout: str = "flatten",
    n_members: int = 1,
    **transformer: Any,
) -> TokenNetwork:
    """Make a transformer over single genes with their signatures.

    Parameters
    ----------
    n_genes, n_gene_dims, projection_layers
        See `SignedGenes`.
    model_dim, readout, n_members, transformer
        See `TokenNetwork`; a flat readout takes one number a gene.
    """
    tokens = SignedGenes(
        n_genes,
        n_gene_dims=n_gene_dims,
        projection_layers=projection_layers,
        model_dim=model_dim,
        n_members=n_members,
    )
    return TokenNetwork(
        tokens,
        model_dim=model_dim,
        token_output_dim=1,
        readout=readout,
        n_members=n_members,
        **transformer,
    )


_REFERENCE = "GeneEx2Conn, NeurIPS 2025"
_TRANSFORMER = {
    "model_dim": 128,
    "n_heads": 4,
    "hidden_dims": (512, 256, 128),
    "alibi": False,
    "encoder_dropout": 0.1,
    "dropout": 0.1,
    "readout": "flatten",
}

SPECS = (
    ModelSpec(
        name="smt_celltype",
        kind="iterative",
        uses=(EXPRESSION,),
        gene_tokens=True,
        build=smt_celltype,
        summary="Transformer over single genes with numeric signatures (cell types, gene groups)",
        reference=_REFERENCE,
        defaults=_TRANSFORMER | {"n_layers": 2, "projection_layers": 1},
        usual_options={"genes": "100_var", "gene_vectors": "groups"},
        reads_gene_vectors=True,
    ),
    ModelSpec(
        name="smt_geneformer",
        kind="iterative",
        uses=(EXPRESSION,),
        gene_tokens=True,
        build=partial(smt, token_output_dim=1),
        summary="Transformer over region embeddings from a user's file (--embeddings)",
        reference=_REFERENCE,
        defaults=_TRANSFORMER | {"n_layers": 4, "genes_per_token": 1},
        usual_options={"genes": "all"},
        reads_embeddings=True,
    ),
)
