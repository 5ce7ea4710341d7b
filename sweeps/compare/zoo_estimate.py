"""An estimate of a sweep's run time, from timing a few of its configs."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gx2c.fit import derive_seed
from gx2c.models.names import spec_of
from search_spaces import get_search_space
from sweeps.request.plan import SweepPlan, configs_per_fold
from sweeps.run.progress import clock
from sweeps.search.fold_study import FoldStudy
from sweeps.search.seeds import model_number
from trainables.runners import make_runner
from trainables.work import TrialContext, TrialWork

N_PROBED = 3
# Once a model has taken this long, its other configs are not timed
PROBE_S = 1.0
# Share of all epochs that a search trains by scheduler (docs/performance.md)
SHARE_TRAINED = {"asha": 1 / 5, "asha-async": 1 / 3.3, "one-epoch": 1 / 5.8, "none": 1 / 1.7}
# A chosen config reaches its best score after about this share of the longest training
SHARE_RETRAINED = 1 / 2


@dataclass(frozen=True)
class Estimate:
    """Seconds of one core per model: search and retraining, and nulls of the models that get any.

    Only `n_networks` networks get nulls; the most expensive ones are counted.
    """

    work: Mapping[str, float]
    nulls: Mapping[str, float]
    n_networks: int

    def total(self) -> float:
        """Return the seconds of everything that will run."""
        in_epochs = {m: spec_of(m).trains_in_epochs for m in self.nulls}
        closed = [s for m, s in self.nulls.items() if not in_epochs[m]]
        networks = sorted(s for m, s in self.nulls.items() if in_epochs[m])
        return sum(self.work.values()) + sum(closed) + sum(networks[-self.n_networks :])

    def text(self, at_once: int) -> str:
        """Return the text printed before anything starts."""
        dearest = sorted(self.work, key=lambda m: -self.work[m])
        parts = ", ".join(f"{m} {clock(self.work[m] / at_once)}" for m in dearest)
        return (
            f"{len(self.work)} models, about {clock(self.total() / at_once)} (minutes:seconds) "
            f"with {at_once} concurrent trials, nulls included; without them: {parts}"
        )


def estimate_seconds(plan: SweepPlan) -> tuple[float, float]:
    """Time the first configs of a sweep and extrapolate to one core.

    Return the seconds of search and retraining, and those of all nulls.
    """
    options, n_folds = plan.options, len(plan.folds)
    n_configs = configs_per_fold(options, options.model)
    unit = _unit_seconds(plan)
    if not spec_of(options.model).trains_in_epochs:
        again = n_configs if options.null_search == "full" else 1
        return n_folds * n_configs * unit, n_folds * options.nulls * again * unit
    # a unit is an epoch of all inner folds; retraining is one model
    n_members = math.prod(plan.ensemble(options.model))
    epochs = options.max_epochs * SHARE_RETRAINED
    retraining = n_folds * n_members * epochs * unit / options.inner_folds
    search = n_folds * n_configs * options.max_epochs * SHARE_TRAINED[options.scheduler] * unit
    return search + retraining, options.nulls * retraining


def _unit_seconds(plan: SweepPlan) -> float:
    """Return the seconds of one closed-form config, or of one epoch of a network."""
    model, context = plan.options.model, plan.context()
    seed = derive_seed(plan.options.seed, model_number(model))
    study = FoldStudy(
        get_search_space(model),
        scale=plan.scale(),
        genes=plan.genes,
        task_of=lambda: plan.task(model),
        seed=seed,
    )
    configs = [suggestion.config for suggestion in study.ask(0, N_PROBED)]
    started, seconds = time.monotonic(), []
    for config in configs:
        work = TrialWork(model, 0, (0,), (config,), (seed,), (1, 2))
        seconds.append(_seconds_of_a_step(work, context))
        if time.monotonic() - started > PROBE_S:
            break
    return float(np.mean(seconds))


def _seconds_of_a_step(work: TrialWork, context: TrialContext) -> float:
    runner = make_runner(work, context)
    found = runner.step()
    if "results" in found:
        return float(found["results"][0]["seconds"])
    first = float(found["seconds"])
    if first > PROBE_S:
        return first
    # the first epoch is slower than later ones
    return float(runner.step()["seconds"] - first)
