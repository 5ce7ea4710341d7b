"""MLPs on the genes of both regions, on their scores, or behind a small shared encoder."""

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from gx2c.errors import require_choice
from gx2c.models.layers.bases import EncoderNetwork
from gx2c.models.layers.heads import BilinearHead, Head, PairHead
from gx2c.models.layers.population import PopulationBatchNorm, PopulationLinear
from gx2c.models.layers.reduced_genes import on_scores
from gx2c.models.spec import COORDINATES, EXPRESSION, NETWORK, ModelSpec, plateau


def pair_mlp(
    n_genes: int,
    *,
    hidden_dims: Sequence[int] = (512, 256, 128),
    dropout: float = 0.1,
    with_coords: bool = False,
) -> EncoderNetwork:
    """Make an MLP on the features of both regions; the encoder is the identity.

    Parameters
    ----------
    n_genes
        Genes per region.
    hidden_dims, dropout
        Hidden layers and dropout of the pair head.
    with_coords
        Whether to append the region's coordinates to its expression.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, model `dynamic_mlp`.
    """
    n_features = n_genes + 3 * with_coords
    head = PairHead(n_features, hidden_dims, dropout=dropout)
    return EncoderNetwork(nn.Identity(), head, with_coords=with_coords)


DECODERS = ("bilinear", "mlp")


def shared_linear(
    n_genes: int,
    *,
    embedding_dim: int = 24,
    hidden_dims: Sequence[int] = (64, 32),
    dropout: float = 0.2,
    penalty_norm: str = "l2",
    penalty_weight: float = 0.0,
) -> EncoderNetwork:
    """Make a linear encoder with a pair head; the penalty is on all parameters.

    Parameters
    ----------
    n_genes
        Genes per region.
    embedding_dim
        Length of z.
    hidden_dims, dropout
        Hidden layers and dropout of the pair head.
    penalty_norm, penalty_weight
        See `EncoderNetwork`.
    """
    return EncoderNetwork(
        PopulationLinear(n_genes, embedding_dim),
        PairHead(embedding_dim, hidden_dims, dropout=dropout),
        penalty_norm=penalty_norm,
        penalty_weight=penalty_weight,
    )


def shared_mlp(
    n_genes: int,
    *,
    encoder_dim: int = 256,
    embedding_dim: int = 16,
    decoder: str = "bilinear",
    hidden_dims: Sequence[int] = (32,),
    dropout: float = 0.0,
    penalty_weight: float = 0.0,
) -> EncoderNetwork:
    """Make an encoder of two layers, each Linear, ReLU and BatchNorm; L1 penalty on the encoder.

    Parameters
    ----------
    n_genes
        Genes per region.
    encoder_dim, embedding_dim
        Width of the hidden layer, and length of z.
    decoder
        "bilinear", or "mlp" for a pair head.
    hidden_dims, dropout
        Hidden layers and dropout of the pair head; no effect with a bilinear decoder.
    penalty_weight
        Factor on the sum of the encoder's absolute parameters.
    """
    require_choice("decoder", decoder, DECODERS)
    encoder = nn.Sequential(
        PopulationLinear(n_genes, encoder_dim),
        nn.ReLU(),
        PopulationBatchNorm(encoder_dim),
        PopulationLinear(encoder_dim, embedding_dim),
        nn.ReLU(),
        PopulationBatchNorm(embedding_dim),
    )
    head: Head = (
        BilinearHead(embedding_dim)
        if decoder == "bilinear"
        else PairHead(embedding_dim, hidden_dims, dropout=dropout)
    )
    return EncoderNetwork(
        encoder, head, penalty_norm="l1", penalty_weight=penalty_weight, penalised=encoder
    )


MLP = ModelSpec(
    "mlp",
    pair_mlp,
    NETWORK,
    summary="MLP on the expression of both regions",
    reference="GeneEx2Conn, NeurIPS 2025",
    fixed={"with_coords": False},
    training=plateau(9e-5, weight_decay=1e-4, block_regions=23),
    published={
        "hidden_dims": ((256, 128), (512, 256, 128), (1024, 512, 256, 128)),
        "dropout": (0.0, 0.1, 0.3),
        "learning_rate": (9e-5, 1e-4),
        "weight_decay": (0.0, 1e-5, 1e-4),
    },
)
SHARED_LINEAR = ModelSpec(
    "shared_linear",
    shared_linear,
    NETWORK,
    summary="A linear encoder shared by both regions, and an MLP on the pair",
    reference="GeneEx2Conn, NeurIPS 2025",
    # the best published penalty, 1e-4 times an un-squared norm of about ten, is closest in
    # effect and size to this one
    best={"penalty_weight": 1e-4},
    training=plateau(1e-4, weight_decay=0.0, block_regions=16),
    published={
        "embedding_dim": (8, 16, 24, 32, 128),
        "hidden_dims": ((32, 16), (64, 32), (128, 64, 32)),
        "dropout": (0.0, 0.1, 0.2, 0.3),
        "learning_rate": (1e-5, 1e-2),
        "weight_decay": (0.0, 1e-4, 1e-3, 1e-2, 1e-1),
        "penalty_norm": ("l1", "l2"),
        "l2_weight": (1e-4, 1e-3, 1e-2, 1e-1),
    },
)
SPECS = (
    MLP,
    replace(
        MLP,
        name="mlp_coords",
        summary="MLP on the expression and coordinates of both regions",
        uses=(EXPRESSION, COORDINATES),
        fixed={"with_coords": True},
    ),
    replace(
        MLP,
        name="mlp_pca",
        builder=on_scores,
        summary="MLP on principal components of both regions' expression",
        fixed={**MLP.fixed, "network": pair_mlp, "reduction": "pca"},
        passes_to=(pair_mlp,),
        published={**MLP.published, "n_components": (27,)},
    ),
    replace(
        MLP,
        name="pls_mlp",
        builder=on_scores,
        summary="MLP on the PLS scores of both regions",
        fixed={**MLP.fixed, "network": pair_mlp, "reduction": "pls"},
        passes_to=(pair_mlp,),
        best={"n_components": 10, "hidden_dims": (128, 64), "dropout": 0.2},
        published={
            "n_components": (5, 8, 10, 12, 15, 25, 30, 50),
            "hidden_dims": ((128, 64), (256, 128), (512, 256, 128)),
            "dropout": (0.0, 0.2, 0.4),
            "learning_rate": (9e-5,),
            "weight_decay": (0.0, 1e-4, 1e-3),
        },
    ),
    SHARED_LINEAR,
    replace(
        SHARED_LINEAR,
        name="shared_mlp",
        builder=shared_mlp,
        summary="An MLP encoder shared by both regions, and a bilinear form or an MLP on the pair",
        best={},
        published={
            "encoder_dim": (128, 256, 512),
            "embedding_dim": (4, 8, 16, 32),
            "decoder": ("bilinear",),
            "learning_rate": (1e-5, 1e-2),
            "weight_decay": (0.0, 1e-4, 1e-3, 1e-2),
            "penalty_norm": ("none", "l1"),
        },
    ),
)
