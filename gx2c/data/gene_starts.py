"""Look up the transcription starts of gene symbols, old symbols included."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gx2c.data.genome import CHROMOSOMES

DIRECT = "GENCODE v44"
RENAMED = "GENCODE v44, HGNC entry of the symbol"
PREVIOUS = "GENCODE v44, HGNC previous symbol"
ALIAS = "GENCODE v44, HGNC alias symbol"


@dataclass(frozen=True)
class GeneStart:
    """Where a gene's transcription starts, GRCh38.

    Attributes
    ----------
    chromosome
        1 to 22, X, Y or MT.
    tss
        1-based position: the first base of a gene on the + strand, the last on the - strand.
    strand
        "+" or "-".
    """

    chromosome: str
    tss: int
    strand: str


@dataclass(frozen=True)
class GencodeStarts:
    """Transcription starts of GENCODE, by symbol and by Ensembl gene.

    Attributes
    ----------
    by_symbol
        Symbol -> start.
    by_ensembl
        Ensembl gene identifier without its version -> start.
    """

    by_symbol: Mapping[str, GeneStart]
    by_ensembl: Mapping[str, GeneStart]

    @classmethod
    def from_table(cls, table: str) -> GencodeStarts:
        """Read a table of genes in BED coordinates (start counted from 0, end from 1).

        Where a symbol has several rows: pseudoautosomal genes are placed on X; otherwise the
        row with the lowest Ensembl number is taken, the gene that the symbol was given to,
        since the others are newer transcripts annotated under its name.
        """
        rows = list(csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE))
        # Later rows overwrite earlier ones: the best candidate of a symbol comes last
        rows.sort(key=lambda row: (_ensembl(row), row["#contig"]), reverse=True)
        return cls(
            {row["gene_name"]: _start(row) for row in rows},
            {_ensembl(row): _start(row) for row in rows},
        )


@dataclass(frozen=True)
class HgncEntry:
    """One approved gene of the HUGO Gene Nomenclature Committee.

    Attributes
    ----------
    symbol
        The approved symbol.
    ensembl
        Ensembl gene identifier, or empty.
    """

    symbol: str
    ensembl: str


@dataclass(frozen=True)
class HgncNames:
    """The entries that a symbol may mean.

    Attributes
    ----------
    approved, previous, alias
        Symbol -> the entries that have it as approved, previous or alias symbol.
    """

    approved: Mapping[str, Sequence[HgncEntry]]
    previous: Mapping[str, Sequence[HgncEntry]]
    alias: Mapping[str, Sequence[HgncEntry]]

    @classmethod
    def from_table(cls, table: str) -> HgncNames:
        """Read the table that HGNC's custom downloads give; withdrawn entries are left out."""
        names: dict[str, dict[str, list[HgncEntry]]] = {
            column: defaultdict(list)
            for column in ("Approved symbol", "Previous symbols", "Alias symbols")
        }
        for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["Status"] != "Approved":
                continue
            entry = HgncEntry(row["Approved symbol"], row["Ensembl gene ID"])
            for column, entries in names.items():
                for symbol in filter(None, row[column].split(", ")):
                    entries[symbol].append(entry)
        return cls(*names.values())


def find_start(
    symbol: str, gencode: GencodeStarts, hgnc: HgncNames
) -> tuple[GeneStart, str] | None:
    """Return a symbol's start and the way that led to it, or None.

    GENCODE's own symbol comes first, then the entry of HGNC that has the symbol as its approved,
    previous or alias symbol. A name that several entries share leads nowhere.
    """
    if symbol in gencode.by_symbol:
        return gencode.by_symbol[symbol], DIRECT
    ways = ((hgnc.approved, RENAMED), (hgnc.previous, PREVIOUS), (hgnc.alias, ALIAS))
    for names, source in ways:
        entries = names.get(symbol, ())
        if len(entries) > 1:
            return None
        for entry in entries:
            # The identifier outlives renaming; a symbol may have moved to another gene since
            start = gencode.by_ensembl.get(entry.ensembl) or gencode.by_symbol.get(entry.symbol)
            return (start, source) if start else None
    return None


def gene_rows(
    genes: Sequence[str], gencode: GencodeStarts, hgnc: HgncNames
) -> list[tuple[str, ...]]:
    """Make the rows of genes.tsv: gene, chromosome, tss, strand, source; n/a where unknown."""
    rows: list[tuple[str, ...]] = []
    for gene in genes:
        found = find_start(gene, gencode, hgnc)
        if found is None:
            rows.append((gene, "n/a", "n/a", "n/a", "n/a"))
        else:
            start, source = found
            rows.append((gene, start.chromosome, str(start.tss), start.strand, source))
    return rows


def _ensembl(row: Mapping[str, str]) -> str:
    return row["gene_id"].split(".")[0]


def _start(row: Mapping[str, str]) -> GeneStart:
    contig = row["#contig"].removeprefix("chr")
    chromosome = "MT" if contig == "M" else contig
    assert chromosome in CHROMOSOMES, f"unknown chromosome {contig}"
    tss = int(row["start"]) + 1 if row["strand"] == "+" else int(row["end"])
    return GeneStart(chromosome, tss, row["strand"])
