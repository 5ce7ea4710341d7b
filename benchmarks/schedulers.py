"""Which scheduler finds the best config with the fewest passes: `gx2c bench schedulers`.

Every scheduler goes through the same searches, drawn from recorded curves; nothing is trained.
`python -m benchmarks.schedulers` prints the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.contenders import (
    FIRST_RUNGS,
    PATIENCE,
    REFERENCE,
    asha_rule,
    halving,
    make_contenders,
    passes_of,
)
from benchmarks.curves import FILE, NO_SCORE, Curves, Pool, load_pools
from benchmarks.halving import halve
from benchmarks.replay import Outcome, draw_searches, judge, replay, replay_fold_search
from sweeps.search.rungs import RungRule

N_SEARCHES = 200
MOST_CONFIGS = 32
SEED = 1
N_CHECKED = 5
INTERVAL = (0.025, 0.975)


def run(*, n_searches: int = N_SEARCHES, seed: int = SEED) -> dict[str, Any]:
    """Replay all schedulers on all pools.

    Returns
    -------
    dict
        "pools" says where searches are drawn from, "by_pool" and "mean" have a row for each
        scheduler (see `summarise`), and "asha_is_the_search_of_sweeps" says whether `FoldSearch`
        trained the same passes in some of the searches.
    """
    pools = load_pools()
    searches = {
        name: draw_searches(pool, n_configs=n_drawn(pool), n_searches=n_searches, seed=seed)
        for name, pool in pools.items()
    }
    outcomes = pd.concat([_outcomes(pools[name], searches[name], seed) for name in pools])
    return {
        "curves": FILE.name,
        "searches_per_pool": n_searches,
        "seed": seed,
        "reference": REFERENCE,
        "asha_is_the_search_of_sweeps": all(_agrees(s) for s in searches.values()),
        "pools": {name: _describe(pool) for name, pool in pools.items()},
        "mean": summarise_means(outcomes),
        "by_pool": {
            str(name): summarise(part) for name, part in outcomes.groupby("pool", sort=False)
        },
    }


def n_drawn(pool: Pool) -> int:
    """Configs of a search: at most half of the pool, so that searches differ."""
    return min(MOST_CONFIGS, len(pool.curves) // 2)


def _describe(pool: Pool) -> dict[str, Any]:
    return {
        "configs": len(pool.curves),
        "drawn": n_drawn(pool),
        "max_passes": pool.curves.max_passes,
        "seed_sd": pool.seed_sd,
        "rank_correlation": {
            share: round(rank_correlation(pool.curves, passes), 2)
            for share, passes in _early_passes(pool.curves.max_passes).items()
        },
    }


def rank_correlation(curves: Curves, passes: int) -> float:
    """Correlate the order of configs after some passes with that at the end (Spearman)."""
    ranks = pd.DataFrame({"early": curves.best[:, passes - 1], "late": curves.best[:, -1]}).rank()
    return float(ranks["early"].corr(ranks["late"]))


def _early_passes(max_passes: int) -> dict[str, int]:
    return {"first pass": 1} | {f"1/{n}": passes_of(n, max_passes) for n in FIRST_RUNGS[::2]}


def _outcomes(pool: Pool, searches: Sequence[Curves], seed: int) -> pd.DataFrame:
    """Return a row for every scheduler and search; regrets in units of the seeds' noise."""
    patience = passes_of(PATIENCE, pool.curves.max_passes)
    rivals = [_one_epoch_regret(curves.with_patience(patience)) for curves in searches]
    contenders = make_contenders(pool.curves.max_passes)
    results = {"everything, other noise": _with_noise(searches, pool.seed_sd, seed)} | {
        name: replay([s.with_patience(c.patience) for s in searches], c.scheduler, seed=seed)
        for name, c in contenders.items()
    }
    return pd.DataFrame(
        {
            "pool": pool.name,
            "scheduler": name,
            "search": number,
            "share": outcome.share,
            "regret_mse": outcome.regret,
            "regret": outcome.regret / pool.seed_sd,
            "regret_as_stopped": outcome.regret_as_stopped / pool.seed_sd,
            "regret_of_one_epoch": rivals[number](outcome.passes) / pool.seed_sd,
        }
        for name, outcomes in results.items()
        for number, outcome in enumerate(outcomes)
    )


def _one_epoch_regret(curves: Curves) -> Callable[[int], float]:
    """Return the regret of one-epoch-then-top-K by passes, which choose K; linear between."""
    rules = [RungRule((1,), 0, keep=keep) for keep in range(1, len(curves) + 1)]
    outcomes = [judge(curves, halve(curves, rule)) for rule in rules]
    passes = [outcome.passes for outcome in outcomes]
    regrets = [outcome.regret for outcome in outcomes]
    return lambda spent: float(np.interp(spent, passes, regrets))


def _with_noise(searches: Sequence[Curves], seed_sd: float, seed: int) -> list[Outcome]:
    """Train everything and choose as another seed might: final scores with noise added."""
    rng = np.random.default_rng(seed)
    outcomes = []
    for curves in searches:
        final = np.where(curves.diverged, NO_SCORE, curves.best[:, -1])
        chosen = int((final + rng.normal(0.0, seed_sd, len(final))).argmax())
        regret = float(final.max() - final[chosen])
        outcomes.append(Outcome(int(curves.ends.sum()), 1.0, chosen, regret, regret))
    return outcomes


def summarise(outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row for every scheduler in one pool.

    Returns
    -------
    list of dict
        "fewer_passes" than training everything; "regret", in standard errors of a score (its
        standard deviation over seeds), with the interval of 95 % of searches; "finds_best" and
        "finds_best_as_stopped", shares of searches whose choice is within one standard error of
        the best, fully trained or as it stopped; "gain_on_one_epoch", by how much the regret of
        one-epoch-then-top-K at equal passes is larger; "loses_to_one_epoch", the share of
        searches in which it is smaller by more than one standard error.
    """
    rows = []
    for name, part in outcomes.groupby("scheduler", sort=False):
        gain = part["regret_of_one_epoch"] - part["regret"]
        rows.append(
            {
                "scheduler": str(name),
                "fewer_passes": float(1 / part["share"].mean()),
                "regret": float(part["regret"].mean()),
                "regret_95": part["regret"].quantile(INTERVAL).tolist(),
                "regret_mse": float(part["regret_mse"].mean()),
                "finds_best": float((part["regret"] <= 1).mean()),
                "finds_best_as_stopped": float((part["regret_as_stopped"] <= 1).mean()),
                "gain_on_one_epoch": float(gain.mean()),
                "loses_to_one_epoch": float((gain < -1).mean()),
            }
        )
    return rows


def summarise_means(outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row for every scheduler over all pools, which weigh alike.

    The interval of "regret" is that of its mean over one search in each pool; "least_found" and
    "least_gain" are those of the pool where they are least.
    """
    by_pool = outcomes.groupby(["scheduler", "pool"], sort=False)
    of_pools = pd.concat(
        [pd.DataFrame(summarise(p)).assign(pool=n) for n, p in outcomes.groupby("pool")]
    ).groupby("scheduler")
    of_searches = outcomes.groupby(["scheduler", "search"])["regret"].mean()
    share = by_pool["share"].mean()
    rows = summarise(outcomes)
    for row in rows:
        name = row["scheduler"]
        row["fewer_passes"] = float(1 / share[name].mean())
        row["regret_95"] = of_searches[name].quantile(INTERVAL).tolist()
        row["least_found"] = float(of_pools["finds_best"].min()[name])
        row["least_gain"] = float(of_pools["gain_on_one_epoch"].min()[name])
        del row["regret_mse"]
    return rows


def _agrees(searches: Sequence[Curves]) -> bool:
    """Compare passes with those of `FoldSearch` in a few searches."""
    for number, whole in enumerate(searches[:N_CHECKED]):
        curves = whole.with_patience(passes_of(PATIENCE, whole.max_passes))
        rule = asha_rule(curves.max_passes)
        rng = np.random.default_rng(number)
        records = replay_fold_search(curves, rule, rng)
        if [len(r.curve) for r in records] != halving(rule)(curves, rng).tolist():
            return False
    return True


COLUMNS = {
    "passes": lambda row: f"1/{row['fewer_passes']:.1f}",
    "regret, SE [95 %]": lambda row: "{:.2f} [{:.2f}, {:.2f}]".format(
        row["regret"], *row["regret_95"]
    ),
    "finds best": lambda row: f"{row['finds_best']:.2f}",
    "as stopped": lambda row: f"{row['finds_best_as_stopped']:.2f}",
    "gain on one-epoch, SE": lambda row: f"{row['gain_on_one_epoch']:+.2f}",
    "loses to it": lambda row: f"{row['loses_to_one_epoch']:.2f}",
}
MEAN_COLUMNS = COLUMNS | {
    "least found": lambda row: f"{row['least_found']:.2f}",
    "least gain": lambda row: f"{row['least_gain']:+.2f}",
}


def table_of(rows: Sequence[dict[str, Any]], columns: dict[str, Callable[[Any], str]]) -> str:
    """Return rows as a Markdown table."""
    lines = [
        " | ".join(["| scheduler", *columns]) + " |",
        "|---" * (len(columns) + 1) + "|",
        *(
            " | ".join([f"| {row['scheduler']}", *(show(row) for show in columns.values())]) + " |"
            for row in rows
        ),
    ]
    return "\n".join(lines)


def main() -> None:
    """Print a table for every pool and one for all."""
    result = run()
    for name, rows in result["by_pool"].items():
        print(f"\n**{name}** {result['pools'][name]}\n\n{table_of(rows, COLUMNS)}")
    print(f"\n**mean over pools**\n\n{table_of(result['mean'], MEAN_COLUMNS)}")
    print(f"\nasha is the search of sweeps: {result['asha_is_the_search_of_sweeps']}")


if __name__ == "__main__":
    main()
