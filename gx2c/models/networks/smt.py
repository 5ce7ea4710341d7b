"""The Spatiomolecular Transformer: without and with a token from coordinates, pooled, convolved."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from gx2c.errors import require_choice
from gx2c.models.layers.bases import PairNetwork
from gx2c.models.layers.heads import HEADS
from gx2c.models.layers.tokens import (
    ConvolvedGenes,
    GeneChunks,
    Tokeniser,
    WithCoordinates,
    make_readout,
)
from gx2c.models.layers.transformer import TransformerBlock, make_blocks
from gx2c.models.spec import COORDINATES, EXPRESSION, NETWORK, ModelSpec, plateau


class TokenNetwork(PairNetwork):
    """A transformer over the tokens of each region, encoded once, and a pair head.

    Parameters
    ----------
    tokeniser
        Makes the tokens.
    model_dim
        Token width inside the transformer.
    token_output_dim
        Width to which each token is mapped before all are flattened into the embedding; unused
        by other readouts.
    n_heads, n_layers
        Heads and layers of the transformer.
    hidden_dims
        Hidden layers of the pair head.
    alibi
        Whether attention has a linear bias by distance between tokens.
    encoder_dropout, dropout
        Dropout in the transformer and in the pair head.
    readout
        A key of `READOUTS`, from tokens to the embedding.
    combine
        How the head combines the embeddings of a pair: "concat" or "mean".

    Raises
    ------
    UserError
        If the number of heads does not divide the width.
    """

    def __init__(
        self,
        tokeniser: Tokeniser,
        *,
        model_dim: int = 128,
        token_output_dim: int = 10,
        n_heads: int = 4,
        n_layers: int = 4,
        hidden_dims: Sequence[int] = (512, 256, 128),
        alibi: bool = True,
        encoder_dropout: float = 0.1,
        dropout: float = 0.1,
        readout: str = "flatten",
        combine: str = "concat",
    ) -> None:
        super().__init__()
        self.tokeniser, self.n_tokens = tokeniser, tokeniser.n_tokens
        self.blocks = make_blocks(
            TransformerBlock,
            n_layers,
            model_dim,
            n_heads=n_heads,
            dropout=encoder_dropout,
            alibi=alibi,
        )
        self.readout = make_readout(
            readout, model_dim, self.n_tokens, token_output_dim=token_output_dim
        )
        require_choice("combine", combine, HEADS)
        self.head = HEADS[combine](self.readout.embedding_dim, hidden_dims, dropout=dropout)

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Encode each region once, (n_members, n_regions, embedding_dim)."""
        tokens = self.tokeniser(self.reduced(expression), coords)
        x = tokens.flatten(1, 2)
        for block in self.blocks:
            x = block(x, self.n_tokens)
        return self.readout(x.view(tokens.shape))


def smt(
    n_genes: int,
    *,
    genes_per_token: int = 60,
    model_dim: int = 128,
    coordinates: str | None = None,
    **transformer: Any,
) -> TokenNetwork:
    """Make a Spatiomolecular Transformer: gene tokens, blocks, readout, pair head.

    Parameters
    ----------
    n_genes
        Genes per region, in genomic (or another meaningful) order.
    genes_per_token
        Number of contiguous genes per token.
    model_dim, transformer
        See `TokenNetwork`.
    coordinates
        A key of `COORDINATE_TOKENS`, to prepend a token made from the region's coordinates.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025 (github.com/neuroinfolab/GeneEx2Conn).
    """
    tokens: Tokeniser = GeneChunks(n_genes, genes_per_token, model_dim=model_dim)
    if coordinates is not None:
        tokens = WithCoordinates(tokens, coordinates, model_dim=model_dim)
    return TokenNetwork(tokens, model_dim=model_dim, **transformer)


def smt_conv(
    n_genes: int,
    *,
    kernel_size: int = 32,
    stride: int = 32,
    out_channels: int = 32,
    n_tokens: int = 128,
    model_dim: int = 128,
    **transformer: Any,
) -> TokenNetwork:
    """Make a transformer over averages of a convolution along the genes, with pooling.

    Parameters
    ----------
    n_genes, kernel_size, stride, out_channels, n_tokens
        See `ConvolvedGenes`.
    model_dim, transformer
        See `TokenNetwork`.
    """
    tokens = ConvolvedGenes(
        n_genes,
        kernel_size=kernel_size,
        stride=stride,
        out_channels=out_channels,
        n_tokens=n_tokens,
        model_dim=model_dim,
    )
    return TokenNetwork(tokens, model_dim=model_dim, **transformer)


_REFERENCE = "GeneEx2Conn, NeurIPS 2025"
_SMT = {
    "genes_per_token": (20, 60, 180),
    "model_dim": (64, 128),
    "token_output_dim": (5, 10),
    "n_heads": (2, 4),
    "n_layers": (2, 4),
    "hidden_dims": ((256, 128), (512, 256, 128)),
    "alibi": (True,),
    "encoder_dropout": (0.1, 0.2),
    "dropout": (0.1, 0.2, 0.3),
    "learning_rate": (9e-5, 1e-4),
    "weight_decay": (1e-4, 1e-3),
    "augment_probability": (0.3, 0.0, 0.1),
    "augment_schedule": ("decay", "peak", "constant"),
}
_POOLED = {
    "n_heads": (4,),
    "n_layers": (4,),
    "hidden_dims": ((512, 256, 128),),
    "encoder_dropout": (0.1, 0.2),
    "dropout": (0.1, 0.2),
    "learning_rate": (5e-4,),
    "weight_decay": (0.0, 1e-5, 1e-4),
}
POOLED_TRAINING = plateau(5e-4, weight_decay=1e-5, block_regions=32)

SMT = ModelSpec(
    "smt",
    smt,
    NETWORK,
    summary="Spatiomolecular Transformer on gene tokens",
    reference=_REFERENCE,
    fixed={"coordinates": None, "readout": "flatten"},
    passes_to=(TokenNetwork,),
    best={"encoder_dropout": 0.2, "dropout": 0.2},
    training=plateau(1e-4, weight_decay=1e-4, block_regions=23),
    published=_SMT,
    gene_tokens=True,
)
SMT_CLS = replace(
    SMT,
    name="smt_cls",
    summary="SMT with a CLS token from coordinates",
    uses=(EXPRESSION, COORDINATES),
    fixed={"coordinates": "learned", "readout": "flatten"},
    best={**SMT.best, "genes_per_token": 20},
    training=plateau(1e-4, weight_decay=1e-4, block_regions=32),
    published={
        **_SMT,
        "genes_per_token": (20, 60),
        "alibi": (True, False),
        "augment_schedule": ("decay", "constant"),
    },
)
SPECS = (
    SMT,
    SMT_CLS,
    replace(
        SMT_CLS,
        name="smt_cls_fixed",
        summary="smt_cls whose map of coordinates is never trained (ablation)",
        fixed={**SMT_CLS.fixed, "coordinates": "fixed"},
        published={},
    ),
    replace(
        SMT_CLS,
        name="smt_cls_random",
        summary="smt_cls with noise in place of coordinates (ablation)",
        fixed={**SMT_CLS.fixed, "coordinates": "random"},
        published={},
    ),
    replace(
        SMT,
        name="smt_pool",
        summary="SMT whose tokens are pooled by attention",
        fixed={"coordinates": None, "readout": "attention"},
        best={},
        training=POOLED_TRAINING,
        published={
            **_POOLED,
            "genes_per_token": (10, 20, 60),
            "model_dim": (64, 128, 256),
            "alibi": (True, False),
            "augment_probability": (0.0, 0.3),
        },
    ),
    ModelSpec(
        "smt_conv",
        smt_conv,
        NETWORK,
        summary="Transformer over a convolution along the genes, pooled by attention",
        reference=_REFERENCE,
        fixed={"readout": "attention"},
        passes_to=(TokenNetwork,),
        training=POOLED_TRAINING,
        published={
            **_POOLED,
            "kernel_size": (16, 32, 64),
            "stride": (16, 32),
            "out_channels": (16, 32),
            "n_tokens": (64, 96, 128, 256),
            "model_dim": (64, 128),
            "alibi": (True,),
        },
        gene_tokens=True,
    ),
)
