"""Models of the connectome behind one protocol, and the table that names them."""

from __future__ import annotations

from gx2c.models import (
    bilinear,
    bilinear_cm,
    cge,
    cls_pool,
    decay,
    gene_signatures,
    genevec,
    geography,
    kernel_ridge,
    mlp,
    pls_twostep,
    reduced_pairs,
    reduced_smt,
    shared_encoder,
    smt,
    xgboost_trees,
)
from gx2c.models.protocol import Model, ModelSpec, PairNetwork

_FILES = (
    decay,
    cge,
    kernel_ridge,
    geography,
    bilinear_cm,
    pls_twostep,
    bilinear,
    mlp,
    shared_encoder,
    smt,
    cls_pool,
    reduced_pairs,
    reduced_smt,
    genevec,
    xgboost_trees,
    gene_signatures,
)
MODELS: dict[str, ModelSpec] = {spec.name: spec for file in _FILES for spec in file.SPECS}

__all__ = ["MODELS", "Model", "ModelSpec", "PairNetwork"]
