"""New regions as a saved model reads them: genes by symbol, in the model's order."""

from collections.abc import Iterable, Mapping

import numpy as np

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.unmeasured import Unmeasured
from gx2c.errors import UserError, logger
from gx2c.fit.config import GEOGRAPHY_RESIDUAL, FitConfig
from gx2c.fit.features import feature_rule
from gx2c.models.spec import COORDINATES, EXPRESSION, PAIR_DISTANCE, TRAIN_TEST_EDGES
from gx2c.saved.schema import ModelFile

STRUCTURE = "structural connectivity"
READS = (EXPRESSION, COORDINATES, STRUCTURE, TRAIN_TEST_EDGES)
# Share of a model's genes that may be missing from new data
MOST_MISSING = 0.1
# Half of all values lie so many training deviations from the mean only on another scale
ANOTHER_SCALE = 4.0


def reads_of(configs: Iterable[FitConfig]) -> list[str]:
    """Return what configs read of regions, some of `READS`."""
    found = {source for config in configs for source in _reads(config)}
    return [source for source in READS if source in found]


def _reads(config: FitConfig) -> set[str]:
    found = set(config.uses) - {EXPRESSION}
    if PAIR_DISTANCE in found or config.task.learned == GEOGRAPHY_RESIDUAL:
        found.add(COORDINATES)
    if EXPRESSION in config.uses:
        rules = [feature_rule(name)[0] for name in config.task.features]
        found |= {EXPRESSION} if config.reads_genes else set()
        found |= {STRUCTURE} if any(rule.reads_structure for rule in rules) else set()
        found |= {COORDINATES} if "coordinates" in config.task.features else set()
    return found


def match(
    about: ModelFile,
    arrays: Mapping[str, FloatArray],
    brain: Brain | Unmeasured,
    *,
    most_missing: float,
) -> Unmeasured:
    """Return a brain's regions with exactly the model's genes in the model's order.

    Raises
    ------
    UserError
        If too many genes are missing, or the brain lacks something else that the model reads.
    """
    if STRUCTURE in about.reads:
        _check_structure(about, brain)
    coords = np.zeros((brain.n_regions, arrays["coords_mm"].shape[1]))
    if COORDINATES in about.reads:
        coords = brain.coords_mm
        if not np.isfinite(coords).all():
            lost = brain.labels[int(np.flatnonzero(~np.isfinite(coords).all(axis=1))[0])]
            raise UserError(
                f"{about.model} reads coordinates, and {brain.name} has none for {lost}; give a "
                "table of its regions with x, y, z in MNI mm"
            )
    expression = np.empty((brain.n_regions, 0))
    if EXPRESSION in about.reads:
        expression = _match_genes(about, arrays, brain, most_missing)
    return Unmeasured(
        brain.name,
        brain.labels,
        tuple(about.genes),
        expression,
        coords,
        brain.hemisphere,
        brain.structural_connectome,
    )


def _match_genes(
    about: ModelFile,
    arrays: Mapping[str, FloatArray],
    brain: Brain | Unmeasured,
    most_missing: float,
) -> FloatArray:
    column = {gene: number for number, gene in enumerate(brain.genes)}
    missing = [gene for gene in about.genes if gene not in column]
    if len(missing) > most_missing * len(about.genes):
        raise UserError(
            f"{brain.name} lacks {len(missing)} of the {len(about.genes)} genes that "
            f"{about.model} reads ({', '.join(missing[:3])}, …); at most {most_missing:.0%} may "
            "be missing, so give expression with these genes, or allow more"
        )
    there = [number for number, gene in enumerate(about.genes) if gene in column]
    matched = np.tile(arrays["gene_means"], (brain.n_regions, 1))
    matched[:, there] = brain.expression[:, [column[about.genes[number]] for number in there]]
    if missing:
        logger.warning(
            "%d of the %d genes that %s reads are not in %s (%s); each stands at its training mean",
            len(missing),
            len(about.genes),
            about.model,
            brain.name,
            ", ".join(missing[:5]) + (", …" if len(missing) > 5 else ""),
        )
    varies = arrays["gene_deviations"] > 0
    away = np.abs(matched - arrays["gene_means"])[:, varies] / arrays["gene_deviations"][varies]
    if away.size and (median := float(np.median(away))) > ANOTHER_SCALE:
        logger.warning(
            "expression of %s seems to be on another scale than in training (half of all values "
            "are more than %.3g training deviations from the mean); normalise it in the same way",
            brain.name,
            median,
        )
    return matched


def _check_structure(about: ModelFile, brain: Brain | Unmeasured) -> None:
    if brain.structural_connectome is None:
        raise UserError(
            f"{about.model} reads structural connectivity, and {brain.name} has none; give a brain "
            "with a structural connectome"
        )
    if list(brain.labels) != about.dataset.regions:
        raise UserError(
            f"{about.model} reads structural connectivity with its training regions, so it needs "
            f"all regions of {about.dataset.name} in their order; {brain.name} has others"
        )
