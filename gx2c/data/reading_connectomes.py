"""Read the connectomes of a dataset folder, of a group and of people."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.data.checks import MAX_ASYMMETRY, SYMMETRY_TOLERANCE, duplicates, shown
from gx2c.data.individuals import EDGE_MARK, edge_names
from gx2c.data.layout import (
    DISTANCE,
    INDIVIDUALS,
    sidecar,
)
from gx2c.data.matrix import read_matrix
from gx2c.data.places import places_of
from gx2c.data.reader import Reader, align
from gx2c.data.tables import (
    read_json,
    read_parquet,
    refuse,
)
from gx2c.errors import logger


def read_connectomes(reader: Reader) -> None:
    """Read every matrix between regions into its part."""
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


def _read_connectome(reader: Reader, path: Path) -> FloatArray:
    with reader:
        if read_json(sidecar(path)).get("Directed") not in (None, False):
            raise refuse(
                sidecar(path), "declares a directed connectome; an undirected one is needed"
            )
    labels, values = read_matrix(path)
    order = align(path, labels, reader.parts.get("labels", labels))
    values = values[np.ix_(order, order)]
    gap = np.nanmax(np.abs(np.triu(values - values.T, 1)), initial=0.0)
    if SYMMETRY_TOLERANCE < gap <= MAX_ASYMMETRY:
        values = (values + values.T) / 2
        logger.info("%s: halves differ by up to %.1g and are averaged", path.name, gap)
    # Never used, but a NaN there would spread through any product
    diagonal = np.diagonal(values)
    np.fill_diagonal(values, np.where(np.isfinite(diagonal), diagonal, 1.0))
    return values


def read_individuals(reader: Reader) -> None:
    """Read the connectomes of people, if there are any."""
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
