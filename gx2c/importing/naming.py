"""Which regions the rows of an unlabelled table are, and where named regions lie."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.checks import shown
from gx2c.data.sides import LEFT, RIGHT
from gx2c.errors import UserError
from gx2c.importing.gather import Found
from gx2c.importing.labels import (
    Names,
    make_names,
    match_names,
    numbered_names,
)
from gx2c.importing.regions import RegionTable, empty_table, merge_tables
from gx2c.importing.sheets import Sheet, is_counting, is_numeric
from gx2c.importing.vertices import (
    VertexLabels,
    surface_centroids,
)
from gx2c.importing.volumes import Centroids, read_volume, volume_centroids

# Share of the ids of a table of regions that a file with ids alone must have
MIN_SHARE_OF_IDS = 0.9


@dataclass
class Namer:
    """Finds names for rows that a file does not name itself."""

    found: Found  # All files
    tables: list[RegionTable]  # The tables of regions, places of surfaces and volumes included
    # Whether the user declared that unlabelled rows are in the order of the regions' table
    by_position: bool
    notes: list[str]  # Receives a sentence for each thing understood

    def of_sheet(self, sheet: Sheet) -> Names | None:
        """Return the names of a sheet's rows; None if nothing names them."""
        n = sheet.shape[0]
        for labels in (sheet.rows, sheet.columns if sheet.is_square else None):
            if labels is not None and len(labels) == n:
                names = self._of_labels(sheet, labels)
                if names is not None:
                    return names
        return self._of_list(sheet, n) or self.of_order(sheet.name, n)

    def _of_labels(self, sheet: Sheet, labels: Sequence[str]) -> Names | None:
        numbered = numbered_names(sheet.name, labels)
        if numbered is not None and (named := self._of_ids(sheet, numbered.shown)):
            return named
        if not all(is_numeric(label) for label in labels):
            return make_names(sheet.name, [labels])
        # labels that only count may be ids, or no labels at all
        return self._of_ids(sheet, labels) or (
            None if is_counting(labels) else make_names(sheet.name, [labels])
        )

    def _of_ids(self, sheet: Sheet, labels: Sequence[str]) -> Names | None:
        ids = [f"{float(label):g}" for label in labels]
        for table in self.tables:
            place = {one: row for row, one in enumerate(table.ids)}
            known = [one for one in ids if one in place]
            alike = len(known) / max(len(ids), len(place), 1)
            subset = len(known) == len(ids) and len(ids) >= len(place) / 2 and ids[0] != "0"
            if known and len(known) == len(ids) and (alike >= MIN_SHARE_OF_IDS or subset):
                self.notes.append(f"{sheet.name}: ids of {table.source} name its rows")
                rows = tuple(table.names.labels[place[one]] for one in ids)
                return Names(sheet.name, rows)
        return None

    def _of_list(self, sheet: Sheet, n: int) -> Names | None:
        """Take the list of labels of the right length whose file name is most alike."""
        lists = [(one, cells) for one in self.found.labels if len(cells := cells_of(one)) == n]
        if not lists:
            return None
        likeness = [_likeness(one.path, sheet.path) for one, _ in lists]
        best = [pair for pair, value in zip(lists, likeness, strict=True) if value == max(likeness)]
        chosen, cells = best[0]
        if any(other != cells for _, other in best):
            raise UserError(
                f"{shown([one.name for one, _ in best])} are equally good lists of the {n} regions "
                f"of {sheet.name}; choose one with --labels"
            )
        self.notes.append(f"{sheet.name}: {chosen.name} names its rows")
        return make_names(chosen.name, [cells])

    def of_order(self, source: str, n: int) -> Names | None:
        """Take the names of a table with as many rows, if its order is known to hold."""
        tables = [t for t in self.tables if len(t) == n and (t.ordered or self.by_position)]
        if not tables:
            return None
        self.notes.append(f"{source}: rows are in the order of {tables[0].source}")
        return tables[0].names


def cells_of(sheet: Sheet) -> tuple[str, ...]:
    """Return the texts of a list of labels, written as a row or a column."""
    return tuple(cell for row in sheet.body for cell in row)


def _likeness(one: Path, other: Path) -> float:
    """Return how alike two file names are, words for labels and for matrices aside."""
    stems = []
    for path in (one, other):
        stem = path.stem.lower()
        for word in ("labels", "label", "matrix", "names", "regions", "connectivity", "mat"):
            stem = stem.replace(word, "")
        stems.append(stem)
    return float(SequenceMatcher(None, stems[0], stems[1]).ratio())


def vertex_tables(found: Found, notes: list[str]) -> list[RegionTable]:
    """Make tables of the regions of labelled vertices; surfaces and spheres give the locations."""
    tables = []
    for vertices in found.vertices:
        ids, names = _named_vertices(found, vertices, notes)
        if names is None:
            continue
        table = empty_table(names)
        sides = [side if side in (LEFT, RIGHT) else "" for side in table.sides]
        for part, surfaces, on_sphere in (
            ("coords_mm", found.surfaces, False),
            ("sphere_coords", found.spheres, True),
        ):
            if len(surfaces) == 2:
                points = surfaces[LEFT], surfaces[RIGHT]
                if sum(map(len, points)) == len(vertices.numbers):
                    places = surface_centroids(vertices, points, ids, sides, on_sphere=on_sphere)
                    given: dict[str, Any] = {part: places.coords_mm}
                    table = replace(table, sides=places.sides, **given)
                else:
                    notes.append(
                        f"{vertices.source}: labels {len(vertices.numbers)} vertices, the surfaces "
                        f"have {sum(map(len, points))}; another mesh, not used"
                    )
        tables.append(table)
    return tables


def _named_vertices(
    found: Found, vertices: VertexLabels, notes: list[str]
) -> tuple[list[int], Names | None]:
    named = vertices.named()
    if named:
        return list(named), make_names(vertices.source, [list(named.values())])
    ids = vertices.ids.tolist()
    lists = [one for one in found.labels if len(cells_of(one)) == len(ids)]
    if not lists:
        notes.append(f"{vertices.source}: nothing names its {len(ids)} regions, not used")
        return ids, None
    chosen = max(lists, key=lambda one: _likeness(one.path, Path(vertices.source)))
    notes.append(
        f"{vertices.source}: its numbers in ascending order are the labels of {chosen.name}"
    )
    return ids, make_names(vertices.source, [cells_of(chosen)])


def volume_table(path: Path, tables: Sequence[RegionTable], found: Found) -> RegionTable:
    """Make a table of the regions of an image, named by a table of ids or a list of labels.

    Raises
    ------
    UserError
        If nothing names them.
    """
    places: Centroids = volume_centroids(*read_volume(path))
    texts = [str(number) for number in places.ids]
    for table in tables:
        row = {one: i for i, one in enumerate(table.ids)}
        if table.ids and all(text in row for text in texts):
            labels = tuple(table.names.labels[row[text]] for text in texts)
            sides = [table.sides[row[text]] for text in texts]
            return _placed(Names(path.name, labels), places, sides)
    for one in found.labels:
        if len(cells := cells_of(one)) == len(texts):
            return _placed(make_names(path.name, [cells]), places)
    return replace(_placed(make_names(path.name, [texts]), places), ids=tuple(texts))


def _placed(names: Names, places: Centroids, known: Sequence[str] = ()) -> RegionTable:
    table = empty_table(names)
    all_known = known or table.sides
    sides = tuple(own or side for own, side in zip(all_known, places.sides, strict=True))
    return replace(table, sides=sides, coords_mm=places.coords_mm)


def place_all(base: RegionTable, tables: Sequence[RegionTable], notes: list[str]) -> RegionTable:
    """Complete the facts on regions with every table that names them."""
    for table in tables:
        try:
            match = match_names(base.names, table.names)
        except UserError as error:
            notes.append(f"{table.source} is not used: {error}")
            continue
        if match.n_found:
            base = merge_tables(base, table, match.places)
    return base


def n_placed(names: Names, tables: Sequence[RegionTable]) -> int:
    """Count the regions for which some table has coordinates."""
    return int(np.isfinite(place_all(empty_table(names), tables, []).coords_mm).all(axis=1).sum())
