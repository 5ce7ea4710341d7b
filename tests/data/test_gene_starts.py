from __future__ import annotations

import pytest

from gx2c.data.gene_starts import (
    ALIAS,
    DIRECT,
    PREVIOUS,
    RENAMED,
    Gencode,
    GeneStart,
    Hgnc,
    find_start,
    gene_rows,
    read_gencode,
    read_hgnc,
)

GENCODE = """#contig\tstart\tend\tgene_name\tgene_id\tstrand\tgene_type
chr1\t99\t500\tPLUS\tENSG00000000001.5\t+\tprotein_coding
chr2\t99\t500\tMINUS\tENSG00000000002.1\t-\tprotein_coding
chrM\t9\t20\tMT-ONE\tENSG00000000003.1\t+\tprotein_coding
chrY\t999\t2000\tPAR\tENSG00000000004.1_PAR_Y\t+\tprotein_coding
chrX\t999\t2000\tPAR\tENSG00000000004.1\t+\tprotein_coding
chr3\t10\t900\tTWICE\tENSG00000290000.1\t+\tlncRNA
chr3\t50\t800\tTWICE\tENSG00000000005.9\t+\tpseudogene
chr4\t0\t70\tOLDNAME\tENSG00000000006.1\t+\tlncRNA
"""
HGNC = "\t".join(
    ("HGNC ID", "Approved symbol", "Status", "Alias symbols", "Previous symbols", "Ensembl gene ID")
) + "\n".join(
    [
        "",
        "1\tPLUS\tApproved\tNICK, SHARED\tPLUSOLD\tENSG00000000001",
        '2\tMINUS\tApproved\tSHARED\tMINUSOLD, "BOTH\tENSG00000000002',
        "3\tNEWNAME\tApproved\t\tOLDERNAME\tENSG00000000006",
        "4\tGONE\tEntry Withdrawn\tGHOST\t\t",
        "5\tNOWHERE\tApproved\t\tLOST\tENSG00000009999",
    ]
)


@pytest.fixture(scope="module")
def tables() -> tuple[Gencode, Hgnc]:
    return read_gencode(GENCODE), read_hgnc(HGNC)


@pytest.mark.parametrize(
    ("symbol", "start", "source"),
    [
        ("PLUS", GeneStart("1", 100, "+"), DIRECT),
        ("MINUS", GeneStart("2", 500, "-"), DIRECT),
        ("MT-ONE", GeneStart("MT", 10, "+"), DIRECT),
        ("PAR", GeneStart("X", 1000, "+"), DIRECT),
        ("TWICE", GeneStart("3", 51, "+"), DIRECT),
        ("NEWNAME", GeneStart("4", 1, "+"), RENAMED),
        ("OLDERNAME", GeneStart("4", 1, "+"), PREVIOUS),
        ("PLUSOLD", GeneStart("1", 100, "+"), PREVIOUS),
        ("NICK", GeneStart("1", 100, "+"), ALIAS),
    ],
)
def test_a_symbol_leads_to_its_start(
    tables: tuple[Gencode, Hgnc], symbol: str, start: GeneStart, source: str
) -> None:
    assert find_start(symbol, *tables) == (start, source)


@pytest.mark.parametrize("symbol", ["SHARED", "GHOST", "GONE", "LOST", "NOWHERE", "UNHEARD"])
def test_ambiguous_and_unknown_symbols_lead_nowhere(
    tables: tuple[Gencode, Hgnc], symbol: str
) -> None:
    assert find_start(symbol, *tables) is None
    assert gene_rows([symbol], *tables) == [(symbol, "n/a", "n/a", "n/a", "n/a")]
