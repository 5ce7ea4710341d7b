"""Transformers over few numbers a region: PCA, PLS or the code of an autoencoder."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor

from gx2c.models.population import PopulationLinear
from gx2c.models.protocol import ModelSpec, TrainingView
from gx2c.models.reduced_genes import ReducedGenes
from gx2c.models.reduced_network import REDUCED_SPEC
from gx2c.models.token_network import TokenNetwork
from gx2c.models.tokenisers import Tokeniser
from gx2c.models.transformer import gene_tokens


class ReducedTokens(Tokeniser):
    """Components in a row, cut into tokens.

    The published models make one token of all components, over which attention is none.

    Parameters
    ----------
    reduced
        Makes the components.
    n_tokens
        Tokens wanted; the components are cut as evenly as they can be.
    model_dim, n_members
        Token width, and networks held side by side.
    """

    def __init__(
        self, reduced: ReducedGenes, n_tokens: int, *, model_dim: int, n_members: int
    ) -> None:
        super().__init__()
        self.reduced = reduced
        self.per_token = -(-reduced.n_components // n_tokens)
        self.n_tokens = -(-reduced.n_components // self.per_token)
        self.embed = PopulationLinear(self.per_token, model_dim, n_members=n_members)

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Reduce, cut and embed."""
        tokens = gene_tokens(self.reduced(expression), self.per_token)
        embedded: Tensor = self.embed(tokens.flatten(1, 2))
        return embedded.view(*tokens.shape[:3], -1)

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Learn a member's reduction from its training regions."""
        self.reduced.prepare(member, training, seed=seed)


def reduced_smt(
    n_genes: int,
    *,
    reduction: str,
    n_components: int = 128,
    whiten: bool = False,
    n_tokens: int = 8,
    model_dim: int = 128,
    n_members: int = 1,
    **transformer: Any,
) -> TokenNetwork:
    """Make a transformer over tokens of components.

    Parameters
    ----------
    n_genes, reduction, n_components, whiten
        See `ReducedGenes`.
    n_tokens
        See `ReducedTokens`.
    model_dim, n_members, transformer
        See `TokenNetwork`. The readout is flat, as a mean would forget which components a token
        holds.
    """
    reduced = ReducedGenes(n_genes, reduction, n_components, whiten=whiten, n_members=n_members)
    tokens = ReducedTokens(reduced, n_tokens, model_dim=model_dim, n_members=n_members)
    return TokenNetwork(tokens, model_dim=model_dim, n_members=n_members, **transformer)


_TRANSFORMER = {
    "n_components": 128,
    "n_tokens": 8,
    "whiten": False,
    "model_dim": 128,
    "token_output_dim": 10,
    "n_heads": 4,
    "n_layers": 4,
    "hidden_dims": (512, 256, 128),
    "alibi": False,
    "encoder_dropout": 0.1,
    "dropout": 0.1,
}

SPECS = (
    ModelSpec(
        name="smt_pca",
        build=partial(reduced_smt, reduction="pca"),
        summary="Transformer over tokens of principal components",
        defaults=_TRANSFORMER,
        **REDUCED_SPEC,
    ),
    ModelSpec(
        name="smt_pls",
        build=partial(reduced_smt, reduction="pls"),
        summary="Transformer over tokens of PLS scores",
        defaults=_TRANSFORMER,
        **REDUCED_SPEC,
    ),
    ModelSpec(
        name="smt_ae",
        build=partial(reduced_smt, reduction="autoencoder", whiten=True),
        summary="Transformer over tokens of an autoencoder's code, trained before it on each fold",
        defaults={name: value for name, value in _TRANSFORMER.items() if name != "whiten"},
        **REDUCED_SPEC,
    ),
)
