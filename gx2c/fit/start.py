"""The weights from which networks start, where a saved model gives them, and its regions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from gx2c.data.unmeasured import Unmeasured
from gx2c.fit.config import FitConfig
from gx2c.fit.prepare import InputMaker
from gx2c.models import MODELS
from gx2c.splits.fold import Fold

# Keeps the choice of a member apart from what else its seed draws
STREAM = 0x57A7


@dataclass(frozen=True)
class Seen:
    """Regions on which a model was trained.

    Attributes
    ----------
    model, digest
        Name of the model, and a hash of its content.
    regions
        All regions of its dataset, without expression.
    training_regions
        Labels of those that trained it.
    placed
        Whether their coordinates are known, in MNI space.
    """

    model: str
    digest: str
    regions: Unmeasured
    training_regions: tuple[str, ...]
    placed: bool


@dataclass(frozen=True)
class Start:
    """The networks of one config of a saved model, from which others start.

    Attributes
    ----------
    config
        The config; networks that start from these have its hyperparameters.
    genes
        Symbols of the genes that they read, in order.
    weights
        By name, (n_networks, …) each; what layers learned before training is among them.
    input_makers
        For each network, the statistics by which it standardises regions.
    n_gene_dims
        As in `build_network`.
    seen
        Regions that trained the model, and those of each model from which it started itself.
    """

    config: FitConfig
    genes: tuple[str, ...]
    weights: Mapping[str, NDArray[Any]]
    input_makers: tuple[InputMaker, ...]
    n_gene_dims: int
    seen: tuple[Seen, ...]

    def __len__(self) -> int:
        return len(self.input_makers)

    @property
    def digest(self) -> str:
        """Hash of the content of the saved model."""
        return self.seen[0].digest

    def weights_of(self, members: Sequence[int]) -> dict[str, NDArray[Any]]:
        """Return the weights of some networks, one of which may be named several times."""
        return {name: values[list(members)] for name, values in self.weights.items()}


@dataclass(frozen=True, repr=False)
class StartedFold(Fold):
    """A fold, outer or inner, in which networks start from those of a saved model.

    Attributes
    ----------
    start
        The networks, which have seen none of the fold's test regions; None for random weights.
    """

    start: Start | None = None


def start_of(fold: Fold, config: FitConfig) -> Start | None:
    """Return from what networks of a config start in a fold; None for random weights."""
    return fold.start if isinstance(fold, StartedFold) and is_network(config) else None


def is_network(config: FitConfig) -> bool:
    """Return whether a config's model trains in epochs."""
    return MODELS[config.model].trains_in_epochs
