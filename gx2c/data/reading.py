"""Read a dataset folder into the parts of a brain, in one order, noting all that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.brain import FloatArray, IntArray
from gx2c.data.checks import duplicates, shown
from gx2c.data.genome import CHROMOSOMES, genome_positions
from gx2c.data.individuals import EDGE_MARK, edge_names, take_edges
from gx2c.data.layout import DatasetFolder, sidecar
from gx2c.data.tables import (
    NOT_AVAILABLE,
    Matrix,
    numbers,
    read_json,
    read_matrix_tsv,
    read_parquet,
    read_tsv,
)
from gx2c.data.writing import (
    COORDINATE_COLUMNS,
    GENE_COLUMNS,
    HEMISPHERES,
    LOBE_COLUMN,
    SPHERE_COLUMNS,
)


@dataclass
class _Reader:
    """Collects problems while the files are read."""

    folder: DatasetFolder
    problems: list[str] = field(default_factory=list)


def read_folder(folder: DatasetFolder) -> tuple[dict[str, Any], list[str]]:
    """Read a dataset folder.

    Rows are aligned by label to regions.tsv and genes to the columns of expression.parquet;
    regions whose expression is all NaN are taken out.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    parts : dict
        Keywords of `Brain` for what could be read, all of it if there are no problems.
    problems : list of str
        What is wrong with the files, one sentence each.
    """
    reader = _Reader(folder)
    _check_description(reader)
    parts = _read_regions(reader)
    expression = read_parquet(folder.expression, reader.problems)
    parts |= _read_genes(reader, None if expression is None else expression.column_names)
    if expression is not None:
        # Without regions.tsv the rest is still checked, in the order of the expression
        parts.setdefault("labels", expression.row_names)
    labels = parts.get("labels")
    parts |= _read_connectomes(reader, labels)
    parts |= _read_individuals(reader, labels)
    if expression is None or labels is None:
        return parts, reader.problems
    order = _align(reader, folder.expression.name, expression.row_names, labels)
    if order is None:
        return parts, reader.problems
    parts["expression"] = expression.values[order]
    return _without_empty_regions(parts), reader.problems


def _check_description(reader: _Reader) -> None:
    path = reader.folder.description
    description = read_json(path, reader.problems)
    if description is not None and not str(description.get("Name", "")).strip():
        reader.problems.append(f"{path.name} has no 'Name'; BIDS asks for one")


def _read_regions(reader: _Reader) -> dict[str, Any]:
    path = reader.folder.regions
    columns = ("label", "hemisphere", "network", *COORDINATE_COLUMNS)
    table = read_tsv(path, columns, reader.problems)
    if not table:
        return {}
    labels = tuple(table["label"])
    if repeated := duplicates(labels):
        reader.problems.append(
            f"{path.name} has regions that repeat: {shown(repeated)}; keep one row of each"
        )
        return {}
    parts: dict[str, Any] = {"labels": labels, "network": tuple(table["network"])}
    if LOBE_COLUMN in table:
        parts["lobe"] = tuple(table[LOBE_COLUMN])
    wrong = [side for side in dict.fromkeys(table["hemisphere"]) if side not in HEMISPHERES]
    if wrong:
        reader.problems.append(f"{path.name}, column hemisphere: {shown(wrong)} is neither L nor R")
    else:
        parts["hemisphere"] = np.array([HEMISPHERES.index(side) for side in table["hemisphere"]])
    return parts | _read_coordinates(reader, path, table)


def _read_coordinates(reader: _Reader, path: Path, table: dict[str, list[str]]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    wanted = {"coords_mm": COORDINATE_COLUMNS}
    present = [column for column in SPHERE_COLUMNS if column in table]
    if len(present) == len(SPHERE_COLUMNS):
        wanted["sphere_coords"] = SPHERE_COLUMNS
    elif present:
        reader.problems.append(
            f"{path.name} has {shown(present)} but not all of {', '.join(SPHERE_COLUMNS)}; "
            "give all three or none"
        )
    for part, columns in wanted.items():
        values = [
            numbers(table[column], file=path.name, column=column, problems=reader.problems)
            for column in columns
        ]
        if all(column is not None for column in values):
            parts[part] = np.column_stack([column for column in values if column is not None])
    return parts


def _read_genes(reader: _Reader, genes: Sequence[str] | None) -> dict[str, Any]:
    path = reader.folder.genes
    parts: dict[str, Any] = {} if genes is None else {"genes": tuple(genes)}
    table = read_tsv(path, GENE_COLUMNS, reader.problems)
    if not table:
        return parts
    wanted = table["gene"] if genes is None else genes
    order = _align(reader, path.name, table["gene"], wanted, kind="gene", base="expression.parquet")
    tss = numbers(table["tss"], file=path.name, column="tss", problems=reader.problems)
    chromosomes = ["n/a" if cell in NOT_AVAILABLE else cell for cell in table["chromosome"]]
    unknown = [name for name in dict.fromkeys(chromosomes) if name not in (*CHROMOSOMES, "n/a")]
    if unknown:
        reader.problems.append(
            f"{path.name}, column chromosome: {shown(unknown)} is none of 1 to 22, X, Y, MT, n/a"
        )
    if tss is None or order is None or unknown:
        return parts
    half = [
        gene
        for gene, chromosome, start in zip(table["gene"], chromosomes, tss.tolist(), strict=True)
        if (chromosome == "n/a") != bool(np.isnan(start)) or start < 1
    ]
    if half:
        reader.problems.append(
            f"{path.name}: {shown(half)} has a chromosome without a transcription start from 1 on, "
            "or a start without a chromosome; give both, or n/a for both"
        )
        return parts
    return parts | {"tss": genome_positions(chromosomes, tss)[order]}


def _read_connectomes(reader: _Reader, labels: Sequence[str] | None) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    files = {
        "connectome": reader.folder.connectomes(holdout=False),
        "holdout_connectome": reader.folder.connectomes(holdout=True),
        "structural_connectome": reader.folder.structural_connectomes(),
    }
    for part, paths in files.items():
        if len(paths) > 1:
            names = shown([path.name for path in paths])
            reader.problems.append(
                f"there are {len(paths)} files for one {part}: {names}; keep one"
            )
        elif paths:
            matrix = _read_connectome(reader, paths[0], labels)
            if matrix is not None:
                parts[part] = matrix
        elif part == "connectome":
            reader.problems.append(
                "there is no connectome; a file whose name ends in "
                "_meas-PearsonCorrelation_relmat.tsv is needed"
            )
    return parts


def _read_connectome(
    reader: _Reader, path: Path, labels: Sequence[str] | None
) -> FloatArray | None:
    facts = read_json(sidecar(path), reader.problems)
    if facts is not None and facts.get("Directed") not in (None, False):
        reader.problems.append(
            f"{sidecar(path).name} says that the connectome is directed; an undirected one "
            "is needed"
        )
    matrix: Matrix | None = read_matrix_tsv(path, reader.problems)
    if matrix is None:
        return None
    wanted = matrix.column_names if labels is None else labels
    order = _align(reader, path.name, matrix.column_names, wanted)
    if order is None:
        return None
    values = matrix.values[np.ix_(order, order)]
    # Never used, but a NaN there would spread through any product
    diagonal = np.diagonal(values)
    np.fill_diagonal(values, np.where(np.isfinite(diagonal), diagonal, 1.0))
    return values


def _read_individuals(reader: _Reader, labels: Sequence[str] | None) -> dict[str, Any]:
    path = reader.folder.individuals
    table = read_parquet(path, reader.problems) if labels and path.exists() else None
    if table is None or labels is None:
        return {}
    if repeated := duplicates(table.row_names):
        reader.problems.append(f"{path.name} has people that repeat: {shown(repeated)}")
        return {}
    place = {name: column for column, name in enumerate(table.column_names)}
    names = [
        next((name for name in edge_names(a, b) if name in place), "") or f"{a}{EDGE_MARK}{b}"
        for a, b in combinations(labels, 2)
    ]
    if missing := [name for name in names if name not in place]:
        reader.problems.append(
            f"{path.name} lacks the columns of {len(missing)} edges: {shown(missing)}; name a "
            f"column after both regions with {EDGE_MARK!r} between, and leave a person's missing "
            "values empty"
        )
        return {}
    values = table.values[:, [place[name] for name in names]]
    return {"individual_connectomes": values.astype(np.float32)}


def _align(
    reader: _Reader,
    file: str,
    found: Sequence[str],
    wanted: Sequence[str],
    *,
    kind: str = "region",
    base: str = "regions.tsv",
) -> IntArray | None:
    """Find where in `found` each wanted name stands; None, noted, if the two are not one set."""
    if repeated := duplicates(found):
        reader.problems.append(f"{file} has {kind}s that repeat: {shown(repeated)}; keep one each")
    missing = sorted(set(wanted) - set(found))
    if missing:
        reader.problems.append(
            f"{file} lacks {len(missing)} {kind}(s) of {base}: {shown(missing)}; "
            "both need the same names"
        )
    extra = sorted(set(found) - set(wanted))
    if extra:
        reader.problems.append(
            f"{file} has {len(extra)} {kind}(s) that {base} lacks: {shown(extra)}; "
            "both need the same names"
        )
    if repeated or missing or extra:
        return None
    place = {name: row for row, name in enumerate(found)}
    return np.array([place[name] for name in wanted], dtype=np.int64)


def _without_empty_regions(parts: dict[str, Any]) -> dict[str, Any]:
    labels, expression = parts["labels"], parts["expression"]
    empty = np.isnan(expression).all(axis=1)
    keep = np.flatnonzero(~empty)
    kept = dict(parts)
    for part in ("connectome", "holdout_connectome", "structural_connectome"):
        if part in parts:
            kept[part] = parts[part][np.ix_(keep, keep)]
    if "individual_connectomes" in parts:
        people = parts["individual_connectomes"]
        kept["individual_connectomes"] = take_edges(people, len(labels), keep)
    for part in ("expression", "coords_mm", "sphere_coords", "hemisphere"):
        if part in parts:
            kept[part] = parts[part][keep]
    for part in ("labels", "network", "lobe"):
        if part in parts:
            kept[part] = tuple(parts[part][row] for row in keep.tolist())
    kept["excluded"] = tuple(labels[row] for row in np.flatnonzero(empty).tolist())
    return kept
