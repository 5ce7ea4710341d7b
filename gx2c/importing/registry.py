"""Public datasets that gx2c can fetch: files at pinned commits, licences, citations."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

SOURCES = Path(__file__).parent / "sources.tsv"
RAW_HOST = "https://raw.githubusercontent.com"
ENIGMA = "enigmatoolbox/datasets/"
GENEEX2CONN = "data/"


@dataclass(frozen=True)
class Source:
    """One file of a public repository."""

    # Where it is; a commit never changes
    repository: str
    commit: str
    path: str
    git_blob: str  # SHA-1 of "blob LENGTH", a zero byte and the content, as git computes it
    n_bytes: int  # Its size; 0 where it was not recorded

    @property
    def url(self) -> str:
        """The address of the file."""
        return f"{RAW_HOST}/{self.repository}/{self.commit}/{quote(self.path)}"


@dataclass(frozen=True)
class Remote:
    """A dataset that can be fetched."""

    summary: str  # One line
    paths: tuple[str, ...]  # Its files, by their path in `sources`
    licence: str  # The known terms
    references: tuple[str, ...]  # Publications to cite
    n_regions: int  # Regions of the parcellation
    genes: str  # How many genes; empty where nobody counted
    terms: str  # The licence in a few words
    options: Mapping[str, Any] = field(default_factory=dict)  # Further options of the import


@cache
def sources() -> Mapping[str, Source]:
    """Return every file of the registry by its path."""
    with SOURCES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        row["path"]: Source(
            row["repository"],
            row["commit"],
            row["path"],
            row["git_blob"],
            int(row["bytes"]) if row["bytes"].isdigit() else 0,
        )
        for row in rows
    }


_HCP = "HCP: Van Essen et al. (2013), NeuroImage 80, 62-79, doi:10.1016/j.neuroimage.2013.05.041"
_AHBA = "AHBA: Hawrylycz et al. (2012), Nature 489, 391-399, doi:10.1038/nature11405"
_ENIGMA = (
    "ENIGMA toolbox: Larivière et al. (2021), Nat. Methods 18, 698-700, "
    "doi:10.1038/s41592-021-01186-4"
)
_ABAGEN = "abagen: Markello et al. (2021), eLife 10, e72129, doi:10.7554/eLife.72129"
_RATZAN = "GeneEx2Conn: Ratzan et al. (2025), https://github.com/neuroinfolab/GeneEx2Conn"
_ENIGMA_LICENCE = (
    "Matrices, labels and surfaces: ENIGMA toolbox, BSD-3-Clause; derived from HCP (Open Access "
    "Data Use Terms). Expression: repository saratheriver/enigma-extra, which states no licence; "
    "derived from the Allen Human Brain Atlas (terms of use of the Allen Institute)."
)
_PUBLISHED_LICENCE = (
    "Repository neuroinfolab/GeneEx2Conn, CC BY-NC-SA 4.0: no commercial use. Derived from {data}."
)
_SURFACES = tuple(
    f"{ENIGMA}surfaces/conte69_32k_{side}{kind}.gii"
    for side in ("lh", "rh")
    for kind in ("", "_sphere")
)
# Parcellation -> its ending in file names, name of its vertex labels, regions, genes stable at 0.6
_ENIGMA_SETS: Mapping[str, tuple[str, str, int, str]] = {
    "dk": ("", "aparc", 68, "1,645"),
    **{
        f"schaefer{n}": (f"_schaefer_{n}", f"schaefer_{n}", n, few)
        for n, few in ((100, "810"), (200, "430"), (300, "327"), (400, "282"))
    },
    "glasser360": ("_glasser_360", "glasser_360", 360, "268"),
}


def _enigma(name: str, stability: str) -> Remote:
    ending, vertices, n_regions, genes = _ENIGMA_SETS[name]
    matrices = f"{ENIGMA}matrices/hcp_connectivity/"
    wanted = f"ahba/allgenes_stable_r{stability}{ending}.csv"
    expression = next(path for path in sources() if path in (wanted, f"{wanted}.zip"))
    parts = ("funcMatrix_ctx", "funcLabels_ctx", "strucMatrix_ctx", "strucLabels_ctx")
    paths = [f"{matrices}{part}{ending}.csv" for part in parts]
    paths += [f"{ENIGMA}parcellations/{vertices}_conte69.csv", *_SURFACES, expression]
    return Remote(
        f"ENIGMA's HCP group connectomes and AHBA expression, genes stable at r > {stability}",
        tuple(paths),
        _ENIGMA_LICENCE,
        (_ENIGMA, _HCP, _AHBA, _ABAGEN),
        n_regions,
        genes if stability == "0.6" else "",
        "BSD-3-Clause; none stated for expression",
    )


def _published(
    summary: str,
    paths: tuple[str, ...],
    n_regions: int,
    data: str,
    genes: str = "0",
    **options: Any,
) -> Remote:
    return Remote(
        summary,
        tuple(GENEEX2CONN + path for path in paths),
        _PUBLISHED_LICENCE.format(data=data),
        (_RATZAN, _AHBA) if genes != "0" else (_RATZAN,),
        n_regions,
        genes,
        "CC BY-NC-SA 4.0",
        options,
    )


_4S156 = "atlases/atlas-4S156Parcels_dseg_reformatted.csv"
_4S456 = "atlases/atlas-4S456Parcels_dseg_reformatted.csv"
_TRACTS = "HCP1200/4S456_DTI_count.mat"
_CORTEX = "enigma/allgenes_stable_r0.2_schaefer_400.csv"


@cache
def remotes() -> Mapping[str, Remote]:
    """Return the datasets that can be fetched, by name."""
    enigma = {
        f"enigma_{name}{suffix}": _enigma(name, stability)
        for name in _ENIGMA_SETS
        for stability, suffix in (("0.6", ""), ("0.2", "_r0.2"))
    }
    mpi = "the MPI-LEMON dataset"
    return {
        **enigma,
        "ukbb_s156": _published(
            "UK Biobank group connectome, 4S156; cortical expression of schaefer100",
            ("UKBB/UKBB_S156_FC_mu_clean.csv", _4S156),
            156,
            "UK Biobank",
            "15,633",
            expression="schaefer100",
        ),
        "ukbb_s456": _published(
            "UK Biobank group connectome, 4S456, HCP streamlines, cortical expression",
            ("UKBB/UKBB_S456_FC_mu_clean.csv", _4S456, _TRACTS, _CORTEX),
            456,
            "UK Biobank, HCP and the Allen Human Brain Atlas",
            "",
        ),
        "hcp_s456": _published(
            "HCP group connectome, 4S456, HCP streamlines, cortical expression",
            ("HCP1200/HCP1200_S456_FC_mu.csv", _4S456, _TRACTS, _CORTEX),
            456,
            "HCP and the Allen Human Brain Atlas",
            "",
        ),
        "ipa183": _published(
            "MPI-LEMON group connectome and AHBA expression, iPA with 183 regions",
            ("BHA2/iPA_183/fc/fc_mean.csv", "BHA2/iPA_183/iPA_183.csv",
             "BHA2/iPA_183/transcriptomics.csv"),
            183,
            mpi,
            "",
            kind="ipa",
        ),
        **{
            f"ipa{n}": _published(
                f"MPI-LEMON group connectome, iPA with {n} regions",
                (f"BHA2/iPA_{n}/fc/fc_mean.csv", f"BHA2/iPA_{n}/iPA_{n}.csv"),
                n,
                mpi,
                kind="ipa",
            )
            for n in (391, 729)
        },
    }  # fmt: skip
