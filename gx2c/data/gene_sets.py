"""Named groups of genes: those that come with gx2c, and those of a user's GMT file."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.data.checks import duplicates, shown
from gx2c.data.genes import ALL_GENES, count_genes, fit_rule, read_gene_list, read_lines
from gx2c.errors import UserError, logger

SHIPPED = Path(__file__).parent / "gene_groups" / "burt2018.gmt"
# The name of the union of all groups that come with gx2c
ALL_GROUPS = "all_groups"
# Between the path of a GMT file and the name of one of its sets
SET_MARK = "#"
# Before the least differential stability of the genes to take
STABLE = "stable:"


def resolve_genes(
    choice: str, genes: Sequence[str], stability: FloatArray | None = None
) -> str | tuple[str, ...]:
    """Turn what a user asked for into what `select_genes` takes.

    Groups are lists made elsewhere, so that symbols that the dataset lacks are left out, with
    their number logged under "gx2c"; of a list of the user's own, all must be there.

    Parameters
    ----------
    choice
        "all", "<N>_var", or "stable:<X>" for the genes of a differential stability above X; a name
        in `gene_groups()`; the path of a GMT file, for all its genes, or with "#NAME" behind it for
        one of its sets; else the path of a text file with one symbol per line.
    genes
        n_genes symbols of the dataset.
    stability
        (n_genes,) differential stability, or None.

    Returns
    -------
    str or tuple of str
        The rule ("all" where there are fewer genes than N), or symbols in alphabetical order.

    Raises
    ------
    UserError
        If a file cannot be read or has no such set, no gene of a group is in the dataset, or
        `count_genes` refuses.
    """
    path, _, name = choice.partition(SET_MARK)
    which: str | tuple[str, ...]
    if choice in gene_groups():
        which = _present(choice, gene_groups()[choice], genes)
    elif choice.startswith(STABLE):
        which = _stable(choice, genes, stability)
    elif path.endswith(".gmt"):
        which = _present(choice, _from_gmt(Path(path), name), genes)
    else:
        which = fit_rule(choice, len(genes)) or read_gene_list(choice)
    count_genes(which, genes)
    return which


@cache
def gene_groups() -> Mapping[str, tuple[str, ...]]:
    """Return the groups that come with gx2c: symbols by name, in alphabetical order.

    Genes specific to brain, to neurons, to oligodendrocytes, to synapses (synaptome) and to
    layers, and `ALL_GROUPS`, their union.

    References
    ----------
    Burt et al. (2018), Nat. Neurosci. 21, 1251; from abagen 0.1.3 (Markello et al. 2021, eLife
    10, e72129), BSD-3-Clause: see gene_groups/burt2018.LICENSE.
    """
    groups = read_gmt(SHIPPED)
    return groups | {
        ALL_GROUPS: tuple(sorted({gene for group in groups.values() for gene in group}))
    }


def read_gmt(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Read gene sets from a GMT file: one set per line, tabs between name, description and symbols.

    Returns
    -------
    dict
        Symbols by the set's name, each once, in alphabetical order.

    Raises
    ------
    UserError
        If the file cannot be read, holds no set, a set without genes or two of one name.
    """
    lines = read_lines(path, "file of gene sets", "give the path of a GMT file")
    rows = [[cell.strip() for cell in line.split("\t")] for line in lines if line.strip()]
    if not rows:
        raise UserError(f"gene sets {path} are empty; write one set per line")
    if short := [row[0] for row in rows if not any(row[2:])]:
        raise UserError(
            f"gene sets {path}: {shown(short)} has no genes; a line needs a name, a description"
            " and symbols with tabs between them"
        )
    if repeated := duplicates([row[0] for row in rows]):
        raise UserError(f"gene sets {path} repeat {shown(repeated)}; give each set its own name")
    return {row[0]: tuple(sorted({symbol for symbol in row[2:] if symbol})) for row in rows}


def _stable(choice: str, genes: Sequence[str], stability: FloatArray | None) -> tuple[str, ...]:
    try:
        least = float(choice.removeprefix(STABLE))
    except ValueError:
        raise UserError(
            f"genes {choice!r} is no choice; give stable:X, such as stable:0.2"
        ) from None
    if stability is None:
        raise UserError(
            f"genes {choice!r} needs the differential stability of every gene, which the dataset "
            "lacks; gx2c data ahba makes it, or give a column stability in its genes.tsv"
        )
    chosen = tuple(genes[i] for i in np.flatnonzero(stability > least).tolist())
    if not chosen:
        raise UserError(
            f"no gene has a stability above {least:g}; the highest is {np.nanmax(stability):.3g}"
        )
    return tuple(sorted(chosen))


def _from_gmt(path: Path, name: str) -> tuple[str, ...]:
    sets = read_gmt(path)
    if not name:
        return tuple(sorted({gene for symbols in sets.values() for gene in symbols}))
    if name not in sets:
        raise UserError(f"{path} has no set {name!r}; choose from {shown(sorted(sets))}")
    return sets[name]


def _present(choice: str, wanted: Sequence[str], genes: Sequence[str]) -> tuple[str, ...]:
    known = set(genes)
    present = tuple(gene for gene in wanted if gene in known)
    if not present:
        raise UserError(
            f"none of the {len(wanted)} genes of {choice!r} is in the dataset; check that both"
            f" use symbols such as {shown(wanted[:1])}, or give {ALL_GENES!r}"
        )
    if len(present) < len(wanted):
        logger.info("%s: %d of %d genes are in the dataset", choice, len(present), len(wanted))
    return present
