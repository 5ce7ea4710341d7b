"""Everything a sweep computes with, made and checked before the first trial starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gx2c.data import Brain, load_dataset, resolve_genes, select_genes
from gx2c.fit import ComputeProfile, GeneOptions, Task
from gx2c.fit.features import n_columns
from gx2c.fit.residual import check_can_cross_fit
from gx2c.fit.task import GEOGRAPHY_RESIDUAL, check_task
from gx2c.models import MODELS
from gx2c.nulls import check_nulls
from gx2c.splits import Fold, make_brain_folds
from search_spaces import SEARCH_SPACES
from search_spaces.components import cap_notes
from search_spaces.space import Scale
from sweeps.options import GEOGRAPHY, SweepOptions
from sweeps.paths import SweepPaths
from sweeps.records import ConfigRecord, RecordStore
from sweeps.search.board import SearchBoard
from sweeps.search.fold_search import FoldSearch
from sweeps.search.fold_study import FoldStudy
from sweeps.search.rungs import make_rule
from sweeps.seeds import sampler_seed
from sweeps.warm_start import WarmStart
from trainables.work import TrialContext

# A closed form costs milliseconds: its baseline is never searched less than this
MIN_GEOGRAPHY_CONFIGS = 32
CLOSED_FORM_BATCH = 32


@dataclass(frozen=True)
class SweepPlan:
    """A sweep that can run.

    Attributes
    ----------
    options
        As checked.
    brain
        The data.
    folds
        Outer folds with inner folds.
    genes
        Which genes every fit chooses on its own training regions.
    profile
        How every fit is computed.
    warm
        Trials of earlier runs that the searches are told of.
    measured_share
        Of a GPU for each trial, if it was to be measured.
    """

    options: SweepOptions
    brain: Brain
    folds: tuple[Fold, ...]
    genes: GeneOptions
    profile: ComputeProfile
    warm: WarmStart = WarmStart()
    measured_share: float = 0.0

    @property
    def gpu_share(self) -> float:
        """Share of a GPU that a trial has; 0 for none."""
        return self.measured_share or max(0.0, self.options.gpus_per_trial)

    @property
    def models(self) -> tuple[str, ...]:
        """The model of the sweep, and geography beside it."""
        model = self.options.model
        return (model,) if model == GEOGRAPHY else (model, GEOGRAPHY)

    def task(self, model: str) -> Task:
        """Return what a model reads and learns; geography beside it learns the connectome."""
        return self.options.task if model == self.options.model else Task()

    def n_configs(self, model: str) -> int:
        """Configs to try per outer fold."""
        return configs_per_fold(self.options, model)

    def search_notes(self) -> list[str]:
        """Say what the search space leaves out here, and what the model sees more than others."""
        model = self.options.model
        space, label = SEARCH_SPACES[model], MODELS[model].label
        notes = cap_notes(space, self.scale())
        if space.fixed and self.options.samples > 1:
            notes.append(f"{model} has nothing to search: one config per outer fold")
        if label:
            notes.append(f"{model} {label}, which no other model is shown: compare it with none")
        return notes

    def context(self) -> TrialContext:
        """Return what trials share."""
        return TrialContext(
            brain=self.brain,
            folds=self.folds,
            metric=self.options.metric,
            profile=self.profile,
            gpu_fraction=self.gpu_share,
            trial_timeout_s=60 * self.options.trial_timeout_min,
            train_test_edges=self.options.train_test_edges,
        )

    def scale(self) -> Scale:
        """Return the limits of the search spaces."""
        inner = [fold for outer in self.folds for fold in outer.inner]
        return Scale(
            small=self.options.small,
            n_genes=n_columns(
                self.options.task.features, n_genes=self.n_genes(), n_regions=self.brain.n_regions
            ),
            n_train_regions=min(len(fold.train_regions) for fold in inner),
            max_passes=self.options.max_epochs,
            patience=self.options.patience,
            has_gene_vectors=self.brain.gene_vectors is not None,
        )

    def board(
        self, paths: SweepPaths, committed: Callable[[Path], None] = lambda path: None
    ) -> SearchBoard:
        """Return all searches, with what their records hold; `committed` hears of new ones."""
        store = RecordStore(paths, committed)
        return SearchBoard(
            [
                self._search(model, fold, store)
                for model in self.models
                for fold in range(len(self.folds))
            ]
        )

    def _search(self, model: str, fold: int, store: RecordStore) -> FoldSearch:
        iterative = MODELS[model].kind == "iterative"
        options, scale = self.options, self.scale()
        rule = make_rule(
            options.scheduler, max_passes=options.max_epochs, grace_passes=options.grace_epochs
        )
        if not iterative:
            rule = dataclasses.replace(
                rule, milestones=(), batch_size=CLOSED_FORM_BATCH, waits=True
            )

        def study_of(records: list[ConfigRecord]) -> FoldStudy:
            return FoldStudy(
                SEARCH_SPACES[model],
                scale=scale,
                genes=self.genes,
                task=self.task(model),
                seed=sampler_seed(options.seed, model, fold),
                records=records,
                warm=self.warm.of(model, fold),
            )

        return FoldSearch(
            model,
            fold,
            study_of=study_of,
            rule=rule,
            n_configs=self.n_configs(model),
            configs_per_trial=1 if iterative else CLOSED_FORM_BATCH,
            seed=options.seed,
            store=store,
        )

    def n_genes(self) -> int:
        """Return how many genes every fit chooses."""
        regions = self.brain.regions(self.folds[0].inner[0].train_regions)
        chosen = select_genes(
            regions,
            self.brain.genes,
            self.brain.tss,
            which=self.genes.which,
            order="random",
            seed=0,
        )
        return len(chosen)


def configs_per_fold(options: SweepOptions, model: str) -> int:
    """Return how many configs a model of a sweep gets: one if there is nothing to search.

    Geography gets as many as its rival, or more.
    """
    if SEARCH_SPACES[model].fixed:
        return 1
    if model == options.model:
        return options.samples
    return max(options.samples, MIN_GEOGRAPHY_CONFIGS)


def make_plan(options: SweepOptions) -> SweepPlan:
    """Load the data and plan a sweep; errors are those of `plan_sweep` and `load_dataset`."""
    return plan_sweep(options, load_dataset(options.dataset))


def plan_sweep(options: SweepOptions, dataset: Brain) -> SweepPlan:
    """Take what is wanted of a dataset, choose genes, cut the folds, check nulls.

    Raises
    ------
    UserError
        If the dataset lacks what the options need, a gene list cannot be used, or the folds or
        nulls cannot be made.
    """
    brain = options.view.of(dataset)
    check_task(options.task, brain)
    genes = GeneOptions(
        which=resolve_genes(options.genes, brain.genes),
        order=options.gene_order,
        seed=options.seed,
    )
    folds = make_brain_folds(
        brain,
        split=options.split,
        score=options.score,
        n_folds=options.folds,
        n_inner_folds=options.inner_folds,
        n_inner_repeats=options.inner_repeats,
        seed=options.seed,
        resolution=options.resolution,
        buffer_mm=options.buffer_mm,
    )
    if options.task.learned == GEOGRAPHY_RESIDUAL:
        check_can_cross_fit(min(len(f.train_regions) for fold in folds for f in fold.inner))
    if options.nulls:
        check_nulls(brain, method=options.null_method, moves=options.null_moves, seed=options.seed)
    profile = ComputeProfile.choose(gpu=options.gpus_per_trial != 0, threads=options.cpus_per_trial)
    return SweepPlan(options, brain, folds, genes, profile)
