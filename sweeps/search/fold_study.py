"""The Optuna study of one search, rebuilt from records, and its configs between ask and record."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial

from gx2c.errors import UserError
from gx2c.fit import FitConfig, GeneOptions, Task, derive_seed
from search_spaces.space import Scale, SearchSpace, suggest_config
from sweeps.folder.records import ConfigRecord, State

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)

STATES = {
    "COMPLETE": TrialState.COMPLETE,
    "PRUNED": TrialState.PRUNED,
    "FAILED": TrialState.FAIL,
    "RUNNING": TrialState.RUNNING,
}


@dataclass(frozen=True)
class Suggestion:
    """A proposal of the sampler: named values and the resulting config."""

    params: dict[str, Any]
    config: FitConfig


class FoldStudy:
    """Multivariate TPE over one search space.

    The sampler is seeded for each batch, so a batch depends only on the seed and earlier records: a
    restarted driver proposes exactly the same configs.

    Parameters
    ----------
    space, scale, genes
        Search space, its limits, and genes.
    task_of
        Returns the task; called when configs are proposed, because a task may follow from another
        search.
    seed
        Seed of this search.
    records
        Finished configs of complete batches, in order.
    warm
        Finished configs of earlier runs, added first; the best of them is tried first.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        scale: Scale,
        genes: GeneOptions,
        seed: int,
        task_of: Callable[[], Task] = Task,
        records: Iterable[ConfigRecord] = (),
        warm: Sequence[ConfigRecord] = (),
    ) -> None:
        self.space, self.scale, self.genes, self.seed = space, scale, genes, seed
        self.task_of = task_of
        self.first, self.n_warm = _first_params(space, scale, warm), len(warm)
        self.study = optuna.create_study(direction="maximize")
        self.study.add_trials([frozen_trial(r, space, scale, genes) for r in warm])
        self.study.add_trials([frozen_trial(r, space, scale, genes) for r in records])
        # proposed configs without a result, by number
        self.open: dict[int, optuna.trial.Trial] = {}

    def ask(self, first: int, n_configs: int) -> list[Suggestion]:
        """Suggest a batch whose first config has the number `first`."""
        self.study.sampler = optuna.samplers.TPESampler(
            # numbers continue after those of earlier runs, to avoid repeating their random draws
            seed=derive_seed(self.seed, self.n_warm + first) % 2**32,
            multivariate=True,
            group=True,
            constant_liar=True,
        )
        if first == 0:
            self.study.enqueue_trial(self.first)
        suggestions, task = [], self.task_of()
        for number in range(first, first + n_configs):
            trial = self.study.ask()
            config = suggest_config(self.space, trial, self.scale, self.genes, task)
            self.open[number] = trial
            suggestions.append(Suggestion(dict(trial.params), config))
        return suggestions

    def tell(self, record: ConfigRecord) -> None:
        """Add the result of a config."""
        trial = self.open.pop(record.number)
        for step, score in _intermediate(record).items():
            trial.report(score, step=step)
        value = record.score if record.state == "COMPLETE" else None
        self.study.tell(trial, value, state=STATES[record.state])


def frozen_trial(
    record: ConfigRecord, space: SearchSpace, scale: Scale, genes: GeneOptions
) -> FrozenTrial:
    """Return a record as the trial that the sampler is given."""
    return create_trial(
        state=STATES[record.state],
        value=record.score if record.state == "COMPLETE" else None,
        params=record.params,
        distributions=distributions_of(record, space, scale, genes),
        intermediate_values=_intermediate(record),
    )


def distributions_of(
    record: ConfigRecord, space: SearchSpace, scale: Scale, genes: GeneOptions
) -> dict[str, BaseDistribution]:
    """Return what each value of a record was chosen from."""
    fixed = FixedTrial(record.params)
    suggest_config(space, fixed, scale, genes)
    return dict(fixed.distributions)


def can_be_told(record: ConfigRecord, space: SearchSpace, scale: Scale, genes: GeneOptions) -> bool:
    """Return whether a record of another run lies in this search space."""
    with warnings.catch_warnings():
        # Optuna warns about values out of range before it refuses them
        warnings.simplefilter("ignore")
        try:
            frozen_trial(record, space, scale, genes)
        except (ValueError, UserError):
            return False
    return True


def _first_params(space: SearchSpace, scale: Scale, warm: Sequence[ConfigRecord]) -> dict[str, Any]:
    """Return the best values of earlier runs, or those of the published config."""
    complete = [r for r in warm if r.state == "COMPLETE" and r.score is not None]
    if not complete:
        return dict(space.defaults(scale))
    # the first of equal scores
    return dict(max(complete, key=lambda r: r.score or 0.0).params)


def _intermediate(record: ConfigRecord) -> dict[int, float]:
    """Return the trained epochs and the best score of a pruned config, if it has one."""
    if record.state != "PRUNED" or record.score is None:
        return {}
    return {len(record.curve): record.score}


class Place(NamedTuple):
    """The machine of a trial, its share of a GPU, and the compute profile of the device."""

    node: str = ""
    gpu_share: float = 0.0
    profile: dict[str, Any] | None = None


NOWHERE = Place()


@dataclass
class OpenConfig:
    """A config that has been proposed and is not finished."""

    number: int
    suggestion: Suggestion
    seed: int
    curve: dict[int, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0
    started: bool = False
    losses: int = 0
    held_at: int | None = None
    started_at: float = 0.0
    ended_at: float = 0.0
    place: Place = NOWHERE

    @property
    def epochs(self) -> int:
        """Number of epochs reported so far."""
        return max(self.curve, default=0)

    def worked(self, seconds: float, until: float, place: Place) -> None:
        """Note how long the work took so far, when and where."""
        self.seconds = max(self.seconds, seconds)
        self.started_at = self.started_at or until - seconds
        self.ended_at = until
        self.place = place

    def record(
        self, model: str, fold: int, batch: int, state: State, cause: str = ""
    ) -> ConfigRecord:
        """Return what is known of it; of a closed form without a curve."""
        curve = [self.curve[p] for p in sorted(self.curve)]
        scored = [p for p in curve if p["score"] is not None]
        # the first of equal scores, with the fewest epochs
        best = max(scored, key=lambda p: (p["score"], -p["epochs"]), default=None)
        return ConfigRecord(
            model=model,
            fold=fold,
            number=self.number,
            batch=batch,
            params=self.suggestion.params,
            config=self.suggestion.config.to_dict(),
            seed=self.seed,
            state=state,
            score=best["score"] if best and state != "FAILED" else None,
            epochs=best["epochs"] if best else 0,
            validation=best["validation"] if best else {},
            curve=[p for p in curve if p["epochs"]],
            seconds=self.seconds,
            cause=cause,
            started=self.started_at,
            ended=self.ended_at,
            **self.place._asdict(),
        )
