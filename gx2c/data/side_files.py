"""A user's own files in addition to a dataset: numbers for each region, or for each gene."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.checks import duplicates, shown
from gx2c.data.gene_sets import gene_groups, read_gmt
from gx2c.errors import UserError, logger
from gx2c.files import ordinary

# Instead of a file of gene vectors: membership in each group that comes with gx2c
GROUPS = "groups"
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
MIN_GENES = 2


@dataclass(frozen=True)
class SideTable:
    """Rows of numbers, each with a name."""

    names: tuple[str, ...]  # Names of the rows
    columns: tuple[str, ...]  # Names of the columns
    values: FloatArray  # (n_rows, n_columns), all finite
    digest: str  # SHA-256 of the file


def read_side_table(path: str | Path) -> SideTable:
    """Read a table with a header, names in the first column and numbers in the others.

    Raises
    ------
    UserError
        If it cannot be read, repeats a name or holds something that is not a finite number.
    """
    # a best.yaml that someone edited may hold anything here
    if not isinstance(path, str | Path):
        raise UserError(f"{path!r} is no path of a table; give one in .csv or .tsv")
    path = Path(path)
    # slow to import, and most of gx2c.data does without
    import pandas as pd

    separator = SEPARATORS.get(path.suffix.lower())
    if separator is None:
        raise UserError(f"{path} is no table that gx2c reads; give a file in .csv or .tsv")
    try:
        content = ordinary(path).read_bytes()
        table = pd.read_csv(path, sep=separator, dtype={0: str}, index_col=0)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; give the path of a table") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a table ({' '.join(str(error).split())})") from None
    names = tuple(str(name) for name in table.index)
    if repeated := duplicates(names):
        raise UserError(f"{path} repeats {shown(repeated)}; give each name one row")
    numbers = table.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    if not numbers.size:
        raise UserError(f"{path} holds no numbers; write a name and numbers in each row")
    if not np.isfinite(numbers).all():
        row, column = np.argwhere(~np.isfinite(numbers))[0]
        raise UserError(
            f"{path}: row {names[row]!r}, column {table.columns[column]!r} is not a finite number"
        )
    columns = tuple(str(column) for column in table.columns)
    return SideTable(names, columns, numbers, hashlib.sha256(content).hexdigest())


def with_region_embeddings(brain: Brain, path: str | Path) -> Brain:
    """Replace the brain's expression with the rows of a table.

    Surrogates move them as they move expression. The brain's checksum covers the file.

    Raises
    ------
    UserError
        As `read_side_table`, or if a region of the brain has no row.
    """
    table = read_side_table(path)
    place = {name: row for row, name in enumerate(table.names)}
    if missing := [label for label in brain.labels if label not in place]:
        raise UserError(
            f"{path} has no row for {len(missing)} of {brain.n_regions} regions of {brain.name} "
            f"({shown(missing)}); name its rows as the regions in regions.tsv"
        )
    return replace(
        brain,
        expression=table.values[[place[label] for label in brain.labels]],
        genes=table.columns,
        tss=np.arange(len(table.columns), dtype=np.float64),
        expression_from=None,
        shared_samples=None,
        stability=None,
        checksum=_joined(brain, table.digest),
    )


def with_gene_vectors(brain: Brain, source: str | Path) -> Brain:
    """Describe each gene by numbers; genes without a row are left out.

    Parameters
    ----------
    brain
        Any brain.
    source
        The path of a table; or that of a GMT file, for 1 where a gene belongs to a set, else 0, for
        the genes that belong to any; or `GROUPS`, the same for the groups that come with gx2c.

    Raises
    ------
    UserError
        As `read_side_table` or `read_gmt`, or if fewer than two genes of the brain have a row.
    """
    table = _gene_table(source)
    place = {name: row for row, name in enumerate(table.names)}
    kept = [index for index, gene in enumerate(brain.genes) if gene in place]
    if len(kept) < MIN_GENES:
        raise UserError(
            f"{source} has rows for {len(kept)} of {brain.n_genes} genes of {brain.name} and needs "
            f"{MIN_GENES} or more; name its rows by symbols such as {shown(brain.genes[:1])}"
        )
    if len(kept) < brain.n_genes:
        logger.info("%s: %d of %d genes have a row", source, len(kept), brain.n_genes)
    return replace(
        brain,
        expression=brain.expression[:, kept],
        genes=tuple(brain.genes[index] for index in kept),
        tss=None if brain.tss is None else brain.tss[kept],
        stability=None if brain.stability is None else brain.stability[kept],
        gene_vectors=table.values[[place[brain.genes[index]] for index in kept]],
        checksum=_joined(brain, table.digest),
    )


def _gene_table(source: str | Path) -> SideTable:
    if str(source) == GROUPS:
        return _memberships(gene_groups())
    if str(source).endswith(".gmt"):
        return _memberships(read_gmt(source))
    return read_side_table(source)


def _memberships(sets: Mapping[str, Sequence[str]]) -> SideTable:
    """Make a column for each set, and a row for each gene of any set."""
    members = {name: set(genes) for name, genes in sets.items()}
    genes = sorted(set().union(*members.values()))
    # a set of all genes distinguishes none
    names = [name for name, found in members.items() if len(found) < len(genes)] or list(members)
    values = np.array([[float(gene in members[name]) for name in names] for gene in genes])
    said = "\n".join([*names, *genes]).encode() + values.tobytes()
    return SideTable(tuple(genes), tuple(names), values, hashlib.sha256(said).hexdigest())


def _joined(brain: Brain, digest: str) -> str:
    return hashlib.sha256((brain.checksum + digest).encode()).hexdigest()
