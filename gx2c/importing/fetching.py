"""Fetch a public dataset: download its pinned files once, check them, import them.

Files are pinned by the ids that git gave them, and large ones go on where a connection broke;
pooch does neither, so requests is used alone.
"""

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from gx2c.data.layout import cache_dir
from gx2c.errors import DataError, UserError
from gx2c.importing.command import Imported, import_dataset
from gx2c.importing.options import ImportOptions
from gx2c.importing.registry import Remote, Source, remotes, sources

# Called with the file, the bytes that are there and those that there will be (0: unknown)
Progress = Callable[[Source, int, int], None]
CHUNK = 1 << 16
TIMEOUT_S = 30
N_TRIES = 3


def remote_dataset(name: str) -> Remote:
    """Look a public dataset up.

    Raises
    ------
    UserError
        If there is none of that name.
    """
    try:
        return remotes()[name]
    except KeyError:
        raise UserError(
            f"no dataset {name!r} can be fetched; choose from {', '.join(sorted(remotes()))}"
        ) from None


def fetch_dataset(
    name: str, *, out: str | Path | None = None, progress: Progress | None = None
) -> Imported:
    """Download and import a public dataset; then `--dataset NAME` finds it.

    Parameters
    ----------
    name
        A key of `remotes()`.
    out
        The folder to write; the cache if omitted.
    progress
        Called while files arrive.

    Raises
    ------
    UserError
        If there is no such dataset, or a file cannot be had.
    DataError
        If a file is not the one that was pinned.
    """
    remote = remote_dataset(name)
    folder = cache_dir() / "raw" / name
    for path in remote.paths:
        fetch_file(sources()[path], folder, progress)
    options = ImportOptions((str(folder),), name=name, **remote.options)
    description = {
        "Summary": f"{remote.summary}; fetched",
        "License": remote.licence,
        "ReferencesAndLinks": list(remote.references),
        "SourceDatasets": [
            {"URL": sources()[path].url, "GitBlob": sources()[path].git_blob}
            for path in remote.paths
        ],
    }
    return import_dataset(options, out or cache_dir() / "datasets" / name, description=description)


def fetch_file(source: Source, folder: Path, progress: Progress | None = None) -> Path:
    """Return a pinned file, downloaded to a folder if it is not there yet.

    A broken download is kept as NAME.part and goes on where it broke. The files of a zip are
    unpacked next to it.

    Raises
    ------
    UserError
        If it cannot be downloaded.
    DataError
        If it is not the file that was pinned.
    """
    path = folder / Path(source.path).name
    if not (path.exists() and git_blob(path) == source.git_blob):
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        _download(source, part, progress)
        if (found := git_blob(part)) != source.git_blob:
            part.unlink()
            raise DataError(
                source.url,
                [
                    f"git blob id is {found}; {source.git_blob} is needed: the download was "
                    "damaged or its server sends something else; try again"
                ],
            )
        part.replace(path)
    if path.suffix == ".zip":
        _unpack(path)
    return path


def git_blob(path: Path) -> str:
    """Return the id that git gives to a file's content."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _download(source: Source, part: Path, progress: Progress | None) -> None:
    # slow to import, and only a download needs it
    import requests

    for attempt in range(N_TRIES):
        try:
            _download_rest(source, part, progress)
            return
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            if attempt == N_TRIES - 1:
                raise UserError(_no_answer(source, part, error)) from None
        except (requests.RequestException, OSError) as error:
            raise UserError(_no_answer(source, part, error)) from None


def _download_rest(source: Source, part: Path, progress: Progress | None) -> None:
    import requests

    done = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={done}-"} if done else {}
    with requests.get(source.url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
        if answer.status_code == 416:  # nothing is left to send
            return
        if answer.status_code == 404:
            raise UserError(
                f"{source.url} is gone (404); if the repository moved, get the files of the "
                "dataset by hand and run gx2c data import"
            )
        answer.raise_for_status()
        # a server may send the whole file again, which then starts from scratch
        going_on = answer.status_code == 206
        done = done if going_on else 0
        length = int(answer.headers.get("Content-Length", 0))
        total = done + length if length else source.n_bytes
        with part.open("ab" if going_on else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(source, done, total)
    if length and done < total:
        raise requests.ConnectionError(f"the connection broke after {done} of {total} bytes")


def _no_answer(source: Source, part: Path, error: Exception) -> str:
    kept = f"; what arrived is kept in {part.parent}" if part.exists() else ""
    reason = " ".join(str(error).split())[:200]
    if "Max retries" in reason or "Failed to resolve" in reason:
        # urllib3 wraps it in three layers of words
        reason = f"{source.url.split('/')[2]} does not answer"
    return (
        f"cannot download {source.url} ({reason}); check the network and run the command again"
        f"{kept}"
    )


def _unpack(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = Path(member.filename).name
            if member.is_dir() or "__MACOSX" in member.filename or name.startswith("."):
                continue
            with archive.open(member) as inside, (path.parent / name).open("wb") as file:
                shutil.copyfileobj(inside, file)
