"""Record complete learning curves: `python -m benchmarks.record_curves`.

Nothing stops a config early here, so that `benchmarks.replay` can ask what any scheduler would
have done. It takes about half an hour of one core.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import optuna
import pandas as pd

from benchmarks.replay import FILE
from gx2c.data import Brain, load_dataset
from gx2c.fit import ComputeProfile, FitConfig, GeneOptions, NestedFit, derive_seed
from gx2c.splits import Fold, make_folds
from search_spaces import SEARCH_SPACES, Scale, suggest_config
from sweeps.search.seeds import model_number

SEED = 1
GENES = GeneOptions(which="500_var")
N_INNER_FOLDS = 4
_SAMPLER, _TRIAL = 1, 2


@dataclass(frozen=True)
class Recording:
    """Random configs of several models on one outer fold of schaefer100, none stopped early."""

    name: str
    fold: int
    # of every curve; the cosine schedule spans them
    max_epochs: int
    # sets the plateau schedule
    patience: int
    # by model; number 0 is the search space's first config, the others are drawn at random
    n_configs: Mapping[str, int]
    # that many best configs of each model are trained again that many times with other seeds
    n_best: int
    n_repeats: int


RECORDINGS = (
    Recording("short", 0, 81, 27, {"smt": 64, "mlp": 40, "bilinear_lowrank": 24}, 3, 3),
    Recording("long", 1, 200, 67, {"smt": 24, "mlp": 16, "bilinear_lowrank": 12}, 2, 2),
)


def record(recording: Recording, model: str) -> list[dict[str, Any]]:
    """Train all configs of one model, then the best of them with other seeds; a row a curve."""
    drawn = draw_configs(recording, model)
    first = [train_fully(recording, model, n, 0, *one) for n, one in enumerate(drawn)]
    ranked = sorted(first, key=lambda row: (-max(row["score"]), row["number"]))
    best = [row["number"] for row in ranked[: recording.n_best]]
    return first + [
        train_fully(recording, model, n, repeat, *drawn[n])
        for n in best
        for repeat in range(1, recording.n_repeats + 1)
    ]


def draw_configs(recording: Recording, model: str) -> list[tuple[dict[str, Any], FitConfig]]:
    """Draw the values and configs of one model: the first of its space, then random ones."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    _, folds = _brain_and_folds()
    scale = Scale(
        small=True,
        n_genes=500,
        n_train_regions=min(len(f.train_regions) for outer in folds for f in outer.inner),
        max_epochs=recording.max_epochs,
        patience=recording.patience,
    )
    space = SEARCH_SPACES[model]
    seed = derive_seed(SEED, _SAMPLER, model_number(model), recording.fold)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed % 2**32))
    study.enqueue_trial(dict(space.defaults(scale)))
    trials = [study.ask() for _ in range(recording.n_configs[model])]
    configs = [suggest_config(space, trial, scale, GENES) for trial in trials]
    return [(t.params, c) for t, c in zip(trials, configs, strict=True)]


@cache
def _brain_and_folds() -> tuple[Brain, tuple[Fold, ...]]:
    brain = load_dataset("schaefer100")
    folds = make_folds(brain, split="bilateral", n_inner_folds=N_INNER_FOLDS, seed=SEED)
    return brain, folds


def train_fully(
    recording: Recording,
    model: str,
    number: int,
    repeat: int,
    params: Mapping[str, Any],
    config: FitConfig,
) -> dict[str, Any]:
    """Train a config for all epochs, whatever its patience, unless it diverges."""
    brain, folds = _brain_and_folds()
    seed = derive_seed(SEED, _TRIAL, model_number(model), recording.fold, number, repeat)
    profile = ComputeProfile(threads=1)
    started = time.process_time()
    nested = NestedFit(
        brain, folds[recording.fold], config, metric="val_mse", seed=seed, profile=profile
    )
    while len(nested.curve) < recording.max_epochs and not nested.diverged:
        nested.advance()
    scores = [point.score for point in nested.curve]
    r = [point.validation.get("pearson_r", float("nan")) for point in nested.curve]
    return {
        "recording": recording.name,
        "fold": recording.fold,
        "model": model,
        "number": number,
        "repeat": repeat,
        "params": json.dumps(params),
        "max_epochs": recording.max_epochs,
        "patience": recording.patience,
        "epochs": len(nested.curve),
        "score": np.float32(scores),
        "pearson_r": np.float32(r),
        "seconds": round(time.process_time() - started, 3),
    }


def main() -> None:
    """Record everything into `learning_curves.parquet`."""
    rows = [r for one in RECORDINGS for model in one.n_configs for r in record(one, model)]
    pd.DataFrame(rows).to_parquet(FILE, index=False, compression="zstd")


if __name__ == "__main__":
    main()
