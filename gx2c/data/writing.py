"""Write a dataset folder; the same tables always give the same bytes."""

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.gene_starts import chromosome_and_tss, known_starts
from gx2c.data.individuals import edge_names
from gx2c.data.layout import (
    DESCRIPTION,
    DISTANCE,
    EXPRESSION,
    GENES,
    HOLDOUT_COHORT,
    INDIVIDUALS,
    MAIN_COHORT,
    REGIONS,
    TRUSTED,
    DatasetFolder,
    measure_name,
    relmat_name,
    sidecar,
    structural_name,
)
from gx2c.data.matrix import format_number, matrix_text, table_text
from gx2c.data.tables import read_json
from gx2c.errors import DataError, UserError
from gx2c.files import file_digest

BIDS_VERSION = "1.10.0"
HEMISPHERES = ("L", "R", "B")
COORDINATE_COLUMNS = ("x_mni_mm", "y_mni_mm", "z_mni_mm")
SPHERE_COLUMNS = ("x_sphere_mm", "y_sphere_mm", "z_sphere_mm")
LOBE_COLUMN = "lobe"
STRUCTURE_COLUMN = "structure"
SOURCE_COLUMN = "expression_from"
# Labels of other regions with `LABEL_MARK` between them
SHARED_COLUMN, LABEL_MARK = "shares_samples_with", "|"
GENE_COLUMNS = ("gene", "chromosome", "tss", "strand", "source")
STABILITY_COLUMN = "stability"
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
    return write_tables(folder, brain.parts(), description)


def write_tables(
    folder: str | Path,
    parts: Mapping[str, Any],
    description: Mapping[str, Any],
    *,
    gene_rows: Sequence[Sequence[str]] = (),
    texts: Mapping[str, str] | None = None,
    segmentation: str = "",
) -> Path:
    """Write a dataset folder from its parts.

    Parameters
    ----------
    folder, description
        As in `write_dataset`.
    parts
        Attributes of `Brain` by name; a region without expression may be a row of NaN, and the
        type of the expression is kept.
    gene_rows
        n_genes rows of genes.tsv; made of `parts["tss"]` if empty.
    texts
        Further files by name, such as README.md.
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
    dataset, labels = DatasetFolder(Path(folder)), parts["labels"]
    _make_folder(dataset)
    segmentation = segmentation or str(description["Name"])
    main, holdout = {"Cohort": MAIN_COHORT}, {"Cohort": HOLDOUT_COHORT}
    for part, name, facts in (
        ("connectome", relmat_name(segmentation, MAIN_COHORT), RELMAT_SIDECAR | main),
        ("holdout_connectome", relmat_name(segmentation, HOLDOUT_COHORT), RELMAT_SIDECAR | holdout),
        ("structural_connectome", structural_name(segmentation), STRUCTURAL_SIDECAR),
    ):
        if parts.get(part) is not None:
            _write_text(dataset.root / name, matrix_text(labels, parts[part]))
            _write_json(sidecar(dataset.root / name), facts)
    measures = dict(parts.get("measures") or {})
    if parts.get("distances_mm") is not None:
        measures[DISTANCE] = parts["distances_mm"]
    for measure, values in measures.items():
        path = dataset.root / measure_name(segmentation, measure)
        facts = {"Description": f"{measure} of pairs of regions.", "RelationshipMeasure": measure}
        if measure == DISTANCE:
            facts |= {"Units": "mm", "NonNegative": True}
        _write_text(path, matrix_text(labels, values))
        _write_json(sidecar(path), RELMAT_SIDECAR | facts)
    if (people := parts.get("individual_connectomes")) is not None:
        edges = [edge_names(a, b)[0] for a, b in combinations(labels, 2)]
        names = [f"subject{number + 1}" for number in range(len(people))]
        _write_parquet(dataset.root / INDIVIDUALS, names, edges, people)
    _write_text(dataset.root / REGIONS, table_text(_region_rows(parts)))
    if genes := parts["genes"]:
        _write_parquet(dataset.root / EXPRESSION, labels, genes, parts["expression"])
        rows = gene_rows or _gene_rows(genes, parts.get("tss"))
        _write_text(dataset.root / GENES, _gene_text(rows, parts.get("stability")))
    for name, text in (texts or {}).items():
        _write_text(dataset.root / name, text)
    _write_json(
        dataset.root / DESCRIPTION,
        {"BIDSVersion": BIDS_VERSION, "DatasetType": "derivative"}
        | dict(description)
        | ({TRUSTED: True} if parts.get("trust_row_order") else {})
        | {"SHA256": checksums(dataset)},
    )
    return dataset.root


def write_known_starts(folder: str | Path, brain: Brain) -> int:
    """Write genes.tsv of a dataset with the starts that come with gx2c; return how many it has."""
    dataset, rows = DatasetFolder(Path(folder)), known_starts(brain.genes)
    description = read_json(dataset.root / DESCRIPTION)
    _write_text(dataset.root / GENES, _gene_text(rows, brain.stability))
    if "SHA256" in description:
        description["SHA256"] = checksums(dataset)
    _write_json(dataset.root / DESCRIPTION, description)
    return sum(row[1] != "n/a" for row in rows)


def checksums(dataset: DatasetFolder) -> dict[str, str]:
    """Return the SHA-256 of every file of a dataset but its description, by file name."""
    return {path.name: _digest(path) for path in dataset.files()}


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        sentence = f"{path.name} cannot be read: {error.strerror}; mend or remove it"
        raise DataError(path.name, [sentence]) from None


def _make_folder(dataset: DatasetFolder) -> None:
    try:
        dataset.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder {dataset.root}: {error.strerror}") from None
    if any(dataset.root.iterdir()) and not (dataset.root / DESCRIPTION).exists():
        raise UserError(
            f"{dataset.root} holds files that are not a dataset's; give a new or empty folder"
        )
    # A connectome of an earlier writing under another name would be read as a second one
    for name in (INDIVIDUALS, EXPRESSION, GENES):
        (dataset.root / name).unlink(missing_ok=True)
    earlier = dataset.connectomes(holdout=False) + dataset.connectomes(holdout=True)
    earlier += [*dataset.structural_connectomes(), *dataset.measures().values()]
    for path in earlier:
        path.unlink()
        sidecar(path).unlink(missing_ok=True)


def _write_parquet(
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


def _region_rows(parts: Mapping[str, Any]) -> list[list[str]]:
    by_distance = parts.get("distances_mm") is not None
    header = ["label", "hemisphere", "network", *([] if by_distance else COORDINATE_COLUMNS)]
    places = parts["coords_mm"][:, :0] if by_distance else parts["coords_mm"]
    if parts.get("sphere_coords") is not None:
        header += SPHERE_COLUMNS
        places = np.hstack([places, parts["sphere_coords"]])
    sides = [HEMISPHERES[side] for side in parts["hemisphere"].tolist()]
    columns = [parts["labels"], sides, parts["network"]]
    columns += [[format_number(value) for value in column] for column in places.T.tolist()]
    for column in (LOBE_COLUMN, STRUCTURE_COLUMN, SOURCE_COLUMN):
        if parts.get(column) is not None:
            header.append(column)
            columns.append(parts[column])
    if parts.get("shared_samples") is not None:
        header.append(SHARED_COLUMN)
        columns.append(shared_cells(parts["labels"], parts["shared_samples"]))
    return [header, *map(list, zip(*columns, strict=True))]


def _gene_rows(genes: Sequence[str], tss: FloatArray | None) -> list[tuple[str, ...]]:
    positions = np.full(len(genes), np.nan) if tss is None else tss
    places = [chromosome_and_tss(position) for position in positions.tolist()]
    return [
        (gene, chromosome, "n/a" if np.isnan(start) else str(round(start)), "n/a", "n/a")
        for gene, (chromosome, start) in zip(genes, places, strict=True)
    ]


def shared_cells(labels: Sequence[str], shared: NDArray[Any]) -> list[str]:
    """Return for each region the labels of those that it shares tissue samples with."""
    rows = [np.flatnonzero(row).tolist() for row in shared]
    return [LABEL_MARK.join(labels[i] for i in row) or "n/a" for row in rows]


def _gene_text(rows: Sequence[Sequence[str]], stability: FloatArray | None) -> str:
    if stability is None:
        return table_text([GENE_COLUMNS, *rows])
    cells = [format_number(value) for value in stability.tolist()]
    body = [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
    return table_text([[*GENE_COLUMNS, STABILITY_COLUMN], *body])


def _write_text(path: Path, text: str) -> None:
    path.write_bytes(text.encode())


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    _write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
