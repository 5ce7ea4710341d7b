"""What a finished sweep hands on: the table of trials, the best configs, a study to look at."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import optuna
import pandas as pd
import yaml

from gx2c.errors import UserError
from search_spaces import SEARCH_SPACES
from sweeps.conditions import conditions
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan
from sweeps.records import ConfigRecord, write_bytes
from sweeps.retrain_phase import RetrainJob
from sweeps.search.fold_study import frozen_trial

Records = Mapping[tuple[str, int], Sequence[ConfigRecord]]


def write_trials(paths: SweepPaths, records: Records) -> None:
    """Write every config with its values, curve, state and seconds as parquet."""
    rows = [
        {
            "model": r.model,
            "fold": r.fold,
            "number": r.number,
            "batch": r.batch,
            "state": r.state,
            "score": r.score,
            "passes": r.passes,
            "seconds": r.seconds,
            "seed": r.seed,
            "cause": r.cause,
            "params": json.dumps(r.params),
            "config": json.dumps(r.config),
            "validation": json.dumps(r.validation),
            "curve": json.dumps(r.curve),
        }
        for search in records.values()
        for r in search
    ]
    buffer = BytesIO()
    pd.DataFrame(rows).to_parquet(buffer, index=False)
    write_bytes(paths.trials, buffer.getvalue())


def write_best(paths: SweepPaths, plan: SweepPlan, jobs: Sequence[RetrainJob]) -> None:
    """Write all that a rerun of the retrained models needs, and nothing that it must trust."""
    labels = plan.brain.labels
    content = {
        "gx2c": "best configs, one per model and outer fold; `gx2c rerun` retrains them",
        "dataset": plan.options.dataset,
        "checksum": plan.brain.checksum,
        "model": plan.options.model,
        "split": plan.options.split,
        "conditions": conditions(plan.options),
        "seed": plan.options.seed,
        "view": plan.options.view.to_dict(),
        "train_test_edges": plan.options.train_test_edges,
        "profile": plan.profile.to_dict(),
        "folds": [
            {
                "fold": number,
                "train_regions": [labels[i] for i in fold.train_regions],
                "test_regions": [labels[i] for i in fold.test_regions],
                "blocks": None if fold.blocks is None else fold.blocks.tolist(),
            }
            for number, fold in enumerate(plan.folds)
        ],
        "jobs": [asdict(job) for job in jobs],
    }
    text = yaml.safe_dump(content, sort_keys=False, width=100)
    write_bytes(paths.best, text.encode())


def write_study(plan: SweepPlan, paths: SweepPaths, records: Records) -> None:
    """Write a copy of the search for optuna-dashboard, one study per model and outer fold.

    What was there, whole or damaged, is replaced.

    Raises
    ------
    UserError
        If it cannot be written.
    """
    # only a sweep's end needs what takes a tenth of a second to import
    from sqlalchemy.exc import SQLAlchemyError

    temporary = paths.study.with_name(f".{paths.study.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)
        _write_studies(plan, temporary, records)
        # whoever looks at the copy of a sweep that goes on sees the old one or the new one
        temporary.replace(paths.study)
    except (OSError, optuna.exceptions.StorageInternalError, SQLAlchemyError) as error:
        temporary.unlink(missing_ok=True)
        why = str(error).splitlines()[0]
        raise UserError(f"{paths.study} cannot be written ({why})") from None


def _write_studies(plan: SweepPlan, path: Path, records: Records) -> None:
    from sqlalchemy import event

    scale, genes = plan.scale(), plan.genes
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    # Optuna commits every trial; a copy that a power cut spoils is made anew, so none needs a sync
    event.listen(storage.engine, "connect", lambda base, _: base.execute("PRAGMA synchronous=OFF"))
    storage.engine.dispose()
    for (model, fold), search in records.items():
        study = optuna.create_study(
            storage=storage, study_name=f"{model}_fold_{fold}", direction="maximize"
        )
        study.add_trials([frozen_trial(r, SEARCH_SPACES[model], scale, genes) for r in search])
    storage.remove_session()
    storage.engine.dispose()
