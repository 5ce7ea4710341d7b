"""Write figures or tables as files, one file each, in the formats that are asked for."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from gx2c.errors import UserError
from gx2c.files import user_path

T = TypeVar("T")


def write_files(
    things: Iterable[tuple[str, T]],
    save: Callable[[T, Path], None],
    out: Path,
    formats: str,
    endings: Mapping[str, str],
) -> list[Path]:
    """Write each thing in each format, one file each, and return the paths.

    Parameters
    ----------
    things
        Names of files, each with what to write; made one by one.
    save
        Writes a thing to a path, whose ending is the format.
    out
        A folder, made if it does not exist; files of the same names are replaced.
    formats
        Some of the names of formats, joined by commas.
    endings
        The ending of files of every format.

    Raises
    ------
    UserError
        If a format is unknown or the folder cannot be written.
    """
    wanted = [endings[name] for name in _chosen(formats, tuple(endings))]
    folder = _new_folder(out)
    paths = []
    for name, thing in things:
        for ending in wanted:
            paths.append(folder / f"{name}.{ending}")
            save(thing, paths[-1])
    return paths


def _chosen(formats: str, known: tuple[str, ...]) -> list[str]:
    wanted = list(dict.fromkeys(part.strip() for part in formats.split(",") if part.strip()))
    if unknown := [one for one in wanted if one not in known]:
        raise UserError(f"no format {unknown[0]!r}; give some of {', '.join(known)}")
    if not wanted:
        raise UserError(f"no format is given; give some of {', '.join(known)}")
    return wanted


def _new_folder(out: Path) -> Path:
    out = user_path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out} cannot be made a folder ({error.strerror}); give another") from None
    if not os.access(out, os.W_OK):
        raise UserError(f"{out} cannot be written; give another folder")
    return out
