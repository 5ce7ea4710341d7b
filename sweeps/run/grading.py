"""Grades of whole sweeps on synthetic brains whose grade is known; `gx2c nulls grades`.

Each brain is searched, retrained, compared and tested by the code of a sweep, in one process. Nulls
that can no longer change the grade are left out, so grades are those of a sweep.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from threadpoolctl import threadpool_limits

from gx2c.calibration.brains import CLOSED_FORMS, NETWORKS, SEED, Cell, Cortex
from gx2c.calibration.pipeline import Calibrator
from gx2c.data import load_dataset
from gx2c.errors import UserError
from gx2c.models.names import spec_of, split_name
from gx2c.verdict import ALPHA, LADDER, Evidence, failed_before, verdict
from sweeps.folder.paths import SweepPaths
from sweeps.nulls.calibrate import continue_table, read_table
from sweeps.phases.retrain import finished_jobs, retrain_one, save_retrained
from sweeps.phases.retrain_job import jobs_of_searches
from sweeps.request.options import make_options
from sweeps.request.plan import SweepPlan, plan_sweep
from sweeps.run.evidence import UNKNOWN, Retrained
from sweeps.run.ladder import Ladder
from sweeps.search.board import SearchBoard
from sweeps.search.serially import run_board

# Its coordinates and smoothness are those of the synthetic brains
REAL = "schaefer100"
# As in preset quick, but an ensemble of 10 is chosen among more configs, in each null again
CLOSED_FORM_OPTIONS = {"preset": "quick", "samples": 16, "ensemble": "10", "nulls": 19}
NETWORK_OPTIONS = {"preset": "quick"}
# The least grade that is counted, by the effect of genes: a false one, or without it a true one
COUNTED = {"none": 3, "smooth": 4, "genes": 3}


class GradeRow(NamedTuple):
    """The verdict on one synthetic brain; what was not needed is NaN."""

    model: str
    cell: str  # Name of its `Cell`
    brain: int  # Number of the brain
    grade: int
    tested_up_to: int
    r: float  # The model's on test regions
    # Gain over the geography ensemble with its bound, and the bound of the gain over the control
    gain: float
    bound: float
    control: float
    # p against the nulls of each surrogate
    hungarian: float
    random_field: float
    residual_spin: float


def grade_brains(
    out: Path,
    model: str,
    *,
    jobs: int = 1,
    seed: int = SEED,
    cells: Sequence[tuple[Cell, int]] = (),
    **options: Any,
) -> pd.DataFrame:
    """Grade synthetic brains until the table is complete; existing rows are kept.

    Parameters
    ----------
    out
        The table to write, .tsv: a `GradeRow` for each brain.
    model
        Name of a model with geography in it.
    jobs
        Number of processes; the table is the same for any number.
    seed
        Seed of the brains.
    cells
        Kinds of brains and numbers of each; by default `CLOSED_FORMS` or `NETWORKS`.
    options
        Options of the sweeps that differ from those above.

    Raises
    ------
    UserError
        If the model does not contain geography.
    """
    spec = spec_of(model)
    if not spec.contains_geography:
        raise UserError(
            f"the nulls of {model} are not adjusted for geography; grade geography+genes or "
            "geography+MODEL"
        )
    cells = cells or (NETWORKS if spec.trains_in_epochs else CLOSED_FORMS)
    usual = NETWORK_OPTIONS if spec.trains_in_epochs else CLOSED_FORM_OPTIONS
    done = read_table(out, GradeRow._fields)
    known = set(zip(done["model"], done["brain"], strict=True))
    # every brain has a number, and so random numbers, of its own
    brains = enumerate((cell, k) for cell, n in cells for k in range(n))
    # cells in turn, so that an unfinished table has some of each
    in_turn = sorted(brains, key=lambda one: (one[1][0].effect != "none", one[1][1]))
    todo = [
        (model, cell, number, seed, {**usual, **options})
        for number, (cell, _) in in_turn
        if (model, number) not in known
    ]
    return continue_table(out, done, todo, _grade, key=("model", "brain"), jobs=jobs)


def grade_rates(
    table: pd.DataFrame, cells: Sequence[tuple[Cell, int]] = (*CLOSED_FORMS, *NETWORKS)
) -> list[dict[str, Any]]:
    """Count false grades in each cell and over all cells of an effect, and true ones as power.

    Counted are grades of 3 and above, or grade 4 where genes have a smooth effect. Intervals are
    exact (Clopper & Pearson) at 95 %, those of cells simultaneous over all cells of their effect by
    Holm's method. `grade_1` and `grade_2` count brains of these grades and above, and the mean gain
    is that of brains in which it was needed.

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26(4), 404. Holm (1979), Scand. J. Stat. 6(2), 65.
    """
    found = []
    for effect, counted in COUNTED.items():
        names = [cell.name for cell, _ in cells if cell.effect == effect]
        groups = {name: table[table["cell"] == name] for name in dict.fromkeys(names)}
        groups = {name: rows for name, rows in groups.items() if len(rows)}
        if not groups:
            continue
        hits = [int((rows["grade"] >= counted).sum()) for rows in groups.values()]
        sizes = [len(rows) for rows in groups.values()]
        for k, ((name, rows), interval) in enumerate(
            zip(groups.items(), _holm_intervals(hits, sizes), strict=True)
        ):
            found.append(_rate(name, rows, counted, hits[k], interval))
        pooled = pd.concat(groups.values())
        whole = binomtest(sum(hits), len(pooled)).proportion_ci()
        found.append(_rate(f"{effect}: all", pooled, counted, sum(hits), whole))
    return found


def _rate(name: str, rows: pd.DataFrame, counted: int, hits: int, interval: Any) -> dict[str, Any]:
    low, high = interval
    return {
        "cell": name,
        "brains": len(rows),
        "counted": f"grade {counted}" if counted == 4 else f"grade >= {counted}",
        "n": hits,
        "rate": hits / len(rows),
        "low": float(low),
        "high": float(high),
        "grade_1": int((rows["grade"] >= 1).sum()),
        "grade_2": int((rows["grade"] >= 2).sum()),
        "mean_gain": float(rows["gain"].mean()),
    }


def _holm_intervals(hits: Sequence[int], sizes: Sequence[int]) -> list[tuple[float, float]]:
    """Return simultaneous exact intervals: the k-th smallest p of m has level 1 - .05 / (m - k)."""
    tests = [binomtest(k, n, ALPHA) for k, n in zip(hits, sizes, strict=True)]
    order = np.argsort([test.pvalue for test in tests], kind="stable")
    found: list[tuple[float, float]] = [(0.0, 1.0)] * len(tests)
    for rank, place in enumerate(order.tolist()):
        low, high = tests[place].proportion_ci(1 - ALPHA / (len(tests) - rank))
        found[place] = (float(low), float(high))
    return found


def _grade(
    model: str, cell: Cell, number: int, seed: int, options: dict[str, Any]
) -> list[GradeRow]:
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        brain = cortex_of(cell.n_regions).make(cell, number, seed=seed)
        made = make_options(model, genes="all", seeds=f"{number + 1}", **options)
        # the gain over geography states the size of an effect, also where no grade needs it
        plan, sparing = plan_sweep(made, brain), cell.effect == "none"
        evidence = gather_evidence(plan, SweepPaths(Path(folder)), sparing=sparing)
    found = verdict(evidence)
    p_values = {
        name: evidence.nulls[name].p_value if name in evidence.nulls else None for name in LADDER
    }
    return [
        GradeRow(
            model,
            cell.name,
            number,
            found.grade,
            found.tested_up_to,
            _rounded(evidence.r),
            _rounded(evidence.geography.gain),
            _rounded(evidence.geography.bound),
            _rounded(evidence.coordinates.bound if evidence.coordinates else None),
            **{name: _rounded(p) for name, p in p_values.items()},
        )
    ]


def gather_evidence(plan: SweepPlan, paths: SweepPaths, *, sparing: bool) -> Evidence:
    """Search, retrain, compare and test a plan in this process, as far as its grade needs.

    If `sparing`, geography is searched only for a model that is better than distance decay.
    """

    def each(
        phase: str, what: str, function: Callable[..., Any], plan: SweepPlan, jobs: Any, todo: Any
    ) -> Iterator[tuple[Any, Any]]:
        context = plan.context()
        return ((job, function(context, job)) for job in todo)

    if sparing and not split_name(plan.options.model)[1]:
        early = _against_decay(plan, paths)
        if verdict(early).grade == 0:
            return early
    board = plan.board(paths)
    run_board(board, plan.context())
    records = board.records()
    jobs = jobs_of_searches(plan, records)
    ladder = Ladder(plan, paths, each, lambda *files: None, [])
    evidence = ladder.retrain(jobs)
    if failed_before(evidence, LADDER[0]):
        return evidence
    return ladder.run_nulls(finished_jobs(paths, jobs), records, evidence)[1]


def _against_decay(plan: SweepPlan, paths: SweepPaths) -> Evidence:
    """Search and retrain the model alone, without geography."""
    model, context = plan.options.model, plan.context()
    searches = plan.board(paths).searches.values()
    own = SearchBoard([search for search in searches if search.model == model])
    run_board(own, context)
    for job in jobs_of_searches(plan, own.records()):
        save_retrained(plan.brain, plan.folds, paths, retrain_one(context, job))
    found = Retrained(paths, plan.brain, plan.folds)
    return Evidence(found.of(model).mean, found.over_decay(model), UNKNOWN)


@cache
def cortex_of(n_regions: int) -> Cortex:
    """Return the regions of synthetic brains, with the means and smoothness of a real one."""
    return Cortex.of(_calibrator(), n_regions)


@cache
def _calibrator() -> Calibrator:
    return Calibrator.of(load_dataset(REAL), seed=0)


def _rounded(value: float | None) -> float:
    return float("nan") if value is None else round(value, 6)
