"""Records as trials of optuna-dashboard: with curves, times and attributes.

The sampler is given other trials (`sweeps.search.fold_study`), whose form decides what it asks.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from gx2c.metrics import HEADLINE
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, best_of, read_json
from sweeps.search.fold_study import STATES

Distributions = Callable[[ConfigRecord], dict[str, BaseDistribution]]


def fold_trials(
    paths: SweepPaths, records: Sequence[ConfigRecord], distributions: Distributions
) -> list[FrozenTrial]:
    """Return the configs of one search, each with the value of the search.

    A pruned config is valued by its last epoch, as Optuna does.
    """
    return [
        _trial(record, _value(record), distributions(record), attributes)
        for record, attributes in zip(records, _attributes(paths, records), strict=True)
    ]


def relative_trials(
    paths: SweepPaths, records: Sequence[ConfigRecord], distributions: Distributions
) -> list[FrozenTrial]:
    """Return the scored configs of one search, valued so that folds and early stops compare.

    The value is the score at the last epoch that all of them reached, minus their median.
    """
    ended = [record for record in records if record.state != "RUNNING"]
    values = _relative_values(ended)
    return [
        _trial(record, values[record.number], distributions(record), attributes, complete=True)
        for record, attributes in zip(ended, _attributes(paths, ended), strict=True)
        if record.number in values
    ]


def _relative_values(records: Sequence[ConfigRecord]) -> dict[int, float]:
    curves = {r.number: _curve(r) for r in records if r.state != "FAILED"}
    curves = {number: curve for number, curve in curves.items() if curve}
    reached = min((max(curve) for curve in curves.values()), default=0)
    scores = {number: curve[reached] for number, curve in curves.items() if reached in curve}
    median = statistics.median(scores.values()) if scores else 0.0
    return {number: score - median for number, score in scores.items()}


def _curve(record: ConfigRecord) -> dict[int, float]:
    """Return the scores by epoch; that of a closed form at 0."""
    if not record.curve:
        return {} if record.score is None else {0: record.score}
    return {p["epochs"]: p["score"] for p in record.curve if p["score"] is not None}


def _value(record: ConfigRecord) -> float | None:
    if record.state == "PRUNED":
        curve = _curve(record)
        return curve[max(curve)] if curve else None
    return record.score if record.state == "COMPLETE" else None


def _trial(
    record: ConfigRecord,
    value: float | None,
    distributions: dict[str, BaseDistribution],
    attributes: Mapping[str, Any],
    *,
    complete: bool = False,
) -> FrozenTrial:
    trial = create_trial(
        state=TrialState.COMPLETE if complete else STATES[record.state],
        value=value,
        params=record.params,
        distributions=distributions,
        user_attrs={name: value for name, value in attributes.items() if value not in (None, "")},
        intermediate_values=_curve(record),
    )
    if record.started:
        trial.datetime_start = datetime.fromtimestamp(record.started)
    if trial.state.is_finished():
        trial.datetime_complete = datetime.fromtimestamp(record.ended)
    return trial


def _attributes(paths: SweepPaths, records: Sequence[ConfigRecord]) -> list[dict[str, Any]]:
    best = best_of(records)
    return [
        {
            "outer fold": record.fold,
            "config": record.number,
            "epochs": len(record.curve),
            "validation r": record.validation.get(HEADLINE),
            "train loss": record.curve[-1].get("train_mse") if record.curve else None,
            "seconds": round(record.seconds, 3),
            "node": record.node,
            "gpu share": record.gpu_share,
            "why it ended": _why_ended(record),
            "test r": _test_score(paths, record) if record is best else None,
        }
        for record in records
    ]


def _why_ended(record: ConfigRecord) -> str:
    """Return why a config ended, "" while it runs."""
    if record.cause or record.state == "RUNNING":
        return record.cause
    if not record.curve:
        return "fitted"
    if record.state == "PRUNED":
        return f"stopped by the scheduler after epoch {len(record.curve)}"
    training = record.config["training"]
    if len(record.curve) == training["max_epochs"]:
        return f"trained for all {training['max_epochs']} epochs"
    return f"stopped early: no better score in {training['patience']} epochs"


def _test_score(paths: SweepPaths, best: ConfigRecord) -> float | None:
    """Return the test score of the best config of a search, once it has been retrained."""
    path = paths.retrained(best.model, best.fold)
    found = read_json(path) if path.exists() else {}
    # more configs may have been tried since
    return found["test"][HEADLINE] if found.get("config") == best.config else None


def dated(record: ConfigRecord, path: Path) -> ConfigRecord:
    """Give a record of an earlier version the time of its file, by which it had ended."""
    if record.ended or not path.exists():
        return record
    ended = path.stat().st_mtime
    return replace(record, started=ended - record.seconds, ended=ended)
