"""The Spatiomolecular Transformer, without and with a CLS token made from coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.headed_network import HeadedNetwork
from gx2c.models.pair_head import PairHead
from gx2c.models.population import PopulationLinear
from gx2c.models.protocol import ModelSpec
from gx2c.models.transformer import TransformerBlock, gene_tokens


class SMT(HeadedNetwork):
    """Spatiomolecular Transformer: gene tokens, transformer blocks, flatten, pair head.

    Parameters
    ----------
    n_genes
        Genes per region, in genomic (or another meaningful) order.
    genes_per_token
        Contiguous genes that make one token.
    model_dim
        Token width inside the transformer.
    token_output_dim
        Width to which each token is projected before all are flattened into the embedding.
    n_heads, n_layers
        Of the transformer.
    hidden_dims
        Of the pair head.
    alibi
        Linear attention bias by distance between tokens.
    encoder_dropout, dropout
        In the transformer and in the pair head.
    with_cls
        Prepend a token that is a linear map of the region's coordinates.
    n_members, attention
        See `gx2c.models.population` and `gx2c.models.attention`.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025 (github.com/neuroinfolab/GeneEx2Conn).
    """

    def __init__(
        self,
        n_genes: int,
        *,
        genes_per_token: int = 60,
        model_dim: int = 128,
        token_output_dim: int = 10,
        n_heads: int = 4,
        n_layers: int = 4,
        hidden_dims: Sequence[int] = (512, 256, 128),
        alibi: bool = True,
        encoder_dropout: float = 0.1,
        dropout: float = 0.1,
        with_cls: bool = False,
        n_members: int = 1,
        attention: str = "sdpa",
    ) -> None:
        super().__init__()
        if model_dim % n_heads:
            raise UserError(f"model_dim {model_dim} is not divisible by n_heads {n_heads}")
        self.genes_per_token = genes_per_token
        self.n_tokens = -(-n_genes // genes_per_token) + with_cls
        self.embed = PopulationLinear(genes_per_token, model_dim, n_members=n_members)
        self.cls = PopulationLinear(3, model_dim, n_members=n_members) if with_cls else None
        self.blocks = nn.ModuleList(
            TransformerBlock(
                model_dim,
                n_heads=n_heads,
                dropout=encoder_dropout,
                alibi=alibi,
                n_members=n_members,
                attention=attention,
            )
            for _ in range(n_layers)
        )
        self.project = PopulationLinear(model_dim, token_output_dim, n_members=n_members)
        self.head = PairHead(
            self.n_tokens * token_output_dim, hidden_dims, dropout=dropout, n_members=n_members
        )

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Encode each region once, (n_members, n_regions, n_tokens * token_output_dim)."""
        n_members, n_regions, _ = expression.shape
        tokens = gene_tokens(expression, self.genes_per_token)
        x = self.embed(tokens.flatten(1, 2)).view(n_members, n_regions, tokens.shape[2], -1)
        if self.cls is not None:
            x = torch.cat([self.cls(coords).unsqueeze(2), x], dim=2)
        x = x.flatten(1, 2)
        for block in self.blocks:
            x = block(x, self.n_tokens)
        out: Tensor = self.project(x)
        return out.view(n_members, n_regions, -1)


_REFERENCE = "GeneEx2Conn, NeurIPS 2025"
_PUBLISHED = {
    "genes_per_token": 60,
    "model_dim": 128,
    "token_output_dim": 10,
    "n_heads": 4,
    "n_layers": 4,
    "hidden_dims": (512, 256, 128),
    "alibi": True,
    "encoder_dropout": 0.2,
    "dropout": 0.2,
}


def _build_smt_cls(n_genes: int, **keywords: Any) -> SMT:
    return SMT(n_genes, with_cls=True, **keywords)


SPECS = (
    ModelSpec(
        name="smt",
        kind="iterative",
        uses=("expression",),
        build=SMT,
        summary="Spatiomolecular Transformer on gene tokens",
        reference=_REFERENCE,
        defaults=_PUBLISHED,
    ),
    ModelSpec(
        name="smt_cls",
        kind="iterative",
        uses=("expression", "coordinates"),
        build=_build_smt_cls,
        summary="Spatiomolecular Transformer with a CLS token from coordinates",
        reference=_REFERENCE,
        defaults=_PUBLISHED | {"genes_per_token": 20},
    ),
)
