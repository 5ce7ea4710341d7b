"""Copies of a run's search for other tools: trials.parquet, and study.db for optuna-dashboard."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from io import BytesIO
from pathlib import Path

import optuna
import pandas as pd
from optuna.trial import FrozenTrial

from gx2c.errors import UserError
from search_spaces import get_search_space
from sweeps.folder.lock import holder_of
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import (
    ConfigRecord,
    Records,
    RecordStore,
    read_json,
    write_bytes,
    write_json,
)
from sweeps.phases.study_trials import dated, fold_trials, relative_trials
from sweeps.request.files import read_options
from sweeps.request.plan import SweepPlan, make_plan
from sweeps.search.fold_study import distributions_of


def write_trials(paths: SweepPaths, records: Records) -> None:
    """Write every config with its values, curve, state and seconds as parquet."""
    rows = [
        {
            name: json.dumps(value) if isinstance(value, dict | list) else value
            for name, value in asdict(record).items()
        }
        for search in records.values()
        for record in search
    ]
    buffer = BytesIO()
    pd.DataFrame(rows).to_parquet(buffer, index=False)
    write_bytes(paths.trials, buffer.getvalue())


def copy_study(paths: SweepPaths) -> Path:
    """Write the study of a run, which may be unfinished, from its records."""
    plan = make_plan(read_options(paths))
    write_study(plan, paths, read_records(plan, paths))
    return paths.study


def read_records(plan: SweepPlan, paths: SweepPaths) -> Records:
    """Read the finished configs of every search."""
    store = RecordStore(paths)
    keys = [(model, fold) for model in plan.models for fold in range(len(plan.folds))]
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


def _studies(plan: SweepPlan, paths: SweepPaths, records: Records) -> dict[str, list[FrozenTrial]]:
    """Return the trials of each study by its name, those over all folds first."""
    running = _read_running(paths)
    over_folds: dict[str, list[FrozenTrial]] = {}
    by_fold: dict[str, list[FrozenTrial]] = {}
    for (model, fold), finished in records.items():
        search = [dated(r, paths.record(model, fold, r.number)) for r in finished]
        ended = {record.number for record in search}
        search += [r for r in running if (r.model, r.fold) == (model, fold)]
        search = [r for r in search if r.state != "RUNNING" or r.number not in ended]
        search.sort(key=lambda record: record.number)
        distributions = partial(
            distributions_of, space=get_search_space(model), scale=plan.scale(), genes=plan.genes
        )
        by_fold[f"{model}_fold_{fold}"] = fold_trials(paths, search, distributions)
        compared = over_folds.setdefault(f"{model}_all_folds", [])
        compared += relative_trials(paths, search, distributions)
    return over_folds | by_fold
