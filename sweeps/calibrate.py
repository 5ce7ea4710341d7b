"""Count the false positives of the whole pipeline; `gx2c nulls calibrate`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest, kstest
from threadpoolctl import threadpool_limits

from gx2c.data import load_dataset
from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.fit.calibration import (
    LEVELS,
    SPACES,
    SURROGATES_COMPARED,
    CalibrationRow,
    Calibrator,
)
from gx2c.nulls import SURROGATES

ALPHA = 0.05
CELL = ["signal", "space", "level", "surrogate", "statistic"]
# (signal, space, level, number of the brain, surrogates that it is still to be held against)
Case = tuple[bool, str, str, int, list[str]]


def run_calibration(
    out: Path,
    *,
    dataset: str,
    brains: int,
    power_brains: int,
    nulls: int,
    seed: int,
    jobs: int,
    search: bool = False,
    surrogates: Sequence[str] = (),
) -> pd.DataFrame:
    """Test synthetic brains until the table is whole; what it holds already is kept.

    Parameters
    ----------
    out
        The table to write, .tsv; a row per brain, surrogate and statistic.
    dataset
        Whose places and smoothness are used.
    brains, power_brains
        Synthetic brains per cell without and with signal; the latter at one smoothness.
    nulls
        Of each brain; (nulls + 1) times .05 should be whole.
    seed
        Of everything random.
    jobs
        Processes; the table is the same for any number.
    search
        Choose the ridge by inner validation, in each brain and again in each null.
    surrogates
        Which; those of `SURROGATES_COMPARED` if none are given.
    """
    unknown = sorted(set(surrogates) - set(SURROGATES))
    if unknown:
        raise UserError(f"no surrogate named {unknown[0]!r}; choose from {sorted(SURROGATES)}")
    if brains < 1 or nulls < 19 or jobs < 1 or power_brains < 0:
        raise UserError(
            f"brains={brains}, power_brains={power_brains}, nulls={nulls}, jobs={jobs}; give at"
            " least 1, 0, 19 and 1"
        )
    calibrator = Calibrator.of(load_dataset(dataset), seed=seed)
    done = _read(out)
    if (done["searched"].astype(bool) != search).any():
        held = "without" if search else "with"
        raise UserError(f"{out} holds a calibration {held} --search; give another --out")
    todo = _open_cases(done, brains, power_brains, surrogates or SURROGATES_COMPARED)
    out.parent.mkdir(parents=True, exist_ok=True)
    for rows in _run(calibrator, todo, nulls, jobs, search=search):
        done = pd.concat([done, pd.DataFrame(rows)], ignore_index=True)
        done.sort_values([*CELL[:3], "brain"], kind="stable").to_csv(out, sep="\t", index=False)
    return done


def rates(table: pd.DataFrame, *, seed: int = 0) -> list[dict[str, Any]]:
    """Return a row per cell: the share of p <= .05 with its exact 95 % interval.

    p of uniformity is that of a Kolmogorov-Smirnov test on `random_p_values`.
    """
    return [_rate(keys, cell, seed) for keys, cell in table.groupby(CELL)]


def random_p_values(cell: pd.DataFrame, *, seed: int = 0) -> FloatArray:
    """Return (b + U) / (n + 1) of some rows, (n_rows,): uniform where the null holds."""
    uniform = np.random.default_rng(seed).uniform(size=len(cell))
    p_values: FloatArray = (cell["as_good"].to_numpy() + uniform) / (cell["nulls"].to_numpy() + 1)
    return p_values


def _rate(keys: Any, cell: pd.DataFrame, seed: int) -> dict[str, Any]:
    p_values = (cell["as_good"] + 1) / (cell["nulls"] + 1)
    found = binomtest(int((p_values <= ALPHA).sum()), len(cell))
    low, high = found.proportion_ci()
    randomised = random_p_values(cell, seed=seed)
    return dict(zip(CELL, keys, strict=True)) | {
        "rate": float(found.statistic),
        "low": float(low),
        "high": float(high),
        "brains": len(cell),
        "p_uniform": float(kstest(randomised, "uniform").pvalue),
    }


def _open_cases(
    done: pd.DataFrame, brains: int, power_brains: int, surrogates: Sequence[str]
) -> list[Case]:
    null = [(False, s, level, k) for k in range(brains) for s in SPACES for level in LEVELS]
    power = [(True, s, LEVELS[0], k) for k in range(power_brains) for s in SPACES]
    columns = ("signal", "space", "level", "brain", "surrogate")
    known = set(zip(*(done[c] for c in columns), strict=True))
    cases = [(*one, [s for s in surrogates if (*one, s) not in known]) for one in [*null, *power]]
    return [case for case in cases if case[-1]]


def _run(
    calibrator: Calibrator, cases: list[Case], nulls: int, jobs: int, *, search: bool
) -> Iterator[list[CalibrationRow]]:
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=jobs, return_as="generator")
    yield from pool(delayed(_one)(calibrator, case, nulls, search) for case in cases)


def _one(calibrator: Calibrator, case: Case, nulls: int, search: bool) -> list[CalibrationRow]:
    signal, space, level, number, surrogates = case
    with threadpool_limits(1):
        return list(
            calibrator.rows(
                number,
                space,
                level,
                signal=signal,
                n_nulls=nulls,
                search=search,
                surrogates=surrogates,
            )
        )


def _read(out: Path) -> pd.DataFrame:
    if out.exists():
        return pd.read_csv(out, sep="\t")
    return pd.DataFrame(columns=list(CalibrationRow._fields))
