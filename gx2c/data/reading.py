"""Read a dataset folder into the parts of a brain, in one order, noting every problem."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.checks import STRUCTURE_WORDS, duplicates, shown
from gx2c.data.gene_starts import CHROMOSOMES, genome_position
from gx2c.data.layout import (
    DESCRIPTION,
    DISTANCE,
    EXPRESSION,
    GENES,
    REGIONS,
    DatasetFolder,
)
from gx2c.data.reader import Reader, align
from gx2c.data.reading_connectomes import read_connectomes, read_individuals
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
from gx2c.errors import DataError


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
    reader, expression = Reader(folder), None
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
    for read in (read_connectomes, read_individuals):
        with reader:
            read(reader)
    if expression is not None:
        with reader:
            order = align(folder.root / EXPRESSION, expression.row_names, reader.parts["labels"])
            reader.parts["expression"] = expression.values[order]
    return reader.parts, reader.problems


def _check_description(reader: Reader) -> None:
    path = reader.folder.root / DESCRIPTION
    if not str(read_json(path).get("Name", "")).strip():
        raise refuse(path, "has no 'Name'; BIDS asks for one")


def _read_regions(reader: Reader) -> None:
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


def _read_genes(reader: Reader) -> None:
    path, order, tss = reader.folder.root / GENES, None, None
    table = read_tsv(path, GENE_COLUMNS)
    genes = reader.parts.get("genes", table["gene"])
    with reader:
        order = align(path, table["gene"], genes, kind="gene", base=EXPRESSION)
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
