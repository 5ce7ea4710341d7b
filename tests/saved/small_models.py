"""Small fitted models, saved as a sweep saves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data import Brain, make_synthetic_brain
from gx2c.data.brain import IntArray
from gx2c.fit import ComputeProfile, FitConfig, GeneOptions, Task
from gx2c.fit.fitted import FittedModels
from gx2c.saved.loading import load_model
from gx2c.saved.model import SavedModel
from gx2c.saved.writing import Training, model_files, write_model

TRAIN, TEST = np.arange(24), np.arange(24, 32)
WHOLE = Task()
GENES = GeneOptions(which="12_var", order="expression")


def make_brain(**keywords: Any) -> Brain:
    return make_synthetic_brain(**{"n_regions": 32, "n_genes": 20, "seed": 3} | keywords)


def saved(
    folder: Path,
    brain: Brain,
    model: str,
    *,
    task: Task = WHOLE,
    genes: GeneOptions = GENES,
    regions: tuple[IntArray, IntArray] = (TRAIN, TEST),
    **keywords: Any,
) -> tuple[SavedModel, FittedModels]:
    """Fit, save and load one model; also return what was saved."""
    train, test = regions
    config, profile = FitConfig(model, keywords, genes=genes, task=task), ComputeProfile()
    rates = [1e-3] if "mlp" in model or "smt" in model else []
    with profile.active():
        fitted = FittedModels.fit(
            config, [brain], train, test, learning_rates=rates, seeds=[1], profile=profile
        )
    training = Training(train, test, [rates], [[1]], profile, "spatial", 0, 1)
    write_model(folder, model_files([fitted], brain, training))
    return load_model(folder), fitted
