"""The cost of a sweep's work on this machine, timed on a few configs; independent of Ray."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Self

import numpy as np

from gx2c.fit import FitConfig, FittedModels, NestedFit, NullDraw, validate_closed_form
from gx2c.models import MODELS
from gx2c.saved.writing import Training, model_files
from trainables.work import TrialContext

# Configs of a search differ in cost; so many are timed, or as many as the time allows
MAX_PROBED = 4
PROBE_S = 4.0
# Steps of an epoch are timed for about this long
EPOCH_S = 1.0
# Enough nulls to separate the cost of each from the work that a group shares
N_NULLS_TIMED = 3


@dataclass(frozen=True)
class Cost:
    """Seconds of one process, measured on the first outer fold.

    Attributes
    ----------
    setup_s
        To prepare one config of a network on all inner folds.
    unit_s
        One epoch of a network on one inner fold, or one fit of a closed form on it.
    null_s, null_group_s
        One null with its search, and the work that a group of nulls shares, if all surrogates share
        the fits of a closed form; else 0.
    n_bytes
        Size on disk of one network, or of one fitted closed form.
    probe_s
        To measure all of this.
    """

    setup_s: float = 0.0
    unit_s: float = 0.0
    null_s: float = 0.0
    null_group_s: float = 0.0
    n_bytes: float = 0.0
    probe_s: float = 0.0

    @classmethod
    def mean(cls, costs: Sequence[Self]) -> Self:
        """Average the costs of several configs."""
        return cls(*np.mean([astuple(cost) for cost in costs], axis=0).tolist())


@dataclass(frozen=True)
class Probe:
    """Configs of one model to time in one process.

    Attributes
    ----------
    model, configs
        The model, and configs of it.
    n_best
        Members of its ensemble.
    draw
        Keywords of its nulls (`NullDraw`), if all surrogates share the fits of these configs.
    """

    model: str
    configs: tuple[FitConfig, ...]
    n_best: int = 1
    draw: Mapping[str, Any] | None = None

    @property
    def title(self) -> str:
        """A name for people."""
        return f"time {self.model}"


def cost_of(context: TrialContext, probe: Probe) -> Cost:
    """Time the configs of a probe on the device of this process, until the time is up."""
    context, in_epochs = context.on_this_device(), MODELS[probe.configs[0].model].trains_in_epochs
    started, costs = time.monotonic(), []
    with context.profile.active():
        for config in probe.configs[:MAX_PROBED]:
            costs.append((_network if in_epochs else _closed_form)(context, config))
            if time.monotonic() - started > PROBE_S:
                break
        cost = Cost.mean(costs)
        if not in_epochs:
            cost = replace(_with_nulls(context, probe, cost), n_bytes=_saved_bytes(context, probe))
    return replace(cost, probe_s=time.monotonic() - started)


def _closed_form(context: TrialContext, config: FitConfig) -> Cost:
    fold, started = context.folds[0], time.monotonic()
    validate_closed_form(context.brain, fold, config, metric=context.metric)
    return Cost(unit_s=(time.monotonic() - started) / len(fold.inner))


def _saved_bytes(context: TrialContext, probe: Probe) -> float:
    """Return the size of one member of an ensemble, whose members share files."""
    brain, fold, configs = context.brain, context.folds[0], probe.configs[: probe.n_best]
    train, test, n = fold.train_regions, fold.test_regions, len(configs)
    fitted = [FittedModels.fit(config, [brain], train, test) for config in configs]
    training = Training(train, test, [[]] * n, [[0]] * n, context.profile)
    return sum(map(len, model_files(fitted, brain, training).values())) / n


def _network(context: TrialContext, config: FitConfig) -> Cost:
    """Time whole epochs of a network where they are short, else a part of one."""
    fold, started = context.folds[0], time.monotonic()
    nested = NestedFit(
        context.brain, fold, config, metric=context.metric, seed=0, profile=context.profile
    )
    setup_s = time.monotonic() - started
    n_steps = nested.fit.groups[0].n_steps
    seconds, n_timed = _epoch_seconds(nested, 1), 1
    # the first step is slower than others
    if seconds < EPOCH_S:
        n_timed = min(n_steps, max(1, int(EPOCH_S / seconds)))
        seconds = _epoch_seconds(nested, n_timed)
    return Cost(
        setup_s=setup_s,
        unit_s=seconds * n_steps / n_timed / len(fold.inner),
        n_bytes=sum(w.nbytes for w in nested.fit.weights().values()) / len(fold.inner),
    )


def _epoch_seconds(nested: NestedFit, n_steps: int) -> float:
    """Train an epoch of so many steps, validation included."""
    for group in nested.fit.groups:
        group.n_steps = n_steps
    started = time.monotonic()
    nested.advance()
    return time.monotonic() - started


def _with_nulls(context: TrialContext, probe: Probe, cost: Cost) -> Cost:
    if probe.draw is None:
        return cost
    one, several = (_seconds_of_nulls(context, probe, n) for n in (1, N_NULLS_TIMED))
    null_s = max(0.0, several - one) / (N_NULLS_TIMED - 1)
    return replace(cost, null_s=null_s, null_group_s=max(0.0, one - null_s))


def _seconds_of_nulls(context: TrialContext, probe: Probe, n_nulls: int) -> float:
    draw = NullDraw(context.brain, context.folds[0], range(n_nulls), **(probe.draw or {}))
    started = time.monotonic()
    draw.kernel_predictions(probe.configs, metric=context.metric, n_best=probe.n_best)
    return time.monotonic() - started
