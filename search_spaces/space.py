"""A search space: a function that declares which values may vary, and the first config."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from gx2c.errors import UserError
from gx2c.fit.config import FitConfig, GeneOptions, Task, TrainingSettings
from gx2c.models import MODELS
from gx2c.models.reduction import most_components

Value = bool | int | float | str
ChoiceT = TypeVar("ChoiceT", bool, int, float, str)
DEFAULT_TASK = Task()
# A block of n regions is n (n - 1) ordered pairs. Published batches of 256, 512 and 1024 pairs
# are blocks of 16, 23 and 32 regions.
BLOCKS_OF_REGIONS = (16, 32, 64)
# Training settings that are the same for every config of a sweep
FROM_SCALE = ("max_epochs", "patience", "correlation_loss", "symmetric_loss", "ema_decay")
WEIGHT_DECAYS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


class TrialLike(Protocol):
    """The part of an Optuna trial that a search space uses."""

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool = False) -> float:
        """Suggest a number between `low` and `high`, both included."""

    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool = False) -> int:
        """Suggest a whole number between `low` and `high`, both included."""

    def suggest_categorical(self, name: str, choices: Sequence[ChoiceT], /) -> ChoiceT:
        """Suggest one of `choices`."""


class NearestTrial:
    """A trial that returns the wanted values, or the nearest on offer, and records them.

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


def suggest_widths(trial: TrialLike, choices: Sequence[str]) -> tuple[int, ...]:
    """Suggest the widths of hidden layers, each choice written like "512-256-128"."""
    written_widths = suggest_one(trial, "hidden_dims", choices)
    return tuple(int(width) for width in written_widths.split("-"))


def written(value: Any) -> Value:
    """Write widths of layers as a search knows them, (512, 256) as "512-256"; else no change."""
    return "-".join(map(str, value)) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Scale:
    """The size of the problem, constant within a study, on which choices may depend.

    Attributes
    ----------
    small
        Whether the widths and depths of the quick preset apply.
    n_genes
        Number of genes, or of feature columns that replace them; 0 without expression, which is
        enough for models that read none.
    n_train_regions
        Fewest training regions of any inner fold.
    max_epochs, patience
        See `TrainingSettings`; never searched.
    has_gene_vectors
        Whether numbers that describe each gene are available.
    correlation_loss, symmetric_loss, ema_decay
        See `TrainingSettings`; never searched.
    augment_search
        Whether the probability and schedule of augmentation are searched.

    Raises
    ------
    UserError
        If there are fewer than two training regions.
    """

    small: bool
    n_genes: int
    n_train_regions: int
    max_epochs: int
    patience: int
    has_gene_vectors: bool = False
    correlation_loss: float = 0.0
    symmetric_loss: float = 0.0
    ema_decay: float = 0.0
    augment_search: bool = False

    def __post_init__(self) -> None:
        if self.n_train_regions < 2:
            raise UserError(
                f"an inner fold has {self.n_train_regions} training region(s) and needs at least "
                "2; take fewer folds or inner folds"
            )

    def component_cap(self, most: int) -> int:
        """Return `most` components, or as many as the training regions of an inner fold allow."""
        return min(most, most_components(self.n_train_regions, self.n_genes))


# Asks a trial for the values that it names, and returns keywords of a model
Part = Callable[[TrialLike, Scale], dict[str, Any]]


@dataclass(frozen=True)
class SearchSpace:
    """The values that may vary in one model.

    Attributes
    ----------
    model
        A key of `gx2c.models.MODELS`.
    suggest
        Asks the trial for every value that has an effect, and returns the model's keywords.
    begins
        Values of the first config, by the names that `suggest` uses, if they differ from the
        defaults and the training that the model's `ModelSpec` declares.
    begins_small
        Values that replace them in a small search.
    most_components
        Largest number of components on offer, by name; if the training regions allow fewer, the
        search is capped and a note states it.
    weight_decays
        Choices of a network's weight decay; a single one is not searched.
    """

    model: str
    suggest: Part
    begins: Mapping[str, Value] = field(default_factory=dict)
    begins_small: Mapping[str, Value] = field(default_factory=dict)
    most_components: Mapping[str, int] = field(default_factory=dict)
    weight_decays: tuple[float, ...] = WEIGHT_DECAYS

    @property
    def fixed(self) -> bool:
        """Whether nothing may vary: every config would be the same."""
        return not MODELS[self.model].defaults

    def only_training(self, hyperparameters: Mapping[str, Any]) -> "SearchSpace":
        """Return the space of the training of a model whose keywords are given."""
        return SearchSpace(
            self.model,
            lambda trial, scale: dict(hyperparameters),
            begins=self.begins,
            begins_small=self.begins_small,
            weight_decays=self.weight_decays,
        )

    def ask(self, trial: TrialLike, scale: Scale) -> tuple[dict[str, Any], TrainingSettings]:
        """Ask a trial for the model's keywords and, if it is a network, for its training."""
        hyperparameters = self.suggest(trial, scale)
        if not MODELS[self.model].trains_in_epochs:
            return hyperparameters, TrainingSettings()
        return hyperparameters, TrainingSettings(
            learning_rate=trial.suggest_float("learning_rate", 1e-5, 1e-2, log=True),
            weight_decay=suggest_one(trial, "weight_decay", self.weight_decays),
            schedule=trial.suggest_categorical("schedule", ("cosine", "plateau", "constant")),
            block_regions=suggest_one(trial, "block_regions", block_choices(scale)),
            **{name: getattr(scale, name) for name in FROM_SCALE},
        )

    @property
    def augments(self) -> dict[str, Sequence[Any]]:
        """Published values of the probability and schedule of augmentation, the best first."""
        published = MODELS[self.model].published
        names = {name: f"augment_{name}" for name in ("probability", "schedule")}
        return {name: published[key] for name, key in names.items() if key in published}

    def ask_augmentation(self, trial: TrialLike, scale: Scale) -> dict[str, Any]:
        """Ask for what the published sweep varies in augmentation, if it is searched."""
        return {
            name: trial.suggest_categorical(f"augment_{name}", values)
            for name, values in (self.augments if scale.augment_search else {}).items()
        }

    def defaults(self, scale: Scale) -> dict[str, Value]:
        """Return the values of the config to try first, each moved to the nearest on offer."""
        spec = MODELS[self.model]
        declared = {name: written(value) for name, value in spec.defaults.items()}
        small = self.begins_small if scale.small else {}
        best = {f"augment_{name}": values[0] for name, values in self.augments.items()}
        trial = NearestTrial({**declared, **spec.training, **best, **self.begins, **small})
        self.ask(trial, scale)
        self.ask_augmentation(trial, scale)
        return trial.params

    def cap_notes(self, scale: Scale) -> list[str]:
        """Return a sentence for each number of components that the training regions cap."""
        return [
            f"{name} is at most {cap}, not {most}: an inner fold has {scale.n_train_regions} "
            f"training regions and {scale.n_genes} genes"
            for name, most in self.most_components.items()
            if (cap := scale.component_cap(most)) < most
        ]


def block_choices(scale: Scale) -> tuple[int, ...]:
    """Return the block sizes that every inner fold can fill."""
    possible = tuple(n for n in BLOCKS_OF_REGIONS if n <= scale.n_train_regions)
    return possible or (scale.n_train_regions,)


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
        Other inputs, and the target; only its augmentation may be searched.
    """
    hyperparameters, training = space.ask(trial, scale)
    if augmentation := space.ask_augmentation(trial, scale):
        task = replace(task, augmentation=replace(task.augmentation, **augmentation))
    return FitConfig(space.model, hyperparameters, training, genes, task)
