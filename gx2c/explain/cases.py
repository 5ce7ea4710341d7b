"""A saved model on its held-out regions, and its retraining on surrogates of the same genes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.errors import UserError, logger, look_up
from gx2c.explain.changes import left_out_importance, permutation_importance
from gx2c.explain.edges import HeldOutEdges
from gx2c.explain.gradients import COMPLETE, member_gradients
from gx2c.explain.shown import held_out, trains_in_epochs, unseen
from gx2c.explain.tokens import chromosomes, column_names, tokens_of
from gx2c.fit.config import FitConfig
from gx2c.fit.fitted import FittedModels
from gx2c.fit.network import derive_seed
from gx2c.fit.predictor import NetworkPredictor
from gx2c.fit.scoring import mean_prediction
from gx2c.models import MODELS
from gx2c.models.spec import EXPRESSION
from gx2c.nulls import surrogate_brains
from gx2c.nulls.brains import GENES as MOVE_GENES
from gx2c.saved.matching import match
from gx2c.saved.model import SavedModel, profile_of
from gx2c.splits.fold import Fold

NULL_STREAM = 0xE9
GENES, TOKENS, CHROMOSOMES, SETS = KINDS = ("genes", "tokens", "chromosomes", "sets")
# kind -> name -> indices of genes of the case's brain
Units = Mapping[str, Mapping[str, IntArray]]


@dataclass(frozen=True)
class Case:
    """One saved model, the brain with exactly its genes, and the units that are ranked.

    Attributes
    ----------
    model
        The saved model.
    brain
        The brain with the model's genes in the model's order.
    regions
        Indices of held-out regions.
    edges
        Those among them.
    units
        See `Units`.
    """

    model: SavedModel
    brain: Brain
    regions: IntArray
    edges: HeldOutEdges
    units: Units

    @classmethod
    def of(
        cls,
        model: SavedModel,
        brain: Brain,
        sets: Mapping[str, Sequence[str]],
        kinds: Sequence[str] = KINDS,
        *,
        fold: Fold | None = None,
    ) -> "Case":
        """Prepare a model; it is explained on the test regions of `fold`, by default of its own.

        Raises
        ------
        UserError
            If it reads no expression, the brain lacks a gene of it, or has too few regions that it
            has not seen, or it was trained on test regions of `fold`.
        """
        if EXPRESSION not in model.about.reads:
            raise UserError(f"{model.name} reads no expression, so no gene matters to it")
        regions = held_out(model, brain) if fold is None else unseen(model, brain, fold)
        shown = match(model.about, model.arrays, brain, most_missing=0.0)
        place = {gene: number for number, gene in enumerate(brain.genes)}
        kept = [place[gene] for gene in model.genes]
        own = replace(
            brain,
            genes=model.genes,
            expression=shown.expression,
            tss=None if brain.tss is None else brain.tss[kept],
            gene_vectors=None if brain.gene_vectors is None else brain.gene_vectors[kept],
            stability=None,
        )
        units = {k: found for k, found in _units(model, own, sets).items() if k in kinds and found}
        return cls(model, own, regions, HeldOutEdges.of(own, regions), units)

    def with_tokens_of(self, name: str) -> "Case":
        """Put a name before those of the tokens."""
        own = {f"{name}: {token}": genes for token, genes in self.units.get(TOKENS, {}).items()}
        return replace(self, units={k: own if k == TOKENS else u for k, u in self.units.items()})

    @property
    def configs(self) -> list[FitConfig]:
        """The config of each group of members, with its genes by symbol."""
        return [
            replace(one.config, genes=replace(one.config.genes, which=self._genes_of(one)))
            for one in self.model.fitted
        ]

    def _genes_of(self, fitted: FittedModels) -> tuple[str, ...]:
        read = fitted.views[0].features.read_genes()
        return tuple(self.model.genes[gene] for gene in read.tolist())

    def check_brain(self) -> None:
        """Check that the model can be fitted again.

        Raises
        ------
        UserError
            If the brain is not the one on which the model was trained.
        """
        if self.brain.checksum != self.model.about.dataset.checksum:
            raise UserError(
                f"{self.brain.name} is not the data on which {self.model!r} was trained, which a "
                "refit needs; give the dataset of the run, or gradients or permutation without "
                "nulls (--nulls 0)"
            )
        if self.model.about.origins:
            raise UserError(
                f"{self.model!r} started from a model of measured genes, which one of surrogates "
                "has not; explain it without nulls (--nulls 0)"
            )

    @property
    def fold(self) -> Fold:
        """Training and held-out regions, as indices into the brain; see `check_brain`."""
        self.check_brain()
        place = {label: index for index, label in enumerate(self.brain.labels)}
        train = [place[label] for label in self.model.about.training_regions]
        return Fold(np.array(train, np.int64), self.regions)

    def usual_method(self) -> str:
        """Return the method that suits the model: exact if it is cheap."""
        if trains_in_epochs(self.model):
            return "gradients"
        kernels = all(MODELS[one.config.model].kernel_nulls for one in self.model.fitted)
        return "left-out" if kernels else "permutation"

    def true_importance(self, method: str, *, seed: int = 0) -> list[dict[str, FloatArray]]:
        """Return the importance of every unit by kind, (n_units, n_groups) each; one in a list."""
        work = look_up(METHODS, method, "method of explanation named")
        with profile_of(self.model.about).active():
            found = [
                work(self, config, fitted, [self.brain] * len(fitted.views), seed)
                for config, fitted in zip(self.configs, self.model.fitted, strict=True)
            ]
        return [self._by_kind(self._mean(found))]

    def null_importance(
        self, method: str, numbers: Sequence[int], *, surrogate: str, seed: int
    ) -> list[dict[str, FloatArray]]:
        """Retrain every member on surrogates and return what `true_importance` does, for each.

        Configs, epochs and genes are those of the model.

        Parameters
        ----------
        method
            A key of `METHODS`.
        numbers
            Consecutive numbers of surrogates.
        surrogate
            A name in `gx2c.nulls.SURROGATES`.
        seed
            Random seed of surrogates and networks.
        """
        fold, work = self.fold, METHODS[method]
        made = surrogate_brains(
            self.brain,
            numbers,
            method=surrogate,
            moves=MOVE_GENES,
            seed=seed,
            training_regions=fold.train_regions,
        )
        brains, about = list(made), self.model.about
        # of each surrogate, the members of each config
        found: list[list[FloatArray]] = [[] for _ in brains]
        profile = profile_of(about)
        with profile.active():
            for place, (config, members) in enumerate(
                zip(self.configs, about.members, strict=True)
            ):
                n_seeds = len(members.seeds)
                each = [brain for brain in brains for _ in range(n_seeds)]
                seeds = [
                    derive_seed(seed, NULL_STREAM, about.fold or 0, number, place, k)
                    for number in numbers
                    for k in range(n_seeds)
                ]
                fitted = FittedModels.fit(
                    config,
                    each,
                    fold.train_regions,
                    fold.test_regions,
                    learning_rates=members.learning_rates,
                    seeds=seeds,
                    profile=profile,
                )
                values = work(self, config, fitted, each, seed)
                for number in range(len(brains)):
                    # a surrogate on which a fit diverged explains nothing
                    own = values[number * n_seeds : (number + 1) * n_seeds]
                    found[number].append(np.nan_to_num(own))
        return [self._by_kind(self._mean(own)) for own in found]

    def _mean(self, found: Sequence[FloatArray]) -> FloatArray:
        """Average members as the model averages their predictions.

        Parameters
        ----------
        found
            For each config, (n_members, n_units, n_groups).
        """
        weights = self.model.about.weights
        if not weights:
            return mean_prediction(np.concatenate(found))
        names = [one.config.name for one in self.model.fitted]
        means = [
            mean_prediction(
                np.concatenate([f for f, n in zip(found, names, strict=True) if n == w])
            )
            for w in weights
        ]
        return mean_prediction(means, list(weights.values()))

    def _by_kind(self, values: FloatArray) -> dict[str, FloatArray]:
        found, first = {}, 0
        for kind, units in self.units.items():
            found[kind] = values[first : first + len(units)]
            first += len(units)
        return found

    def _all_units(self) -> list[IntArray]:
        return [genes for units in self.units.values() for genes in units.values()]

    def by_gradients(
        self, config: FitConfig, fitted: FittedModels, brains: Sequence[Brain], seed: int
    ) -> FloatArray:
        """Sum the genes' contributions in each unit; see `member_gradients`."""
        found = member_gradients(fitted, brains, self.regions, self.edges)
        if (gap := np.mean([one.gap for one in found])) > COMPLETE:
            logger.warning("contributions miss a share of %.2g of the predictions' change", gap)
        return np.array(
            [[one.values[genes].sum(axis=0) for genes in self._all_units()] for one in found]
        )

    def by_permutation(
        self, config: FitConfig, fitted: FittedModels, brains: Sequence[Brain], seed: int
    ) -> FloatArray:
        """See `permutation_importance`."""
        return permutation_importance(
            fitted, brains, self.regions, self.edges, self._all_units(), seed=seed
        )

    def by_leaving_out(
        self, config: FitConfig, fitted: FittedModels, brains: Sequence[Brain], seed: int
    ) -> FloatArray:
        """See `left_out_importance`."""
        return left_out_importance(config, brains, self.fold, self.edges, self._all_units())


def named_apart(cases: Sequence[Case]) -> list[Case]:
    """Name tokens by fold where models chose their genes, so that their tokens differ."""
    tokens = {(case.model.genes, tuple(case.units.get(TOKENS, ()))) for case in cases}
    if len(tokens) == 1:
        return list(cases)
    about = [case.model.about for case in cases]
    by_fold = [f"fold {one.fold}" for one in about]
    by_seed = [f"seed {one.seed} fold {one.fold}" for one in about]
    numbered = [f"model {number}" for number in range(len(cases))]
    names = next(n for n in (by_fold, by_seed, numbered) if len(set(n)) == len(cases))
    return [case.with_tokens_of(name) for case, name in zip(cases, names, strict=True)]


METHODS: dict[str, Callable[[Case, FitConfig, FittedModels, Sequence[Brain], int], FloatArray]] = {
    "gradients": Case.by_gradients,
    "permutation": Case.by_permutation,
    "left-out": Case.by_leaving_out,
}


def _units(model: SavedModel, brain: Brain, sets: Mapping[str, Sequence[str]]) -> Units:
    place = {gene: number for number, gene in enumerate(brain.genes)}

    def found(members: Mapping[str, Sequence[str]]) -> dict[str, IntArray]:
        there = {n: [place[gene] for gene in of if gene in place] for n, of in members.items()}
        return {name: np.array(genes, np.int64) for name, genes in there.items() if genes}

    where, by_chromosome = chromosomes(brain, brain.genes), dict[str, list[str]]()
    for gene in brain.genes:
        by_chromosome.setdefault(where[gene], []).append(gene)
    return {
        GENES: found({gene: [gene] for gene in brain.genes}),
        TOKENS: found(_token_genes(model, where)),
        # one chromosome is all genes
        CHROMOSOMES: found(by_chromosome) if len(by_chromosome) > 1 else {},
        SETS: {n: g for n, g in found(sets).items() if len(g) < brain.n_genes},
    }


def _token_genes(model: SavedModel, where: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the genes of each token of the first network; none if tokens are not made of genes."""
    fitted = model.fitted[0]
    group = fitted.groups[0]
    if not isinstance(group, NetworkPredictor) or not hasattr(group.network, "tokeniser"):
        return {}
    n_regions = len(model.about.dataset.regions)
    columns = column_names(fitted.config, fitted.views[0].features, model.genes, n_regions)
    tokens = tokens_of(group.network, columns, where)
    # single genes are ranked as such
    return {t.name: t.columns for t in tokens if len(t.columns) > 1}
