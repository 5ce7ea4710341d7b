"""Transformers on single genes with signatures, and on embeddings of regions from a user's file."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.layers.population import (
    PopulationDropout,
    PopulationLayerNorm,
    PopulationLinear,
    PreparedLayer,
    zeros,
)
from gx2c.models.layers.tokens import Tokeniser
from gx2c.models.networks.smt import POOLED_TRAINING, SMT, TokenNetwork
from gx2c.models.protocol import TrainingData
from gx2c.models.spec import NETWORK, ModelSpec, plateau

PROJECTIONS = (1, 3)
PROJECTION_DROPOUT = 0.1


class SignedGenes(PreparedLayer, Tokeniser):
    """One token per gene: a projection of its expression and its signature.

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
    """

    signatures: Tensor

    def __init__(
        self, n_genes: int, *, n_gene_dims: int, projection_layers: int, model_dim: int
    ) -> None:
        super().__init__()
        if projection_layers not in PROJECTIONS:
            raise UserError(
                f"projection_layers is {projection_layers}; choose from {list(PROJECTIONS)}"
            )
        self.n_tokens = n_genes
        self.register_buffer("signatures", zeros(n_genes, n_gene_dims))
        self.embed = PopulationLinear(1 + n_gene_dims, model_dim)
        self.rest = nn.Sequential()
        if projection_layers > 1:
            self.rest = nn.Sequential(
                PopulationLayerNorm(model_dim),
                nn.ReLU(),
                PopulationDropout(PROJECTION_DROPOUT),
                PopulationLinear(model_dim, model_dim),
                PopulationLayerNorm(model_dim),
            )

    def prepare(self, member: int, training: TrainingData, *, seed: int) -> None:
        """Store the genes' signatures, standardised over the genes that the network sees."""
        if training.gene_vectors is None:
            raise UserError(
                "there are no gene signatures; give their file with --gene-vectors, or "
                "--gene-vectors groups for the bundled gene groups"
            )
        vectors = np.asarray(training.gene_vectors, dtype=np.float64)
        deviation = vectors.std(axis=0)
        scaled = (vectors - vectors.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
        self.signatures[member].copy_(torch.from_numpy(scaled.astype(np.float32)))

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Project each gene; the contribution of its signature is computed once for all regions."""
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
    **transformer: Any,
) -> TokenNetwork:
    """Make a transformer over single genes with their signatures.

    Parameters
    ----------
    n_genes, n_gene_dims, projection_layers
        See `SignedGenes`.
    model_dim, transformer
        See `TokenNetwork`; a flat readout takes one number per gene.
    """
    tokens = SignedGenes(
        n_genes, n_gene_dims=n_gene_dims, projection_layers=projection_layers, model_dim=model_dim
    )
    return TokenNetwork(tokens, model_dim=model_dim, **transformer)


SPECS = (
    ModelSpec(
        "smt_celltype",
        smt_celltype,
        NETWORK,
        summary="Transformer over single genes with numeric signatures (cell types, gene groups)",
        reference="GeneEx2Conn, NeurIPS 2025",
        fixed={"token_output_dim": 1},
        passes_to=(TokenNetwork,),
        best={"alibi": False, "n_layers": 2},
        training=plateau(1e-4, weight_decay=1e-4, block_regions=32),
        published={
            "projection_layers": (1, 3),
            "model_dim": (64, 128),
            "n_heads": (4,),
            "n_layers": (2,),
            "hidden_dims": ((512, 256, 128),),
            "readout": ("flatten", "attention"),
            "encoder_dropout": (0.1, 0.2),
            "dropout": (0.1, 0.2),
            "learning_rate": (9e-5, 1e-4, 3e-4, 5e-4),
            "weight_decay": (0.0, 1e-4),
        },
        usual_options={"genes": "100_var", "gene_vectors": "groups"},
        gene_tokens=True,
        reads_gene_vectors=True,
    ),
    replace(
        SMT,
        name="smt_geneformer",
        summary="Transformer over region embeddings from a user's file (--embeddings)",
        fixed={"coordinates": None, "token_output_dim": 1},
        best={"alibi": False, "genes_per_token": 1},
        training=POOLED_TRAINING,
        published={
            "genes_per_token": (1,),
            "model_dim": (64, 128, 256),
            "n_heads": (2, 4),
            "n_layers": (2, 4),
            "hidden_dims": ((512, 256, 128),),
            "alibi": (False,),
            "readout": ("flatten", "mlp", "attention"),
            "encoder_dropout": (0.1, 0.2),
            "dropout": (0.1, 0.2),
            "learning_rate": (1e-5, 9e-5, 3e-4, 5e-4, 1e-3),
            "weight_decay": (0.0, 1e-5, 1e-4),
        },
        usual_options={"genes": "all"},
        reads_embeddings=True,
    ),
)
