"""The work of one trial, as plain values that Ray Tune can pass on, and its checkpoint."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import torch

from gx2c.data.brain import Brain
from gx2c.fit import ComputeProfile, FitConfig
from gx2c.splits.fold import Fold

CHECKPOINT_FILE = "trial.pt"
_DIGEST_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class TrialContext:
    """Objects that all trials of a sweep share; stored once in Ray's object store.

    Attributes
    ----------
    brain
        The whole brain; a trial reads only its outer fold's training regions.
    folds
        Outer folds with their inner folds.
    metric
        Validation metric that ranks configs.
    profile
        Compute profile of every fit.
    gpu_fraction
        Share of a GPU that a trial may fill; 0 for none.
    train_test_edges
        Whether retraining also scores edges between training and test regions.
    trial_timeout_s
        Time limit for training a network in one trial, s; 0 for none.
    report_interval_s
        Longest time between reports of a network, s; reports never change a result.
    checkpoint_interval_s
        Shortest time between two checkpoints taken for safety, s.
    split, conditions
        The sweep's, which are saved with a retrained model.
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
    split: str = ""
    conditions: tuple[str, ...] = ()

    def on_this_device(self) -> Self:
        """Return the context with the compute profile of this process's device."""
        return replace(self, profile=self.profile.on_this_device())


def title_of(model: str, fold: int, numbers: Sequence[int]) -> str:
    """Name the work of a trial for people: "smt fold 2 config 5"."""
    last = f"-{numbers[-1]}" if len(numbers) > 1 else ""
    return f"{model} fold {fold} config {numbers[0]}{last}"


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
        Numbers of the configs within their search.
    configs
        One config per number.
    seeds
        One seed per number.
    milestones
        Epochs at which a network must report, so that the scheduler can decide.
    checkpoints
        Paths in the sweep's storage of checkpoints that an earlier session took of this work; the
        trial continues from the first usable one.
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
        """Return plain values, with the name for those who need no more."""
        plain = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }
        return plain | {"name": self.name, "configs": [c.to_dict() for c in self.configs]}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild from plain values."""
        known = {key.name: plain[key.name] for key in fields(cls)}
        known["configs"] = map(FitConfig.from_dict, plain["configs"])
        given: dict[str, Any] = {
            n: v if isinstance(v, (int, str)) else tuple(v) for n, v in known.items()
        }
        return cls(**given)


class UnusableCheckpointError(ValueError):
    """A checkpoint that is damaged or belongs to other work; the trial starts over."""


def write_checkpoint(folder: Path, work: TrialWork, state: dict[str, Any]) -> None:
    """Write the state from which a trial continues.

    Parameters
    ----------
    folder
        Destination folder.
    work
        The trial's work.
    state
        Tensors and plain values, so that loading needs no pickled code.
    """
    buffer = BytesIO()
    torch.save({"work": _identity(work), "state": state}, buffer)
    content = buffer.getvalue()
    (folder / CHECKPOINT_FILE).write_bytes(hashlib.sha256(content).digest() + content)


def read_checkpoint(content: bytes, work: TrialWork, *, device: str) -> dict[str, Any]:
    """Return the state in a checkpoint.

    Raises
    ------
    UnusableCheckpointError
        If a byte is missing or changed, or other work wrote it.
    """
    digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(payload).digest() != digest:
        raise UnusableCheckpointError(f"the checkpoint of {work.name} is damaged")
    saved = torch.load(BytesIO(payload), weights_only=True, map_location=device)
    if saved["work"] != _identity(work):
        raise UnusableCheckpointError(f"the checkpoint of {work.name} belongs to another config")
    return dict(saved["state"])


def _identity(work: TrialWork) -> str:
    # the location of checkpoints and the time of reports do not affect results
    return json.dumps(replace(work, checkpoints=(), milestones=()).to_dict())
