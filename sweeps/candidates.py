"""p over several candidate models, each held against the same surrogates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.metrics import METRICS
from gx2c.nulls import DESCRIPTIVE, fdr_p_values, max_t_p_values, spin_p_value
from sweeps.finished_run import FinishedRun, name_among
from sweeps.null_summary import HEADLINE, SIGNS, Scores, null_gains
from sweeps.options import GEOGRAPHY
from sweeps.paths import SweepPaths


@dataclass(frozen=True)
class Candidate:
    """A model's gains over geography, on the true brain and on surrogates.

    Attributes
    ----------
    name
        Of the model or its run.
    surrogates
        What decides surrogate k; candidates must share it.
    observed
        (n_metrics,), larger is better.
    nulls
        (n_nulls, n_metrics), row k on surrogate k.
    """

    name: str
    surrogates: Mapping[str, Any]
    observed: FloatArray
    nulls: FloatArray

    @classmethod
    def of(
        cls,
        name: str,
        surrogates: Mapping[str, Any],
        nulls: Mapping[str, pd.DataFrame],
        *,
        model: str,
        test: Scores,
        geography: Scores,
    ) -> Candidate:
        """Hold what `summarise_sweep_nulls` is given."""
        observed = np.array([SIGNS[m] * (test[m] - geography[m]) for m in METRICS])
        return cls(name, surrogates, observed, null_gains(nulls, model, geography=geography))


def over_candidates(
    candidates: Sequence[Candidate], metric: str = HEADLINE
) -> list[dict[str, Any]]:
    """Return each candidate's p, p by max-T over all of them, and the false discovery rate.

    Null k of every candidate is on the same surrogate k, so that the largest of a null counts each
    candidate once, however alike they are.

    Raises
    ------
    UserError
        If there is but one, a score is undefined, or they were not held against the same
        surrogates.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, section 2.6.
    """
    check_same_surrogates({one.name: one.surrogates for one in candidates})
    place = list(METRICS).index(metric)
    observed = np.array([one.observed[place] for one in candidates])
    if not np.isfinite(observed).all():
        lacking = [c.name for c, o in zip(candidates, observed, strict=True) if not np.isfinite(o)]
        raise UserError(f"{metric} of {', '.join(lacking)} is undefined; leave it out")
    nulls = np.stack([one.nulls[:, place] for one in candidates], axis=1)
    p_values = np.array([spin_p_value(o, n) for o, n in zip(observed, nulls.T, strict=True)])
    over_all = zip(max_t_p_values(observed, nulls), fdr_p_values(p_values), strict=True)
    return [
        {
            "model": one.name,
            "gain": float(observed[k]),
            "null_mean": float(nulls[:, k].mean()),
            "p_value": float(p_values[k]),
            "p_max_t": float(max_t),
            "p_fdr": float(fdr),
            "descriptive": one.surrogates["surrogate"] in DESCRIPTIVE,
        }
        for k, (one, (max_t, fdr)) in enumerate(zip(candidates, over_all, strict=True))
    ]


def check_same_surrogates(candidates: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse models that were not held against the same surrogates, or one alone."""
    (first, wanted), *others = candidates.items()
    if not others:
        raise UserError(f"{first} alone is no choice; give two or more models")
    for name, surrogates in others:
        if differ := sorted(k for k, v in surrogates.items() if v != wanted[k]):
            raise UserError(
                f"{name} and {first} are not held against the same surrogates (other"
                f" {', '.join(differ)}); give runs of one dataset, split and seed, with equal nulls"
            )


def candidate_of_run(run: FinishedRun, name: str) -> Candidate | None:
    """Read, under a name, the nulls that a run was held against; None where there are none."""
    found, paths = run.summary["nulls"], SweepPaths(run.root)
    if found is None or not paths.null_scores(run.model).exists():
        return None
    moved = [m for m in (run.model, GEOGRAPHY) if paths.null_scores(m).exists()]
    surrogates = {
        "surrogate": found["method"],
        "moves": found["moved"],
        "seed": run.seed,
        "number of nulls": found["n"],
    }
    return Candidate.of(
        name,
        surrogates,
        {m: _table(paths.null_scores(m)) for m in moved},
        model=run.model,
        test=_means(run.test),
        geography=_means(run.geography),
    )


def over_runs(runs: Sequence[FinishedRun]) -> dict[Path, dict[str, Any]]:
    """Return `over_candidates` by run folder, among runs that share their surrogates.

    Runs without nulls, or alone with theirs, are left out.
    """
    groups: dict[str, list[tuple[Path, Candidate]]] = {}
    for run in runs:
        one = candidate_of_run(run, name_among(run, runs))
        if one is not None and np.isfinite(one.observed).all():
            groups.setdefault(repr(one.surrogates), []).append((run.root, one))
    found: dict[Path, dict[str, Any]] = {}
    for members in (group for group in groups.values() if len(group) > 1):
        rows = over_candidates([one for _, one in members])
        for (root, _), row in zip(members, rows, strict=True):
            found[root] = row | {"candidates": len(members)}
    return found


def _table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", index_col="null")


def _means(folds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([fold[name] for fold in folds])) for name in METRICS}
