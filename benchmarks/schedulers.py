"""Which scheduler finds the best config with the fewest epochs: `gx2c bench schedulers`.

Every scheduler goes through the same searches, drawn from recorded curves; nothing is trained.
Rungs and patience are shares of the longest training.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from benchmarks.replay import FILE, NO_SCORE, Curves, Outcome, Pool, halve, judge, load_pools
from sweeps.search.rungs import ETA, SYNCHRONOUS_BATCH, RungRule, rung_milestones

N_SEARCHES = 200
MOST_CONFIGS = 32
SEED = 1
INTERVAL = (0.025, 0.975)

TOP_K = (1, 3, 5)
# one in n of the longest training
FIRST_RUNGS = {2: (20, 10, 6), 3: (30, 20, 12, 10, 9, 6, 3), 4: (20, 10, 6)}
FIRST_RUNG = 10
PATIENCE = 3
PATIENCES = (10, 4, PATIENCE)
REFERENCE = f"asha eta {ETA} from 1/{FIRST_RUNG}"


def make_contenders(max_epochs: int) -> dict[str, tuple[RungRule, int]]:
    """Return rules and patience (0 for none) by name, for searches of that length."""
    patience, grace = epochs_of(PATIENCE, max_epochs), epochs_of(FIRST_RUNG, max_epochs)
    everything, asha = RungRule((), 0), asha_rule(max_epochs)
    rules = {
        **{f"one-epoch, top {k}": RungRule((1,), 0, keep=k) for k in TOP_K},
        **{f"1/{FIRST_RUNG}, top {k}": RungRule((grace,), 0, keep=k) for k in TOP_K},
        **{
            f"asha eta {eta} from 1/{n}": asha_rule(max_epochs, first_rung=n, eta=eta)
            for eta, first_rungs in FIRST_RUNGS.items()
            for n in first_rungs
        },
        f"{REFERENCE}, one batch": RungRule(asha.milestones, 0, ETA),
    }
    patiences = {f"1/{n}": epochs_of(n, max_epochs) for n in PATIENCES}
    return {
        "everything": (everything, 0),
        **{f"patience {name} alone": (everything, n) for name, n in patiences.items()},
        **{name: (rule, patience) for name, rule in rules.items()},
        **{f"{REFERENCE}, patience {name}": (asha, n) for name, n in patiences.items()},
        f"{REFERENCE}, patience none": (asha, 0),
    }


def epochs_of(divisor: float, max_epochs: int) -> int:
    """Return one in `divisor` of the longest training, at least an epoch."""
    return max(1, round(max_epochs / divisor))


def asha_rule(max_epochs: int, *, first_rung: float = FIRST_RUNG, eta: int = ETA) -> RungRule:
    """Return the rule of `asha` from a share of the longest training."""
    rungs = rung_milestones(epochs_of(first_rung, max_epochs), max_epochs, eta)
    return RungRule(rungs, SYNCHRONOUS_BATCH, eta)


def run(*, n_searches: int = N_SEARCHES, seed: int = SEED) -> dict[str, Any]:
    """Replay all schedulers on all pools.

    Returns
    -------
    dict
        "pools" describes where searches are drawn from; "by_pool" and "mean" have a row for each
        scheduler (see `summarise`).
    """
    pools = load_pools()
    outcomes = pd.concat([replay(pool, n_searches, seed) for pool in pools.values()])
    by_pool, mean = summarise(outcomes)
    return {
        "curves": FILE.name,
        "searches_per_pool": n_searches,
        "seed": seed,
        "reference": REFERENCE,
        "pools": {name: _describe(pool) for name, pool in pools.items()},
        "mean": mean.reset_index().to_dict("records"),
        "by_pool": {name: by_pool.loc[name].reset_index().to_dict("records") for name in pools},
    }


def _describe(pool: Pool) -> dict[str, Any]:
    best, n_epochs = pool.curves.best, pool.curves.max_epochs
    early = {"first epoch": 1} | {f"1/{n}": epochs_of(n, n_epochs) for n in FIRST_RUNGS[ETA][::2]}
    return {
        "configs": len(pool.curves),
        "drawn": n_drawn(pool),
        "max_epochs": n_epochs,
        "seed_sd": pool.seed_sd,
        "rank_correlation": {
            share: round(float(spearmanr(best[:, epochs - 1], best[:, -1]).statistic), 2)
            for share, epochs in early.items()
        },
    }


def n_drawn(pool: Pool) -> int:
    """Return the configs of a search: at most half of the pool, so that searches differ."""
    return min(MOST_CONFIGS, len(pool.curves) // 2)


def draw_searches(pool: Pool, *, n_searches: int, seed: int) -> list[Curves]:
    """Draw searches from a pool, each without replacement."""
    rng = np.random.default_rng(seed)
    n_configs = len(pool.curves)
    drawn = [rng.choice(n_configs, size=n_drawn(pool), replace=False) for _ in range(n_searches)]
    return [Curves(pool.curves.scores[numbers]) for numbers in drawn]


def replay(pool: Pool, n_searches: int, seed: int) -> pd.DataFrame:
    """Return a row for every scheduler and search; regrets in units of the seeds' noise."""
    searches = draw_searches(pool, n_searches=n_searches, seed=seed)
    patience = epochs_of(PATIENCE, pool.curves.max_epochs)
    rivals = [one_epoch_regret(curves.with_patience(patience)) for curves in searches]
    rng = np.random.default_rng(seed)
    results = {
        "everything, other noise": [_with_noise(curves, pool.seed_sd, rng) for curves in searches]
    }
    for name, (rule, n) in make_contenders(pool.curves.max_epochs).items():
        stopped = [curves.with_patience(n) for curves in searches]
        results[name] = [judge(curves, halve(curves, rule)) for curves in stopped]
    return pd.DataFrame(
        {
            "pool": pool.name,
            "scheduler": name,
            "search": number,
            "share": outcome.share,
            "regret": outcome.regret / pool.seed_sd,
            "regret_as_stopped": outcome.regret_as_stopped / pool.seed_sd,
            "regret_of_one_epoch": rivals[number](outcome.epochs) / pool.seed_sd,
        }
        for name, outcomes in results.items()
        for number, outcome in enumerate(outcomes)
    )


def one_epoch_regret(curves: Curves) -> Callable[[int], float]:
    """Return the regret of one-epoch-then-top-K by epochs, which choose K; linear between."""
    rules = [RungRule((1,), 0, keep=keep) for keep in range(1, len(curves) + 1)]
    outcomes = [judge(curves, halve(curves, rule)) for rule in rules]
    epochs = [outcome.epochs for outcome in outcomes]
    regrets = [outcome.regret for outcome in outcomes]
    return lambda spent: float(np.interp(spent, epochs, regrets))


def _with_noise(curves: Curves, seed_sd: float, rng: np.random.Generator) -> Outcome:
    """Train everything and choose as another seed might: final scores with noise added."""
    final = np.where(curves.diverged, NO_SCORE, curves.best[:, -1])
    chosen = int((final + rng.normal(0.0, seed_sd, len(final))).argmax())
    regret = float(final.max() - final[chosen])
    return Outcome(int(curves.ends.sum()), 1.0, chosen, regret, regret)


def summarise(outcomes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row for every pool and scheduler, and for every scheduler over all pools.

    "fewer_epochs" than training everything; "regret", in standard errors of a score (its standard
    deviation over seeds), with the interval of 95 % of searches (over all pools: of its mean over
    one search in each); "finds_best" and "finds_best_as_stopped", shares of searches whose choice
    is within one standard error of the best, fully trained or as it stopped; "gain_on_one_epoch",
    by how much the regret of one-epoch-then-top-K at equal epochs is larger; "loses_to_one_epoch",
    the share of searches in which it is smaller by more than one standard error. "least_found" and
    "least_gain" are those of the pool where they are least. Pools weigh alike.
    """
    gain = outcomes["regret_of_one_epoch"] - outcomes["regret"]
    rows = outcomes.assign(
        finds_best=outcomes["regret"] <= 1,
        finds_best_as_stopped=outcomes["regret_as_stopped"] <= 1,
        gain_on_one_epoch=gain,
        loses_to_one_epoch=gain < -1,
    ).drop(columns=["regret_as_stopped", "regret_of_one_epoch"])
    of_pools = rows.groupby(["pool", "scheduler"], sort=False)
    by_pool = of_pools.mean().drop(columns="search")
    of_schedulers = by_pool.groupby("scheduler", sort=False)
    mean, least = of_schedulers.mean(), of_schedulers.min()
    over_pools = rows.groupby(["scheduler", "search"])["regret"].mean()
    mean["least_found"], mean["least_gain"] = least["finds_best"], least["gain_on_one_epoch"]
    for table, regrets in ((by_pool, of_pools["regret"]), (mean, over_pools.groupby("scheduler"))):
        table["regret_95"] = regrets.quantile(INTERVAL).unstack().apply(list, axis=1)
        table["fewer_epochs"] = 1 / table.pop("share")
    return by_pool, mean
