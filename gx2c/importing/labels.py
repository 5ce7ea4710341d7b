"""Names of regions: their parts, and which labels of two files mean the same region."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from gx2c.data.checks import shown
from gx2c.data.sides import split_side
from gx2c.errors import UserError
from gx2c.importing.sheets import is_numeric

BOTH = "B"
_SCHEME = re.compile(r"^(7|17)networks_", re.IGNORECASE)
_SEPARATORS = re.compile(r"[^0-9a-z]+")
# Names that FreeSurfer, ENIGMA, abagen and 4S give to the same deep structures
SYNONYMS = {
    name: one
    for one, names in {
        "accumbens": "accumb accumbens accumbensarea nucleusaccumbens nac",
        "amygdala": "amyg amygdala",
        "caudate": "caud caudate ca",
        "hippocampus": "hippo hippocampus",
        "pallidum": "pal pallidum globuspallidus",
        "putamen": "put putamen pu",
        "thalamus": "thal thalamus thalamusproper",
        "brainstem": "brainstem",
        "cerebellum": "cerebellum cerebellumcortex cerebellarcortex",
        "ventraldc": "ventraldc ventraldiencephalon",
    }.items()
    for name in names.split()
}
DEEP = frozenset(("accumbens", "amygdala", "caudate", "hippocampus", "pallidum", "putamen"))
STRUCTURE_OF = {
    **dict.fromkeys((*DEEP, "thalamus", "ventraldc"), "subcortex"),
    "cerebellum": "cerebellum",
    "brainstem": "brainstem",
}
# Share of the series of numbered parcels that may end differently in one parcellation
MAX_UNLIKE_SERIES = 0.25


@dataclass(frozen=True)
class Label:
    """The parts of one name of a region."""

    text: str  # The original name
    scheme: str  # "7" or "17" of a Schaefer label, or empty
    side: str  # "L", "R", "B" or empty where unknown
    core: str  # The name without scheme and side, lower case, synonyms of deep structures made one

    @property
    def key(self) -> tuple[str, str]:
        """The parts that two labels of one region share."""
        return self.side, self.core


def parse_label(text: str, side: str = "") -> Label:
    """Read a label; a side that is known otherwise holds where the label names none."""
    text = text.strip().strip("'\"")
    if is_numeric(text):
        # ids of both sides are one series, so they take no side
        return Label(text, "", "", f"{float(text):g}")
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    own, rest = split_side(rest)
    side = own or side
    core = _SEPARATORS.sub("_", rest.lower()).strip("_").removesuffix("_roi")
    # separators matter between numbers only: superior-frontal is superiorfrontal
    core = re.sub(r"(?<!\d)_|_(?!\d)", "", core)
    return Label(text, scheme[1] if scheme else "", side, SYNONYMS.get(core, core))


@dataclass(frozen=True)
class Names:
    """The regions of one file, each with every name that the file gives it."""

    source: str  # The file
    # For each region its labels, the first of them the one to show
    labels: tuple[tuple[Label, ...], ...]

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The label of each region to show."""
        return tuple(names[0].text for names in self.labels)

    @cached_property
    def places(self) -> dict[tuple[str, str], int]:
        """Where each key stands; keys that several regions share lead nowhere."""
        keys = [(key, i) for i, names in enumerate(self.labels) for key in {n.key for n in names}]
        count = Counter(key for key, _ in keys)
        return {key: i for key, i in keys if count[key] == 1}

    @cached_property
    def repeated(self) -> tuple[str, ...]:
        """Names whose every key several regions share."""
        lost = [names for names in self.labels if all(n.key not in self.places for n in names)]
        return tuple(dict.fromkeys(names[0].text for names in lost))

    @cached_property
    def schemes(self) -> set[str]:
        """The schemes that the first labels name."""
        return {names[0].scheme for names in self.labels} - {""}


def make_names(
    source: str, columns: Sequence[Sequence[str]], sides: Sequence[str] | None = None
) -> Names:
    """Read the names of regions from one or more columns of labels."""
    # a label names no side where a region lies on both
    of_side = ["" if side == BOTH else side for side in sides or [""] * len(columns[0])]
    return Names(
        source,
        tuple(
            tuple(parse_label(text, side) for text in texts if text.strip())
            or (parse_label(texts[0], side),)
            for side, texts in zip(of_side, zip(*columns, strict=True), strict=True)
        ),
    )


def numbered_names(source: str, labels: Sequence[str]) -> Names | None:
    """Read labels that are one prefix and a number, as DSI Studio writes, as their numbers."""
    ends = [re.fullmatch(r"(.*?)(\d+)", label) for label in labels]
    prefixes = {end[1] for end in ends if end}
    if len(prefixes) == 1 and all(ends) and prefixes != {""}:
        return make_names(source, [[end[2] for end in ends if end]])
    return None


@dataclass(frozen=True)
class Match:
    """Which region of one file is which of another."""

    places: tuple[int | None, ...]  # For each wanted region its place in the other file, or None
    left_out: tuple[str, ...]  # Names of the other file that no wanted region has

    @property
    def n_found(self) -> int:
        """How many wanted regions were found."""
        return sum(place is not None for place in self.places)


def match_names(wanted: Names, found: Names) -> Match:
    """Match regions by name, never by position.

    Raises
    ------
    UserError
        If the labels are of the 7- and the 17-network order, or number the parcels of another
        parcellation: names such as LH_Vis_1 belong to all of one scheme.
    """
    if len(wanted.schemes | found.schemes) > 1 and not wanted.schemes & found.schemes:
        raise UserError(
            f"{wanted.source} has labels of {' and '.join(sorted(wanted.schemes))} networks and "
            f"{found.source} of {' and '.join(sorted(found.schemes))}: the parcels differ in name "
            "and order; give files of one scheme"
        )
    places = [
        next((found.places[n.key] for n in names if n.key in found.places), None)
        for names in wanted.labels
    ]
    taken = Counter(place for place in places if place is not None)
    places = [p if p is not None and taken[p] == 1 else None for p in places]
    left_out = [found.shown[i] for i in range(len(found)) if i not in taken]
    if left_out and taken and (other := _other_series(wanted, found)):
        raise UserError(
            f"{found.source} has {len(found)} regions of another parcellation than the "
            f"{len(wanted)} of {wanted.source}, although names agree ({shown(other)} go on "
            "further); give files of one parcellation"
        )
    return Match(tuple(places), tuple(left_out))


def _other_series(wanted: Names, found: Names) -> list[str]:
    ends = [_series_ends(names.labels) for names in (wanted, found)]
    both = sorted(set(ends[0]) & set(ends[1]))
    unlike = [stem for stem in both if ends[0][stem] != ends[1][stem]]
    return unlike if len(unlike) > MAX_UNLIKE_SERIES * max(len(both), 1) else []


def _series_ends(labels: Iterable[Sequence[Label]]) -> dict[str, int]:
    ends: dict[str, int] = {}
    for names in labels:
        for label in names[:1]:
            if numbered := re.fullmatch(r"(.*?)(\d+)", label.core):
                stem = f"{label.side} {numbered[1]}"
                ends[stem] = max(ends.get(stem, 0), int(numbered[2]))
    return ends


def unique_labels(names: Names) -> tuple[str, ...]:
    """Return labels that distinguish regions: a side before those that repeat across sides."""
    count = Counter(names.shown)
    sides = [labels[0].side for labels in names.labels]
    return tuple(
        f"{side}_{text}" if count[text] > 1 and side else text
        for text, side in zip(names.shown, sides, strict=True)
    )
