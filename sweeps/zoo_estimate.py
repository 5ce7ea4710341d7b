"""How long a sweep will take, from timing a few of its configs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gx2c.fit import derive_seed
from gx2c.models import MODELS
from search_spaces import SEARCH_SPACES
from sweeps.plan import SweepPlan
from sweeps.progress import clock
from sweeps.search.fold_study import FoldStudy
from sweeps.seeds import model_number
from trainables.runners import make_runner
from trainables.work import TrialWork

N_PROBED = 3
# A model that has taken this long tells enough: its other configs are not probed
PROBE_S = 1.0
# Share of all passes that a search trains by scheduler (docs/performance.md)
SHARE_TRAINED = {"asha": 1 / 5, "asha-async": 1 / 3.3, "one-epoch": 1 / 5.8, "none": 1 / 1.7}
# A chosen config has about this share of the longest training behind it at its best
SHARE_RETRAINED = 1 / 2


@dataclass(frozen=True)
class Estimate:
    """Seconds of one core.

    Attributes
    ----------
    work
        Search and retraining, by model.
    nulls
        Nulls, if the model gets any.
    n_networks
        How many networks get nulls: the dearest are counted.
    """

    work: Mapping[str, float]
    nulls: Mapping[str, float]
    n_networks: int

    def total(self) -> float:
        """Return the seconds of all that will run."""
        closed = [s for m, s in self.nulls.items() if MODELS[m].kind == "closed_form"]
        networks = sorted(s for m, s in self.nulls.items() if MODELS[m].kind == "iterative")
        return sum(self.work.values()) + sum(closed) + sum(networks[-self.n_networks :])

    def text(self, at_once: int) -> str:
        """Return what to print before anything starts."""
        dearest = sorted(self.work, key=lambda m: -self.work[m])
        parts = ", ".join(f"{m} {clock(self.work[m] / at_once)}" for m in dearest)
        return (
            f"{len(self.work)} models, about {clock(self.total() / at_once)} (minutes:seconds) "
            f"with {at_once} trials at once, nulls included; without them: {parts}"
        )


def estimate_seconds(plan: SweepPlan) -> tuple[float, float]:
    """Time the first configs of a sweep and scale up.

    Returns
    -------
    work
        Seconds of one core for search and retraining.
    nulls
        The same for all nulls.
    """
    options, n_folds = plan.options, len(plan.folds)
    n_configs = plan.n_configs(options.model)
    unit = _unit_seconds(plan)
    if not options.iterative:
        again = n_configs if options.null_search == "full" else 1
        return n_folds * n_configs * unit, n_folds * options.nulls * again * unit
    # a unit is a pass of all inner folds; retraining is one model
    retraining = n_folds * options.max_epochs * SHARE_RETRAINED * unit / options.inner_folds
    search = n_folds * n_configs * options.max_epochs * SHARE_TRAINED[options.scheduler] * unit
    return search + retraining, options.nulls * retraining


def _unit_seconds(plan: SweepPlan) -> float:
    """Return the seconds of one closed-form config, or of one pass of a network."""
    model, context = plan.options.model, plan.context()
    seed = derive_seed(plan.options.seed, model_number(model))
    study = FoldStudy(SEARCH_SPACES[model], scale=plan.scale(), genes=plan.genes, seed=seed)
    configs = [suggestion.config for suggestion in study.ask(0, N_PROBED)]
    iterative = plan.options.iterative
    probe = _seconds_of_a_pass if iterative else _seconds_of_a_config
    started, seconds = time.monotonic(), []
    for config in configs:
        seconds.append(probe(TrialWork(model, 0, (0,), (config,), (seed,), (1, 2)), context))
        if time.monotonic() - started > PROBE_S:
            break
    return float(np.mean(seconds))


def _seconds_of_a_config(work: TrialWork, context: Any) -> float:
    return float(make_runner(work, context).step()["results"][0]["seconds"])


def _seconds_of_a_pass(work: TrialWork, context: Any) -> float:
    runner = make_runner(work, context)
    first = float(runner.step()["seconds"])
    if first > PROBE_S:
        return first
    # the first pass is slower than those that follow
    return float(runner.step()["seconds"] - first)
