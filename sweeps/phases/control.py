"""The same ensemble retrained for comparison: on coordinates, or without geography.

Genes are smooth maps of the brain, so a model may read little more than locations from them. The
control of a gain therefore reads coordinates in place of genes. Both comparisons have the configs,
epochs and number of members that the search found; the control only chooses its weight after
geography again. Nothing is searched.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from gx2c.data import Brain
from gx2c.fit import FitConfig, GeneOptions, Task
from gx2c.fit.config import CONNECTOME
from sweeps.folder.paths import SweepPaths
from sweeps.phases.retrain_job import RetrainJob
from sweeps.request.plan import SweepPlan


def control_paths(paths: SweepPaths) -> SweepPaths:
    """Return the files of a run's control, a folder like that of the run."""
    return SweepPaths(paths.coordinates)


def alone_paths(paths: SweepPaths) -> SweepPaths:
    """Return the files of a run's model without geography, a folder like that of the run."""
    return SweepPaths(paths.alone)


def on_coordinates(plan: SweepPlan) -> SweepPlan:
    """Return the plan whose genes are replaced by coordinates in turn, in as many columns."""
    n_genes = plan.n_genes()
    return replace(plan, brain=coordinate_genes(plan.brain, n_genes), genes=_all(plan.genes))


def coordinate_genes(brain: Brain, n_genes: int) -> Brain:
    """Return a brain whose first genes have coordinates for expression, and that has no others."""
    columns = np.resize(np.arange(brain.coords_mm.shape[1]), n_genes)
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
    return [_changed(job, lambda c: replace(c, genes=_all(c.genes))) for job in jobs]


def alone_jobs(jobs: Sequence[RetrainJob]) -> list[RetrainJob]:
    """Return retrainings that learn the connectome itself instead of what geography leaves."""

    def alone(config: FitConfig) -> FitConfig:
        task = replace(config.task, learned=CONNECTOME, geography=(), weight=Task().weight)
        return replace(config, task=task)

    return [replace(_changed(job, alone), weigh=False) for job in jobs]


def _changed(job: RetrainJob, change: Callable[[FitConfig], FitConfig]) -> RetrainJob:
    others = tuple(replace(one, config=change(one.config)) for one in job.others)
    return replace(job, config=change(job.config), others=others)


def _all(genes: GeneOptions) -> GeneOptions:
    return replace(genes, which="all")
