"""Models of the connectome behind one protocol, and the table that names them."""

from importlib import import_module
from typing import Any

from gx2c.models.layers.bases import PairNetwork
from gx2c.models.protocol import Model
from gx2c.models.spec import ModelSpec

# One line per family, in the order of tables; each file declares its models in `SPECS`
FAMILIES = (
    "closed_form.distance",
    "closed_form.cge",
    "closed_form.kernel_ridge",
    "closed_form.geography",
    "closed_form.bilinear_cm",
    "closed_form.pls_twostep",
    "networks.bilinear",
    "networks.mlp",
    "networks.smt",
    "networks.cls_pool",
    "networks.reduced_smt",
    "networks.genevec",
    "trees.boosted",
    "networks.gene_signatures",
)
MODELS: dict[str, ModelSpec] = {
    spec.name: spec for family in FAMILIES for spec in import_module(f"gx2c.models.{family}").SPECS
}

__all__ = ["FAMILIES", "MODELS", "Model", "ModelSpec", "PairNetwork"]


def __getattr__(name: str) -> Any:
    """Show the estimators of `gx2c.estimators` here, for users: no module of gx2c looks here."""
    classes = [spec.class_name for spec in MODELS.values()]
    if name not in classes:
        raise AttributeError(f"gx2c.models has no {name}; its models are {', '.join(classes)}")
    return import_module("gx2c.estimators").ESTIMATORS[name]


def __dir__() -> list[str]:
    return [*globals(), *(spec.class_name for spec in MODELS.values())]
