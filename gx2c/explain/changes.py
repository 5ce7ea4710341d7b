"""Importance by changing genes: they are permuted among held-out regions, or left out of a fit."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.explain.edges import HeldOutEdges
from gx2c.fit.config import FitConfig
from gx2c.fit.fitted import FittedModels
from gx2c.fit.kernel_nulls import is_isometric
from gx2c.fit.shared_split import SharedSplit, SurrogateExpression
from gx2c.models import MODELS
from gx2c.splits.fold import Fold

REPEATS = 5
PERMUTATION_STREAM = 0xE8


def permutation_importance(
    fitted: FittedModels,
    brains: Sequence[Brain],
    regions: IntArray,
    edges: HeldOutEdges,
    units: Sequence[IntArray],
    *,
    repeats: int = REPEATS,
    seed: int = 0,
) -> FloatArray:
    """Return how much agreement is lost when units of genes are permuted among held-out regions.

    The genes of a unit move together, and all else stays in its region.

    Parameters
    ----------
    fitted, brains, regions, edges
        As in `member_gradients`; any model.
    units
        Indices of the genes of each unit.
    repeats, seed
        Number of permutations, the same for every unit, and their seed.

    Returns
    -------
    FloatArray
        (n_members, n_units, n_groups), means over permutations.

    References
    ----------
    Breiman (2001), Mach. Learn. 45(1), 5.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(PERMUTATION_STREAM,)))
    orders = [rng.permutation(len(regions)) for _ in range(repeats)]
    true = edges.agreement(np.stack(fitted.predict(brains, regions)))
    # the brains see what is written here: a copy for each unit would take longer than predicting
    shown = [brain.expression.copy() for brain in brains]
    moved = [replace(b, expression=rows) for b, rows in zip(brains, shown, strict=True)]
    lost = np.zeros((len(brains), len(units), len(edges.groups)))
    for number, genes in enumerate(units):
        for order in orders:
            for rows, brain in zip(shown, brains, strict=True):
                rows[np.ix_(regions, genes)] = brain.expression[np.ix_(regions[order], genes)]
            predicted = np.stack(fitted.predict(moved, regions))
            lost[:, number] += (true - edges.agreement(predicted)) / repeats
        for rows, brain in zip(shown, brains, strict=True):
            rows[:, genes] = brain.expression[:, genes]
    return lost


def left_out_importance(
    config: FitConfig,
    brains: Sequence[Brain],
    fold: Fold,
    edges: HeldOutEdges,
    units: Sequence[IntArray],
) -> FloatArray:
    """Return how much agreement is lost when a closed form is fitted without units of genes.

    The change of the prediction is exact. Kernels that read expression through inner products
    subtract those of the unit; other models are fitted again on the other genes.

    Parameters
    ----------
    config
        Config of a closed form whose genes are given by symbol.
    brains
        Brains, each of which is fitted.
    fold
        Training regions, and the held-out regions of `edges`.
    edges, units
        As in `permutation_importance`.

    Returns
    -------
    FloatArray
        (n_brains, n_units, n_groups).

    Raises
    ------
    UserError
        If the model trains in epochs, or a unit holds all its genes.
    """
    if MODELS[config.model].trains_in_epochs:
        raise UserError(
            f"{config.model} trains in epochs, and a retraining without each gene would take days; "
            "choose gradients or permutation"
        )
    read = [brains[0].genes.index(symbol) for symbol in config.genes.which]
    place = {gene: number for number, gene in enumerate(read)}
    columns = [np.array([place[g] for g in u.tolist() if g in place], np.int64) for u in units]
    if any(len(own) == len(read) for own in columns):
        raise UserError("a set holds all genes of the model, and a fit without them has none")
    predict = _kernel_predictions if is_isometric(config) else _refitted_predictions
    # of many genes all predictions would fill the memory
    left_out = [np.array([], np.int64), *columns]
    agreed = np.array(
        [
            [edges.agreement(p) for p in predict(config, brain, fold, read, left_out)]
            for brain in brains
        ]
    )
    lost: FloatArray = agreed[:, :1] - agreed[:, 1:]
    return lost


def _kernel_predictions(
    config: FitConfig, brain: Brain, fold: Fold, read: list[int], columns: Sequence[IntArray]
) -> Iterator[FloatArray]:
    split = SharedSplit(brain, fold, [config])
    whole = SurrogateExpression(brain.expression[:, read])
    return (split.predict(whole.without(own))[0] for own in columns)


def _refitted_predictions(
    config: FitConfig, brain: Brain, fold: Fold, read: list[int], columns: Sequence[IntArray]
) -> Iterator[FloatArray]:
    for own in columns:
        symbols = tuple(brain.genes[gene] for gene in np.delete(read, own).tolist())
        without = replace(config, genes=replace(config.genes, which=symbols))
        fitted = FittedModels.fit(without, [brain], fold.train_regions, fold.test_regions)
        yield from fitted.predict([brain], fold.test_regions)
