"""Copies of a run's search for other tools: trials.parquet, and study.db for optuna-dashboard.

The sampler is given other trials (`sweeps.search.fold_study`), whose form decides what it asks.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from gx2c.errors import UserError
from gx2c.metrics import HEADLINE
from sweeps.folder.lock import holder_of
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import (
    ConfigRecord,
    Records,
    RecordStore,
    best_of,
    curve_of,
    read_json,
    relative_scores,
    write_bytes,
    write_json,
)
from sweeps.request.files import read_options
from sweeps.request.plan import SweepPlan, make_plan
from sweeps.search.fold_study import STATES, distributions_of

Distributions = Callable[[ConfigRecord], dict[str, BaseDistribution]]

CURVE_COLUMNS = ["model", "fold", "number", "epochs", "score"]
# the values of configs of all outer folds, on the axes of a dashboard
RELATIVE = "score minus fold's median"


def write_trials(paths: SweepPaths, records: Records) -> None:
    """Write a row per config, a column per value, and a row per epoch of the curves, as parquet.

    `params.NAME` is a hyperparameter, missing where a config has none, and `validation.NAME` a
    metric; `config` is the whole config as JSON.
    """
    found = [record for search in records.values() for record in search]
    rows = []
    for record in found:
        row = asdict(record)
        row.pop("curve")
        for nested in ("params", "validation"):
            row |= {f"{nested}.{name}": value for name, value in row.pop(nested).items()}
        rows.append({name: _plain(value) for name, value in row.items()})
    curves = [
        {"model": r.model, "fold": r.fold, "number": r.number}
        | {name: value for name, value in point.items() if name != "validation"}
        | {f"validation.{name}": value for name, value in (point.get("validation") or {}).items()}
        for r in found
        for point in r.curve
    ]
    _write_table(paths.trials, pd.DataFrame(rows))
    _write_table(paths.curves, pd.DataFrame(curves, columns=None if curves else CURVE_COLUMNS))


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list | tuple) else value


def _write_table(path: Path, table: pd.DataFrame) -> None:
    for name in table.columns:
        # two models may give one name to numbers and to words
        if len({type(value) for value in table[name].dropna()} - {int, float}) > 1:
            table[name] = table[name].map(str, na_action="ignore")
    buffer = BytesIO()
    table.to_parquet(buffer, index=False)
    write_bytes(path, buffer.getvalue())


def copy_study(paths: SweepPaths) -> Path:
    """Write the study of a run, which may be unfinished, from its records."""
    plan = make_plan(read_options(paths))
    write_study(plan, paths, read_records(plan, paths))
    return paths.study


def read_records(plan: SweepPlan, paths: SweepPaths) -> Records:
    """Read the finished configs of every search."""
    store = RecordStore(paths)
    keys = [(model, fold) for model in plan.searched for fold in range(len(plan.folds))]
    return {key: list(store.load(*key).values()) for key in keys}


def write_running(paths: SweepPaths, records: Iterable[ConfigRecord]) -> None:
    """Write the configs that train now, for dashboards."""
    write_json(paths.running, {"configs": [asdict(record) for record in records]})


def _read_running(paths: SweepPaths) -> list[ConfigRecord]:
    """Read the configs that train now: none if no sweep is running."""
    if holder_of(paths.root) is None or not paths.running.exists():
        return []
    return [ConfigRecord(**one) for one in read_json(paths.running)["configs"]]


def write_study(plan: SweepPlan, paths: SweepPaths, records: Records) -> None:
    """Write a copy of the search for optuna-dashboard: studies over all outer folds, then of each.

    An existing copy, intact or damaged, is replaced.
    """
    # takes a tenth of a second to import, and is only needed at the end of a sweep
    from sqlalchemy.exc import SQLAlchemyError

    from sweeps.phases.study_file import write_studies

    temporary = paths.study.with_name(f".{paths.study.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)
        write_studies(temporary, _studies(plan, paths, records))
        # readers of the copy of a running sweep see either the old or the new file
        temporary.replace(paths.study)
    except (OSError, optuna.exceptions.StorageInternalError, SQLAlchemyError) as error:
        temporary.unlink(missing_ok=True)
        why = str(error).splitlines()[0]
        raise UserError(f"{paths.study} cannot be written ({why})") from None


def _studies(
    plan: SweepPlan, paths: SweepPaths, records: Records
) -> dict[tuple[str, str], list[FrozenTrial]]:
    """Return the trials of each study by its name and values, those over all folds first."""
    running = _read_running(paths)
    over_folds: dict[tuple[str, str], list[FrozenTrial]] = {}
    by_fold: dict[tuple[str, str], list[FrozenTrial]] = {}
    for (model, fold), finished in records.items():
        search = [dated(r, paths.record(model, fold, r.number)) for r in finished]
        ended = {record.number for record in search}
        search += [r for r in running if (r.model, r.fold) == (model, fold)]
        search = [r for r in search if r.state != "RUNNING" or r.number not in ended]
        search.sort(key=lambda record: record.number)
        distributions = partial(
            distributions_of,
            space=plan.space(model, fold),
            scale=plan.scale(fold),
            genes=plan.genes,
        )
        by_fold[f"{model}_fold_{fold}", "score"] = fold_trials(paths, search, distributions)
        compared = over_folds.setdefault((f"{model}_all_folds", RELATIVE), [])
        compared += relative_trials(paths, search, distributions)
    return over_folds | by_fold


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
    values = relative_scores(ended)
    return [
        _trial(record, values[record.number], distributions(record), attributes, complete=True)
        for record, attributes in zip(ended, _attributes(paths, ended), strict=True)
        if record.number in values
    ]


def _value(record: ConfigRecord) -> float | None:
    if record.state == "PRUNED":
        curve = curve_of(record)
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
        intermediate_values=curve_of(record),
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
