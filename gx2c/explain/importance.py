"""Genes, tokens, chromosomes and gene sets ranked by importance, tested against surrogates."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.gene_sets import ALL_GROUPS, gene_groups
from gx2c.errors import UserError
from gx2c.explain.cases import GENES, KINDS, METHODS, TOKENS, Case, named_apart
from gx2c.nulls import DEFAULT_SURROGATE, check_nulls, fdr_p_values, max_t_p_values
from gx2c.nulls.brains import GENES as MOVE_GENES
from gx2c.saved.model import SavedModel
from gx2c.splits.fold import Fold

# Retrained side by side
NULLS_AT_ONCE = 16
NOT_TESTED = "not tested"
Results = dict[str, FloatArray]


@dataclass(frozen=True, repr=False)
class Importance:
    """Rankings of units of genes.

    Attributes
    ----------
    method
        A key of `gx2c.explain.METHODS`.
    n_nulls
        Number of surrogates.
    tables
        By kind ("genes", "tokens", "chromosomes", "sets"), a row per group of edges and unit, the
        most important of a group first: group ("all", pairs of networks, bands of distance), unit,
        n_genes, importance (mean over members and models of what the unit adds to
        cov(predicted, measured) / SD(measured)), null_mean and null_sd, p (one-sided), p_max_t
        and q (false discovery rate) over the units of a group; "not tested" without surrogates.
        Tokens that differ between models are named by fold, and are means over its members alone.
    """

    method: str
    n_nulls: int
    tables: dict[str, pd.DataFrame]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{t['unit'].nunique():,} {kind}" for kind, t in self.tables.items())
        return f"Importance({sizes}; by {self.method}, {self.n_nulls} nulls)"


def importance(
    models: Sequence[SavedModel],
    brain: Brain,
    *,
    method: str | None = None,
    nulls: int = 0,
    surrogate: str = DEFAULT_SURROGATE,
    sets: Mapping[str, Sequence[str]] | None = None,
    kinds: Sequence[str] = KINDS,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Callable[[Iterable[list[Results]], int], Iterable[list[Results]]] = lambda i, n: i,
) -> Importance:
    """Rank what saved models read by its importance for held-out edges.

    Parameters
    ----------
    models
        Such as those of a run, one for each fold, over which importances are averaged; a gene that
        a model does not read has none there.
    brain
        The brain; edges among regions that a model has not seen are explained.
    method
        A key of `METHODS`: "gradients" (networks), "left-out" (closed forms) or "permutation"; the
        one that suits the model if None.
    nulls
        Number of surrogates on which every model is retrained with its configs, epochs and genes.
    surrogate
        A name in `gx2c.nulls.SURROGATES`.
    sets
        Symbols by the name of a gene set; the groups that come with gx2c if None.
    kinds
        Units to rank, some of "genes", "tokens", "chromosomes", "sets".
    seed
        Random seed.
    n_jobs
        Processes among which retraining is divided; the result does not depend on it.
    progress
        Wraps the iteration over pieces of work, whose number it is given.

    Raises
    ------
    UserError
        If a model cannot be explained in this way, or surrogates cannot be made.
    """
    groups = sets or {n: g for n, g in gene_groups().items() if n != ALL_GROUPS}
    cases = named_apart([Case.of(model, brain, groups, kinds) for model in models])
    method = method or cases[0].usual_method()
    if nulls:
        check_nulls(cases[0].brain, method=surrogate, moves=MOVE_GENES, seed=seed)
        for case in cases:
            case.check_brain()
    starts = range(0, nulls, NULLS_AT_ONCE)
    jobs = [delayed(case.true_importance)(method, seed=seed) for case in cases]
    jobs += [
        delayed(case.null_importance)(
            method, range(first, min(first + NULLS_AT_ONCE, nulls)), surrogate=surrogate, seed=seed
        )
        for first in starts
        for case in cases
    ]
    done = iter(progress(Parallel(n_jobs, return_as="generator")(jobs), len(jobs)))
    pooled = {kind: _Pool.over(kind, cases, nulls) for kind in kinds}
    for case in cases:
        (found,) = next(done)
        for pool in pooled.values():
            pool.add(pool.true, case, found)
    for first in starts:
        for case in cases:
            for number, found in enumerate(next(done), start=first):
                for pool in pooled.values():
                    pool.add(pool.nulls[number], case, found)
    names = cases[0].edges.groups
    tables = {k: pool.table(names) for k, pool in pooled.items() if pool.place}
    return Importance(method, nulls, tables)


def integrated_gradients(model: SavedModel, brain: Brain, fold: Fold | None = None) -> pd.DataFrame:
    """Return what each gene contributes to the predictions of one saved network.

    Parameters
    ----------
    model
        The network; contributions are means over its members.
    brain
        The brain.
    fold
        The fold whose test regions are explained; the model's own if None.

    Returns
    -------
    pandas.DataFrame
        A row per gene of the model and a column per group of edges, in the order of
        `Importance.tables`. A column's sum is the change of cov(predicted, measured) /
        SD(measured) from the training mean of expression, within 1 %; no surrogate tests it.

    Raises
    ------
    UserError
        As for `importance`, or if the model was trained on test regions of `fold`.
    """
    case = Case.of(model, brain, {}, [GENES], fold=fold)
    (found,) = case.true_importance("gradients")
    return pd.DataFrame(
        found[GENES], index=list(case.units[GENES]), columns=list(case.edges.groups)
    )


@dataclass(frozen=True)
class _Pool:
    """Sums over models of one kind of units, in the order of `place`."""

    kind: str
    place: dict[str, int]
    n_genes: list[int]
    true: FloatArray  # (n_units, n_groups)
    nulls: np.ndarray  # (n_nulls, n_units, n_groups), float32: of many genes they fill the memory
    n_models: int  # over which a unit is averaged

    @classmethod
    def over(cls, kind: str, cases: Sequence[Case], n_nulls: int) -> "_Pool":
        own = [case.units.get(kind, {}) for case in cases]
        apart = kind == TOKENS and own[0].keys() != own[-1].keys()
        sizes = {name: len(genes) for units in own for name, genes in units.items()}
        place = {name: number for number, name in enumerate(sizes)}
        shape = (len(sizes), len(cases[0].edges.groups))
        null = np.zeros((n_nulls, *shape), dtype=np.float32)
        n_models = 1 if apart else len(cases)
        return cls(kind, place, list(sizes.values()), np.zeros(shape), null, n_models)

    def add(self, total: np.ndarray, case: Case, found: Results) -> None:
        """Add what was found in a case to a total, `true` or one of `nulls`."""
        if self.kind in found:
            total[[self.place[name] for name in case.units[self.kind]]] += found[self.kind]

    def table(self, groups: Sequence[str]) -> pd.DataFrame:
        parts = []
        for number, group in enumerate(groups):
            true = self.true[:, number] / self.n_models
            nulls = self.nulls[:, :, number] / self.n_models
            part = pd.DataFrame(
                {
                    "group": group,
                    "unit": list(self.place),
                    "n_genes": self.n_genes,
                    "importance": true,
                    **tests_of(true, nulls),
                }
            )
            parts.append(part.sort_values("importance", ascending=False, kind="stable"))
        return pd.concat(parts, ignore_index=True)


def tests_of(true: FloatArray, nulls: FloatArray) -> dict[str, object]:
    """Return the columns of an importance compared with its nulls, by name.

    Parameters
    ----------
    true
        (n_units,).
    nulls
        (n_nulls, n_units); without any, every row is "not tested".
    """
    if not len(nulls):
        columns = ("null_mean", "null_sd", "p", "p_max_t", "q")
        return dict.fromkeys(columns, NOT_TESTED)
    # float32 nulls of a unit that no model reads equal it exactly
    nulls, single = nulls.astype(np.float64), true.astype(np.float32).astype(np.float64)
    p = (1 + (nulls >= single).sum(axis=0)) / (1 + len(nulls))
    return {
        "null_mean": nulls.mean(axis=0),
        "null_sd": nulls.std(axis=0, ddof=1) if len(nulls) > 1 else np.full(len(true), np.nan),
        "p": p,
        "p_max_t": max_t_p_values(single, nulls),
        "q": fdr_p_values(p),
    }


def read_sets(sets: Mapping[str, Sequence[str]], choice: str) -> tuple[str, ...]:
    """Return the genes of a set by its name, or symbols joined by commas."""
    if choice in sets:
        return tuple(sets[choice])
    symbols = tuple(part.strip() for part in choice.split(",") if part.strip())
    if not symbols:
        raise UserError(f"{choice!r} names no gene; give symbols joined by commas, or a gene set")
    return symbols


__all__ = ["METHODS", "Importance", "importance", "read_sets", "tests_of"]
