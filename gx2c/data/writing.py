"""Write a dataset folder; the same tables always give the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.genome import chromosome_and_tss
from gx2c.data.individuals import edge_names
from gx2c.data.layout import (
    HOLDOUT_COHORT,
    MAIN_COHORT,
    DatasetFolder,
    relmat_name,
    sidecar,
    structural_name,
)
from gx2c.errors import UserError

BIDS_VERSION = "1.10.0"
HEMISPHERES = ("L", "R")
COORDINATE_COLUMNS = ("x_mni_mm", "y_mni_mm", "z_mni_mm")
SPHERE_COLUMNS = ("x_sphere_mm", "y_sphere_mm", "z_sphere_mm")
LOBE_COLUMN = "lobe"
GENE_COLUMNS = ("gene", "chromosome", "tss", "strand", "source")
RELMAT_SIDECAR: dict[str, Any] = {
    "Description": "Functional connectivity; the header names the regions, rows follow its order.",
    "RelationshipMeasure": "Pearson correlation coefficient",
    "Weighted": True,
    "Directed": False,
    "ValidDiagonal": False,
    "StorageFormat": "Full",
    "NonNegative": False,
    "Units": "1",
}

STRUCTURAL_SIDECAR: dict[str, Any] = RELMAT_SIDECAR | {
    "Description": "Structural connectivity; the header names the regions, rows follow its order.",
    "RelationshipMeasure": "Structural connectivity, scaled to [0, 1]",
    "NonNegative": True,
}


@dataclass(frozen=True)
class DatasetTables:
    """The contents of a dataset's files; every array is in the order of `labels` and `genes`.

    Attributes
    ----------
    labels, genes
        n_regions region labels and n_genes gene symbols.
    expression
        (n_regions, n_genes); a region without expression is all NaN. Its type is kept.
    connectome, holdout_connectome
        (n_regions, n_regions), Pearson r; the second may be None.
    hemisphere
        (n_regions,), 0 left, 1 right.
    network
        n_regions network names.
    coords_mm
        (n_regions, 3), MNI space, mm.
    sphere_coords
        (n_regions, 3), each hemisphere's own sphere, mm, or None.
    gene_rows
        n_genes rows: gene, chromosome, tss, strand, source, as text.
    lobe
        n_regions lobe names, or None.
    structural_connectome
        (n_regions, n_regions), within [0, 1], or None.
    individual_connectomes
        (n_subjects, n_edges), as in `Brain`, or None.
    """

    labels: tuple[str, ...]
    genes: tuple[str, ...]
    expression: NDArray[Any]
    connectome: FloatArray
    holdout_connectome: FloatArray | None
    hemisphere: NDArray[np.int64]
    network: tuple[str, ...]
    coords_mm: FloatArray
    sphere_coords: FloatArray | None
    gene_rows: Sequence[Sequence[str]]
    lobe: tuple[str, ...] | None = None
    structural_connectome: FloatArray | None = None
    individual_connectomes: NDArray[np.float32] | None = None


def write_dataset(folder: str | Path, brain: Brain, description: Mapping[str, Any]) -> Path:
    """Write a brain as a dataset folder that `load_dataset` reads.

    Parameters
    ----------
    folder
        The folder; made if need be.
    brain
        What to write; regions that it excluded are not in it, so they are not written.
    description
        Keys of dataset_description.json, at least "Name"; "Summary" (one line), "License" and
        "ReferencesAndLinks" are worth giving.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UserError
        If `description` has no name, or the folder holds another dataset.
    """
    unknown = np.full(brain.n_genes, np.nan)
    positions = unknown if brain.tss is None else brain.tss
    places = [chromosome_and_tss(position) for position in positions.tolist()]
    rows = [
        (gene, chromosome, format_whole(tss), "n/a", "n/a")
        for gene, (chromosome, tss) in zip(brain.genes, places, strict=True)
    ]
    tables = DatasetTables(
        brain.labels,
        brain.genes,
        brain.expression,
        brain.connectome,
        brain.holdout_connectome,
        brain.hemisphere,
        brain.network,
        brain.coords_mm,
        brain.sphere_coords,
        rows,
        brain.lobe,
        brain.structural_connectome,
        brain.individual_connectomes,
    )
    return write_tables(folder, tables, description)


def write_tables(
    folder: str | Path,
    tables: DatasetTables,
    description: Mapping[str, Any],
    *,
    readme: str = "",
    segmentation: str = "",
) -> Path:
    """Write a dataset folder from its tables.

    Parameters
    ----------
    folder, tables, description
        As in `write_dataset`.
    readme
        Text of README.md; none is written if empty.
    segmentation
        The parcellation's name in file names; the dataset's name if empty.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UserError
        As `write_dataset`.
    """
    if not str(description.get("Name", "")).strip():
        raise UserError("the description has no 'Name'; name the dataset")
    dataset = DatasetFolder(Path(folder))
    _make_folder(dataset)
    label = segmentation or str(description["Name"])
    cohorts = {MAIN_COHORT: tables.connectome, HOLDOUT_COHORT: tables.holdout_connectome}
    for cohort, connectome in cohorts.items():
        if connectome is not None:
            path = dataset.root / relmat_name(label, cohort)
            _write_rows(path, tables.labels, connectome)
            _write_json(sidecar(path), RELMAT_SIDECAR | {"Cohort": cohort})
    if tables.structural_connectome is not None:
        path = dataset.root / structural_name(label)
        _write_rows(path, tables.labels, tables.structural_connectome)
        _write_json(sidecar(path), STRUCTURAL_SIDECAR)
    if tables.individual_connectomes is not None:
        _write_individuals(dataset.individuals, tables.labels, tables.individual_connectomes)
    _write_columns(dataset.expression, tables.labels, tables.genes, tables.expression)
    _write_regions(dataset.regions, tables)
    _write_text(dataset.genes, [GENE_COLUMNS, *tables.gene_rows])
    if readme:
        dataset.readme.write_bytes(readme.encode())
    _write_json(
        dataset.description,
        {"BIDSVersion": BIDS_VERSION, "DatasetType": "derivative"}
        | dict(description)
        | {"SHA256": checksums(dataset)},
    )
    return dataset.root


def checksums(dataset: DatasetFolder) -> dict[str, str]:
    """Return the SHA-256 of every file of a dataset but its description, by file name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dataset.files()}


def format_number(value: float) -> str:
    """Write a number with the fewest digits that give it back; n/a if it is not finite."""
    return repr(float(value)) if np.isfinite(value) else "n/a"


def format_whole(value: float) -> str:
    """Write a whole number; n/a if it is not finite."""
    return str(round(value)) if np.isfinite(value) else "n/a"


def _make_folder(dataset: DatasetFolder) -> None:
    """Make the folder; leave a folder with other people's files alone."""
    try:
        dataset.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {dataset.root}: {error.strerror}") from None
    if any(dataset.root.iterdir()) and not dataset.description.exists():
        raise UserError(
            f"{dataset.root} holds files that are not a dataset's; give a new or empty folder"
        )
    # A connectome of an earlier writing under another name would be read as a second one
    dataset.individuals.unlink(missing_ok=True)
    earlier = dataset.connectomes(holdout=False) + dataset.connectomes(holdout=True)
    for path in earlier + dataset.structural_connectomes():
        path.unlink()
        sidecar(path).unlink(missing_ok=True)


def _write_individuals(path: Path, labels: Sequence[str], individuals: NDArray[np.float32]) -> None:
    edges = [edge_names(a, b)[0] for a, b in combinations(labels, 2)]
    people = [f"subject{number + 1}" for number in range(len(individuals))]
    _write_columns(path, people, edges, individuals)


def _write_columns(
    path: Path, labels: Sequence[str], names: Sequence[str], values: NDArray[Any]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [pa.array(list(labels), type=pa.string())]
    columns += [pa.array(np.ascontiguousarray(column)) for column in values.T]
    table = pa.table(columns, names=["label", *names])
    # The least that makes pandas take `label` as the index
    index = {"name": "label", "field_name": "label", "pandas_type": "unicode"}
    pandas = {
        "index_columns": ["label"],
        "column_indexes": [],
        "columns": [index | {"numpy_type": "object", "metadata": None}],
    }
    table = table.replace_schema_metadata({"pandas": json.dumps(pandas)})
    pq.write_table(
        table,
        path,
        version="2.6",
        compression="zstd",
        compression_level=9,
        use_dictionary=False,
        write_statistics=False,
        column_encoding=dict.fromkeys(names, "BYTE_STREAM_SPLIT"),
    )


def _write_regions(path: Path, tables: DatasetTables) -> None:
    has_sphere = tables.sphere_coords is not None
    optional = (SPHERE_COLUMNS if has_sphere else ()) + ((LOBE_COLUMN,) if tables.lobe else ())
    header = ("label", "hemisphere", "network", *COORDINATE_COLUMNS, *optional)
    rows: list[Sequence[str]] = [header]
    numbers = (
        np.hstack([tables.coords_mm, tables.sphere_coords])
        if tables.sphere_coords is not None
        else tables.coords_mm
    )
    for i, label in enumerate(tables.labels):
        side = HEMISPHERES[int(tables.hemisphere[i])]
        places = map(format_number, numbers[i].tolist())
        lobe = (tables.lobe[i],) if tables.lobe else ()
        rows.append((label, side, tables.network[i], *places, *lobe))
    _write_text(path, rows)


def _write_rows(path: Path, header: Sequence[str], matrix: FloatArray) -> None:
    _write_text(path, [header, *([format_number(v) for v in row] for row in matrix.tolist())])


def _write_text(path: Path, rows: Sequence[Sequence[str]]) -> None:
    text = "".join("\t".join(row) + "\n" for row in rows)
    path.write_bytes(text.encode())


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_bytes((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())
