"""Count the false positives of the whole pipeline; `gx2c nulls calibrate`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import binomtest, kstest
from threadpoolctl import threadpool_limits

from gx2c.calibration.pipeline import (
    LEVELS,
    SPACES,
    SURROGATES_COMPARED,
    CalibrationRow,
    Calibrator,
)
from gx2c.data import load_dataset
from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.files import ordinary
from gx2c.nulls import SURROGATES
from sweeps.folder.records import write_bytes

ALPHA = 0.05
CELL = ["signal", "space", "level", "surrogate", "statistic"]
# (signal, space, level, number of the brain, surrogates still to be tested)
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
    trust_row_order: bool = False,
) -> pd.DataFrame:
    """Test synthetic brains until the table is complete; existing rows are kept.

    Parameters
    ----------
    out
        The table to write, .tsv; a row per brain, surrogate and statistic.
    dataset
        Dataset whose coordinates and smoothness are used.
    brains, power_brains
        Synthetic brains per cell without and with signal, the latter at one smoothness.
    nulls
        Number of nulls per brain; (nulls + 1) times .05 should be an integer.
    seed
        Random seed.
    jobs
        Number of processes; the table is the same for any number.
    search
        Whether to choose the ridge by inner validation, in each brain and again in each null.
    surrogates
        Surrogates to test; `SURROGATES_COMPARED` if empty.
    trust_row_order
        Whether to accept a dataset whose rows seem to be in different orders.
    """
    unknown = sorted(set(surrogates) - set(SURROGATES))
    if unknown:
        raise UserError(f"no surrogate named {unknown[0]!r}; choose from {sorted(SURROGATES)}")
    if brains < 1 or nulls < 19 or jobs < 1 or power_brains < 0:
        raise UserError(
            f"brains={brains}, power_brains={power_brains}, nulls={nulls}, jobs={jobs}; give at"
            " least 1, 0, 19 and 1"
        )
    calibrator = Calibrator.of(load_dataset(dataset, trust_row_order=trust_row_order), seed=seed)
    done = read_table(out, CalibrationRow._fields)
    if (done["searched"].astype(bool) != search).any():
        held = "without" if search else "with"
        raise UserError(f"{out} holds a calibration {held} --search; give another --out")
    todo = _open_cases(done, brains, power_brains, surrogates or SURROGATES_COMPARED)
    cases = [(calibrator, case, nulls, search) for case in todo]
    return continue_table(out, done, cases, _one, key=[*CELL[:3], "brain"], jobs=jobs)


def read_table(out: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a calibration's table, which is empty if it has not begun."""
    if out.exists():
        return pd.read_csv(ordinary(out), sep="\t")
    return pd.DataFrame(columns=list(columns))


def continue_table(
    out: Path,
    done: pd.DataFrame,
    cases: Sequence[tuple[Any, ...]],
    work: Callable[..., Sequence[Any]],
    *,
    key: Sequence[str],
    jobs: int,
) -> pd.DataFrame:
    """Add the rows of each case to a table and write it, in the order of `key`.

    Cases are worked on by several processes; a file is whole whenever the work is interrupted.
    """
    pool = Parallel(n_jobs=jobs, return_as="generator")
    for rows in pool(delayed(work)(*case) for case in cases):
        fresh = pd.DataFrame(rows)
        # an empty table has no types, and would take those of the rows appended to it
        done = pd.concat([done, fresh], ignore_index=True) if len(done) else fresh
        done = done.sort_values(list(key), kind="stable", ignore_index=True)
        write_bytes(out, done.to_csv(sep="\t", index=False).encode())
    return done


def rates(table: pd.DataFrame, *, seed: int = 0) -> list[dict[str, Any]]:
    """Return a row per cell: the share of p <= .05 with its exact 95 % interval.

    The p-value of uniformity is that of a Kolmogorov-Smirnov test on `random_p_values`.
    """
    return [_rate(keys, cell, seed) for keys, cell in table.groupby(CELL)]


def random_p_values(cell: pd.DataFrame, *, seed: int = 0) -> FloatArray:
    """Return (b + U) / (n + 1) of some rows, (n_rows,): uniform if the null hypothesis holds."""
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
