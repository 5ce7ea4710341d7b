"""What a search space is: a function that declares what may vary, and where to start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from gx2c.errors import UserError
from gx2c.fit.config import FitConfig, GeneOptions, TrainingSettings
from gx2c.fit.task import Task

Value = bool | int | float | str
DEFAULT_TASK = Task()
ChoiceT = TypeVar("ChoiceT", bool, int, float, str)


class TrialLike(Protocol):
    """The part of an Optuna trial that a search space uses."""

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool = False) -> float:
        """Suggest a number between `low` and `high`, both included."""

    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool = False) -> int:
        """Suggest a whole number between `low` and `high`, both included."""

    def suggest_categorical(self, name: str, choices: Sequence[ChoiceT], /) -> ChoiceT:
        """Suggest one of `choices`."""


@dataclass(frozen=True)
class Scale:
    """The size of the problem; a study's choices may depend on it, for it is fixed in a study.

    Attributes
    ----------
    small
        Whether widths and depths are the reduced ones of the quick preset.
    n_genes
        Genes that the model sees, or columns of features in their place.
    n_train_regions
        Fewest training regions of any inner fold.
    max_passes, patience
        See `TrainingSettings`; handed on, never searched.
    has_gene_vectors
        Whether numbers that describe each gene are at hand.

    Raises
    ------
    UserError
        If there is no gene, or fewer than two training regions.
    """

    small: bool
    n_genes: int
    n_train_regions: int
    max_passes: int
    patience: int
    has_gene_vectors: bool = False

    def __post_init__(self) -> None:
        if self.n_genes < 1:
            raise UserError(f"a search has {self.n_genes} genes; it needs at least 1")
        if self.n_train_regions < 2:
            raise UserError(
                f"an inner fold has {self.n_train_regions} training region(s) and needs at least "
                "2; take fewer folds or inner folds"
            )


Suggestion = tuple[dict[str, Any], TrainingSettings | None]


@dataclass(frozen=True)
class SearchSpace:
    """What may vary in one model.

    Attributes
    ----------
    model
        A key of `gx2c.models.MODELS`.
    suggest
        Define by run: asks the trial for every value that acts, and returns the model's keywords
        and, for an iterative model, how to train it.
    first
        Values (by the names that `suggest` uses) of the config to try first: the published best.
    first_small
        What replaces them where `Scale.small` holds.
    most_components
        The most components on offer, by name; where the training regions allow fewer, the search
        is capped and says so.
    """

    model: str
    suggest: Callable[[TrialLike, Scale], Suggestion]
    first: Mapping[str, Value] = field(default_factory=dict)
    first_small: Mapping[str, Value] = field(default_factory=dict)
    most_components: Mapping[str, int] = field(default_factory=dict)

    @property
    def fixed(self) -> bool:
        """Whether nothing may vary: every config would be the same."""
        return not self.first

    def defaults(self, scale: Scale) -> dict[str, Value]:
        """Return the values of the config to try first, each moved to the nearest on offer."""
        wanted = {**self.first, **self.first_small} if scale.small else self.first
        trial = NearestTrial(wanted)
        self.suggest(trial, scale)
        return trial.params


class NearestTrial:
    """A trial that answers with the wanted values, or the nearest on offer, and notes them.

    Parameters
    ----------
    wanted
        A value for every name that may be asked for; words must be among the choices.
    """

    def __init__(self, wanted: Mapping[str, Value]) -> None:
        self.wanted = wanted
        self.params: dict[str, Value] = {}

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool = False) -> float:
        """Return the wanted number, moved into the range."""
        value = min(max(float(self.wanted[name]), low), high)
        self.params[name] = value
        return value

    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool = False) -> int:
        """Return the wanted whole number, moved into the range."""
        value = min(max(int(self.wanted[name]), low), high)
        self.params[name] = value
        return value

    def suggest_categorical(self, name: str, choices: Sequence[ChoiceT], /) -> ChoiceT:
        """Return the wanted choice, or the nearest number."""
        wanted = self.wanted[name]
        if wanted in choices:
            value = choices[choices.index(wanted)]
        else:
            assert not isinstance(wanted, str), f"{name}: {wanted!r} is not among {choices}"
            value = min(choices, key=lambda choice: abs(float(choice) - wanted))
        self.params[name] = value
        return value


def suggest_one(trial: TrialLike, name: str, choices: Sequence[ChoiceT]) -> ChoiceT:
    """Suggest one of `choices`, or return the only one without asking: it cannot vary."""
    return choices[0] if len(choices) == 1 else trial.suggest_categorical(name, choices)


def suggest_config(
    space: SearchSpace,
    trial: TrialLike,
    scale: Scale,
    genes: GeneOptions,
    task: Task = DEFAULT_TASK,
) -> FitConfig:
    """Ask a trial for the config that it stands for.

    Parameters
    ----------
    space
        A value of `search_spaces.SEARCH_SPACES`.
    trial
        An Optuna trial, or anything like it.
    scale
        The same for every trial of a study.
    genes
        The genes that the model sees; not searched.
    task
        What else it sees, and what it learns; not searched.
    """
    hyperparameters, training = space.suggest(trial, scale)
    return FitConfig(
        model=space.model,
        hyperparameters=hyperparameters,
        training=TrainingSettings() if training is None else training,
        genes=genes,
        task=task,
    )
