"""The scikit-learn estimator that every model shares: fit on a brain's regions, predict others."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import ClassVar, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from gx2c.data import Brain, FloatArray, IntArray, resolve_genes
from gx2c.data.unmeasured import region_indices
from gx2c.errors import UserError
from gx2c.files import user_path
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import CONNECTOME, FitConfig, GeneOptions, Task, TrainingSettings, check_task
from gx2c.fit.features import EXPRESSION, parse_features
from gx2c.fit.fitted import FittedModels
from gx2c.fit.kernel_nulls import Scores
from gx2c.fit.nested import learning_rates
from gx2c.fit.null_draw import NullDraw
from gx2c.fit.retrain import Retrained, retrain
from gx2c.models.spec import ModelSpec
from gx2c.saved.writing import Training, model_files, write_model
from gx2c.splits.fold import MIN_TRAIN_REGIONS, Fold

PLATEAU = "plateau"
# Surrogate brains in memory at once; it changes scores by no more than rounding
SURROGATES_AT_ONCE = 8


class Estimator(BaseEstimator):  # type: ignore[misc]
    """A model of the connectome with scikit-learn's conventions, on brains instead of arrays.

    Attributes
    ----------
    spec
        The model's declaration.
    regions_
        (n_train_regions,) indices of the regions that it was fitted on.
    genes_
        Symbols of the genes of the brain that it was fitted on.
    fitted_
        The fitted `gx2c.fit.FittedModels`.
    brain_, seed_
        The brain and the seed of `fit`, which `save` records.
    """

    spec: ClassVar[ModelSpec]

    def fit(
        self, brain: Brain, regions: Sequence[int] | IntArray | None = None, *, seed: int = 0
    ) -> Self:
        """Fit on some regions of a brain; nothing is read of the others.

        Parameters
        ----------
        brain
            The brain.
        regions
            (n_train_regions,) indices, such as `Fold.train_regions`; all if None.
        seed
            Random seed of a network.

        Raises
        ------
        UserError
            If a parameter, the brain or the regions cannot be used.
        """
        chosen = region_indices(brain, regions, least=MIN_TRAIN_REGIONS)
        profile = self._profile()
        with profile.active():
            self.fitted_ = FittedModels.fit(
                self.config(brain),
                [brain],
                chosen,
                learning_rates=self.learning_rates(),
                seeds=[seed],
                profile=profile,
            )
        self.regions_, self.genes_ = chosen, brain.genes
        self.brain_, self.seed_ = brain, seed
        return self

    def predict(self, brain: Brain, regions: Sequence[int] | IntArray | None = None) -> FloatArray:
        """Predict the connectome among some regions, whose own connectome is not read.

        Parameters
        ----------
        brain
            A brain with the genes of the brain that the model was fitted on.
        regions
            (n_regions,) indices, such as `Fold.test_regions`; all if None.

        Returns
        -------
        FloatArray
            (n_regions, n_regions), symmetric, in the order of `regions`; the diagonal is
            meaningless.

        Raises
        ------
        NotFittedError
            Before `fit`.
        UserError
            If the brain or the regions cannot be used.
        """
        check_is_fitted(self)
        chosen = region_indices(brain, regions)
        if brain.genes != self.genes_:
            raise UserError(
                f"{brain.name} has other genes than the brain that {type(self).__name__} was "
                "fitted on; both need the same genes in the same order"
            )
        with self._profile().active():
            return self.fitted_.predict([brain], chosen)[0]

    def save(self, path: str | Path) -> None:
        """Save the fitted model as a new folder, which `gx2c.load_model` and the commands read.

        Raises
        ------
        NotFittedError
            Before `fit`.
        UserError
            If the folder exists or cannot be written.
        """
        check_is_fitted(self)
        training = Training(
            self.regions_,
            self.regions_[:0],
            learning_rates=[self.learning_rates()],
            seeds=[[self.seed_]],
            profile=self._profile(),
            seed=self.seed_,
        )
        write_model(user_path(path), model_files([self.fitted_], self.brain_, training))

    def retrain(
        self, brains: Sequence[Brain], fold: Fold, *, seeds: Sequence[int]
    ) -> list[Retrained]:
        """Fit on a fold's training regions and score its test regions; see `gx2c.fit.retrain`."""
        for brain in brains:
            region_indices(brain, fold.train_regions, least=MIN_TRAIN_REGIONS)
            region_indices(brain, fold.test_regions)
        return retrain(
            self.config(brains[0]),
            brains,
            fold,
            learning_rates=self.learning_rates(),
            seeds=seeds,
            profile=self._profile(),
        )

    def null_scores(self, draw: NullDraw, *, seeds: Sequence[int]) -> list[Scores | None]:
        """Retrain on each surrogate; return each one's scores, None where a fit diverged."""
        profile = self._profile()
        with profile.active():
            kernels = draw.kernel_scores([self.config(draw.brain)])
        if kernels is not None:
            return kernels
        found: list[Scores | None] = []
        brains = draw.brains()
        while group := list(islice(brains, SURROGATES_AT_ONCE)):
            of_group = seeds[len(found) :][: len(group)]
            found += [one.scores for one in self.retrain(group, draw.fold, seeds=of_group)]
        return found

    def config(self, brain: Brain) -> FitConfig:
        """Return this model's config as in a sweep, after checking it against a brain."""
        given = {name: getattr(self, name) for name in self._get_param_names()}
        if missing := self.spec.missing():
            raise UserError(missing)
        genes = given.get("genes", "all")
        config = FitConfig(
            self.spec.name,
            {name: given[name] for name in self.spec.defaults},
            self._training() or TrainingSettings(),
            GeneOptions(
                resolve_genes(genes, brain.genes, brain.stability)
                if isinstance(genes, str)
                else tuple(genes),
                given.get("gene_order", "tss"),
            ),
            Task(parse_features(given.get("inputs", EXPRESSION)), given.get("target", CONNECTOME)),
        )
        check_task(config.task, brain, self.spec, config.uses)
        if config.reads_genes and not brain.n_genes:
            raise UserError(f"{brain.name} has no gene expression, which {self.spec.name} reads")
        return config

    def learning_rates(self) -> list[float]:
        """Return the learning rate of each epoch; none for a model without epochs."""
        training = self._training()
        if training is None:
            return []
        return learning_rates(training)

    def _training(self) -> TrainingSettings | None:
        if not self.spec.trains_in_epochs:
            return None
        if self.schedule == PLATEAU:
            raise UserError(
                f"the schedule {PLATEAU!r} follows validation regions, and fit cuts none; choose "
                "'cosine' or 'constant'"
            )
        names = "learning_rate weight_decay schedule block_regions correlation_loss symmetric_loss"
        given = {name: getattr(self, name) for name in [*names.split(), "ema_decay"]}
        return TrainingSettings(max_epochs=self.n_epochs, **given)

    def _profile(self) -> ComputeProfile:
        return self.profile or ComputeProfile()
