"""Choose and order genes with the training regions' expression alone."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray, IntArray
from gx2c.data.checks import duplicates, shown
from gx2c.errors import UserError, logger
from gx2c.files import ordinary

ALL_GENES = "all"
# The order in which a list, or else the dataset, names genes
LISTED = "listed"
N_NAMED = 5
_MOST_VARIABLE = re.compile(r"([0-9]{1,9})_var")
_CLUSTERS = re.compile(r"cluster_([1-9][0-9]*)")


# From (n_train_regions, n_genes) expression, n_genes symbols, (n_genes,) positions along the genome
# (NaN where unknown, or None) and a seed for random orders, to a permutation of the genes
GeneOrder = Callable[[FloatArray, Sequence[str], FloatArray | None, int], IntArray]
# It converges in a few rounds; the limit only guards against endless swaps of ties
MAX_ROUNDS = 50


def select_genes(
    expression: FloatArray,
    genes: Sequence[str],
    *,
    which: str | Sequence[str] = ALL_GENES,
    order: str = "tss",
    tss: FloatArray | None = None,
    seed: int = 0,
) -> IntArray:
    """Choose genes and put them in order.

    Parameters
    ----------
    expression
        (n_train_regions, n_genes) of the training regions; nothing is learned from others.
    genes
        n_genes symbols.
    which
        "all"; "100_var" for the 100 genes that vary most across the training regions; or symbols.
    order
        "tss" (along the genome; genes of unknown place last, by symbol), "expression" (ascending
        mean over the training regions), "random", "listed" (as in the list of symbols, or else as
        in `genes`), or "cluster_<k>" (clusters of k genes that are co-expressed in the training
        regions).
    tss
        (n_genes,) positions along the genome, NaN where unknown, or None.
    seed
        Seed of the random order.

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
    if not isinstance(which, str):
        chosen = _indices_of(which, genes)
        chosen = chosen if order == LISTED else np.sort(chosen)
    elif (n_wanted := _n_most_variable(which, len(genes))) == len(genes):
        chosen = np.arange(len(genes))
    else:
        # Stable: among equally variable genes the dataset's order decides, on every machine
        chosen = np.sort(np.argsort(-expression.var(axis=0), kind="stable")[:n_wanted])
    names = [genes[index] for index in chosen.tolist()]
    places = None if tss is None else tss[chosen]
    return chosen[rule(expression[:, chosen], names, places, seed)]


def gene_order(name: str) -> GeneOrder:
    """Look an order up by name: one of `GENE_ORDERS`, or "cluster_<k>".

    Raises
    ------
    UserError
        If there is none of that name.
    """
    if match := _CLUSTERS.fullmatch(name):
        size = int(match[1])
        return lambda expression, genes, tss, seed: clustered_order(expression, genes, size=size)
    try:
        return GENE_ORDERS[name]
    except KeyError:
        raise UserError(
            f"no gene order named {name!r}; choose from {sorted(GENE_ORDERS)} or cluster_<k>"
        ) from None


def read_gene_list(path: str | Path) -> tuple[str, ...]:
    """Read gene symbols from a text file, one per line; empty lines and # comments are skipped.

    Raises
    ------
    UserError
        If the file cannot be read, or holds no symbols, repeated ones, or several in a line.
    """
    said = "give 'all', '<N>_var' or the path of a text file with one symbol per line"
    lines = read_lines(path, "gene list", said)
    symbols = [symbol for line in lines if (symbol := line.partition("#")[0].strip())]
    if not symbols:
        raise UserError(f"gene list {path} is empty; write one symbol per line")
    if crowded := [symbol for symbol in symbols if re.search(r"[\s,;]", symbol)]:
        raise UserError(
            f"gene list {path} has {shown(crowded)} in a line; write one symbol per line"
        )
    if repeated := duplicates(symbols):
        raise UserError(f"gene list {path} repeats {shown(repeated)}; write each symbol once")
    return tuple(symbols)


def read_lines(path: str | Path, kind: str, remedy: str) -> list[str]:
    """Read the lines of a text file of the user's.

    Raises
    ------
    UserError
        If it cannot be read; the sentence names the kind of file and ends with the remedy.
    """
    try:
        return ordinary(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{kind} {path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"cannot read the {kind} {path}: {error.strerror}; {remedy}") from None


def fit_rule(which: str, n_genes: int) -> str | None:
    """Return a rule as it holds for a dataset, or None for the name of a group or a file.

    A rule that asks for more genes than there are takes all, with a notice: a preset must not
    refuse a dataset of few genes.
    """
    match = _MOST_VARIABLE.fullmatch(which)
    if match is None or int(match[1]) <= n_genes:
        return which if match or which == ALL_GENES else None
    if n_genes:
        logger.warning("genes %r: the dataset has %d, so all of them are taken", which, n_genes)
    return ALL_GENES


def count_genes(which: str | Sequence[str], genes: Sequence[str]) -> int:
    """Return how many genes a choice takes, whatever their expression.

    Raises
    ------
    UserError
        As `select_genes`: to be called before any work is done.
    """
    if isinstance(which, str):
        return _n_most_variable(which, len(genes))
    return len(_indices_of(which, genes))


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
    return np.array([place[symbol] for symbol in symbols], dtype=np.int64)


def _by_tss(_: FloatArray, genes: Sequence[str], tss: FloatArray | None, seed: int) -> IntArray:
    positions = np.full(len(genes), np.inf) if tss is None else np.where(np.isnan(tss), np.inf, tss)
    return np.lexsort((np.array(genes), positions)).astype(np.int64)


GENE_ORDERS: dict[str, GeneOrder] = {
    "tss": _by_tss,
    "expression": lambda expression, genes, tss, seed: np.lexsort(
        (np.array(genes), expression.mean(axis=0))
    ),
    LISTED: lambda expression, genes, tss, seed: np.arange(len(genes)),
    "random": lambda expression, genes, tss, seed: np.random.default_rng(seed).permutation(
        len(genes)
    ),
}


def clustered_order(expression: FloatArray, genes: Sequence[str], *, size: int) -> IntArray:
    """Order genes so that each run of `size` genes is a cluster with similar expression.

    Genes are standardised over the regions and cut in two by 2-means with given sizes (whole
    clusters each), started at their first principal component; each half is cut again, until a
    part is one cluster. Similar clusters therefore end up near each other. Nothing is drawn at
    random.

    Parameters
    ----------
    expression
        (n_train_regions, n_genes); regions outside training have no say.
    genes
        n_genes symbols; ties are in alphabetical order.
    size
        Genes in a cluster; the last has fewer if they do not divide.

    Returns
    -------
    IntArray
        (n_genes,), a permutation.
    """
    spread = expression.std(axis=0)
    profiles = ((expression - expression.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).T
    # from here on the place of a gene is its alphabetical rank: it breaks ties
    alphabetical = np.argsort(np.array(genes), kind="stable")
    parts = [np.arange(len(genes))]
    ordered: list[IntArray] = []
    while parts:
        part = parts.pop()
        if len(part) <= size:
            ordered.append(part)
            continue
        n_clusters = -(-len(part) // size)
        halves = _cut_in_two(profiles[alphabetical[part]], size * (n_clusters // 2))
        parts += [part[half] for half in reversed(halves)]
    return alphabetical[np.concatenate(ordered)].astype(np.int64)


def _cut_in_two(profiles: FloatArray, n_first: int) -> tuple[IntArray, IntArray]:
    """Cut genes, (n_genes, n_regions), into `n_first` and the others, alike within each."""
    centred = profiles - profiles.mean(axis=0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    # the sign of an eigenvector is arbitrary and differs between machines
    direction = axis * np.sign(axis[np.argmax(np.abs(axis))])
    first = _furthest(centred, direction, n_first)
    for _ in range(MAX_ROUNDS):
        # all genes sum to 0, so that this sum points from the other mean to the first
        again = _furthest(centred, centred.T @ first.astype(np.float64), n_first)
        if np.array_equal(again, first):
            break
        first = again
    return np.flatnonzero(first), np.flatnonzero(~first)


def _furthest(centred: FloatArray, direction: FloatArray, count: int) -> NDArray[np.bool_]:
    chosen = np.zeros(len(centred), dtype=bool)
    chosen[np.argsort(-(centred @ direction), kind="stable")[:count]] = True
    return chosen
