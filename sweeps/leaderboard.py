"""Rank finished runs of one dataset, split and seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from gx2c.errors import UserError
from gx2c.metrics import METRICS
from gx2c.models import MODELS
from sweeps.candidates import over_runs
from sweeps.finished_run import FinishedRun, name_among, read_finished
from sweeps.options import GEOGRAPHY
from sweeps.paths import SweepPaths
from sweeps.provenance import provenance

SHOWN = "pearson_r"
# A curve whose best score still rose by more than this share of its whole rise within the last
# tenth of its passes had not flattened
LAST_PASSES = 0.1
STILL_RISING = 0.01


def make_leaderboard(
    runs: Sequence[Path], *, left_out: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return all rows, the best first, with what they have in common.

    Parameters
    ----------
    runs
        Run folders.
    left_out
        Models without a run, and why.

    Raises
    ------
    UserError
        If a run is not finished, they are not of the same folds, or two are the same.
    """
    finished = [read_finished(run) for run in runs]
    if not finished:
        raise UserError("there is no finished run to rank")
    _check_same_folds(finished)
    names, over_all = _names(finished), over_runs(finished)
    rows = [
        {"name": name} | _row(run) | _joint(over_all.get(run.root))
        for name, run in zip(names, finished, strict=True)
    ]
    rows.sort(key=lambda row: (-_or_least(row["test"][SHOWN]["mean"]), row["name"]))
    first = finished[0]
    return {
        "dataset": first.dataset,
        "checksum": first.checksum,
        "split": first.split,
        "seed": first.seed,
        "n_regions": first.summary["n_regions"],
        "geography": first.summary["geography"]["test"],
        "rows": rows,
        "left_out": dict(left_out or {}),
        "provenance": provenance(),
    }


def best_networks(runs: Sequence[Path], n_best: int) -> list[str]:
    """Return the networks that read genes and did best on their validation regions."""
    scores: dict[str, float] = {}
    for run in runs:
        summary = json.loads(SweepPaths(run).summary.read_text())
        spec = MODELS[summary["model"]]
        if spec.kind == "iterative" and "expression" in spec.uses:
            scores[spec.name] = _mean_validation(summary)
    return sorted(scores, key=lambda model: (-scores[model], model))[:n_best]


def _mean_validation(summary: Mapping[str, Any]) -> float:
    metric = summary["provenance"]["options"]["metric"].removeprefix("val_")
    sign = 1.0 if METRICS[metric].larger_is_better else -1.0
    values = [_or_least(fold["validation"].get(metric)) for fold in summary["folds"]]
    return sign * sum(values) / len(values)


def _check_same_folds(runs: Sequence[FinishedRun]) -> None:
    first = runs[0]
    for run in runs[1:]:
        if (run.checksum, run.folds, run.scored) != (first.checksum, first.folds, first.scored):
            raise UserError(
                f"{run.root} and {first.root} are not of the same data, folds and target; "
                "rank runs of one dataset, split and seed"
            )


def _names(runs: Sequence[FinishedRun]) -> list[str]:
    """Return each model's name, with the settings that tell runs of one model apart."""
    by_name: dict[str, FinishedRun] = {}
    for run in runs:
        name = name_among(run, runs)
        if name in by_name:
            raise UserError(
                f"{run.root} and {by_name[name].root} are both of {run.model} with the same "
                "settings; give one of them"
            )
        by_name[name] = run
    return list(by_name)


def _row(run: FinishedRun) -> dict[str, Any]:
    summary, spec = run.summary, MODELS[run.model]
    trials = pd.read_parquet(SweepPaths(run.root).trials)
    mine = trials[trials["model"] == run.model]
    curves = mine["curve"].map(json.loads)
    nulls = summary["nulls"]
    options = summary["provenance"]["options"]
    return {
        "model": run.model,
        "run": run.root.name,
        "kind": spec.kind,
        "uses": list(spec.uses),
        "test": summary["test"],
        "per_fold": [scores[SHOWN] for scores in run.test],
        "gain": None if run.model == GEOGRAPHY else summary["geography"]["gain"],
        "p_value": nulls and nulls["p_value"],
        "p_floor": nulls and nulls["p_floor"],
        "null_search": nulls and nulls["search"],
        "descriptive": bool(nulls and nulls.get("descriptive")),
        "n_nulls": nulls["n"] if nulls else 0,
        "trials": len(mine),
        "pruned": int((mine["state"] == "PRUNED").sum()),
        "failed": int((mine["state"] == "FAILED").sum()),
        "passes": int(curves.map(len).sum()),
        "seconds": float(mine["seconds"].sum()),
        "not_converged": _not_converged(mine.assign(curve=curves)),
        "genes": options["genes"],
        "samples": options["samples"],
        "max_epochs": options["max_epochs"],
        "notes": summary.get("notes", []),
    }


def _joint(found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return p over all candidates that were held against the same surrogates, if there are any."""
    names = ("p_max_t", "p_fdr", "candidates")
    return {name: None if found is None else found[name] for name in names}


def _not_converged(trials: pd.DataFrame) -> list[int]:
    """Return the outer folds whose chosen config had a validation curve that still rose."""
    folds = []
    complete = trials[trials["state"] == "COMPLETE"]
    for fold in sorted(set(complete["fold"].tolist())):
        mine = complete[complete["fold"] == fold]
        # the first of equals, as the sweep chooses
        best = mine.sort_values(["score", "number"], ascending=[False, True]).iloc[0]
        if not has_flattened([point["score"] for point in best["curve"]]):
            folds.append(fold)
    return folds


def has_flattened(scores: Sequence[float | None]) -> bool:
    """Say whether a validation curve, one score a pass, had stopped to rise; larger is better."""
    known = [_or_least(score) for score in scores]
    n_last = max(1, round(LAST_PASSES * len(known)))
    before = known[:-n_last]
    if not before:
        return True
    best = max(known)
    return best - max(before) <= STILL_RISING * (best - known[0])


def _or_least(value: float | None) -> float:
    return float("-inf") if value is None or value != value else float(value)
