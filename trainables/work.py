"""What one trial is asked to do, as plain values that Ray Tune can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gx2c.data.brain import Brain
from gx2c.fit import ComputeProfile, FitConfig
from gx2c.splits.fold import Fold


@dataclass(frozen=True)
class TrialContext:
    """What all trials of a sweep share; stored once in Ray's object store.

    Attributes
    ----------
    brain
        The whole brain; a trial reads only its outer fold's training regions.
    folds
        Outer folds with their inner folds.
    metric
        By which configs are ranked.
    profile
        How to compute.
    gpu_fraction
        Share of a GPU that a trial may fill; 0 for none.
    train_test_edges
        Whether retraining scores edges between training and test regions too.
    trial_timeout_s
        Longest work of a network in one trial; 0 for no limit.
    report_interval_s
        A network reports at least this often; what is reported never changes a result.
    checkpoint_interval_s
        Least time between two checkpoints taken for safety.
    """

    brain: Brain
    folds: tuple[Fold, ...]
    metric: str
    profile: ComputeProfile
    gpu_fraction: float = 0.0
    train_test_edges: bool = False
    trial_timeout_s: float = 0.0
    report_interval_s: float = 5.0
    checkpoint_interval_s: float = 30.0


@dataclass(frozen=True)
class TrialWork:
    """One config of a network, or a batch of configs of a closed form, on one outer fold.

    Attributes
    ----------
    model
        The model of all these configs.
    fold
        Number of the outer fold.
    numbers
        Of the configs within their search.
    configs
        One per number.
    seeds
        One per number.
    milestones
        Passes at which a network must report, so that a scheduler may decide.
    checkpoints
        Paths, in the storage of the sweep, of what an earlier session left of this work; the
        first that can be used is continued.
    """

    model: str
    fold: int
    numbers: tuple[int, ...]
    configs: tuple[FitConfig, ...]
    seeds: tuple[int, ...]
    milestones: tuple[int, ...] = ()
    checkpoints: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A short unique name for the trial's folder and for dashboards."""
        last = f"-{self.numbers[-1]}" if len(self.numbers) > 1 else ""
        return f"{self.model}_fold{self.fold}_config{self.numbers[0]}{last}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "model": self.model,
            "fold": self.fold,
            "numbers": list(self.numbers),
            "configs": [config.to_dict() for config in self.configs],
            "seeds": list(self.seeds),
            "milestones": list(self.milestones),
            "checkpoints": list(self.checkpoints),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TrialWork:
        """Rebuild from plain values."""
        return cls(
            model=plain["model"],
            fold=plain["fold"],
            numbers=tuple(plain["numbers"]),
            configs=tuple(FitConfig.from_dict(config) for config in plain["configs"]),
            seeds=tuple(plain["seeds"]),
            milestones=tuple(plain["milestones"]),
            checkpoints=tuple(plain["checkpoints"]),
        )
