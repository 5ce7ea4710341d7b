"""The regions of a run: where they lie, and to which network they belong."""

from pathlib import Path

import pandas as pd

from gx2c.data import Brain
from gx2c.errors import UserError
from gx2c.files import file_digest, ordinary
from gx2c.sealed import DamagedError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json, write_bytes

CENTROID = ["x_mm", "y_mm", "z_mm"]
COLUMNS = ["network", "hemisphere", *CENTROID]
SIDES = ("left", "right", "both")


def regions_of(brain: Brain) -> pd.DataFrame:
    """Return a row per region, (n_regions, 5), indexed by label, as `read_regions`."""
    return pd.DataFrame(
        {
            "network": brain.network,
            "hemisphere": [SIDES[side] for side in brain.hemisphere],
            **dict(zip(CENTROID, brain.coords_mm.T, strict=True)),
        },
        index=pd.Index(brain.labels, name="label"),
    )


def write_regions(paths: SweepPaths, brain: Brain) -> None:
    """Write a row per region, so that a report needs no dataset."""
    text = regions_of(brain).to_csv(sep="\t", float_format="%.6g")
    write_bytes(paths.regions, text.encode())


def read_regions(paths: SweepPaths) -> pd.DataFrame:
    """Read the regions of a run.

    Returns
    -------
    DataFrame
        (n_regions, 5), indexed by label: network, hemisphere (left, right or both), and centroid
        in MNI space, mm.

    Raises
    ------
    UserError
        If the run has no such file, as those of earlier versions.
    """
    refuse_unlisted(paths, paths.regions)
    try:
        # every label and network is text, also "1" and "NA"
        text = {"label": str, "network": str, "hemisphere": str}
        file = ordinary(paths.regions)
        table = pd.read_csv(file, sep="\t", dtype=text, keep_default_na=False)
        return table.set_index("label")[COLUMNS].astype({name: "float64" for name in CENTROID})
    except FileNotFoundError:
        raise UserError(
            f"{paths.root} has no {paths.regions.name}: it was made by an earlier version"
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise DamagedError(
            f"{paths.regions} cannot be read ({error}); --resume the sweep, which writes it again"
        ) from None


def refuse_unlisted(paths: SweepPaths, path: Path) -> None:
    """Refuse a table whose checksum is not the one that the summary has of it."""
    if not (path.exists() and paths.summary.exists()):
        return
    wanted = read_json(paths.summary).get("files", {}).get(str(path.relative_to(paths.root)))
    if wanted is not None and (not path.is_file() or wanted != file_digest(path)):
        raise DamagedError(f"{path} is damaged (its checksum differs); --resume the sweep")
