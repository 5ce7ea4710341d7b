"""The settings of one fit, checked and printable."""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from gx2c.data.brain import Brain
from gx2c.data.genes import gene_order
from gx2c.errors import UserError, look_up, require_fraction
from gx2c.fit.augmentation import Augmentation
from gx2c.fit.features import EXPRESSION, check_features, parse_features, reads_expression
from gx2c.models import MODELS
from gx2c.models.names import join_name
from gx2c.models.spec import COORDINATES, ModelSpec

CONNECTOME = "connectome"
GEOGRAPHY_RESIDUAL = "geography-residual"
NO_AUGMENTATION = Augmentation()
LEARNED = (CONNECTOME, GEOGRAPHY_RESIDUAL)


@dataclass(frozen=True)
class Task:
    """The inputs that replace expression, and the target; no search varies them.

    Attributes
    ----------
    features
        Names as `parse_features` takes them, in the order of the columns.
    learned
        "connectome", or "geography-residual", its residual after the spatial baseline. Either
        way, the connectome is predicted.
    augmentation
        Variation of a network's training data.
    geography
        Keywords of each member of the spatial baseline, whose predictions are averaged; by default
        one member with the defaults of `geography`.
    weight
        Factor of the learned residual in the prediction, 0 to 1.
    """

    features: tuple[str, ...] = (EXPRESSION,)
    learned: str = CONNECTOME
    augmentation: Augmentation = NO_AUGMENTATION
    geography: tuple[Mapping[str, Any], ...] = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        parse_features("+".join(self.features))
        if self.learned not in LEARNED:
            raise UserError(f"nothing to learn is named {self.learned!r}; choose from {LEARNED}")
        require_fraction("weight", self.weight)
        if self.learned == CONNECTOME and (self.geography or self.weight != 1.0):
            raise UserError(
                f"a task that learns the {CONNECTOME} has no geography and the weight 1; learn the "
                f"{GEOGRAPHY_RESIDUAL} to give others"
            )
        for keywords in self.geography:
            MODELS["geography"].build(**keywords)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return dict(_with(list, asdict(self)))

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild from plain values."""
        given = _with(tuple, plain)
        return cls(**{**given, "augmentation": Augmentation(**given.get("augmentation", {}))})


def check_task(task: Task, brain: Brain, spec: ModelSpec, uses: Collection[str]) -> None:
    """Refuse a task for which a brain lacks data.

    Parameters
    ----------
    task, brain
        The task, and the brain for which it is.
    spec, uses
        The model, and the data that it reads, some of `gx2c.models.spec.SOURCES`.

    Raises
    ------
    UserError
        If coordinates, a structural connectome or individual connectomes are needed and there are
        none.
    """
    if brain.distances_mm is not None and spec.trains_in_epochs and COORDINATES in uses:
        raise UserError(
            f"{spec.name} reads x, y and z, and {brain.name} has distances in place of "
            "coordinates; choose a model that reads none or only distances, such as geography or "
            "kernel_ridge"
        )
    check_features(task.features, brain)
    if task.augmentation.needs_subjects and brain.individual_connectomes is None:
        raise UserError(
            f"augmentation with targets of single people needs individual connectomes, and "
            f"{brain.name} has none for this target; add individual_connectomes.parquet, or "
            "choose another augmentation"
        )


SCHEDULES = ("constant", "cosine", "plateau")


@dataclass(frozen=True)
class GeneOptions:
    """Which genes a model sees, decided on training regions alone.

    Attributes
    ----------
    which
        "all", "<N>_var" (the N most variable), or a tuple of symbols.
    order
        "tss", "expression", "random" or "listed"; see `select_genes`.
    seed
        Seed of the random order.
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
        Parameters of AdamW.
    schedule
        One of `SCHEDULES`; the rate is constant within an epoch.
    block_regions
        Regions encoded in a step; all their pairs are decoded.
    max_epochs
        Epochs after which training ends; an epoch visits as many pairs as there are.
    patience
        Epochs without a better validation score after which training ends.
    correlation_loss
        Share, 0 to 1, of 1 - r over the edges of a block in the loss; the rest is mean squared
        error.
    symmetric_loss
        Factor on mean((y_ij - y_ji)^2) over the pairs of a block, added to the loss.
    ema_decay
        Decay per step, 0 to below 1, of the exponential moving average of the weights that
        predicts; 0 for the weights themselves.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    schedule: str = "cosine"
    block_regions: int = 32
    max_epochs: int = 100
    patience: int = 20
    correlation_loss: float = 0.0
    symmetric_loss: float = 0.0
    ema_decay: float = 0.0

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise UserError(f"no learning-rate schedule {self.schedule!r}; choose from {SCHEDULES}")
        for name, least in (("block_regions", 2), ("max_epochs", 1), ("patience", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise UserError(f"{name} is {value!r}; give a whole number of at least {least}")
        for name in ("learning_rate", "weight_decay", "symmetric_loss"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
                raise UserError(f"{name} is {value!r}; give a number of at least 0")
        require_fraction("correlation_loss", self.correlation_loss)
        if not 0 <= self.ema_decay < 1:
            raise UserError(f"ema_decay is {self.ema_decay}; give a number from 0 to below 1")


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
        For networks; other models ignore it.
    genes
        The genes that the model sees.
    task
        Other inputs, and the target.
    """

    model: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    genes: GeneOptions = field(default_factory=GeneOptions)
    task: Task = field(default_factory=Task)

    def __post_init__(self) -> None:
        # a caller's lists and a file's are the same config
        object.__setattr__(self, "hyperparameters", _with(tuple, self.hyperparameters))

    @property
    def name(self) -> str:
        """The model's name, with that of geography if it learns what geography leaves."""
        return join_name(self.model, after_geography=self.task.learned == GEOGRAPHY_RESIDUAL)

    @property
    def uses(self) -> tuple[str, ...]:
        """The data that this config reads, some of `gx2c.models.spec.SOURCES`."""
        return MODELS[self.model].used_by(self.hyperparameters)

    @property
    def reads_genes(self) -> bool:
        """Whether anything that this config reads is made from expression."""
        return EXPRESSION in self.uses and reads_expression(self.task.features)

    def with_weight(self, weight: float) -> Self:
        """Return the config with another weight after geography."""
        return replace(self, task=replace(self.task, weight=weight))

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts and numbers, fit for YAML and JSON."""
        return dict(_with(list, asdict(self)))

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
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
            look_up(MODELS, plain["model"], "model named")
            return cls(
                model=plain["model"],
                hyperparameters=dict(plain.get("hyperparameters", {}).items()),
                training=TrainingSettings(**plain.get("training", {})),
                genes=GeneOptions(**_with(tuple, plain.get("genes", {}))),
                task=Task.from_dict(plain.get("task", {})),
            )
        except UserError:
            raise
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise UserError(f"not a config of a fit ({error}); take one that gx2c wrote") from None


def _with(sequence: type[list[Any]] | type[tuple[Any, ...]], value: Any) -> Any:
    """Turn lists and tuples into one kind of sequence, at any depth."""
    if isinstance(value, Mapping):
        return {name: _with(sequence, one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return sequence(_with(sequence, one) for one in value)
    return value
