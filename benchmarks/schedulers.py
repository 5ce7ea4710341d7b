"""Which scheduler finds the best config with the fewest passes: `gx2c bench schedulers`.

Every scheduler goes through the same searches, drawn from recorded curves; nothing is trained.
`python -m benchmarks.schedulers` prints the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.asynchronous import asha_promotion, asha_stopping, median_stopping
from benchmarks.curves import FILE, Curves, FloatArray, Pool, load_pools
from benchmarks.halving import halve, hyperband
from benchmarks.replay import (
    Outcome,
    Scheduler,
    draw_searches,
    judge,
    replay,
    replay_fold_search,
)
from sweeps.search.rungs import ETA, SYNCHRONOUS_BATCH, RungRule, rung_milestones

N_SEARCHES = 200
MOST_CONFIGS = 32
N_WORKERS = 4
SEED = 1
N_CHECKED = 5

# A rung is a share 1 / n of the longest training; a sweep's own grace period is among them
ETAS = (2, 3, 4)
FIRST_RUNGS = (27, 18, 9, 6, 3)
FIRST_RUNG = 9
TOP_K = (1, 3, 5)
REFERENCE = f"asha eta {ETA} from 1/{FIRST_RUNG}"


def run(*, n_searches: int = N_SEARCHES, seed: int = SEED) -> dict[str, Any]:
    """Replay all schedulers on all pools.

    Returns
    -------
    dict
        "pools" describes where searches are drawn from; "schedulers" has a row for each pool and
        scheduler, and one for the mean over pools; "asha_is_the_search_of_sweeps" says whether
        `FoldSearch` trained the same passes in a few of the searches.
    """
    pools = load_pools()
    searches = {
        name: draw_searches(pool, n_configs=_size(pool), n_searches=n_searches, seed=seed)
        for name, pool in pools.items()
    }
    rows = [row for name in pools for row in _rows(pools[name], searches[name], seed)]
    return {
        "curves": FILE.name,
        "searches_per_pool": n_searches,
        "seed": seed,
        "pools": {name: _describe(pool) for name, pool in pools.items()},
        "asha_is_the_search_of_sweeps": all(_agrees(s) for s in searches.values()),
        "schedulers": rows + mean_rows(rows),
    }


def make_schedulers(max_passes: int) -> dict[str, Scheduler]:
    """Return every scheduler under test, for searches of that length."""
    first = {n: max(1, round(max_passes / n)) for n in FIRST_RUNGS}
    grace = first[FIRST_RUNG]
    halving = {
        "patience alone": RungRule((), 0),
        **{f"one-epoch, top {k}": RungRule((1,), 0, keep=k) for k in TOP_K},
        **{f"1/{FIRST_RUNG}, top {k}": RungRule((grace,), 0, keep=k) for k in TOP_K},
        **{
            f"asha eta {eta} from 1/{n}": RungRule(
                rung_milestones(passes, max_passes, eta), SYNCHRONOUS_BATCH, eta
            )
            for eta in ETAS
            for n, passes in first.items()
        },
        f"{REFERENCE}, one batch": RungRule(rung_milestones(grace, max_passes, ETA), 0, ETA),
    }
    return {name: _halving(rule) for name, rule in halving.items()} | _others(grace, max_passes)


def _halving(rule: RungRule) -> Scheduler:
    return lambda curves, rng: halve(curves, rule)


def _others(grace: int, max_passes: int) -> dict[str, Scheduler]:
    rungs = {eta: rung_milestones(grace, max_passes, eta) for eta in ETAS}
    share = f"from 1/{FIRST_RUNG}"

    def stopping(eta: int) -> Scheduler:
        return lambda curves, rng: asha_stopping(
            curves, rng, rungs=rungs[eta], eta=eta, n_workers=N_WORKERS
        )

    return {
        **{f"asha-async eta {eta} {share}": stopping(eta) for eta in ETAS},
        f"asha, promoting, eta {ETA} {share}": lambda curves, rng: asha_promotion(
            curves, rng, rungs=rungs[ETA], eta=ETA, n_workers=N_WORKERS
        ),
        f"median {share}": lambda curves, rng: median_stopping(
            curves, rng, grace_passes=grace, n_workers=N_WORKERS
        ),
        f"hyperband eta {ETA} from 1/{ETA * FIRST_RUNG}": lambda curves, rng: hyperband(
            curves, grace_passes=max(1, grace // ETA), eta=ETA
        ),
    }


def _rows(pool: Pool, searches: Sequence[Curves], seed: int) -> list[dict[str, Any]]:
    one_epoch = [_one_epoch_regrets(curves) for curves in searches]

    def row(name: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        return {"pool": pool.name, "scheduler": name} | _summary(outcomes, one_epoch, pool.seed_sd)

    whole = [curves.with_patience(0) for curves in searches]
    schedulers = make_schedulers(pool.curves.max_passes)
    return [
        row("everything", replay(whole, _halving(RungRule((), 0)), seed=seed)),
        row("everything, noise added", _with_noise(whole, pool.seed_sd, seed)),
        *(row(name, replay(searches, s, seed=seed)) for name, s in schedulers.items()),
    ]


def _summary(
    outcomes: Sequence[Outcome], one_epoch: Sequence[Callable[[int], float]], seed_sd: float
) -> dict[str, Any]:
    regrets = np.array([outcome.regret for outcome in outcomes])
    rivals = np.array([rival(o.passes) for rival, o in zip(one_epoch, outcomes, strict=True)])
    stopped = np.array([outcome.regret_as_stopped for outcome in outcomes])
    return {
        "fewer_passes": 1 / float(np.mean([outcome.share for outcome in outcomes])),
        "regret": float(regrets.mean()),
        "regret_95": np.percentile(regrets, (2.5, 97.5)).tolist(),
        "regret_in_se": float(regrets.mean() / seed_sd),
        "finds_best": float(np.mean(regrets <= seed_sd)),
        "finds_best_as_stopped": float(np.mean(stopped <= seed_sd)),
        "less_regret_than_one_epoch_in_se": float((rivals - regrets).mean() / seed_sd),
        "worse_than_one_epoch": float(np.mean(regrets > rivals + seed_sd)),
    }


def _one_epoch_regrets(curves: Curves) -> Callable[[int], float]:
    """Return the regret of one-epoch-then-top-K by passes, K what they allow, between Ks linear."""
    outcomes = [
        judge(curves, trained)
        for keep in range(1, len(curves) + 1)
        if _complete(curves, trained := halve(curves, RungRule((1,), 0, keep=keep)))
    ]
    passes: FloatArray = np.array([outcome.passes for outcome in outcomes], dtype=float)
    regrets = np.array([outcome.regret for outcome in outcomes])
    return lambda spent: float(np.interp(spent, passes, regrets))


def _complete(curves: Curves, trained: Any) -> bool:
    return bool(((trained == curves.ends) & ~curves.diverged).any())


def _with_noise(searches: Sequence[Curves], seed_sd: float, seed: int) -> list[Outcome]:
    """Train everything and choose as another seed might: final scores with noise added."""
    rng = np.random.default_rng(seed)
    outcomes = []
    for curves in searches:
        final = np.where(curves.diverged, -np.inf, curves.best[:, -1])
        chosen = int((final + rng.normal(0.0, seed_sd, len(final))).argmax())
        regret = float(final.max() - final[chosen])
        outcomes.append(Outcome(int(curves.ends.sum()), 1.0, chosen, regret, regret))
    return outcomes


def mean_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Average rows over pools; regrets only in units of each pool's seed noise."""
    table = pd.DataFrame(rows).drop(columns=["regret", "regret_95"])
    table["fewer_passes"] = 1 / table["fewer_passes"]
    means = table.drop(columns="pool").groupby("scheduler", sort=False).mean()
    means["fewer_passes"] = 1 / means["fewer_passes"]
    means["finds_best_least"] = table.groupby("scheduler", sort=False)["finds_best"].min()
    return [
        {"pool": "mean", "scheduler": str(name)} | {str(k): float(v) for k, v in row.items()}
        for name, row in means.iterrows()
    ]


def _agrees(searches: Sequence[Curves]) -> bool:
    """Compare passes with those of `FoldSearch` in a few searches."""
    for number, curves in enumerate(searches[:N_CHECKED]):
        grace = max(1, round(curves.max_passes / FIRST_RUNG))
        rule = RungRule(rung_milestones(grace, curves.max_passes), SYNCHRONOUS_BATCH)
        records = replay_fold_search(curves, rule, np.random.default_rng(number))
        if [len(r.curve) for r in records] != halve(curves, rule).tolist():
            return False
    return True


def _size(pool: Pool) -> int:
    return min(MOST_CONFIGS, len(pool.curves) // 2)


def _describe(pool: Pool) -> dict[str, Any]:
    return {
        "configs": len(pool.curves),
        "drawn": _size(pool),
        "max_passes": pool.curves.max_passes,
        "patience": pool.patience,
        "seed_sd": pool.seed_sd,
    }


def table_of(rows: Sequence[Mapping[str, Any]], pool: str) -> str:
    """Return one pool's rows as a Markdown table."""
    lines = [
        "| scheduler | passes | regret, SE | regret, 10^-3 MSE [95 % of searches] | finds best "
        "| at equal passes, one-epoch top K: more regret, SE | beats it clearly |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [_line(row) for row in rows if row["pool"] == pool])


def _line(row: Mapping[str, Any]) -> str:
    low, high = (1e3 * v for v in row.get("regret_95", (np.nan, np.nan)))
    regret = f"{1e3 * row['regret']:.2f} [{low:.2f}, {high:.2f}]" if "regret" in row else ""
    return (
        f"| {row['scheduler']} | 1/{row['fewer_passes']:.1f} | {row['regret_in_se']:.2f} "
        f"| {regret} | {row['finds_best']:.2f} "
        f"| {row['less_regret_than_one_epoch_in_se']:+.2f} | {row['worse_than_one_epoch']:.2f} |"
    )


def main() -> None:
    """Print a table for every pool and one for their mean."""
    result = run()
    for name, pool in result["pools"].items():
        print(f"\n**{name}**: {pool}\n\n{table_of(result['schedulers'], name)}")
    print(f"\n**mean over pools**\n\n{table_of(result['schedulers'], 'mean')}")
    print(f"\nasha is the search of sweeps: {result['asha_is_the_search_of_sweeps']}")


if __name__ == "__main__":
    main()
