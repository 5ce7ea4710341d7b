"""The control of a gain: the same ensemble, reading coordinates in place of genes.

Genes are smooth maps of the brain, so a model may read little more than locations from them. The
control has the configs, epochs and number of members that were found with the genes; only the
weight after geography is chosen again. Nothing is searched.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gx2c.data import Brain
from gx2c.fit import FitConfig, GeneOptions
from sweeps.folder.paths import SweepPaths
from sweeps.phases.retrain import RetrainJob
from sweeps.request.plan import SweepPlan


def control_paths(paths: SweepPaths) -> SweepPaths:
    """Return the files of a run's control, a folder like that of the run."""
    return SweepPaths(paths.coordinates)


def on_coordinates(plan: SweepPlan) -> SweepPlan:
    """Return the plan whose genes are replaced by x, y and z in turn, in as many columns."""
    n_genes = plan.n_genes()
    return replace(plan, brain=coordinate_genes(plan.brain, n_genes), genes=_all(plan.genes))


def coordinate_genes(brain: Brain, n_genes: int) -> Brain:
    """Return a brain whose first genes have coordinates for expression, and that has no others."""
    columns = np.resize(np.arange(3), n_genes)
    vectors = brain.gene_vectors
    return replace(
        brain,
        expression=brain.coords_mm[:, columns],
        genes=brain.genes[:n_genes],
        tss=None if brain.tss is None else brain.tss[:n_genes],
        gene_vectors=None if vectors is None else vectors[:n_genes],
        trust_row_order=True,
    )


def control_jobs(jobs: Sequence[RetrainJob]) -> list[RetrainJob]:
    """Return the retrainings of a control, given those of the model before they were weighed."""
    return [
        replace(
            job,
            config=_on_all(job.config),
            others=tuple(replace(one, config=_on_all(one.config)) for one in job.others),
        )
        for job in jobs
    ]


def _on_all(config: FitConfig) -> FitConfig:
    return replace(config, genes=_all(config.genes))


def _all(genes: GeneOptions) -> GeneOptions:
    return replace(genes, which="all")
