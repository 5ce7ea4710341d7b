"""Look up the transcription starts of gene symbols, old symbols included."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gx2c.data.layout import DATASET_DIRS
from gx2c.data.symbols import known_symbols

CHROMOSOMES = (*(str(number) for number in range(1, 23)), "X", "Y", "MT")
# Longer than any chromosome, so that positions sort by chromosome first; exact in float64
CHROMOSOME_STRIDE = 1e10

# The starts of the 15,633 genes of the dataset that comes with gx2c
SHIPPED = "schaefer100/genes.tsv"
DIRECT = "GENCODE v44"
RENAMED = "GENCODE v44, HGNC entry of the symbol"
PREVIOUS = "GENCODE v44, HGNC previous symbol"
ALIAS = "GENCODE v44, HGNC alias symbol"


class GeneStart(NamedTuple):
    """Where a gene's transcription starts, GRCh38."""

    chromosome: str  # One of `CHROMOSOMES`
    tss: int  # 1-based position: the first base of a gene on the + strand, the last on the - strand
    strand: str  # "+" or "-"


# The start of each symbol and of each Ensembl gene identifier without its version
Gencode = Mapping[str, GeneStart]
# For each kind of name (approved, previous, alias): the approved symbol and the Ensembl gene
# identifier of the entries that a name may mean
Hgnc = Sequence[Mapping[str, Sequence[tuple[str, str]]]]


def read_gencode(table: str) -> Gencode:
    """Read a table of GENCODE genes in BED coordinates (start counted from 0, end from 1).

    Where a symbol has several rows: pseudoautosomal genes are placed on X; otherwise the row with
    the lowest Ensembl number is taken, the gene that the symbol was given to, since the others are
    newer transcripts annotated under its name.
    """
    rows = _rows(table)
    # Later rows overwrite earlier ones: the best candidate of a symbol comes last
    rows.sort(key=lambda row: (_ensembl(row), row["#contig"]), reverse=True)
    return {name: _start(row) for row in rows for name in (_ensembl(row), row["gene_name"])}


def read_hgnc(table: str) -> Hgnc:
    """Read the table that HGNC's custom downloads give; withdrawn entries are left out."""
    columns = ("Approved symbol", "Previous symbols", "Alias symbols")
    names: list[dict[str, list[tuple[str, str]]]] = [defaultdict(list) for _ in columns]
    for row in _rows(table):
        if row["Status"] == "Approved":
            entry = row["Approved symbol"], row["Ensembl gene ID"]
            for column, entries in zip(columns, names, strict=True):
                for symbol in filter(None, row[column].split(", ")):
                    entries[symbol].append(entry)
    return names


def genome_position(chromosome: str, tss: float) -> float:
    """Place a transcription start along the genome, chromosome-major; NaN if unknown.

    Parameters
    ----------
    chromosome
        One of `CHROMOSOMES`; anything else is unknown.
    tss
        1-based position on the chromosome, or NaN.
    """
    if chromosome not in CHROMOSOMES:
        return float("nan")
    return CHROMOSOMES.index(chromosome) * CHROMOSOME_STRIDE + tss


def chromosome_and_tss(position: float) -> tuple[str, float]:
    """Undo `genome_position`; ("n/a", NaN) if unknown."""
    if np.isnan(position):
        return "n/a", float("nan")
    index, tss = divmod(position, CHROMOSOME_STRIDE)
    if index >= len(CHROMOSOMES):
        return "n/a", float("nan")
    return CHROMOSOMES[int(index)], tss


def find_start(symbol: str, gencode: Gencode, hgnc: Hgnc) -> tuple[GeneStart, str] | None:
    """Return a symbol's start and the way that led to it, or None.

    GENCODE's own symbol comes first, then the entry of HGNC that has the symbol as its approved,
    previous or alias symbol. A name that several entries share leads nowhere.
    """
    if symbol in gencode:
        return gencode[symbol], DIRECT
    for names, source in zip(hgnc, (RENAMED, PREVIOUS, ALIAS), strict=True):
        entries = names.get(symbol, ())
        if len(entries) > 1:
            return None
        for approved, ensembl in entries:
            # The identifier outlives renaming; a symbol may have moved to another gene since
            start = gencode.get(ensembl) or gencode.get(approved)
            return (start, source) if start else None
    return None


def gene_rows(genes: Sequence[str], gencode: Gencode, hgnc: Hgnc) -> list[tuple[str, ...]]:
    """Make the rows of genes.tsv: gene, chromosome, tss, strand, source; n/a where unknown."""
    found = [(gene, find_start(gene, gencode, hgnc)) for gene in genes]
    return [
        (gene, *map(str, one[0]), one[1]) if one else (gene, *["n/a"] * 4) for gene, one in found
    ]


def known_starts(genes: Sequence[str]) -> list[tuple[str, ...]]:
    """Make the rows of genes.tsv of the starts that come with gx2c, n/a for other symbols.

    A symbol and an earlier one of the same gene have the same start.
    """
    path = next(folder / SHIPPED for folder in DATASET_DIRS if (folder / SHIPPED).is_file())
    rows = [tuple(line.split("\t")) for line in path.read_text(encoding="utf-8").splitlines()]
    known, current = {row[0]: row[1:] for row in rows[1:]}, known_symbols().current
    renamed = {current(gene): row for gene, row in known.items()} | known
    unknown = ("n/a",) * 4
    return [(gene, *(renamed.get(gene) or renamed.get(current(gene), unknown))) for gene in genes]


def _rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE))


def _ensembl(row: Mapping[str, str]) -> str:
    return row["gene_id"].split(".")[0]


def _start(row: Mapping[str, str]) -> GeneStart:
    contig = row["#contig"].removeprefix("chr")
    chromosome = "MT" if contig == "M" else contig
    assert chromosome in CHROMOSOMES, f"unknown chromosome {contig}"
    tss = int(row["start"]) + 1 if row["strand"] == "+" else int(row["end"])
    return GeneStart(chromosome, tss, row["strand"])
