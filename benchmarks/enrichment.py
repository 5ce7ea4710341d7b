"""False positives of gene-set enrichment: `gx2c bench enrichment`.

Genes are smooth on the cortex and co-expressed within sets, and have nothing to do with the
connectome, a function of location and noise. Each brain's sets are ranked by a kernel, whose
exact leave-one-out is compared with refits on surrogates, as `gx2c explain` does.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from gx2c.calibration.maps import smooth_maps
from gx2c.calibration.pipeline import Calibrator
from gx2c.data import Brain, load_dataset
from gx2c.explain.changes import left_out_importance
from gx2c.explain.edges import HeldOutEdges
from gx2c.fit import FitConfig, GeneOptions
from gx2c.models import MODELS
from gx2c.nulls import DEFAULT_SURROGATE, surrogate_brains
from gx2c.splits import make_folds

N_BRAINS, N_NULLS, N_FOLDS = 200, 39, 2
N_SETS, SET_SIZE = 5, 10
SMOOTHNESS_MM, HOMOTOPIC = 40.0, 0.7
# Share of a gene's variance that its set has in common
CO_EXPRESSION = 0.5
ALPHA = 0.05


def run(n_brains: int = N_BRAINS, surrogate: str = DEFAULT_SURROGATE) -> dict[str, Any]:
    """Count sets with p <= .05."""
    calibrator = Calibrator.of(load_dataset("schaefer100"), seed=0)
    p = np.array([set_p_values(calibrator, k, surrogate=surrogate) for k in range(n_brains)])
    small = p <= ALPHA
    # sets of a brain have its connectome in common, so that brains are counted
    spread = small.mean(axis=1).std(ddof=1) / np.sqrt(n_brains)
    return {
        "n_brains": n_brains,
        "n_sets": N_SETS,
        "n_nulls": N_NULLS,
        "surrogate": surrogate,
        "pooled_rate": float(small.mean()),
        "standard_error": float(spread),
    }


def set_p_values(calibrator: Calibrator, number: int, *, surrogate: str) -> np.ndarray:
    """Return the p-value of each set of brain `number`, (n_sets,)."""
    brain = unrelated(calibrator, number)
    folds = make_folds(brain, split="bilateral", n_folds=N_FOLDS, n_inner_folds=2, seed=number)
    config = FitConfig(
        "kernel_ridge",
        dict(MODELS["kernel_ridge"].defaults),
        genes=GeneOptions(which=brain.genes, order="random"),
    )
    sets = list(np.arange(brain.n_genes).reshape(N_SETS, SET_SIZE))
    total = np.zeros((N_NULLS + 1, N_SETS))
    for fold in folds:
        made = surrogate_brains(
            brain,
            range(N_NULLS),
            method=surrogate,
            moves="genes",
            seed=number,
            training_regions=fold.train_regions,
        )
        edges = HeldOutEdges.of(brain, fold.test_regions)
        total += left_out_importance(config, [brain, *made], fold, edges, sets)[:, :, 0]
    return (1 + (total[1:] >= total[0]).sum(axis=0)) / (1 + N_NULLS)


def unrelated(calibrator: Calibrator, number: int) -> Brain:
    """Make a brain whose genes are co-expressed in sets and unrelated to its connectome."""
    brain = calibrator.synthetic(number, "sphere", "leading components", signal=False)
    rng = np.random.default_rng([number, N_SETS])
    assert brain.sphere_coords is not None
    fields = smooth_maps(
        brain.sphere_coords,
        brain.hemisphere,
        SMOOTHNESS_MM,
        HOMOTOPIC,
        N_SETS * (1 + SET_SIZE),
        rng,
    )
    common, own = fields[:, :N_SETS], fields[:, N_SETS:]
    genes = np.sqrt(CO_EXPRESSION) * np.repeat(common, SET_SIZE, axis=1)
    genes = genes + np.sqrt(1 - CO_EXPRESSION) * own
    names = tuple(f"SET{k // SET_SIZE + 1}GENE{k % SET_SIZE + 1}" for k in range(genes.shape[1]))
    return replace(brain, genes=names, expression=genes)
