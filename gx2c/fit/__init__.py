"""Fit one config: on inner folds to choose it, on all training regions to test it."""

from __future__ import annotations

from gx2c.fit.closed_form import (
    Validated,
    choose_closed_form,
    validate_closed_form,
    validate_or_say_why,
)
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig, GeneOptions, TrainingSettings
from gx2c.fit.in_turn import FitInTurn
from gx2c.fit.kernel_nulls import chooses_genes, is_isometric, search_kernel_nulls
from gx2c.fit.nested import CurvePoint, NestedFit
from gx2c.fit.network import NetworkFit, derive_seed
from gx2c.fit.prepare import TrainingSet
from gx2c.fit.retrain import Retrained, frozen_scores, retrain
from gx2c.fit.scoring import SELECTION_METRICS
from gx2c.fit.task import Task

__all__ = [
    "SELECTION_METRICS",
    "ComputeProfile",
    "CurvePoint",
    "FitConfig",
    "FitInTurn",
    "GeneOptions",
    "NestedFit",
    "NetworkFit",
    "Retrained",
    "Task",
    "TrainingSet",
    "TrainingSettings",
    "Validated",
    "choose_closed_form",
    "derive_seed",
    "frozen_scores",
    "chooses_genes",
    "is_isometric",
    "retrain",
    "search_kernel_nulls",
    "validate_closed_form",
    "validate_or_say_why",
]
