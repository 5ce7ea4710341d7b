"""Choose and order genes with the training regions' expression alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from gx2c.data.brain import FloatArray, IntArray, Regions
from gx2c.data.checks import duplicates, shown
from gx2c.data.gene_clusters import clustered_order
from gx2c.errors import UserError

ALL_GENES = "all"
N_NAMED = 5
_MOST_VARIABLE = re.compile(r"([0-9]+)_var")
_CLUSTERS = re.compile(r"cluster_([1-9][0-9]*)")


class GeneOrder(Protocol):
    """A rule that orders genes."""

    def __call__(
        self, expression: FloatArray, genes: Sequence[str], tss: FloatArray | None, seed: int
    ) -> IntArray:
        """Return a permutation of the genes, (n_genes,).

        Parameters
        ----------
        expression
            (n_train_regions, n_genes).
        genes
            n_genes symbols.
        tss
            (n_genes,) positions along the genome, NaN where unknown, or None.
        seed
            Used by random orders only.
        """


def select_genes(
    training: Regions,
    genes: Sequence[str],
    tss: FloatArray | None,
    *,
    which: str | Sequence[str] = ALL_GENES,
    order: str = "tss",
    seed: int = 0,
) -> IntArray:
    """Choose genes and put them in order.

    Parameters
    ----------
    training
        The training regions; nothing is learned from others.
    genes
        n_genes symbols, those of the columns of `training.expression`.
    tss
        (n_genes,) positions along the genome, NaN where unknown, or None.
    which
        "all"; "100_var" for the 100 genes that vary most across the training regions; or symbols.
    order
        "tss" (along the genome; genes of unknown place last, by symbol), "expression" (ascending
        mean over the training regions), "random", or "cluster_<k>" (clusters of k genes that are
        co-expressed in the training regions).
    seed
        Of the random order.

    Returns
    -------
    IntArray
        Indices into `genes`, in order.

    Raises
    ------
    UserError
        If there is no such rule, a symbol is not in the dataset or more genes are wanted than
        there are.
    """
    rule = gene_order(order)
    chosen = _choose(training.expression, genes, which)
    names = [genes[index] for index in chosen.tolist()]
    places = None if tss is None else tss[chosen]
    return chosen[rule(training.expression[:, chosen], names, places, seed)]


def gene_order(name: str) -> GeneOrder:
    """Look an order up by name: one of `GENE_ORDERS`, or "cluster_<k>".

    Raises
    ------
    UserError
        If there is none of that name.
    """
    if match := _CLUSTERS.fullmatch(name):
        return _by_clusters(int(match[1]))
    try:
        return GENE_ORDERS[name]
    except KeyError:
        raise UserError(
            f"no gene order named {name!r}; choose from {sorted(GENE_ORDERS)} or cluster_<k>"
        ) from None


def read_gene_list(path: str | Path) -> tuple[str, ...]:
    """Read gene symbols from a text file, one a line; empty lines and # comments are skipped.

    Raises
    ------
    UserError
        If the file cannot be read, or holds no symbols, repeated ones, or several in a line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"gene list {path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise UserError(
            f"cannot read the gene list {path}: {error.strerror}; give 'all', '<N>_var' or the "
            "path of a text file with one symbol a line"
        ) from None
    symbols = [line.partition("#")[0].strip() for line in text.splitlines()]
    symbols = [symbol for symbol in symbols if symbol]
    if not symbols:
        raise UserError(f"gene list {path} is empty; write one symbol a line")
    if crowded := [symbol for symbol in symbols if re.search(r"[\s,;]", symbol)]:
        raise UserError(f"gene list {path} has {shown(crowded)} in a line; write one symbol a line")
    if repeated := duplicates(symbols):
        raise UserError(f"gene list {path} repeats {shown(repeated)}; write each symbol once")
    return tuple(symbols)


def is_rule(which: str) -> bool:
    """Tell whether a choice of genes is "all" or "<N>_var", rather than names of genes."""
    return which == ALL_GENES or _MOST_VARIABLE.fullmatch(which) is not None


def check_gene_choice(which: str | Sequence[str], genes: Sequence[str]) -> None:
    """Refuse a choice that `select_genes` would refuse, before any work is done.

    Raises
    ------
    UserError
        As `select_genes`.
    """
    if isinstance(which, str):
        _n_most_variable(which, len(genes))
    else:
        _indices_of(which, genes)


def _choose(expression: FloatArray, genes: Sequence[str], which: str | Sequence[str]) -> IntArray:
    if not isinstance(which, str):
        return _indices_of(which, genes)
    n_wanted = _n_most_variable(which, len(genes))
    if n_wanted == len(genes):
        return np.arange(len(genes))
    # Stable: among equally variable genes the dataset's order decides, on every machine
    return np.sort(np.argsort(-expression.var(axis=0), kind="stable")[:n_wanted])


def _n_most_variable(which: str, n_genes: int) -> int:
    if which == ALL_GENES:
        return n_genes
    match = _MOST_VARIABLE.fullmatch(which)
    if match is None:
        raise UserError(
            f"genes {which!r} is no choice; give 'all', '<N>_var' such as '500_var', or symbols"
        )
    n_wanted = int(match[1])
    if not 1 <= n_wanted <= n_genes:
        raise UserError(
            f"genes {which!r} asks for {n_wanted}; the dataset has {n_genes}: give 1 to {n_genes}"
        )
    return n_wanted


def _indices_of(symbols: Sequence[str], genes: Sequence[str]) -> IntArray:
    place = {gene: index for index, gene in enumerate(genes)}
    missing = [symbol for symbol in symbols if symbol not in place]
    if missing:
        named = ", ".join(missing[:N_NAMED])
        raise UserError(
            f"{len(missing)} of {len(symbols)} gene symbols are not in the dataset ({named}"
            f"{', …' if len(missing) > N_NAMED else ''}); drop them from the list"
        )
    if not symbols or duplicates(symbols):
        raise UserError("the list of genes is empty or repeats a symbol; give each symbol once")
    return np.sort(np.array([place[symbol] for symbol in symbols], dtype=np.int64))


def _by_tss(
    expression: FloatArray, genes: Sequence[str], tss: FloatArray | None, seed: int
) -> IntArray:
    positions = np.full(len(genes), np.inf) if tss is None else np.where(np.isnan(tss), np.inf, tss)
    return np.lexsort((np.array(genes), positions)).astype(np.int64)


def _by_expression(
    expression: FloatArray, genes: Sequence[str], tss: FloatArray | None, seed: int
) -> IntArray:
    return np.lexsort((np.array(genes), expression.mean(axis=0))).astype(np.int64)


def _at_random(
    expression: FloatArray, genes: Sequence[str], tss: FloatArray | None, seed: int
) -> IntArray:
    return np.random.default_rng(seed).permutation(len(genes)).astype(np.int64)


def _by_clusters(size: int) -> GeneOrder:
    def order(
        expression: FloatArray, genes: Sequence[str], tss: FloatArray | None, seed: int
    ) -> IntArray:
        return clustered_order(expression, genes, size=size)

    return order


GENE_ORDERS: dict[str, GeneOrder] = {
    "tss": _by_tss,
    "expression": _by_expression,
    "random": _at_random,
}
