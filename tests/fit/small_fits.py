"""A small brain, its folds, and one small config of every model."""

from __future__ import annotations

from gx2c.data import Brain, make_synthetic_brain
from gx2c.fit import ComputeProfile, FitConfig, GeneOptions, NestedFit, TrainingSettings
from gx2c.models import MODELS
from gx2c.splits import Fold, make_folds

PROFILE = ComputeProfile()
SMT = {
    "genes_per_token": 8,
    "model_dim": 8,
    "token_output_dim": 3,
    "n_heads": 2,
    "n_layers": 1,
    "hidden_dims": (16, 8),
    "encoder_dropout": 0.1,
    "dropout": 0.2,
}
MLP = {"hidden_dims": (16, 8), "dropout": 0.2}
NETWORKS = {
    "smt": SMT,
    "smt_cls": SMT,
    "mlp": MLP,
    "mlp_coords": MLP,
    "bilinear_lowrank": {"rank": 3, "penalty_weight": 1e-4},
}
CLOSED_FORMS = [name for name, spec in MODELS.items() if not spec.trains_in_epochs]


def make_brain(**keywords) -> Brain:
    return make_synthetic_brain(**{"n_regions": 40, "n_genes": 30, "seed": 2} | keywords)


def make_fold(brain: Brain, *, split: str = "bilateral") -> Fold:
    """Cut the first of four outer folds, with three inner folds."""
    return make_folds(brain, split=split, seed=1)[0]


def network_config(
    model: str, *, genes: GeneOptions | None = None, keywords: dict | None = None, **training
) -> FitConfig:
    settings = {"learning_rate": 3e-3, "block_regions": 8, "max_epochs": 20} | training
    return FitConfig(
        model,
        NETWORKS[model] | (keywords or {}),
        TrainingSettings(**settings),
        genes or GeneOptions(),
    )


def nested(brain: Brain, fold: Fold, config: FitConfig, *, metric="val_mse", seed=5) -> NestedFit:
    return NestedFit(brain, fold, config, metric=metric, seed=seed, profile=PROFILE)
