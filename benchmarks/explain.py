"""Time and memory of explaining the quick SMT on all outer folds: `gx2c bench explain`.

Seconds are those of one core, which other work on the machine does not change.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.frame import memory_kib
from gx2c.data import load_dataset
from gx2c.estimators import ESTIMATORS
from gx2c.explain import importance
from gx2c.explain.cases import Case
from gx2c.nulls import DEFAULT_SURROGATE
from gx2c.saved.loading import load_model
from gx2c.splits import make_folds

# The first config of the quick search, with the genes and the epochs that such a sweep gives it
QUICK = {
    "genes_per_token": 20,
    "model_dim": 32,
    "token_output_dim": 4,
    "n_heads": 2,
    "n_layers": 1,
    "hidden_dims": (128, 64),
    "genes": "500_var",
    "n_epochs": 20,
    "learning_rate": 0.003,
}
N_FOLDS, N_NULLS = 4, 16


def run() -> dict[str, Any]:
    """Explain one network for each fold, and one of them on surrogates too."""
    brain = load_dataset("schaefer100")
    models = []
    with tempfile.TemporaryDirectory() as folder:
        for k, fold in enumerate(make_folds(brain, split="bilateral", n_folds=N_FOLDS, seed=1)):
            path = Path(folder) / str(k)
            ESTIMATORS["SMT"](**QUICK).fit(brain, fold.train_regions, seed=1).save(path)
            models.append(load_model(path))
    before, started = memory_kib("VmRSS"), time.process_time()
    found = importance(models, brain)
    seconds = time.process_time() - started
    started = time.process_time()
    Case.of(models[0], brain, {}).null_importance(
        found.method, range(N_NULLS), surrogate=DEFAULT_SURROGATE, seed=0
    )
    per_null = (time.process_time() - started) / N_NULLS * N_FOLDS
    return {
        "folds": N_FOLDS,
        "genes": int(found.tables["genes"]["unit"].nunique()),
        "core_seconds": round(seconds, 1),
        "core_seconds_per_null": round(per_null, 1),
        "peak_mib_above_start": round((memory_kib("VmHWM") - before) / 1024),
    }
