"""Kernel ridges on one split of a brain, ready for any expression.

A surrogate changes expression alone. The contribution of geography is computed once per split;
only inner products of expression between regions count, so that thousands of genes become at most
one column per region; and one eigendecomposition serves every ridge of a kernel.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from gx2c.data import select_genes
from gx2c.data.brain import Brain, FloatArray, IntArray, Regions
from gx2c.data.genes import ALL_GENES
from gx2c.errors import UserError
from gx2c.fit.config import FitConfig
from gx2c.fit.scoring import mean_prediction, selection_scores
from gx2c.models import MODELS
from gx2c.models.closed_form.kernel_ridge import KernelRidge
from gx2c.models.closed_form.kernels import CentredProducts, RegionKernel
from gx2c.models.closed_form.kronecker import KroneckerRidge
from gx2c.splits.fold import Fold


def chooses_genes(config: FitConfig) -> bool:
    """Return whether the choice of genes depends on the training regions (`<N>_var`).

    A surrogate must then bring all its genes: columns with the same distances are not enough.
    """
    return isinstance(config.genes.which, str) and config.genes.which != ALL_GENES


class SharedSplit:
    """Some kernel ridges on one split of a brain, ready for any expression.

    Parameters
    ----------
    brain, fold
        Whose training regions are fitted and whose test regions are predicted.
    configs
        Each `is_isometric`, on the same genes.
    """

    def __init__(self, brain: Brain, fold: Fold, configs: Sequence[FitConfig]) -> None:
        self.brain, self.fold = brain, fold
        self._which = configs[0].genes.which if chooses_genes(configs[0]) else None
        self.training = _places_of(brain, fold.train_regions)
        self.test = _places_of(brain, fold.test_regions)
        self._connectome = brain.connectome_block(fold.train_regions)
        self._edges = fold.scored_edges()
        self._shape = (len(fold.test_regions), len(fold.test_regions))
        self._measured = brain.connectome_block(fold.test_regions)[self._edges]
        self._means: dict[Hashable, tuple[FloatArray, FloatArray]] = {}
        self._places: dict[Hashable, tuple[FloatArray, FloatArray]] = {}
        self._smoothers: dict[Hashable, KroneckerRidge] = {}
        self.plans = [self._plan(build(config)) for config in configs]
        # configs that differ in the ridge of expression alone share an eigendecomposition
        self._groups: dict[Hashable, list[int]] = {}
        for number, plan in enumerate(self.plans):
            if plan.genes is not None:
                self._groups.setdefault(plan.key, []).append(number)

    def predict(
        self, surrogate: SurrogateExpression, only: Sequence[int] | None = None
    ) -> FloatArray:
        """Predict the test regions by each config, (n_configs, n_test, n_test).

        NaN where a config cannot be fitted, and but for `only` some, where they are given.
        """
        genes = _GeneBlocks(self._chosen(surrogate), self.fold)
        predicted = np.full((len(self.plans), *self._shape), np.nan)
        wanted = range(len(self.plans)) if only is None else only
        for number in wanted:
            predicted[number] = self.plans[number].fixed
        for group in self._groups.values():
            members = [number for number in group if number in wanted]
            plans = [self.plans[number] for number in members]
            if not plans:
                continue
            try:
                predicted[members] += plans[0].smooth(genes, [plan.ridge for plan in plans]) * [
                    [[plan.share]] for plan in plans
                ]
            except (UserError, np.linalg.LinAlgError):
                predicted[members] = np.nan
        return predicted

    def validate(self, surrogate: SurrogateExpression, metric: str) -> FloatArray:
        """Return each config's selection score, (n_configs,); larger is better."""
        predicted = self.predict(surrogate)[:, self._edges[0], self._edges[1]]
        return selection_scores(predicted, self._measured, metric)

    def predict_mean(self, surrogate: SurrogateExpression, configs: Sequence[int]) -> FloatArray:
        """Return the mean prediction of some configs, (n_test, n_test)."""
        return mean_prediction(self.predict(surrogate, only=configs)[list(configs)])

    def _chosen(self, surrogate: SurrogateExpression) -> SurrogateExpression:
        """Keep the genes that each fit on this surrogate would choose; a kernel sees no order."""
        if self._which is None:
            return surrogate
        expression = surrogate.expression
        training = expression[self.fold.train_regions]
        chosen = select_genes(training, self.brain.genes, which=self._which, order="random")
        return SurrogateExpression(expression[:, chosen])

    def _plan(self, model: KernelRidge) -> _Plan:
        residual, mean = self._mean_of(model)
        kernels = {str(kernel.key[0]): kernel for kernel in model.kernels}
        places, genes = kernels.get("coordinates"), kernels.get("expression")
        if places is None:
            return _Plan(model, genes, None, residual, mean)
        blocks = self._blocks_of(places)
        if genes is not None and not model.averages:
            return _Plan(model, genes, blocks, residual, mean)
        smoother = self._smoother_of(places, model, residual)
        smoothed = smoother.predict(blocks[1], model.ridges[:1])[0]
        return _Plan(model, genes, None, residual, mean + model.shares[0] * smoothed)

    def _smoother_of(
        self, places: RegionKernel, model: KernelRidge, residual: FloatArray
    ) -> KroneckerRidge:
        key = places.key, model.mean_key, model.impute_diagonal
        if key not in self._smoothers:
            self._smoothers[key] = KroneckerRidge(
                self._blocks_of(places)[0], residual, impute_diagonal=model.impute_diagonal
            )
        return self._smoothers[key]

    def _mean_of(self, model: KernelRidge) -> tuple[FloatArray, FloatArray]:
        if model.mean_key not in self._means:
            model.mean.fit(self.training, self._connectome)
            residual = self._connectome - model.mean.predict(self.training)
            predicted = model.mean.predict(self.test)
            self._means[model.mean_key] = residual, (predicted + predicted.T) / 2
        return self._means[model.mean_key]

    def _blocks_of(self, kernel: RegionKernel) -> tuple[FloatArray, FloatArray]:
        if kernel.key not in self._places:
            self._places[kernel.key] = kernel.fit(self.training), kernel.to_training(self.test)
        return self._places[kernel.key]


class SurrogateExpression:
    """A surrogate's expression, and the inner products of its regions.

    Parameters
    ----------
    expression
        (n_regions, n_columns).
    """

    def __init__(self, expression: FloatArray) -> None:
        self.expression = expression

    @functools.cached_property
    def centred(self) -> FloatArray:
        """Expression less its mean over all regions."""
        return self.expression - self.expression.mean(axis=0)

    @functools.cached_property
    def products(self) -> FloatArray:
        """Inner products of all regions, (n_regions, n_regions): computed once for all splits."""
        return self.centred @ self.centred.T

    def without(self, columns: IntArray) -> SurrogateExpression:
        """Return the other columns, of which only `products` are known."""
        rest = SurrogateExpression(self.expression[:, :0])
        left = self.centred[:, columns]
        rest.products = self.products - left @ left.T
        return rest


class _GeneBlocks:
    def __init__(self, surrogate: SurrogateExpression, fold: Fold) -> None:
        self._products = CentredProducts.cut(
            surrogate.products, fold.train_regions, fold.test_regions
        )
        self._known: dict[Hashable, tuple[FloatArray, FloatArray]] = {}

    def of(self, kernel: RegionKernel) -> tuple[FloatArray, FloatArray]:
        if kernel.key not in self._known:
            self._known[kernel.key] = kernel.from_products(self._products)
        return self._known[kernel.key]


@dataclass(frozen=True)
class _Plan:
    model: KernelRidge  # Never fitted itself
    genes: RegionKernel | None  # Its kernel of expression, or None
    # Its kernel of coordinates, among training regions and from test to training regions,
    # where the two kernels are joined; None otherwise
    places: tuple[FloatArray, FloatArray] | None
    residual: FloatArray  # Residual after the mean among training regions
    fixed: FloatArray  # The part of the prediction that no surrogate changes

    @property
    def key(self) -> Hashable:
        """Equal for configs whose smoothers differ in the ridge of expression alone."""
        model = self.model
        joined = None if self.places is None else (model.combine, model.gene_weight)
        kernels = tuple(k.key for k in (model.kernels if joined else model.kernels[-1:]))
        return kernels, joined, model.mean_key, model.impute_diagonal

    @property
    def ridge(self) -> float:
        """The ridge of the smoother that expression enters."""
        return self.model.ridges[-1]

    @property
    def share(self) -> float:
        """The weight of that smoother's prediction."""
        return self.model.shares[-1]

    def smooth(self, genes: _GeneBlocks, ridges: list[float]) -> FloatArray:
        """Smooth the residual by expression, for several ridges, (n_ridges, n_test, n_test)."""
        assert self.genes is not None, "a config without expression has nothing to smooth"
        blocks = genes.of(self.genes)
        if self.places is not None:
            pairs = [list(pair) for pair in zip(self.places, blocks, strict=True)]
            weight = self.model.weight_of(pairs[0], self.residual)
            among, to_training = (self.model.join(pair, weight)[0] for pair in pairs)
            blocks = among, to_training
        smoother = KroneckerRidge(
            blocks[0], self.residual, impute_diagonal=self.model.impute_diagonal
        )
        return smoother.predict(blocks[1], ridges)


def _places_of(brain: Brain, indices: IntArray) -> Regions:
    """Show regions without their expression, which each surrogate brings."""
    nothing = np.empty((len(indices), 0))
    return Regions(nothing, brain.coords_mm[indices], brain.hemisphere[indices])


def build(config: FitConfig) -> KernelRidge:
    """Return the kernel ridge of a config, not fitted."""
    return MODELS[config.model].build(**config.hyperparameters)
