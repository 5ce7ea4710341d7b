"""Look up the transcription starts of gene symbols in a GENCODE gene table."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gx2c.data.genome import CHROMOSOMES

DIRECT = "GENCODE v44"
ALIAS = "GENCODE v44, by alias"


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
class GeneStarts:
    """Transcription starts by symbol.

    Attributes
    ----------
    by_symbol
        Symbol -> start.
    aliases
        Lower-case other name -> symbol.
    """

    by_symbol: Mapping[str, GeneStart]
    aliases: Mapping[str, str]

    @classmethod
    def from_gencode(cls, table: str, aliases: Mapping[str, str]) -> GeneStarts:
        """Read a table of genes in BED coordinates (start counted from 0, end from 1).

        Where a symbol has several rows: pseudoautosomal genes are placed on X; otherwise the
        row with the lowest Ensembl number is taken, the gene that the symbol was given to,
        since the others are newer transcripts annotated under its name.
        """
        rows = defaultdict(list)
        for row in csv.DictReader(io.StringIO(table), delimiter="\t"):
            rows[row["gene_name"]].append(row)
        found = {}
        for symbol, candidates in rows.items():
            row = min(candidates, key=lambda r: (r["gene_id"].split(".")[0], r["#contig"]))
            found[symbol] = _start(row)
        return cls(found, aliases)

    def find(self, symbol: str) -> tuple[GeneStart, str] | None:
        """Return a symbol's start and the source that knew it, or None."""
        if symbol in self.by_symbol:
            return self.by_symbol[symbol], DIRECT
        other = self.aliases.get(symbol.lower())
        if other in self.by_symbol:
            return self.by_symbol[other], ALIAS
        return None


def gene_rows(genes: Sequence[str], starts: GeneStarts) -> list[tuple[str, ...]]:
    """Make the rows of genes.tsv: gene, chromosome, tss, strand, source; n/a where unknown."""
    rows = []
    for gene in genes:
        found = starts.find(gene)
        if found is None:
            rows.append((gene, "n/a", "n/a", "n/a", "n/a"))
        else:
            start, source = found
            rows.append((gene, start.chromosome, str(start.tss), start.strand, source))
    return rows


def _start(row: Mapping[str, str]) -> GeneStart:
    contig = row["#contig"].removeprefix("chr")
    chromosome = "MT" if contig == "M" else contig
    assert chromosome in CHROMOSOMES, f"unknown chromosome {contig}"
    tss = int(row["start"]) + 1 if row["strand"] == "+" else int(row["end"])
    return GeneStart(chromosome, tss, row["strand"])
