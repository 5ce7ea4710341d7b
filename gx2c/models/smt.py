"""The Spatiomolecular Transformer: without and with a token from coordinates, pooled, convolved."""

from __future__ import annotations

from functools import partial
from typing import Any

from gx2c.models.protocol import ModelSpec
from gx2c.models.token_network import TokenNetwork
from gx2c.models.tokenisers import ConvolvedGenes, GeneChunks, Tokeniser, WithCoordinates


def smt(
    n_genes: int,
    *,
    genes_per_token: int = 60,
    model_dim: int = 128,
    coordinates: str | None = None,
    n_members: int = 1,
    **transformer: Any,
) -> TokenNetwork:
    """Make a Spatiomolecular Transformer: gene tokens, blocks, readout, pair head.

    Parameters
    ----------
    n_genes
        Genes per region, in genomic (or another meaningful) order.
    genes_per_token
        Contiguous genes that make one token.
    model_dim, n_members, transformer
        See `TokenNetwork`.
    coordinates
        Prepend a token made from the region's coordinates: a key of `COORDINATE_TOKENS`.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025 (github.com/neuroinfolab/GeneEx2Conn).
    """
    tokens: Tokeniser = GeneChunks(
        n_genes, genes_per_token, model_dim=model_dim, n_members=n_members
    )
    if coordinates is not None:
        tokens = WithCoordinates(tokens, coordinates, model_dim=model_dim, n_members=n_members)
    return TokenNetwork(tokens, model_dim=model_dim, n_members=n_members, **transformer)


def smt_conv(
    n_genes: int,
    *,
    kernel_size: int = 32,
    stride: int = 32,
    out_channels: int = 32,
    n_tokens: int = 128,
    model_dim: int = 128,
    n_members: int = 1,
    **transformer: Any,
) -> TokenNetwork:
    """Make a transformer over averages of a convolution along the genes, with pooling.

    Parameters
    ----------
    n_genes, kernel_size, stride, out_channels, n_tokens
        See `ConvolvedGenes`.
    model_dim, n_members, transformer
        See `TokenNetwork`.
    """
    tokens = ConvolvedGenes(
        n_genes,
        kernel_size=kernel_size,
        stride=stride,
        out_channels=out_channels,
        n_tokens=n_tokens,
        model_dim=model_dim,
        n_members=n_members,
    )
    return TokenNetwork(
        tokens, model_dim=model_dim, readout="attention", n_members=n_members, **transformer
    )


_REFERENCE = "GeneEx2Conn, NeurIPS 2025"
_HEAD = {"hidden_dims": (512, 256, 128), "alibi": True}
_TRANSFORMER = {"model_dim": 128, "n_heads": 4, "n_layers": 4, **_HEAD}
_FLAT = {"token_output_dim": 10, "encoder_dropout": 0.2, "dropout": 0.2, **_TRANSFORMER}
_POOLED = {"encoder_dropout": 0.1, "dropout": 0.1, **_TRANSFORMER}
_CLS_SUMMARIES = {
    "learned": "SMT with a CLS token from coordinates",
    "fixed": "smt_cls whose map of coordinates is never trained (ablation)",
    "random": "smt_cls with noise in place of coordinates (ablation)",
}


def _cls_spec(name: str, kind: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        kind="iterative",
        uses=("expression", "coordinates"),
        build=partial(smt, coordinates=kind),
        summary=_CLS_SUMMARIES[kind],
        reference=_REFERENCE,
        gene_tokens=True,
        defaults=_FLAT | {"genes_per_token": 20},
    )


SPECS = (
    ModelSpec(
        name="smt",
        kind="iterative",
        uses=("expression",),
        build=smt,
        summary="Spatiomolecular Transformer on gene tokens",
        reference=_REFERENCE,
        gene_tokens=True,
        defaults=_FLAT | {"genes_per_token": 60},
    ),
    _cls_spec("smt_cls", "learned"),
    _cls_spec("smt_cls_fixed", "fixed"),
    _cls_spec("smt_cls_random", "random"),
    ModelSpec(
        name="smt_pool",
        kind="iterative",
        uses=("expression",),
        build=partial(smt, readout="attention"),
        summary="SMT whose tokens are pooled by attention",
        reference=_REFERENCE,
        gene_tokens=True,
        defaults=_POOLED | {"genes_per_token": 60},
    ),
    ModelSpec(
        name="smt_conv",
        kind="iterative",
        uses=("expression",),
        build=smt_conv,
        summary="Transformer over a convolution along the genes, pooled by attention",
        reference=_REFERENCE,
        gene_tokens=True,
        defaults=_POOLED | {"kernel_size": 32, "stride": 32, "out_channels": 32, "n_tokens": 128},
    ),
)
