"""The options of an import, and the file that repeats it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from gx2c.data.checks import duplicates, shown
from gx2c.data.layout import DISTANCE, FIBRES, PEARSON
from gx2c.errors import UserError
from gx2c.files import load_yaml
from gx2c.importing.scales import SCALES

RECIPE = "import.yaml"
# Names of targets and of files that other data have
TAKEN_NAMES = ("functional", "structural", PEARSON, FIBRES, DISTANCE)
KINDS = ("auto", "csv", "bids", "xcp_d", "enigma", "abagen", "4s", "geneex2conn", "ipa", "dsi")
# Layouts in which unlabelled rows are known to be in the order of the table of regions
ORDERED_KINDS = ("4s", "ipa", "geneex2conn")


@dataclass(frozen=True)
class ImportOptions:
    """The options of an import."""

    paths: tuple[str, ...]  # Files and folders to look through
    # Files that take one role; `expression` may name a dataset. Empty: found by content.
    connectome: str = ""
    holdout: str = ""
    structural: str = ""
    expression: str = ""
    regions: str = ""
    labels: str = ""
    atlas: str = ""
    distances: str = ""
    individuals: str = ""
    # Left and right file each, or empty
    surfaces: tuple[str, ...] = ()
    sphere: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()  # Other matrices to predict, NAME=FILE each
    scale: str = ""  # One of `SCALES`, or empty to recognise it
    kind: str = "auto"  # One of `KINDS`
    by_position: bool = False  # Whether unlabelled rows are in the order of the table of regions
    project_spheres: bool = False  # Whether centroids are projected to spheres where there are none
    repair_genes: bool = False  # Whether genes get their approved symbols
    # Whether rows that seem to be in different orders are taken as they are
    trust_row_order: bool = False
    name: str = ""  # The dataset's name; that of its folder if empty
    atlas_sha256: str = ""  # Of the image that an atlas's name had in the import to repeat

    def __post_init__(self) -> None:
        if self.scale not in ("", *SCALES):
            raise UserError(f"no scale {self.scale!r}; choose from {', '.join(SCALES)}")
        if self.kind not in KINDS:
            raise UserError(f"no kind {self.kind!r}; choose from {', '.join(KINDS)}")
        for name in ("surfaces", "sphere"):
            if len(getattr(self, name)) not in (0, 2):
                raise UserError(f"--{name} takes two files, that of the left hemisphere first")
        for one in self.measures:
            name, mark, file = one.partition("=")
            if name in TAKEN_NAMES:
                raise UserError(f"--measure {name} is a name that gx2c uses itself; give another")
            if not (mark and file and name.isalnum()):
                raise UserError(
                    f"--measure {one!r} is no NAME=FILE with a name of letters and digits, such as "
                    "MorphometricSimilarity=msn.csv"
                )

        names = [one.partition("=")[0] for one in self.measures]
        if repeated := duplicates(names):
            raise UserError(f"--measure {shown(repeated)} comes twice; give each its own name")

    def to_plain(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, paths absolute."""
        plain: dict[str, Any] = {}
        for field in fields(self):
            value = asdict(self)[field.name]
            if field.name in PATHS and value:
                value = (
                    [_absolute(v) for v in value] if isinstance(value, tuple) else _absolute(value)
                )
            if value != field.default and value != ():
                plain[field.name] = value
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], source: str) -> Self:
        """Rebuild from plain values.

        Raises
        ------
        UserError
            If they are not those of an import.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(plain, dict) or not plain.get("paths") or set(plain) - known:
            raise UserError(f"{source} repeats no import; give one that gx2c data import wrote")
        for field in fields(cls):
            value = plain.get(field.name, field.default)
            wanted = (list, tuple) if field.name in LISTS else type(field.default)
            texts = value if isinstance(value, list | tuple) else ()
            if not isinstance(value, wanted) or not all(isinstance(one, str) for one in texts):
                raise UserError(
                    f"{source}, {field.name}: {value!r} cannot be; give a value as "
                    "gx2c data import writes it"
                )
        lists = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
        return cls(**{**plain, **lists})


LISTS = ("paths", "surfaces", "sphere", "measures")
PATHS = (
    "paths", "connectome", "holdout", "structural", "expression", "regions", "labels", "atlas",
    "distances", "individuals", "surfaces", "sphere", "measures",
)  # fmt: skip


def _absolute(path: str) -> str:
    name, mark, file = path.partition("=")
    if mark and Path(file).exists():
        return f"{name}={Path(file).resolve()}"
    # the name of a dataset is no path
    return str(Path(path).resolve()) if Path(path).exists() else path


def read_recipe(path: Path) -> ImportOptions:
    """Read the file that repeats an import.

    Raises
    ------
    UserError
        If it cannot be read.
    """
    try:
        plain = load_yaml(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({' '.join(str(error).split())})") from None
    return ImportOptions.from_plain(plain, str(path))
