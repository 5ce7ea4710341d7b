"""What one fit needs to know, checked and printable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from gx2c.data.genes import gene_order
from gx2c.errors import UserError
from gx2c.fit.task import Task
from gx2c.models import MODELS

SCHEDULES = ("constant", "cosine", "plateau")


@dataclass(frozen=True)
class GeneOptions:
    """Which genes a model sees, decided on training regions alone.

    Attributes
    ----------
    which
        "all", "<N>_var" (the N most variable), or a tuple of symbols.
    order
        "tss", "expression" or "random".
    seed
        Of the random order.
    """

    which: str | tuple[str, ...] = "all"
    order: str = "tss"
    seed: int = 0

    def __post_init__(self) -> None:
        symbols = (self.which,) if isinstance(self.which, str) else self.which
        if not isinstance(symbols, tuple) or not all(isinstance(s, str) for s in symbols):
            raise UserError(f"genes {self.which!r} are no choice; give a rule or a list of symbols")
        gene_order(self.order)
        if not isinstance(self.seed, int) or self.seed < 0:
            raise UserError(f"the seed of genes is {self.seed!r}; give a whole number from 0 on")


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained.

    Attributes
    ----------
    learning_rate, weight_decay
        Of AdamW.
    schedule
        One of `SCHEDULES`; the rate is constant within a pass.
    block_regions
        Regions encoded in a step; all their pairs are decoded.
    max_passes
        Passes after which training ends; a pass visits as many pairs as there are.
    patience
        Passes without a better validation score after which training ends.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    schedule: str = "cosine"
    block_regions: int = 32
    max_passes: int = 100
    patience: int = 20

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise UserError(f"no learning-rate schedule {self.schedule!r}; choose from {SCHEDULES}")
        for name, least in (("block_regions", 2), ("max_passes", 1), ("patience", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise UserError(f"{name} is {value!r}; give a whole number of at least {least}")
        for name in ("learning_rate", "weight_decay"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
                raise UserError(f"{name} is {value!r}; give a number of at least 0")


@dataclass(frozen=True)
class FitConfig:
    """One model with the values of everything that a search may choose.

    Attributes
    ----------
    model
        A key of `gx2c.models.MODELS`.
    hyperparameters
        Keywords of that model.
    training
        For iterative models; ignored by closed-form ones.
    genes
        The genes that the model sees.
    task
        What else it sees, and what it is to learn.
    """

    model: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    genes: GeneOptions = field(default_factory=GeneOptions)
    task: Task = field(default_factory=Task)

    @property
    def uses(self) -> tuple[str, ...]:
        """What this config reads, some of `gx2c.models.protocol.SOURCES`."""
        return MODELS[self.model].used_by(self.hyperparameters)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts and numbers, fit for YAML and JSON."""
        plain = asdict(self)
        plain["hyperparameters"] = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self.hyperparameters.items()
        }
        if isinstance(self.genes.which, tuple):
            plain["genes"]["which"] = list(self.genes.which)
        return plain | {"task": self.task.to_dict()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> FitConfig:
        """Rebuild a config, refusing keys that it does not know.

        Raises
        ------
        UserError
            If a key is unknown or missing, or a value cannot be.
        """
        try:
            keys = [key.name for key in fields(cls)]
            if unknown := sorted(plain.keys() - set(keys)):
                raise UserError(f"a config of a fit has no {unknown}; it has only {keys}")
            if plain["model"] not in MODELS:
                raise UserError(f"no model named {plain['model']!r}; choose from {sorted(MODELS)}")
            genes = dict(plain.get("genes", {}))
            if isinstance(genes.get("which"), list):
                genes["which"] = tuple(genes["which"])
            return cls(
                model=plain["model"],
                hyperparameters={
                    name: tuple(value) if isinstance(value, list) else value
                    for name, value in plain.get("hyperparameters", {}).items()
                },
                training=TrainingSettings(**plain.get("training", {})),
                genes=GeneOptions(**genes),
                task=Task.from_dict(plain.get("task", {})),
            )
        except UserError:
            raise
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise UserError(f"not a config of a fit ({error}); take one that gx2c wrote") from None
