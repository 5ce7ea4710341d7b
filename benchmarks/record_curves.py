"""Record complete learning curves: `python -m benchmarks.record_curves --out FILE`.

Nothing stops a config early here, so that `benchmarks.replay` can ask what any scheduler would
have done. Interrupted, the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd

from gx2c.data import Brain, load_dataset
from gx2c.fit import ComputeProfile, FitConfig, GeneOptions, NestedFit, derive_seed
from gx2c.splits import Fold, make_folds
from search_spaces import SEARCH_SPACES, Scale, suggest_config
from sweeps.seeds import model_number

SEED = 1
GENES = GeneOptions(which="500_var")
N_INNER_FOLDS = 4
_SAMPLER, _TRIAL = 1, 2


@dataclass(frozen=True)
class Recording:
    """Random configs of several models on one outer fold of schaefer100.

    Attributes
    ----------
    name
        Of the recording.
    fold
        Number of the outer fold.
    max_passes
        Passes of every curve; the cosine schedule spans them.
    patience
        Sets the plateau schedule; it stops nothing.
    n_configs
        By model; number 0 is the search space's first config, the others are drawn at random.
    n_best, n_repeats
        So many best configs of each model are trained again so many times with other seeds.
    """

    name: str
    fold: int
    max_passes: int
    patience: int
    n_configs: Mapping[str, int]
    n_best: int
    n_repeats: int


RECORDINGS = (
    Recording("short", 0, 81, 27, {"smt": 64, "mlp": 40, "bilinear_lowrank": 24}, 3, 3),
    Recording("long", 1, 200, 67, {"smt": 24, "mlp": 16, "bilinear_lowrank": 12}, 2, 2),
)


def record(out: Path) -> pd.DataFrame:
    """Record what is missing, one file a curve, and join all curves in `out`."""
    parts = out.with_suffix(".parts")
    parts.mkdir(parents=True, exist_ok=True)
    rows = [
        row
        for recording in RECORDINGS
        for model in recording.n_configs
        for row in _record_model(recording, model, parts)
    ]
    table = pd.DataFrame(rows)
    table.to_parquet(out, index=False, compression="zstd")
    shutil.rmtree(parts)
    return table


def _record_model(recording: Recording, model: str, parts: Path) -> Iterator[dict[str, Any]]:
    drawn = draw_configs(recording, model)
    first = [_record_curve(recording, model, n, 0, drawn, parts) for n in range(len(drawn))]
    yield from first
    ranked = sorted(first, key=lambda row: (-max(row["score"]), row["number"]))
    for row in ranked[: recording.n_best]:
        for repeat in range(1, recording.n_repeats + 1):
            yield _record_curve(recording, model, row["number"], repeat, drawn, parts)


def draw_configs(recording: Recording, model: str) -> list[tuple[dict[str, Any], FitConfig]]:
    """Draw the values and configs of one model: the first of its space, then random ones."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space, scale = SEARCH_SPACES[model], _scale(recording)
    seed = derive_seed(SEED, _SAMPLER, model_number(model), recording.fold)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed % 2**32))
    study.enqueue_trial(dict(space.defaults(scale)))
    trials = [study.ask() for _ in range(recording.n_configs[model])]
    configs = [suggest_config(space, trial, scale, GENES) for trial in trials]
    return [(t.params, c) for t, c in zip(trials, configs, strict=True)]


def _scale(recording: Recording) -> Scale:
    _, folds = _brain_and_folds()
    return Scale(
        small=True,
        n_genes=500,
        n_train_regions=min(len(f.train_regions) for outer in folds for f in outer.inner),
        max_passes=recording.max_passes,
        patience=recording.patience,
    )


@cache
def _brain_and_folds() -> tuple[Brain, tuple[Fold, ...]]:
    brain = load_dataset("schaefer100")
    folds = make_folds(
        brain.coords_mm,
        brain.hemisphere,
        split="bilateral",
        n_inner_folds=N_INNER_FOLDS,
        seed=SEED,
    )
    return brain, folds


def _record_curve(
    recording: Recording,
    model: str,
    number: int,
    repeat: int,
    drawn: list[tuple[dict[str, Any], FitConfig]],
    parts: Path,
) -> dict[str, Any]:
    path = parts / f"{recording.name}_{model}_{number:03d}_{repeat}.json"
    if not path.exists():
        params, config = drawn[number]
        seed = derive_seed(SEED, _TRIAL, model_number(model), recording.fold, number, repeat)
        row = {
            "recording": recording.name,
            "fold": recording.fold,
            "model": model,
            "number": number,
            "repeat": repeat,
            "params": json.dumps(params),
            "max_passes": recording.max_passes,
            "patience": recording.patience,
            **train_fully(config, recording, seed),
        }
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(row))
        os.replace(temporary, path)
        print(f"{path.stem}: best {max(row['score']):.5f} in {row['seconds']:.1f} s", flush=True)
    written: dict[str, Any] = json.loads(path.read_text())
    return written | {name: np.float32(written[name]) for name in ("score", "pearson_r")}


def train_fully(config: FitConfig, recording: Recording, seed: int) -> dict[str, Any]:
    """Train a config for all passes, whatever its patience, unless it diverges.

    Returns
    -------
    dict
        "passes" trained, "score" (minus the validation MSE) and "pearson_r" after each of them,
        and "seconds" of processor time.
    """
    brain, folds = _brain_and_folds()
    started = time.process_time()
    nested = NestedFit(
        brain,
        folds[recording.fold],
        config,
        metric="val_mse",
        seed=seed,
        profile=ComputeProfile(threads=1),
    )
    while len(nested.curve) < recording.max_passes and not nested.diverged:
        nested.advance()
    return {
        "passes": len(nested.curve),
        "score": [point.score for point in nested.curve],
        "pearson_r": [point.validation.get("pearson_r", float("nan")) for point in nested.curve],
        "seconds": round(time.process_time() - started, 3),
    }


def main() -> None:
    """Parse the command line and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/learning_curves.parquet"))
    table = record(parser.parse_args().out)
    seconds = table["seconds"].sum()
    print(f"{len(table)} curves, {table['passes'].sum()} passes, {seconds:.0f} s of one core")


if __name__ == "__main__":
    main()
