"""Every scheduler under test, with rungs and patience as shares of the longest training."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.asynchronous import asha_promotion, asha_stopping, median_stopping
from benchmarks.halving import halve, hyperband
from benchmarks.pasha import pasha
from benchmarks.replay import Scheduler
from sweeps.options import PRESETS, make_options
from sweeps.search.rungs import ETA, SYNCHRONOUS_BATCH, RungRule, rung_milestones

ETAS = (2, 3, 4)
TOP_K = (1, 3, 5)
# One in n of the longest training: first rungs, the one used where others vary, and patience
FIRST_RUNGS = (30, 20, 12, 10, 9, 6, 3)
FIRST_RUNGS_OF_OTHER_ETAS = (20, 10, 6)
FIRST_RUNG = 10
PATIENCE = 3
PATIENCES = (10, 4, PATIENCE)
N_WORKERS = 4
REFERENCE = f"asha eta {ETA} from 1/{FIRST_RUNG}"


@dataclass(frozen=True)
class Contender:
    """A scheduler together with early stopping.

    Attributes
    ----------
    scheduler
        Decides how many passes each config trains.
    patience
        Passes without a better score after which a config ends by itself; 0 for never.
    """

    scheduler: Scheduler
    patience: int


def make_contenders(max_passes: int) -> dict[str, Contender]:
    """Return all contenders, by name, for searches of that length."""
    patience = passes_of(PATIENCE, max_passes)
    named = _top_k(max_passes) | _asha(max_passes) | _others(max_passes)
    return {
        "everything": Contender(halving(RungRule((), 0)), 0),
        **_patience_alone(max_passes),
        **{name: Contender(scheduler, patience) for name, scheduler in named.items()},
        **_asha_with_other_patience(max_passes),
        **{f"preset {name}": preset_contender(name, max_passes) for name in PRESETS},
    }


def passes_of(divisor: float, max_passes: int) -> int:
    """Return one in `divisor` of the longest training, at least a pass."""
    return max(1, round(max_passes / divisor))


def halving(rule: RungRule) -> Scheduler:
    """Return the scheduler of a rule."""
    return lambda curves, rng: halve(curves, rule)


def asha_rule(max_passes: int, *, first_rung: float = FIRST_RUNG, eta: int = ETA) -> RungRule:
    """Return the rule of `asha` from a share of the longest training."""
    rungs = rung_milestones(passes_of(first_rung, max_passes), max_passes, eta)
    return RungRule(rungs, SYNCHRONOUS_BATCH, eta)


def preset_contender(name: str, max_passes: int) -> Contender:
    """Return what a preset of sweeps does, in proportion to the longest training."""
    options = make_options("smt", preset=name)
    rule = asha_rule(max_passes, first_rung=options.max_epochs / options.grace_epochs)
    return Contender(halving(rule), passes_of(options.max_epochs / options.patience, max_passes))


def _patience_alone(max_passes: int) -> dict[str, Contender]:
    return {
        f"patience 1/{n} alone": Contender(halving(RungRule((), 0)), passes_of(n, max_passes))
        for n in PATIENCES
    }


def _top_k(max_passes: int) -> dict[str, Scheduler]:
    grace = passes_of(FIRST_RUNG, max_passes)
    return {f"one-epoch, top {k}": halving(RungRule((1,), 0, keep=k)) for k in TOP_K} | {
        f"1/{FIRST_RUNG}, top {k}": halving(RungRule((grace,), 0, keep=k)) for k in TOP_K
    }


def _asha(max_passes: int) -> dict[str, Scheduler]:
    one_batch = RungRule(asha_rule(max_passes).milestones, 0, ETA)
    return {
        f"asha eta {eta} from 1/{n}": halving(asha_rule(max_passes, first_rung=n, eta=eta))
        for eta in ETAS
        for n in (FIRST_RUNGS if eta == ETA else FIRST_RUNGS_OF_OTHER_ETAS)
    } | {f"{REFERENCE}, one batch": halving(one_batch)}


def _asha_with_other_patience(max_passes: int) -> dict[str, Contender]:
    asha = halving(asha_rule(max_passes))
    others = {f"1/{n}": passes_of(n, max_passes) for n in PATIENCES if n != PATIENCE}
    return {
        f"{REFERENCE}, patience {name}": Contender(asha, patience)
        for name, patience in {**others, "none": 0}.items()
    }


def _others(max_passes: int) -> dict[str, Scheduler]:
    grace = passes_of(FIRST_RUNG, max_passes)
    rungs = {eta: rung_milestones(grace, max_passes, eta) for eta in ETAS}
    share = f"from 1/{FIRST_RUNG}"

    def stopping(eta: int) -> Scheduler:
        return lambda curves, rng: asha_stopping(
            curves, rng, rungs=rungs[eta], eta=eta, n_workers=N_WORKERS
        )

    return {
        **{f"asha-async eta {eta} {share}": stopping(eta) for eta in ETAS},
        f"asha-async, promoting, eta {ETA} {share}": lambda curves, rng: asha_promotion(
            curves, rng, rungs=rungs[ETA], eta=ETA, n_workers=N_WORKERS
        ),
        f"pasha eta {ETA} {share}": lambda curves, rng: pasha(
            curves, rng, rungs=rungs[ETA], eta=ETA, n_workers=N_WORKERS
        ),
        f"median {share}": lambda curves, rng: median_stopping(
            curves, rng, grace_passes=grace, n_workers=N_WORKERS
        ),
        f"hyperband eta {ETA} from 1/{ETA * FIRST_RUNG}": lambda curves, rng: hyperband(
            curves, grace_passes=passes_of(ETA * FIRST_RUNG, max_passes), eta=ETA
        ),
    }
