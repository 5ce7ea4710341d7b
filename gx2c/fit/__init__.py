"""Fit one config: on inner folds to choose it, on all training regions to test it."""

from gx2c.fit.choose import Chosen, Validated, rank_closed_forms, rank_configs, validate_closed_form
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig, GeneOptions, Task, TrainingSettings
from gx2c.fit.ensemble import RetrainedEnsemble, choose_weight, frozen_scores, retrain_ensemble
from gx2c.fit.fitted import FittedModels
from gx2c.fit.in_turn import FitInTurn
from gx2c.fit.kernel_nulls import is_isometric
from gx2c.fit.nested import CurvePoint, NestedFit, epochs_to_retrain
from gx2c.fit.network import NetworkFit, derive_seed
from gx2c.fit.null_draw import NullDraw, fitted_at_once
from gx2c.fit.prepare import TrainingSet
from gx2c.fit.retrain import Retrained, retrain
from gx2c.fit.scoring import SELECTION_METRICS

__all__ = [
    "SELECTION_METRICS",
    "Chosen",
    "ComputeProfile",
    "CurvePoint",
    "FitConfig",
    "FitInTurn",
    "FittedModels",
    "GeneOptions",
    "NestedFit",
    "NetworkFit",
    "NullDraw",
    "Retrained",
    "RetrainedEnsemble",
    "Task",
    "TrainingSet",
    "TrainingSettings",
    "Validated",
    "rank_closed_forms",
    "rank_configs",
    "choose_weight",
    "derive_seed",
    "epochs_to_retrain",
    "fitted_at_once",
    "frozen_scores",
    "is_isometric",
    "retrain",
    "retrain_ensemble",
    "validate_closed_form",
]
