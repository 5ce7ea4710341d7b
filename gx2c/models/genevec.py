"""Gene grammar: single genes as tokens, attention within a region, across a pair, or over both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from gx2c.models.pair_attention import CrossGenevec, MixedGenevec
from gx2c.models.protocol import COORDINATES, EXPRESSION, ModelSpec
from gx2c.models.single_genes import SingleGenes
from gx2c.models.symmetry import SymmetricLoss
from gx2c.models.token_network import TokenNetwork


class SelfGenevec(SymmetricLoss, TokenNetwork):
    """Each region's genes attend to one another; a `TokenNetwork` with the symmetric loss.

    Parameters
    ----------
    tokeniser
        Makes the tokens; a flat readout takes one number of each.
    symmetry_weight
        See `SymmetricLoss`.
    transformer
        See `TokenNetwork`.
    """

    def __init__(
        self, tokeniser: SingleGenes, *, symmetry_weight: float = 0.0, **transformer: Any
    ) -> None:
        super().__init__(tokeniser, token_output_dim=1, **transformer)
        self.symmetry_weight = symmetry_weight

    def decode_within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs of a block; see `PairNetwork`."""
        return self.remember(super().decode_within(z))


def genevec(
    n_genes: int,
    *,
    network: Callable[..., nn.Module],
    identity: str = "one_hot",
    expression: str = "continuous",
    expression_bins: int = 10,
    n_gene_dims: int = 1,
    model_dim: int = 32,
    n_members: int = 1,
    **of_network: Any,
) -> nn.Module:
    """Make a network on single genes.

    Parameters
    ----------
    n_genes, identity, expression, expression_bins, n_gene_dims, model_dim, n_members
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
        n_members=n_members,
    )
    return network(tokens, model_dim=model_dim, n_members=n_members, **of_network)


def _sources(keywords: Mapping[str, Any]) -> tuple[str, ...]:
    return (EXPRESSION, COORDINATES) if keywords.get("with_coords") else (EXPRESSION,)


_REFERENCE = "GeneEx2Conn (in development there)"
_PUBLISHED = {
    "identity": "one_hot",
    "expression": "continuous",
    "model_dim": 32,
    "n_heads": 2,
    "n_layers": 2,
    "hidden_dims": (256, 128, 64),
    "alibi": True,
    "encoder_dropout": 0.1,
    "dropout": 0.1,
    "readout": "flatten",
}
# Each gene is a token, and attention costs their square
_SHARED: Mapping[str, Any] = {
    "kind": "iterative",
    "uses": (EXPRESSION,),
    "reference": _REFERENCE,
    "usual_options": {"genes": "100_var"},
    "reads_gene_vectors": True,
    "gene_tokens": True,
}

SPECS = (
    ModelSpec(
        name="genevec_self",
        build=partial(genevec, network=SelfGenevec),
        summary="Single genes attend to one another within a region",
        defaults=_PUBLISHED | {"combine": "concat", "symmetry_weight": 1e-5},
        **_SHARED,
    ),
    ModelSpec(
        name="genevec_cross",
        build=partial(genevec, network=CrossGenevec),
        summary="Single genes attend to those of the other region; each pair is evaluated",
        defaults=_PUBLISHED
        | {"readout": "attention", "bidirectional": True, "symmetry_weight": 1e-4},
        **_SHARED,
    ),
    ModelSpec(
        name="genevec_mixed",
        build=partial(genevec, network=MixedGenevec),
        summary="Single genes of both regions attend in one sequence; each pair is evaluated",
        defaults=_PUBLISHED | {"symmetry_weight": 0.0},
        uses_with=_sources,
        **_SHARED,
    ),
)
