"""Transformers over a few numbers per region: PCA, PLS or the code of an autoencoder."""

from dataclasses import replace
from typing import Any

from gx2c.models.layers.reduced_genes import on_scores
from gx2c.models.layers.tokens import GeneChunks
from gx2c.models.networks.smt import TokenNetwork
from gx2c.models.spec import NETWORK, ModelSpec, plateau


def smt_on_scores(
    n_components: int, *, n_tokens: int = 8, model_dim: int = 128, **transformer: Any
) -> TokenNetwork:
    """Make a transformer over tokens of components.

    The published models make one token of all components, which leaves attention nothing to do.

    Parameters
    ----------
    n_components
        Numbers per region, in order.
    n_tokens
        Number of tokens; the components are divided as evenly as possible.
    model_dim, transformer
        See `TokenNetwork`. The readout is flat, because a mean would lose which components a token
        holds.
    """
    per_token = -(-n_components // n_tokens)
    tokens = GeneChunks(n_components, per_token, model_dim=model_dim)
    return TokenNetwork(tokens, model_dim=model_dim, **transformer)


# with more than 227 components the published inner folds of 228 regions fail
_PUBLISHED = {
    "n_components": (64, 128, 227),
    "model_dim": (64, 128, 256),
    "n_heads": (2, 4),
    "n_layers": (2, 4),
    "hidden_dims": ((256, 128), (512, 256, 128)),
    "encoder_dropout": (0.1, 0.2),
    "dropout": (0.1, 0.2),
    "learning_rate": (1e-4, 3e-4, 5e-4, 7e-4),
    "weight_decay": (0.0, 1e-5, 1e-4),
}
SMT_PCA = ModelSpec(
    "smt_pca",
    on_scores,
    NETWORK,
    summary="Transformer over tokens of principal components",
    reference="GeneEx2Conn, NeurIPS 2025",
    fixed={"network": smt_on_scores, "reduction": "pca"},
    passes_to=(smt_on_scores, TokenNetwork),
    best={"alibi": False, "n_components": 128},
    training=plateau(1e-3, weight_decay=1e-4, block_regions=32),
    published=_PUBLISHED,
)
SPECS = (
    SMT_PCA,
    replace(
        SMT_PCA,
        name="smt_pls",
        summary="Transformer over tokens of PLS scores",
        fixed={"network": smt_on_scores, "reduction": "pls"},
        training=plateau(7e-4, weight_decay=1e-4, block_regions=32),
        published={**_PUBLISHED, "augment_probability": (0.3, 0.0, 0.45)},
    ),
    replace(
        SMT_PCA,
        name="smt_ae",
        summary="Transformer over tokens of an autoencoder's code, trained before it on each fold",
        fixed={"network": smt_on_scores, "reduction": "autoencoder", "whiten": True},
        training=plateau(5e-4, weight_decay=1e-5, block_regions=32),
        published={**_PUBLISHED, "n_components": (32, 64, 128)},
    ),
)
