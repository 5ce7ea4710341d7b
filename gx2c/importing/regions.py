"""Tables of regions: labels, sides, networks, structures and coordinates under anyone's titles."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.data.checks import STRUCTURE_WORDS, shown
from gx2c.data.sides import LEFT, RIGHT
from gx2c.errors import UserError
from gx2c.importing.labels import BOTH, Names, make_names
from gx2c.importing.sheets import Sheet, is_missing, is_numeric, to_numbers

# Schaefer's tables of centroids call the axes right, anterior, superior
RAS = "ras"
# Meanings of titles, in which only letters and digits count
TITLES: dict[str, tuple[str, ...]] = {
    "label": (
        "label", "labels", "region", "regions", "regionname", "name", "roi", "roiname", "roilabel",
        "parcel", "parcelname", "node", "labelname", "structurename", "fullname", "acronym",
        "label7network", "label17network", "", "unnamed0",
    ),
    "id": ("id", "index", "roinumber", "roilabel", "parcelid", "regionid", "roiid", "key",
           "value", "number", "labelid", "no"),
    "hemisphere": ("hemisphere", "hemi", "side", "hem", "lr"),
    "network": ("network", "networklabel", "networkname", "yeo7", "yeo17", "yeo", "community",
                "system", "module", "rsn", "class"),
    "structure": ("structure", "compartment", "tissue"),
    "lobe": ("lobe", "lobes"),
    "atlas": ("atlasname", "atlas"),
}  # fmt: skip
# Titles of the three columns of a place, with * for the axis, in the order of preference
PLACES: dict[str, tuple[str, ...]] = {
    "coords_mm": ("*mnimm", "*mni", "mni*", "mni*mm", "*mm", "*coord", "coord*", "centroid*",
                  "*centroid", "*", RAS),
    "sphere_coords": ("*spheremm", "*sphere", "sphere*"),
}  # fmt: skip
SIDES = {
    **dict.fromkeys(("l", "lh", "left", "0"), LEFT),
    **dict.fromkeys(("r", "rh", "right", "1"), RIGHT),
    **dict.fromkeys(("b", "both", "bilateral", "m", "midline", "lr", "2"), BOTH),
}
# A region belongs to both sides where the smaller share is not negligible
MIN_SHARE_OF_BOTH = 0.1
_SHARE = re.compile(r"(.+)_([LR])")


@dataclass(frozen=True)
class RegionTable:
    """The facts of one file on regions; texts are empty and numbers NaN where unknown."""

    source: str  # The file
    names: Names  # The labels of each region
    # Whole numbers that other files may give regions instead of labels, or empty
    ids: tuple[str, ...]
    # One text for each region
    sides: tuple[str, ...]
    network: tuple[str, ...]
    structure: tuple[str, ...]
    lobe: tuple[str, ...]
    # (n_regions, 3)
    coords_mm: FloatArray
    sphere_coords: FloatArray
    # Whether the layout, known as such, has unlabelled matrices in this table's order
    ordered: bool = False

    def __len__(self) -> int:
        return len(self.names)


def empty_table(names: Names) -> RegionTable:
    """Make a table that knows only names, and the sides in them."""
    nothing = ("",) * len(names)
    nowhere = np.full((len(names), 3), np.nan)
    sides = tuple(labels[0].side for labels in names.labels)
    return RegionTable(
        names.source, names, (), sides, nothing, nothing, nothing, nowhere, nowhere.copy()
    )


def read_region_table(sheet: Sheet) -> RegionTable | None:
    """Read a table of regions; None if a sheet is something else.

    Raises
    ------
    UserError
        If a few of its coordinates are no numbers.
    """
    titles = {_bare(title): title for title in reversed(sheet.header or ())}
    columns = sheet.texts()
    found = {
        key: [titles[name] for name in names if name in titles] for key, names in TITLES.items()
    }
    shares = _shares(columns)
    places = {part: _places(sheet.name, titles, columns, forms) for part, forms in PLACES.items()}
    knows = [key for key in ("hemisphere", "network", "structure", "lobe") if found[key]]
    is_named = found["label"] and found["id"]
    if not found["label"] + found["id"] or not (
        knows or shares or is_named or places["coords_mm"] is not None
    ):
        return None
    n = len(sheet.body)
    # a column of labels names regions if it is text, or the only one
    labels = [columns[t] for t in found["label"] if not all(is_numeric(c) for c in columns[t])]
    ids = [columns[t] for t in found["id"] if _are_ids(columns[t])]
    label_columns = labels or ids or [columns[found["label"][0]]]
    sides = _sides(columns, found["hemisphere"], shares, n)
    names = make_names(sheet.name, label_columns, sides)
    sides = [side or labels[0].side for side, labels in zip(sides, names.labels, strict=True)]
    nowhere = np.full((n, 3), np.nan)
    bare = set(titles)
    return RegionTable(
        source=sheet.name,
        names=names,
        ids=tuple(f"{float(cell):g}" for cell in ids[0]) if ids else (),
        sides=tuple(sides),
        network=_network(columns, found, n),
        structure=_structure(columns, found, shares, n),
        lobe=_texts(columns, found["lobe"], n) if found["lobe"] else _largest_share(shares, n),
        coords_mm=nowhere if places["coords_mm"] is None else places["coords_mm"],
        sphere_coords=nowhere if places["sphere_coords"] is None else places["sphere_coords"],
        ordered=bool({"label7network", "label17network"} & bare or {"roinumber", "xmni"} <= bare),
    )


def _bare(title: str) -> str:
    return re.sub(r"[^0-9a-z]", "", title.lower())


def _are_ids(cells: Sequence[str]) -> bool:
    return all(is_numeric(c) and float(c).is_integer() for c in cells) and len(set(cells)) == len(
        cells
    )


def _texts(columns: Mapping[str, Sequence[str]], titles: Sequence[str], n: int) -> tuple[str, ...]:
    rows = zip(*(columns[title] for title in titles), strict=True) if titles else [()] * n
    return tuple(next((c.strip() for c in row if not is_missing(c)), "") for row in rows)


def _places(
    source: str,
    titles: Mapping[str, str],
    columns: Mapping[str, Sequence[str]],
    forms: Sequence[str],
) -> FloatArray | None:
    for form in forms:
        axes = list(RAS) if form == RAS else [form.replace("*", axis) for axis in "xyz"]
        if all(axis in titles for axis in axes):
            rows = list(zip(*(columns[titles[axis]] for axis in axes), strict=True))
            if (values := to_numbers(rows)) is not None:
                return values
            for axis in axes:
                wrong = [c for c in columns[titles[axis]] if not (is_numeric(c) or is_missing(c))]
                if wrong and 2 * len(wrong) < len(rows):
                    raise UserError(
                        f"{source}, column {titles[axis]}: {shown(wrong)} is no number; correct it"
                    )
    return None


def _shares(columns: Mapping[str, Sequence[str]]) -> dict[str, FloatArray]:
    """Return columns such as Frontal_L that hold the share of each region, by title."""
    found = {}
    for title, cells in columns.items():
        if _SHARE.fullmatch(title) and all(is_numeric(cell) for cell in cells):
            values = np.array([float(cell) for cell in cells])
            if values.min() >= 0 and values.max() <= 1:
                found[title] = values
    return found if len(found) > 3 else {}


def _sides(
    columns: Mapping[str, Sequence[str]],
    titles: Sequence[str],
    shares: Mapping[str, FloatArray],
    n: int,
) -> list[str]:
    if titles:
        return [SIDES.get(cell.strip().lower(), "") for cell in columns[titles[0]]]
    if not shares:
        return [""] * n
    left, right = (
        np.sum([values for title, values in shares.items() if title.endswith(f"_{side}")], axis=0)
        for side in (LEFT, RIGHT)
    )
    both = np.minimum(left, right) >= MIN_SHARE_OF_BOTH * (left + right)
    return [str(side) for side in np.where(both, BOTH, np.where(left > right, LEFT, RIGHT))]


def _largest_share(shares: Mapping[str, FloatArray], n: int) -> tuple[str, ...]:
    if not shares:
        return ("",) * n
    stems = list(dict.fromkeys(title[:-2] for title in shares))
    sums = [np.sum([v for t, v in shares.items() if t[:-2] == stem], axis=0) for stem in stems]
    return tuple(stems[row] for row in np.argmax(sums, axis=0).tolist())


def _network(
    columns: Mapping[str, Sequence[str]], found: Mapping[str, Sequence[str]], n: int
) -> tuple[str, ...]:
    networks = _texts(columns, found["network"], n)
    if not found["atlas"]:
        return networks
    # 4S gives what is not cortex no network but the atlas that it comes from
    atlas = _texts(columns, found["atlas"], n)
    return tuple(
        network or ("Cerebellum" if "erebell" in source else "Subcortical" if source else "")
        for network, source in zip(networks, atlas, strict=True)
    )


def _structure(
    columns: Mapping[str, Sequence[str]],
    found: Mapping[str, Sequence[str]],
    shares: Mapping[str, FloatArray],
    n: int,
) -> tuple[str, ...]:
    if not found["structure"]:
        lobes = _largest_share(shares, n)
        deep = {"subcortical", "subcortex"}
        return tuple(("subcortex" if x.lower() in deep else "cortex") if x else "" for x in lobes)
    texts = [STRUCTURE_WORDS.get(t.lower(), "") for t in _texts(columns, found["structure"], n)]
    named = _network(columns, {**found, "structure": ()}, n)
    cerebellar = [name.lower().startswith("cerebell") for name in named]
    return tuple("cerebellum" if c else t for c, t in zip(cerebellar, texts, strict=True))


def merge_tables(
    base: RegionTable, other: RegionTable, places: Sequence[int | None]
) -> RegionTable:
    """Fill the gaps of one table from another, whose rows are given for each region."""
    changes: dict[str, Any] = {}
    for part in ("sides", "network", "structure", "lobe"):
        mine, theirs = getattr(base, part), getattr(other, part)
        changes[part] = tuple(
            own or ("" if place is None else theirs[place])
            for own, place in zip(mine, places, strict=True)
        )
    for part in ("coords_mm", "sphere_coords"):
        values = getattr(base, part).copy()
        for row, place in enumerate(places):
            if place is not None and not np.isfinite(values[row]).all():
                values[row] = getattr(other, part)[place]
        changes[part] = values
    return replace(base, **changes)
