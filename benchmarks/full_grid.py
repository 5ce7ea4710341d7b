"""What the paper's full grid would take: `gx2c bench full-grid`.

25 models x 2 splits x 10 seeds, each with a search, four retrained folds and 1,000 nulls. Counted:
fits, and region encodings of a pass under both schemes. Published: seconds of a fold on an A100.
Not measured on a GPU: that an encoding in a block costs what it costs in the published scheme.
"""

from __future__ import annotations

from typing import Any

from gx2c.fit.blocks import steps_per_pass
from sweeps.options import PRESETS

MODELS, SPLITS, SEEDS, FOLDS, INNER_FOLDS = 25, 2, 10, 4, 4
NULLS, CONFIGS = PRESETS["paper"]["nulls"], PRESETS["paper"]["samples"]
# Share of passes that the default scheduler spends: `gx2c bench schedulers`
ASHA_SHARE = 1 / 5.0
# Published: an SMT fold on 341 training regions, 70 epochs, one A100; encodings of an epoch
PUBLISHED_FOLD_S, PUBLISHED_EPOCHS, PUBLISHED_ENCODINGS = 592.0, 70, 231_880
TRAIN_REGIONS, BLOCK_REGIONS = 341, 64
# cluster/a100.yaml: 14.75 USD an hour for eight
USD_PER_GPU_HOUR = 14.75 / 8
GPUS = (1, 8, 64)


def run() -> dict[str, Any]:
    """Count fits and encodings, and multiply."""
    steps, block = steps_per_pass([TRAIN_REGIONS], BLOCK_REGIONS)
    fits_each = {
        "search": FOLDS * INNER_FOLDS * CONFIGS * ASHA_SHARE,
        "retrain": FOLDS,
        "nulls": FOLDS * NULLS,
    }
    n_sweeps = MODELS * SPLITS * SEEDS
    fits = n_sweeps * sum(fits_each.values())
    ratio = PUBLISHED_ENCODINGS / (steps * block)
    schemes = {"per pair, as published": 1.0, "in blocks": ratio}
    return {
        "sweeps": n_sweeps,
        "fits_per_sweep": {name: round(count) for name, count in fits_each.items()},
        "fits": round(fits),
        "encodings_per_pass": {"published": PUBLISHED_ENCODINGS, "blocks": steps * block},
        "ratio": round(ratio, 1),
        "usd_per_gpu_hour": round(USD_PER_GPU_HOUR, 2),
        "schemes": {name: _cost(fits * PUBLISHED_FOLD_S / by) for name, by in schemes.items()},
    }


def _cost(gpu_s: float) -> dict[str, Any]:
    hours = gpu_s / 3600
    return {
        "gpu_hours": round(hours),
        "usd": round(hours * USD_PER_GPU_HOUR, -2),
        "days": {f"{gpus} GPU": round(hours / 24 / gpus, 1) for gpus in GPUS},
    }
