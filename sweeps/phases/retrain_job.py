"""Retraining of an outer fold: the best config, or an ensemble, with its rates and seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from gx2c.fit import Chosen, FitConfig, epochs_to_retrain
from gx2c.fit.config import GEOGRAPHY_RESIDUAL
from gx2c.splits import Fold
from sweeps.folder.records import ConfigRecord, Records, ranked
from sweeps.folder.results import Result
from sweeps.phases.search import best_record
from sweeps.request.plan import SweepPlan
from sweeps.search.seeds import member_seed, retrain_seed


@dataclass(frozen=True)
class Member:
    """One model of an ensemble: config, learning rate of each epoch, seed."""

    config: FitConfig
    learning_rates: list[float]
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return vars(self) | {"config": self.config.to_dict()}


@dataclass(frozen=True)
class RetrainJob:
    """Everything that determines a retrained model, or an ensemble, to the last digit.

    Attributes
    ----------
    config, fold
        The best config, and the place of the outer fold among those of all seeds.
    learning_rates
        One rate per epoch; empty for a closed form.
    seed
        Seed of the retrained model.
    others
        The other members of an ensemble, config by config.
    n_seeds
        Seeds of each config.
    weigh
        Whether the weight of the model's prediction after geography is chosen first.
    """

    config: FitConfig
    fold: int
    learning_rates: list[float]
    seed: int
    others: tuple[Member, ...] = ()
    n_seeds: int = 1
    weigh: bool = False

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.config.name

    @property
    def title(self) -> str:
        """A name for people."""
        return f"retrain {self.model} fold {self.fold}"

    @property
    def size(self) -> int:
        """Number of models or ensembles, for progress."""
        return 1

    @property
    def members(self) -> tuple[Member, ...]:
        """All members, the best config's first."""
        return (Member(self.config, self.learning_rates, self.seed), *self.others)

    @property
    def chosen(self) -> list[Chosen]:
        """Each config once."""
        return [Chosen(m.config, tuple(m.learning_rates)) for m, *_ in self._by_config()]

    @property
    def seeds(self) -> list[list[int]]:
        """Seeds of each config."""
        return [[member.seed for member in of_config] for of_config in self._by_config()]

    def _by_config(self) -> list[tuple[Member, ...]]:
        members, n = self.members, self.n_seeds
        return [members[first : first + n] for first in range(0, len(members), n)]

    def with_weight(self, weight: float) -> Self:
        """Return the job with a weight in every config, and nothing left to choose."""
        others = tuple(replace(m, config=m.config.with_weight(weight)) for m in self.others)
        return replace(self, config=self.config.with_weight(weight), others=others, weigh=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "model": self.model,
            "fold": self.fold,
            "config": self.config.to_dict(),
            "learning_rates": self.learning_rates,
            "seed": self.seed,
            "others": [member.to_dict() for member in self.others],
            "n_seeds": self.n_seeds,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild from plain values; earlier versions knew no ensembles."""
        others = (
            Member(FitConfig.from_dict(one["config"]), one["learning_rates"], one["seed"])
            for one in plain.get("others", ())
        )
        return cls(
            FitConfig.from_dict(plain["config"]),
            plain["fold"],
            plain["learning_rates"],
            plain["seed"],
            tuple(others),
            plain.get("n_seeds", 1),
        )


def job_of(
    record: ConfigRecord,
    fold: Fold,
    *,
    runners_up: Sequence[ConfigRecord] = (),
    n_seeds: int = 1,
) -> RetrainJob:
    """Return the retraining of a search's best config, or of an ensemble with its runners-up."""
    first = retrain_seed(fold.seed, record.model, fold.number)
    members = [
        Member(FitConfig.from_dict(one.config), _rates(one), member_seed(first, place, repeat))
        for place, one in enumerate((record, *runners_up))
        for repeat in range(n_seeds)
    ]
    best = members[0]
    return RetrainJob(
        best.config,
        record.fold,
        best.learning_rates,
        best.seed,
        tuple(members[1:]),
        n_seeds,
        weigh=best.config.task.learned == GEOGRAPHY_RESIDUAL,
    )


def _rates(record: ConfigRecord) -> list[float]:
    """Return the learning rates with which a config is retrained."""
    settings = FitConfig.from_dict(record.config).training
    n_epochs = epochs_to_retrain(record.epochs, trained=len(record.curve), settings=settings)
    return [point["learning_rate"] for point in record.curve[:n_epochs]]


def jobs_of_searches(plan: SweepPlan, records: Records) -> list[RetrainJob]:
    """Return the retraining of every model on every outer fold."""
    jobs = []
    for (model, fold), tried in records.items():
        best, finished = best_record(list(tried), model=model, fold=fold), ranked(tried)
        size = plan.ensemble(model).among(len(finished), model)
        more = finished[1 : size.n_configs]
        jobs.append(job_of(best, plan.folds[fold], runners_up=more, n_seeds=size.n_seeds))
    return jobs


def job_of_result(result: Result) -> RetrainJob:
    """Return the job of a finished record."""
    return RetrainJob.from_dict(vars(result))
