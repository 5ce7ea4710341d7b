"""The plan of a sweep: its data, folds and searches, made and checked before the first trial."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from gx2c.data import Brain, count_genes, load_dataset, resolve_genes
from gx2c.data.genes import LISTED
from gx2c.errors import UserError
from gx2c.fit import ComputeProfile, GeneOptions, Task
from gx2c.fit.augmentation import Augmentation
from gx2c.fit.config import CONNECTOME, GEOGRAPHY_RESIDUAL, check_task
from gx2c.fit.features import n_columns
from gx2c.fit.residual import check_can_cross_fit
from gx2c.fit.stacking import EQUAL
from gx2c.models.names import GEOGRAPHY, families_of, spec_of, split_name
from gx2c.splits import Fold
from search_spaces import Scale, get_search_space
from search_spaces.space import FROM_SCALE, SearchSpace
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, RecordStore, ranked
from sweeps.request.contradictions import reads_genes
from sweeps.request.ensemble import EnsembleSize, ensemble_size
from sweeps.request.folds import cut_folds, other_inner_folds
from sweeps.request.null_kinds import NullKinds, null_kinds
from sweeps.request.options import SweepOptions
from sweeps.request.starting import starts_of, with_starts
from sweeps.search.board import SearchBoard
from sweeps.search.fold_search import FoldSearch
from sweeps.search.fold_study import FoldStudy
from sweeps.search.rungs import make_rule
from sweeps.search.seeds import sampler_seed, trial_seed
from trainables.work import TrialContext

# A closed form costs milliseconds: geography is searched with at least this many configs
MIN_GEOGRAPHY_CONFIGS = 32
CLOSED_FORM_BATCH = 32


@dataclass(frozen=True)
class WarmStart:
    """Trials of earlier runs that searches may learn from, and a description per run."""

    trials: Mapping[tuple[str, int], tuple[ConfigRecord, ...]] = field(default_factory=dict)
    sources: tuple[dict[str, Any], ...] = ()

    def of(self, model: str, fold: int) -> tuple[ConfigRecord, ...]:
        """Return the trials for one search."""
        return self.trials.get((model, fold), ())


@dataclass(frozen=True)
class SweepPlan:
    """A sweep that can run.

    Attributes
    ----------
    options
        The checked options.
    brain
        The data.
    folds
        Outer folds with inner folds, those of the first seed first. Searches, retrained models and
        nulls are numbered by their place here.
    genes
        Rule by which every fit chooses genes on its own training regions.
    profile
        Compute profile of every fit.
    warm
        Trials of earlier runs that the searches start from.
    measured_share
        Measured share of a GPU per trial, with `--gpus-per-trial auto`.
    null_kinds
        The surrogates of its nulls.
    weighing
        The outer folds with the inner folds on which `best` learns weights, if it does.
    """

    options: SweepOptions
    brain: Brain
    folds: tuple[Fold, ...]
    genes: GeneOptions
    profile: ComputeProfile
    warm: WarmStart = WarmStart()
    measured_share: float = 0.0
    null_kinds: NullKinds = NullKinds()
    weighing: tuple[Fold, ...] = ()

    def of_null_kind(self, name: str) -> "SweepPlan":
        """Return the plan of the nulls of a single surrogate."""
        return dataclasses.replace(
            self, options=dataclasses.replace(self.options, null_method=name)
        )

    @property
    def gpu_share(self) -> float:
        """Share of a GPU per trial; 0 for none."""
        return self.measured_share or max(0.0, self.options.gpus_per_trial)

    @property
    def models(self) -> tuple[str, ...]:
        """The model of the sweep, and geography."""
        return tuple(dict.fromkeys((self.options.model, GEOGRAPHY)))

    @property
    def searched(self) -> tuple[str, ...]:
        """The models with a search of their own: those that `best` averages stand for it."""
        return tuple(dict.fromkeys((*families_of(self.options.model), GEOGRAPHY)))

    def ensemble(self, model: str) -> EnsembleSize:
        """Return how many configs and seeds of a model are retrained and averaged."""
        return ensemble_size(self.options.ensemble, model, of=self.options.model)

    def task(self, model: str, geography: Sequence[ConfigRecord] = ()) -> Task:
        """Return the task of a model; that of geography is always the connectome.

        If the model learns the residual of geography, `geography` holds the finished configs of
        the outer fold, the best of which make the ensemble that is taken out.
        """
        if model == GEOGRAPHY:
            return Task()
        task = self.options.task
        if not spec_of(model).trains_in_epochs:
            task = dataclasses.replace(task, augmentation=Augmentation())
        if not split_name(model)[1]:
            return dataclasses.replace(task, learned=CONNECTOME)
        best = ranked(geography)[: self.ensemble(GEOGRAPHY).n_configs]
        members = tuple(record.config["hyperparameters"] for record in best)
        return dataclasses.replace(task, learned=GEOGRAPHY_RESIDUAL, geography=members)

    def context(self) -> TrialContext:
        """Return the objects that trials share."""
        return TrialContext(
            brain=self.brain,
            folds=self.folds,
            metric=self.options.metric,
            profile=self.profile,
            gpu_fraction=self.gpu_share,
            trial_timeout_s=60 * self.options.trial_timeout_min,
            train_test_edges=self.options.train_test_edges,
            split=self.options.split,
            conditions=tuple(self.options.conditions),
        )

    def scale(self, fold: int = 0) -> Scale:
        """Return the limits of the search spaces in an outer fold, the same for all of its seed."""
        seed = self.folds[fold].seed
        inner = [one for outer in self.folds if outer.seed == seed for one in outer.inner]
        return Scale(
            small=self.options.small,
            n_genes=n_columns(
                self.options.task.features, n_genes=self.n_genes(), n_regions=self.brain.n_regions
            ),
            n_train_regions=min(len(fold.train_regions) for fold in inner),
            has_gene_vectors=self.brain.gene_vectors is not None,
            augment_search=self.options.augment_search,
            **{name: getattr(self.options, name) for name in FROM_SCALE},
        )

    def board(
        self, paths: SweepPaths, committed: Callable[[Path], None] = lambda path: None
    ) -> SearchBoard:
        """Return all searches with their records; `committed` is called with every new record."""
        store, folds = RecordStore(paths, committed), range(len(self.folds))
        baseline = [self._search(GEOGRAPHY, fold, store) for fold in folds]
        mine = [
            self._search(model, fold, store, baseline[fold])
            for model in self.searched
            if model != GEOGRAPHY
            for fold in folds
        ]
        return SearchBoard([*mine, *baseline])

    def _search(
        self, model: str, fold: int, store: RecordStore, geography: FoldSearch | None = None
    ) -> FoldSearch:
        iterative = spec_of(model).trains_in_epochs
        options, split = self.options, self.folds[fold]
        rule = make_rule(
            options.scheduler, max_epochs=options.max_epochs, grace_epochs=options.grace_epochs
        )
        if not iterative:
            rule = dataclasses.replace(
                rule, milestones=(), batch_size=CLOSED_FORM_BATCH, waits=True
            )

        def task_of() -> Task:
            return self.task(model, list(geography.records.values()) if geography else ())

        def study_of(records: list[ConfigRecord]) -> FoldStudy:
            return FoldStudy(
                self.space(model, fold),
                scale=self.scale(fold),
                genes=self.genes_of(fold),
                task_of=task_of,
                seed=sampler_seed(split.seed, model, split.number),
                records=records,
                warm=self.warm.of(model, fold),
            )

        return FoldSearch(
            model,
            fold,
            study_of=study_of,
            rule=rule,
            n_configs=configs_per_fold(options, model),
            configs_per_trial=1 if iterative else CLOSED_FORM_BATCH,
            seed_of=partial(trial_seed, split.seed, model, split.number),
            store=store,
            after=geography if split_name(model)[1] else None,
        )

    def n_genes(self) -> int:
        """Return the number of genes that every fit chooses."""
        return count_genes(self.genes_of().which, self.brain.genes)

    def genes_of(self, fold: int = 0) -> GeneOptions:
        """Return how fits of an outer fold choose genes, by the model they start from, if any."""
        split = self.folds[fold]
        if starts := starts_of([split]):
            return GeneOptions(starts[0].genes, order=LISTED, seed=split.seed)
        return dataclasses.replace(self.genes, seed=split.seed)

    def space(self, model: str, fold: int = 0) -> SearchSpace:
        """Return what may vary in a model: only training, if it starts from a saved one."""
        space = get_search_space(model)
        if not (spec_of(model).trains_in_epochs and (starts := starts_of([self.folds[fold]]))):
            return space
        return space.only_training(starts[0].config.hyperparameters)


def configs_per_fold(options: SweepOptions, model: str) -> int:
    """Return the number of configs of a model in a sweep, one if there is nothing to search.

    Geography, and every closed form that `best` averages, gets as many as networks, or more.
    """
    if get_search_space(model).fixed:
        return 1
    if model == options.model or spec_of(model).trains_in_epochs:
        return options.samples
    return max(options.samples, MIN_GEOGRAPHY_CONFIGS)


def make_plan(options: SweepOptions) -> SweepPlan:
    """Load the data and plan a sweep; errors are those of `plan_sweep` and `load_dataset`."""
    dataset = load_dataset(options.dataset, trust_row_order=options.trust_row_order)
    return plan_sweep(options, dataset)


def plan_sweep(options: SweepOptions, dataset: Brain) -> SweepPlan:
    """Select the part of the dataset, choose genes, make folds, and check nulls.

    Raises
    ------
    UserError
        If the dataset lacks what the options need, a gene list cannot be used, or the folds or
        nulls cannot be made.
    """
    brain, spec = options.view.of(dataset), spec_of(options.model)
    check_task(options.task, brain, spec, spec.uses)
    if reads_genes(options.model, options.features) and not brain.n_genes:
        raise UserError(
            f"{brain.name} has no gene expression, which {options.model} reads; add it "
            "(gx2c data import … --expression FILE), or run geography"
        )
    genes = GeneOptions(
        which=resolve_genes(options.genes, brain.genes, brain.stability),
        order=options.gene_order,
        seed=options.seed,
    )
    folds = cut_folds(options, brain, n_inner_repeats=options.inner_repeats)
    folds = with_starts(options, brain, folds)
    if any(split_name(model)[1] for model in families_of(options.model)):
        check_can_cross_fit(min(len(f.train_regions) for fold in folds for f in fold.inner))
    kinds = null_kinds(options, brain, folds)
    profile = ComputeProfile.choose(gpu=options.gpus_per_trial != 0, threads=options.cpus_per_trial)
    weighing = folds if options.weights == EQUAL else other_inner_folds(options, brain, folds)
    return SweepPlan(options, brain, folds, genes, profile, null_kinds=kinds, weighing=weighing)
