"""How long a sweep will take and how much disk: counts of its work times measured costs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from gx2c.fit import derive_seed, fitted_at_once
from gx2c.fit.residual import N_FITS
from gx2c.models.names import BEST, GEOGRAPHY, families_of, spec_of, split_name
from gx2c.splits import Fold
from sweeps.nulls.jobs import NULLS_PER_GROUP, count_nulls, repeats_search
from sweeps.request.contradictions import reads_genes
from sweeps.request.options import SweepOptions
from sweeps.request.plan import SweepPlan, configs_per_fold
from sweeps.search.fold_study import FoldStudy
from sweeps.search.rungs import SYNCHRONOUS_BATCH
from sweeps.search.seeds import model_number
from trainables.costs import MAX_PROBED, Cost, Probe

# Share of all epochs that a search trains by scheduler (docs/performance.md)
SHARE_TRAINED = {"asha": 1 / 5, "asha-async": 1 / 3.3, "one-epoch": 1 / 5.8, "none": 1 / 1.7}
# A chosen config is retrained for about this share of the longest training
SHARE_RETRAINED = 2 / 5
GB = 1e9
LONG_S = 3_600


class Costs(NamedTuple):
    """Measured costs.

    Attributes
    ----------
    by_model
        A model without costs counts as done.
    workers
        Number of trials at a time.
    start_s
        Time in which workers start, with which search and retraining begin.
    """

    by_model: Mapping[str, Cost]
    workers: int = 1
    start_s: float = 0.0


@dataclass(frozen=True)
class Estimate:
    """Seconds of each phase, and the size of the finished run folder.

    Attributes
    ----------
    search, retrain, nulls
        Seconds; of a sum of several models too.
    n_bytes
        Bytes of the saved models, which are most of a run folder.
    """

    search: float
    retrain: float
    nulls: float
    n_bytes: float = 0.0

    @classmethod
    def of(cls, plan: SweepPlan, measured: Costs) -> Self:
        """Estimate a sweep."""
        costs, workers, start_s = measured
        n_folds = len(plan.folds)
        # no phase can use more workers than it has tasks at a time
        at_once = {
            "search": n_folds * SYNCHRONOUS_BATCH,
            "retrain": n_folds,
            "nulls": n_folds * math.ceil(plan.options.nulls / NULLS_PER_GROUP),
        }
        seconds = {"search": start_s, "retrain": start_s, "nulls": 0.0}
        n_bytes = 0.0
        for model in plan.searched:
            if model not in costs:
                continue
            work = _work_of(plan, model, costs)
            n_bytes += work.n_bytes
            for phase, most in at_once.items():
                seconds[phase] += getattr(work, phase) / max(1, min(workers, most))
        if GEOGRAPHY in costs and _learns_residual(plan):
            # every worker takes geography out of the training sets that it meets
            n_inner, once = len(plan.folds[0].inner), n_folds * _cross_fit_s(plan, costs[GEOGRAPHY])
            seconds["search"] += n_inner * once
            seconds["retrain"] += once
            seconds["nulls"] += once if plan.null_kinds.names else 0.0
        return cls(**seconds, n_bytes=n_bytes)

    @property
    def total(self) -> float:
        """Seconds of everything."""
        return self.search + self.retrain + self.nulls

    def text(self) -> str:
        """Return the line that a sweep prints before its search."""
        parts = ", ".join(
            f"{name} {duration(getattr(self, name))}" for name in ("search", "retrain", "nulls")
        )
        return f"estimate: {duration(self.total)}, {self.n_bytes / GB:.1g} GB ({parts})"


def advice(options: SweepOptions, estimate: Estimate) -> str:
    """Return how to make a sweep short that takes long on CPUs; empty for others."""
    if options.gpus_per_trial or estimate.total <= LONG_S:
        return ""
    without = f"; --nulls 0 saves {duration(estimate.nulls)}" if options.nulls else ""
    return f"more than an hour: --budget 1h fits the sweep into an hour{without}"


def duration(seconds: float) -> str:
    """Return 6100 as "1 h 42 min", 75 as "1 min 15 s" and 8.2 as "8 s"."""
    whole = round(seconds)
    units = ((whole // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s"))
    first = next((n for n, (value, _) in enumerate(units) if value), len(units) - 1)
    shown = [f"{value} {unit}" for value, unit in units[first : first + 2] if value]
    return " ".join(shown) or "0 s"


def probes_of(plan: SweepPlan, n_processes: int = 1) -> list[Probe]:
    """Return the configs to time of each model of a sweep: the first that a search would try.

    Those of networks are divided among so many processes, which work at the same time, as trials
    do. A model that follows geography is timed with geography's defaults.
    """
    return [probe for model in plan.searched for probe in _probes_of(plan, model, n_processes)]


def _probes_of(plan: SweepPlan, model: str, n_processes: int) -> Iterator[Probe]:
    options = plan.options
    study = FoldStudy(
        plan.space(model),
        scale=plan.scale(),
        genes=plan.genes_of(),
        task_of=lambda: plan.task(model),
        seed=derive_seed(options.seed, model_number(model)),
    )
    configs = tuple(one.config for one in study.ask(0, configs_per_fold(options, model)))
    if spec_of(model).trains_in_epochs:
        configs = configs[: MAX_PROBED * n_processes]
        for first in range(min(n_processes, len(configs))):
            yield Probe(model, configs[first::n_processes])
        return
    n_best = plan.ensemble(model).n_configs
    candidates = configs if repeats_search(options, model) else configs[:n_best]
    has_nulls = bool(plan.null_kinds.names) and model in families_of(options.model)
    if has_nulls and fitted_at_once(candidates, options.null_moves):
        draw = {"method": plan.null_kinds.names[0], "seed": options.seed}
        yield Probe(model, candidates, n_best, draw)
    else:
        yield Probe(model, configs, n_best)


def _work_of(plan: SweepPlan, model: str, costs: Mapping[str, Cost]) -> Estimate:
    """Return the work of one model, in seconds of one process."""
    options, fold, n_folds, cost = plan.options, plan.folds[0], len(plan.folds), costs[model]
    in_epochs = spec_of(model).trains_in_epochs
    n_configs, n_inner = configs_per_fold(options, model), len(fold.inner)
    n_members = math.prod(plan.ensemble(model))
    residual = split_name(model)[1]

    def on_inner(share: float) -> float:
        """One config on all inner folds, for a share of the longest training."""
        epochs = options.max_epochs * share if in_epochs else 1
        return cost.setup_s + epochs * n_inner * cost.unit_s

    retrained = options.max_epochs * SHARE_RETRAINED if in_epochs else 1
    unit = n_members * retrained * cost.unit_s
    # the cost of an epoch grows with the number of pairs
    larger = _n_pairs([fold]) / _n_pairs(fold.inner)
    outer, weigh = larger * unit, n_inner * unit if residual else 0.0
    again = 0.0
    if repeats_search(options, model):
        again = n_configs * on_inner(SHARE_TRAINED["none"]) + weigh
    null = cost.null_s + cost.null_group_s / NULLS_PER_GROUP or outer + again
    n_bytes = cost.n_bytes
    if residual and GEOGRAPHY in costs:
        n_bytes += plan.ensemble(GEOGRAPHY).n_configs * costs[GEOGRAPHY].n_bytes / n_members
    # what is averaged is saved once more, as one model
    copies = 2 if options.model == BEST else 1
    return Estimate(
        search=n_folds * n_configs * on_inner(SHARE_TRAINED[options.scheduler]),
        retrain=n_folds * (outer + weigh + _comparisons(plan, model, outer, weigh)),
        nulls=n_folds * _n_nulls(plan, model) * null,
        n_bytes=copies * n_folds * n_members * n_bytes,
    )


def _learns_residual(plan: SweepPlan) -> bool:
    return any(split_name(model)[1] for model in plan.searched)


def _cross_fit_s(plan: SweepPlan, geography: Cost) -> float:
    """Return the seconds in which a geography ensemble is taken out of one training set."""
    return N_FITS * plan.ensemble(GEOGRAPHY).n_configs * geography.unit_s


def _n_pairs(folds: Sequence[Fold]) -> float:
    """Return the mean number of ordered pairs of training regions."""
    return sum(len(f.train_regions) * (len(f.train_regions) - 1) for f in folds) / len(folds)


def _comparisons(plan: SweepPlan, model: str, outer: float, weigh: float) -> float:
    """Return the seconds of the same ensemble without geography, and on coordinates."""
    own = plan.options.model
    if model not in families_of(own):
        return 0.0
    on_coordinates = outer + weigh if reads_genes(own, plan.options.features) else 0.0
    return on_coordinates + (outer if split_name(own)[1] else 0.0)


def _n_nulls(plan: SweepPlan, model: str) -> float:
    """Count the nulls on one fold.

    Those of the verdict may end after the first surrogate or run in full with every one: the
    geometric mean of the two is wrong by a factor of 1.7 at most.
    """
    kinds, options = plan.null_kinds, plan.options
    if not kinds.names:
        return 0.0
    n_nulls, _ = count_nulls(options, [model], dict.fromkeys(kinds.names, options.nulls))
    return n_nulls / (math.sqrt(len(kinds.names)) if kinds.as_needed else 1.0)
