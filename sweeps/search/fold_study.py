"""The Optuna study of one search, rebuilt from records whenever a driver starts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial

from gx2c.errors import UserError
from gx2c.fit import FitConfig, GeneOptions, Task, derive_seed
from search_spaces.space import Scale, SearchSpace, suggest_config
from sweeps.records import ConfigRecord

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)

DEFAULT_TASK = Task()
_STATES = {
    "COMPLETE": TrialState.COMPLETE,
    "PRUNED": TrialState.PRUNED,
    "FAILED": TrialState.FAIL,
}


@dataclass(frozen=True)
class Suggestion:
    """What the searcher proposes: named values and the config that they make."""

    params: dict[str, Any]
    config: FitConfig


class FoldStudy:
    """Multivariate TPE over one search space.

    The sampler is seeded anew for each batch, so that a batch depends on the records before it
    and on the seed alone: a driver that starts again asks for exactly the same configs.

    Parameters
    ----------
    space, scale, genes, task
        What may vary, within which limits, on which genes, and what is read and learned.
    seed
        Of this search.
    records
        Finished configs of complete batches, in order.
    warm
        Finished configs of earlier runs, told before all others; the best of them is tried first.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        scale: Scale,
        genes: GeneOptions,
        seed: int,
        task: Task = DEFAULT_TASK,
        records: Iterable[ConfigRecord] = (),
        warm: Sequence[ConfigRecord] = (),
    ) -> None:
        self.space, self.scale, self.genes, self.seed = space, scale, genes, seed
        self.task = task
        self.first, self.n_warm = _first_params(space, scale, warm), len(warm)
        self.study = optuna.create_study(direction="maximize")
        self.study.add_trials([frozen_trial(r, space, scale, genes) for r in warm])
        self.study.add_trials([frozen_trial(r, space, scale, genes) for r in records])
        self._open: dict[int, optuna.trial.Trial] = {}

    @property
    def open_numbers(self) -> set[int]:
        """Numbers of configs asked and not yet told."""
        return set(self._open)

    def ask(self, first: int, n_configs: int) -> list[Suggestion]:
        """Suggest a batch whose first config has the number `first`."""
        self.study.sampler = optuna.samplers.TPESampler(
            # numbers go on after those of the earlier runs, whose random draws would come again
            seed=derive_seed(self.seed, self.n_warm + first) % 2**32,
            multivariate=True,
            group=True,
            constant_liar=True,
        )
        if first == 0:
            self.study.enqueue_trial(self.first)
        suggestions = []
        for number in range(first, first + n_configs):
            trial = self.study.ask()
            config = suggest_config(self.space, trial, self.scale, self.genes, self.task)
            self._open[number] = trial
            suggestions.append(Suggestion(dict(trial.params), config))
        return suggestions

    def tell(self, record: ConfigRecord) -> None:
        """Pass on what came of a config."""
        trial = self._open.pop(record.number)
        for step, score in _intermediate(record).items():
            trial.report(score, step=step)
        value = record.score if record.state == "COMPLETE" else None
        self.study.tell(trial, value, state=_STATES[record.state])


def frozen_trial(
    record: ConfigRecord, space: SearchSpace, scale: Scale, genes: GeneOptions
) -> FrozenTrial:
    """Return a record as an Optuna trial."""
    fixed = FixedTrial(record.params)
    suggest_config(space, fixed, scale, genes)
    return create_trial(
        state=_STATES[record.state],
        value=record.score if record.state == "COMPLETE" else None,
        params=record.params,
        distributions=fixed.distributions,
        intermediate_values=_intermediate(record),
    )


def can_be_told(record: ConfigRecord, space: SearchSpace, scale: Scale, genes: GeneOptions) -> bool:
    """Say whether a record of another run lies in this search space."""
    with warnings.catch_warnings():
        # a value out of range is warned of before it is refused
        warnings.simplefilter("ignore")
        try:
            frozen_trial(record, space, scale, genes)
        except (ValueError, UserError):
            return False
    return True


def _first_params(space: SearchSpace, scale: Scale, warm: Sequence[ConfigRecord]) -> dict[str, Any]:
    """Return the best values of earlier runs, else those of the published config."""
    complete = [r for r in warm if r.state == "COMPLETE" and r.score is not None]
    if not complete:
        return dict(space.defaults(scale))
    # the first of equals
    return dict(max(complete, key=lambda r: r.score or 0.0).params)


def _intermediate(record: ConfigRecord) -> dict[int, float]:
    """Return what is known of a pruned config: passes trained and best score, if it has one."""
    if record.state != "PRUNED" or record.score is None:
        return {}
    return {len(record.curve): record.score}
