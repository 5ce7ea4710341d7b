"""Read a dataset folder into the parts of a brain, in one order, noting every problem."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray, IntArray
from gx2c.data.checks import MAX_ASYMMETRY, STRUCTURE_WORDS, SYMMETRY_TOLERANCE, duplicates, shown
from gx2c.data.gene_starts import CHROMOSOMES, genome_position
from gx2c.data.individuals import EDGE_MARK, edge_names
from gx2c.data.layout import (
    DESCRIPTION,
    DISTANCE,
    EXPRESSION,
    GENES,
    INDIVIDUALS,
    REGIONS,
    DatasetFolder,
    sidecar,
)
from gx2c.data.matrix import read_matrix
from gx2c.data.places import places_of
from gx2c.data.tables import (
    NOT_AVAILABLE,
    numbers,
    read_json,
    read_parquet,
    read_tsv,
    refuse,
)
from gx2c.data.writing import (
    COORDINATE_COLUMNS,
    GENE_COLUMNS,
    HEMISPHERES,
    LABEL_MARK,
    LOBE_COLUMN,
    SHARED_COLUMN,
    SOURCE_COLUMN,
    SPHERE_COLUMNS,
    STABILITY_COLUMN,
    STRUCTURE_COLUMN,
)
from gx2c.errors import DataError, logger


@dataclass
class _Reader:
    """Collects parts and problems; `with reader:` notes a DataError and goes on after it."""

    folder: DatasetFolder
    parts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, DataError):
            self.problems += error.problems
        return isinstance(error, DataError)


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
    reader, expression = _Reader(folder), None
    for read in (_check_description, _read_regions):
        with reader:
            read(reader)
    # a dataset may lack expression, and then both of its files
    if any((folder.root / name).exists() for name in (EXPRESSION, GENES)):
        with reader:
            expression = read_parquet(folder.root / EXPRESSION)
            reader.parts["genes"] = expression.column_names
            # Without regions.tsv the rest is still checked, in the order of the expression
            reader.parts.setdefault("labels", expression.row_names)
        with reader:
            _read_genes(reader)
    elif "labels" in reader.parts:
        reader.parts |= {"genes": (), "expression": np.empty((len(reader.parts["labels"]), 0))}
    for read in (_read_connectomes, _read_individuals):
        with reader:
            read(reader)
    if expression is not None:
        with reader:
            order = _align(folder.root / EXPRESSION, expression.row_names, reader.parts["labels"])
            reader.parts["expression"] = expression.values[order]
    return reader.parts, reader.problems


def _check_description(reader: _Reader) -> None:
    path = reader.folder.root / DESCRIPTION
    if not str(read_json(path).get("Name", "")).strip():
        raise refuse(path, "has no 'Name'; BIDS asks for one")


def _read_regions(reader: _Reader) -> None:
    path, parts = reader.folder.root / REGIONS, reader.parts
    table = read_tsv(path, ("label", "hemisphere", "network"))
    lacking = [column for column in COORDINATE_COLUMNS if column not in table]
    by_distance = len(lacking) == 3 and DISTANCE in reader.folder.measures()
    if lacking and not by_distance:
        remedy = f"give them, or distances in a file …_meas-{DISTANCE}_relmat.tsv"
        raise refuse(path, f"has no column {shown(lacking)}; {remedy}")
    if repeated := duplicates(table["label"]):
        rows = list(zip(table["label"], table["hemisphere"], strict=True))
        # rows of one name that differ in side are regions of both sides
        across = len(set(rows)) == len(rows)
        remedy = "give each side its own label" if across else "keep one row of each"
        raise refuse(path, f"has regions that repeat: {shown(repeated)}; {remedy}")
    parts["labels"], parts["network"] = tuple(table["label"]), tuple(table["network"])
    if LOBE_COLUMN in table:
        parts["lobe"] = tuple(table[LOBE_COLUMN])
    if STRUCTURE_COLUMN in table:
        parts["structure"] = tuple(
            STRUCTURE_WORDS.get(cell.strip().lower(), cell) for cell in table[STRUCTURE_COLUMN]
        )
    if SOURCE_COLUMN in table:
        parts["expression_from"] = tuple(table[SOURCE_COLUMN])
    if SHARED_COLUMN in table:
        with reader:
            parts["shared_samples"] = read_shared(path, table["label"], table[SHARED_COLUMN])
    sides = table["hemisphere"]
    if wrong := [side for side in dict.fromkeys(sides) if side not in HEMISPHERES]:
        reader.problems.append(f"{path.name}, column hemisphere: {shown(wrong)} is none of L, R, B")
    else:
        parts["hemisphere"] = np.array([HEMISPHERES.index(side) for side in sides])
    if not by_distance:
        with reader:
            parts["coords_mm"] = numbers(path, table, COORDINATE_COLUMNS)
    present = [column for column in SPHERE_COLUMNS if column in table]
    if present and len(present) < len(SPHERE_COLUMNS):
        reader.problems.append(
            f"{path.name} has {shown(present)} but not all of {', '.join(SPHERE_COLUMNS)}; "
            "give all three or none"
        )
    elif present:
        parts["sphere_coords"] = numbers(path, table, SPHERE_COLUMNS)


def read_shared(path: Path, labels: Sequence[str], cells: Sequence[str]) -> NDArray[np.uint8]:
    """Return where regions share tissue samples, (n_regions, n_regions), from a column of labels.

    Raises
    ------
    DataError
        If a cell names a region that the table lacks.
    """
    place = {label: row for row, label in enumerate(labels)}
    shared = np.zeros((len(labels), len(labels)), dtype=np.uint8)
    for row, cell in enumerate(cells):
        names = [] if cell.strip() in NOT_AVAILABLE else cell.split(LABEL_MARK)
        if unknown := [name for name in names if name not in place]:
            raise refuse(path, f"has no region {shown(unknown)}, named in {SHARED_COLUMN}")
        columns = [place[name] for name in names]
        shared[row, columns] = shared[columns, row] = 1
    return shared


def _read_genes(reader: _Reader) -> None:
    path, order, tss = reader.folder.root / GENES, None, None
    table = read_tsv(path, GENE_COLUMNS)
    genes = reader.parts.get("genes", table["gene"])
    with reader:
        order = _align(path, table["gene"], genes, kind="gene", base=EXPRESSION)
    with reader:
        tss = numbers(path, table, ("tss",))[:, 0]
    chromosomes = ["n/a" if cell.strip() in NOT_AVAILABLE else cell for cell in table["chromosome"]]
    if unknown := [
        name for name in dict.fromkeys(chromosomes) if name not in (*CHROMOSOMES, "n/a")
    ]:
        sentence = f"column chromosome: {shown(unknown)} is none of 1 to 22, X, Y, MT, n/a"
        raise DataError(path.name, [f"{path.name}, {sentence}"])
    if order is not None and STABILITY_COLUMN in table:
        with reader:
            values = numbers(path, table, (STABILITY_COLUMN,))
            reader.parts["stability"] = values[order, 0]
    if tss is None or order is None:
        return
    places = list(zip(chromosomes, tss.tolist(), strict=True))
    if half := [
        gene
        for gene, (chromosome, start) in zip(table["gene"], places, strict=True)
        if (chromosome == "n/a") != bool(np.isnan(start)) or start < 1
    ]:
        sentence = (
            f"{path.name}: {shown(half)} has a chromosome without a transcription start from 1 on, "
            "or a start without a chromosome; give both, or n/a for both"
        )
        raise DataError(path.name, [sentence])
    reader.parts["tss"] = np.array([genome_position(*place) for place in places])[order]


def _read_connectomes(reader: _Reader) -> None:
    files = {
        "connectome": reader.folder.connectomes(holdout=False),
        "holdout_connectome": reader.folder.connectomes(holdout=True),
        "structural_connectome": reader.folder.structural_connectomes(),
    }
    if not files["connectome"]:
        reader.problems.append(
            "there is no connectome; a file whose name ends in "
            "_meas-PearsonCorrelation_relmat.tsv is needed"
        )
    for part, paths in files.items():
        if len(paths) > 1:
            names = shown([path.name for path in paths])
            reader.problems.append(
                f"there are {len(paths)} files for one {part}: {names}; keep one"
            )
        elif paths:
            with reader:
                reader.parts[part] = _read_connectome(reader, paths[0])
    for name, path in reader.folder.measures().items():
        with reader:
            values = _read_connectome(reader, path)
            if name == DISTANCE and "coords_mm" not in reader.parts:
                _take_distances(reader.parts, values)
            else:
                reader.parts.setdefault("measures", {})[name] = values


def _take_distances(parts: dict[str, Any], distances_mm: FloatArray) -> None:
    parts["distances_mm"] = distances_mm
    if {"labels", "hemisphere"} <= set(parts):
        parts["coords_mm"] = places_of(distances_mm, parts["hemisphere"], parts["labels"])


def _read_connectome(reader: _Reader, path: Path) -> FloatArray:
    with reader:
        if read_json(sidecar(path)).get("Directed") not in (None, False):
            raise refuse(
                sidecar(path), "declares a directed connectome; an undirected one is needed"
            )
    labels, values = read_matrix(path)
    order = _align(path, labels, reader.parts.get("labels", labels))
    values = values[np.ix_(order, order)]
    gap = np.nanmax(np.abs(np.triu(values - values.T, 1)), initial=0.0)
    if SYMMETRY_TOLERANCE < gap <= MAX_ASYMMETRY:
        values = (values + values.T) / 2
        logger.info("%s: halves differ by up to %.1g and are averaged", path.name, gap)
    # Never used, but a NaN there would spread through any product
    diagonal = np.diagonal(values)
    np.fill_diagonal(values, np.where(np.isfinite(diagonal), diagonal, 1.0))
    return values


def _read_individuals(reader: _Reader) -> None:
    path, labels = reader.folder.root / INDIVIDUALS, reader.parts.get("labels")
    if not labels or not path.exists():
        return
    table = read_parquet(path)
    if repeated := duplicates(table.row_names):
        raise refuse(path, f"has people that repeat: {shown(repeated)}")
    place = {name: column for column, name in enumerate(table.column_names)}
    names = [
        next((name for name in edge_names(a, b) if name in place), f"{a}{EDGE_MARK}{b}")
        for a, b in combinations(labels, 2)
    ]
    if missing := [name for name in names if name not in place]:
        raise refuse(
            path,
            f"lacks the columns of {len(missing)} edges: {shown(missing)}; name a column after "
            f"both regions with {EDGE_MARK!r} between, and leave a person's missing values empty",
        )
    people = table.values[:, [place[name] for name in names]]
    reader.parts["individual_connectomes"] = people.astype(np.float32)


def _align(
    path: Path,
    found: Sequence[str],
    wanted: Sequence[str],
    *,
    kind: str = "region",
    base: str = REGIONS,
) -> IntArray:
    """Find where in `found` each wanted name stands; refuse if the two are not one set."""
    problems = []
    if repeated := duplicates(found):
        problems.append(f"{path.name} has {kind}s that repeat: {shown(repeated)}; keep one each")
    if missing := sorted(set(wanted) - set(found)):
        problems.append(
            f"{path.name} lacks {len(missing)} {kind}(s) of {base}: {shown(missing)}; "
            "both need the same names"
        )
    if extra := sorted(set(found) - set(wanted)):
        problems.append(
            f"{path.name} has {len(extra)} {kind}(s) that {base} lacks: {shown(extra)}; "
            "both need the same names"
        )
    if problems:
        raise DataError(path.name, problems)
    place = {name: row for row, name in enumerate(found)}
    return np.array([place[name] for name in wanted], dtype=np.int64)
