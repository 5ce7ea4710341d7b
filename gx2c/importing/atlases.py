"""Atlas images by name, downloaded by nilearn."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from gx2c.errors import UserError
from gx2c.files import file_digest
from gx2c.importing.labels import make_names
from gx2c.importing.reasons import reason_of
from gx2c.importing.regions import RegionTable, empty_table

# schaefer200, or schaefer200_17 for the order of 17 networks
_SCHAEFER = re.compile(r"schaefer([1-9]00|1000)(?:_(7|17))?")
AAL = "aal"


def is_atlas_name(name: str) -> bool:
    """Return whether an atlas is one that nilearn downloads, rather than a file.

    Raises
    ------
    UserError
        If it is neither.
    """
    if not name or Path(name).exists():
        return False
    if _SCHAEFER.fullmatch(name) is not None or name == AAL:
        return True
    raise UserError(
        f"there is no atlas {name}: neither a file nor schaefer100 to schaefer1000 (in steps of "
        "100, _17 for the order of 17 networks) or aal"
    )


def fetch_atlas(name: str) -> tuple[Path, RegionTable]:
    """Download an atlas image in MNI space, and return it with the labels of its numbers.

    Raises
    ------
    UserError
        If nilearn is missing, or the image cannot be downloaded.
    """
    try:
        from nilearn import datasets
    except ImportError:
        raise UserError(
            "atlases by name need nilearn; pip install 'gx2c[data]', or give the image's file"
        ) from None
    try:
        if match := _SCHAEFER.fullmatch(name):
            atlas = datasets.fetch_atlas_schaefer_2018(
                n_rois=int(match[1]), yeo_networks=int(match[2] or 7), resolution_mm=1, verbose=0
            )
        else:
            atlas = datasets.fetch_atlas_aal(verbose=0)
    except Exception as error:
        # nilearn raises whatever its downloads do
        raise UserError(
            f"cannot download the atlas {name} ({reason_of(error)}); check the network, or give "
            "the image's file as --atlas"
        ) from None
    return Path(str(atlas.maps)), _table(name, atlas)


def check_atlas(image: Path, name: str, wanted: str = "") -> str:
    """Return the SHA-256 of a downloaded image, for which nilearn pins none.

    Raises
    ------
    UserError
        If an earlier import had another image under this name.
    """
    found = file_digest(image)
    if wanted and found != wanted:
        raise UserError(
            f"{image}: SHA-256 of the atlas {name} is {found}, and {wanted} in the import to "
            "repeat; delete the file to download it again, or give the earlier image as --atlas"
        )
    return found


def _table(name: str, atlas: Any) -> RegionTable:
    rows = zip(atlas.lut["index"], atlas.lut["name"], strict=True)
    named = {int(i): str(label) for i, label in rows if str(label).lower() != "background"}
    named.pop(0, None)
    table = empty_table(make_names(name, [list(named.values())]))
    return replace(table, ids=tuple(map(str, named)))
