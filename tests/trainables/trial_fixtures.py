"""A tiny brain, and works on it, for runners and the trainable."""

from __future__ import annotations

from typing import Any

from gx2c.data import make_synthetic_brain
from gx2c.fit import ComputeProfile, FitConfig, GeneOptions, TrainingSettings
from gx2c.splits import make_folds
from trainables.work import TrialContext, TrialWork


def make_context(**changes: Any) -> TrialContext:
    brain = make_synthetic_brain(n_regions=24, n_genes=16, seed=5)
    folds = make_folds(brain, n_folds=2, n_inner_folds=2, seed=1)
    return TrialContext(brain, folds, metric="val_mse", profile=ComputeProfile(), **changes)


def network_work(
    number: int = 0,
    *,
    model: str = "mlp",
    fold: int = 0,
    max_epochs: int = 8,
    milestones: tuple[int, ...] = (3,),
    **training: Any,
) -> TrialWork:
    settings = {"schedule": "plateau", "block_regions": 8, "patience": 20} | training
    config = FitConfig(
        model,
        {"hidden_dims": (8, 4), "dropout": 0.3},
        TrainingSettings(max_epochs=max_epochs, learning_rate=0.01 / (number + 1), **settings),
        GeneOptions("10_var"),
    )
    return TrialWork(model, fold, (number,), (config,), (100 + number,), milestones)


def closed_form_work(ridges: tuple[float, ...], *, fold: int = 0) -> TrialWork:
    configs = tuple(FitConfig("geography", {"ridge": ridge}) for ridge in ridges)
    numbers = tuple(range(len(ridges)))
    return TrialWork("geography", fold, numbers, configs, numbers)


def without_time(result: dict[str, Any]) -> dict[str, Any]:
    """Drop what differs between two runs of the same work, or is Tune's own."""
    ours = ("points", "epochs", "score", "done", "results")
    kept = {name: result[name] for name in ours if name in result}
    if "results" in kept:
        kept["results"] = [{k: v for k, v in r.items() if k != "seconds"} for r in kept["results"]]
    return _equal_to_itself(kept)


def _equal_to_itself(value: Any) -> Any:
    """Replace NaN (the correlation of a constant prediction), which equals nothing."""
    if isinstance(value, dict):
        return {name: _equal_to_itself(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_equal_to_itself(item) for item in value]
    return "NaN" if value != value else value
