"""The surrogates of a brain for the nulls of one fold, and kernel ridge on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gx2c.data import Brain, select_genes
from gx2c.data.brain import FloatArray
from gx2c.fit.config import FitConfig
from gx2c.fit.kernel_nulls import Scores, is_isometric, predict_kernel_nulls
from gx2c.fit.scoring import score_or_diverged
from gx2c.fit.shared_split import chooses_genes
from gx2c.models.features import same_distances
from gx2c.nulls import surrogate_brains, surrogate_rows
from gx2c.nulls.brains import GENES
from gx2c.splits.fold import Fold


def fitted_at_once(configs: Sequence[FitConfig], moves: str) -> bool:
    """Return whether all surrogates share the fits of these configs."""
    return moves == GENES and all(is_isometric(config) for config in configs)


@dataclass(frozen=True)
class NullDraw:
    """Some consecutive surrogates of a brain, for one fold.

    Attributes
    ----------
    brain, fold
        The true brain, and the fold whose training regions a surrogate may be fitted to.
    numbers
        Numbers of the surrogates; each depends on the seed and its number alone.
    method
        A name in `SURROGATES`.
    seed
        Random seed of the surrogates.
    moves
        The data that move, a name in `MOVES`.
    """

    brain: Brain
    fold: Fold
    numbers: Sequence[int]
    method: str
    seed: int
    moves: str = GENES

    def brains(self) -> Iterator[Brain]:
        """Make the surrogates, one after another."""
        return surrogate_brains(
            self.brain,
            self.numbers,
            method=self.method,
            moves=self.moves,
            seed=self.seed,
            training_regions=self.fold.train_regions,
        )

    def kernel_scores(self, configs: Sequence[FitConfig]) -> list[Scores | None] | None:
        """Retrain a config and score its predictions; None as from `kernel_predictions`."""
        predicted = self.kernel_predictions(configs)
        if predicted is None:
            return None
        return [score_or_diverged(one, self.brain, self.fold) for one in predicted]

    def kernel_predictions(
        self, configs: Sequence[FitConfig], *, metric: str = "val_mse", n_best: int = 1
    ) -> list[FloatArray] | None:
        """Retrain, after a search if there are more than `n_best` configs, at once.

        Returns
        -------
        list or None
            As `predict_kernel_nulls`; None if something other than genes moves, or a config is
            not isometric: each surrogate must then be fitted by itself.
        """
        if not fitted_at_once(configs, self.moves):
            return None
        expressions = self._expressions(configs[0])
        return predict_kernel_nulls(
            self.brain, self.fold, configs, expressions, metric=metric, n_best=n_best
        )

    def _expressions(self, config: FitConfig) -> Iterator[FloatArray]:
        brain, fold = self.brain, self.fold
        if chooses_genes(config):
            return (one.expression for one in self.brains())
        training = brain.expression[fold.train_regions]
        genes = select_genes(training, brain.genes, which=config.genes.which, order="random")
        rows = surrogate_rows(
            brain,
            same_distances(brain.expression[:, genes]),
            self.numbers,
            method=self.method,
            seed=self.seed,
            training_regions=fold.train_regions,
        )
        return rows or (same_distances(one.expression[:, genes]) for one in self.brains())
