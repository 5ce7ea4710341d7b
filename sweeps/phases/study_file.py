"""Write studies into a file of Optuna's, each in one transaction.

`Study.add_trials` takes tens of milliseconds per trial and a millisecond per epoch: minutes for a
large search, whose copy a dashboard wants every few seconds.
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.study.study import _SYSTEM_ATTR_METRIC_NAMES
from optuna.trial import FrozenTrial
from sqlalchemy import event, insert

FINITE = models.TrialValueModel.TrialValueType.FINITE
FINITE_STEP = models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE


def write_studies(path: Path, studies: Mapping[tuple[str, str], Sequence[FrozenTrial]]) -> None:
    """Write a new file with the trials of each study by its name and the name of its values.

    The values are finite.
    """
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    # a damaged copy can be rewritten, so nothing needs a sync
    event.listen(storage.engine, "connect", lambda base, _: base.execute("PRAGMA synchronous=OFF"))
    storage.engine.dispose()
    try:
        keys = itertools.count(1)
        for (name, label), trials in studies.items():
            study = optuna.create_study(storage=storage, study_name=name, direction="maximize")
            # what a page writes on its axes
            storage.set_study_system_attr(study._study_id, _SYSTEM_ATTR_METRIC_NAMES, [label])
            with storage.scoped_session() as session, session.begin():
                _insert(session, study._study_id, [(next(keys), trial) for trial in trials])
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _insert(session: Any, study: int, trials: Sequence[tuple[int, FrozenTrial]]) -> None:
    session.add_all(
        models.TrialModel(
            trial_id=key,
            number=number,
            study_id=study,
            state=trial.state,
            datetime_start=trial.datetime_start,
            datetime_complete=trial.datetime_complete,
        )
        for number, (key, trial) in enumerate(trials)
    )
    session.flush()
    rows = {
        models.TrialValueModel: [
            {"trial_id": key, "objective": 0, "value": trial.value, "value_type": FINITE}
            for key, trial in trials
            if trial.value is not None
        ],
        models.TrialParamModel: [
            {
                "trial_id": key,
                "param_name": name,
                "param_value": trial.distributions[name].to_internal_repr(value),
                "distribution_json": distribution_to_json(trial.distributions[name]),
            }
            for key, trial in trials
            for name, value in trial.params.items()
        ],
        models.TrialUserAttributeModel: [
            {"trial_id": key, "key": name, "value_json": json.dumps(value)}
            for key, trial in trials
            for name, value in trial.user_attrs.items()
        ],
        models.TrialIntermediateValueModel: [
            {
                "trial_id": key,
                "step": step,
                "intermediate_value": value,
                "intermediate_value_type": FINITE_STEP,
            }
            for key, trial in trials
            for step, value in trial.intermediate_values.items()
        ],
    }
    for table, of_table in rows.items():
        if of_table:
            session.execute(insert(table), of_table)
