"""The door for every file of a user: what is no ordinary file, or is too large, is never opened."""

import errno
import hashlib
import json
import math
import os
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from numpy.lib import format as npy

from gx2c.errors import UserError

MB, GB = 10**6, 10**9
# The largest file that is read, by the end of its name: less where reading is slow
MAX_BYTES: Mapping[str, int] = {
    ".yaml": 20 * MB,
    ".yml": 20 * MB,
    ".json": 200 * MB,
    ".parquet": 16 * GB,
}
MAX_OTHER_BYTES = 2 * GB
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
KINDS: Mapping[str, Callable[[int], bool]] = {
    "a folder": stat.S_ISDIR,
    "a named pipe": stat.S_ISFIFO,
    "a socket": stat.S_ISSOCK,
    "a device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
}


def ordinary(path: str | os.PathLike[str]) -> Path:
    """Return a path that leads to an ordinary file of a size that is read.

    Raises
    ------
    OSError
        If it does not; `strerror` states the reason.
    """
    path = Path(path)
    try:
        facts = path.stat()
    except ValueError:
        raise OSError(errno.EINVAL, "its path holds a NUL character", repr(str(path))) from None
    if kind := next((name for name, has in KINDS.items() if has(facts.st_mode)), ""):
        raise OSError(errno.EINVAL, f"it is {kind}; an ordinary file is needed", str(path))
    most = MAX_BYTES.get(path.suffix.lower(), MAX_OTHER_BYTES)
    if facts.st_size > most:
        sizes = f"it has {facts.st_size / MB:,.0f} MB; at most {most / MB:,.0f} MB are read"
        raise OSError(errno.EFBIG, sizes, str(path))
    return path


def user_path(text: str | os.PathLike[str]) -> Path:
    """Return a path with `~` expanded.

    Raises
    ------
    UserError
        If there is no such user.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UserError(f"{text}: there is no such user; give the path of a folder") from None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file; raise an `OSError` as `ordinary`."""
    with ordinary(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load_json(path: Path) -> Any:
    """Read JSON.

    Raises
    ------
    OSError
        As `ordinary`, or if it cannot be read.
    ValueError
        If it is not JSON.
    """
    return _parsed(path, json.loads)


def load_yaml(path: Path) -> Any:
    """Read YAML without objects of Python, in which no mapping has a key twice.

    Raises
    ------
    OSError
        As `ordinary`, or if it cannot be read.
    ValueError
        If it is not YAML, or its aliases make it larger than a file may be; the message is one
        line.
    """
    # slow to import, and most of gx2c does without
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            # before merged keys (<<) are added, which those of the mapping replace
            seen = set()
            for key, _ in node.value:
                if (name := (key.tag, f"{key.value}")) in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"{key.value!r} is given twice", problem_mark=key.start_mark
                    )
                seen.add(name)
            return super().construct_mapping(node, deep)

    try:
        found = _parsed(path, lambda text: Loader(text).get_single_data())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{where}{error.problem}") from None
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    _refuse_endless(found)
    return found


def _refuse_endless(found: Any) -> None:
    """Refuse what is too large to write out, since aliases repeat it, or it holds itself."""
    size, left = 0, [found]
    while left:
        item = left.pop()
        size += len(item) + 1 if isinstance(item, str | bytes | dict | list | set) else 1
        if size > MAX_BYTES[".yaml"]:
            raise ValueError("its aliases (*) repeat too much; write the values out")
        if isinstance(item, dict):
            left += [*item, *item.values()]
        elif isinstance(item, list | set):
            left += item


def _parsed(path: Path, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(ordinary(path).read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is not UTF-8 text") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def load_npy(path: Path) -> Any:
    """Read an array that numpy saved, after its header; objects of Python are refused.

    Raises
    ------
    OSError
        As `ordinary`, or if it cannot be read.
    ValueError
        If it is no such file, or its header announces another number of bytes than it has.
    """
    with ordinary(path).open("rb") as stream:
        return _read_array(stream, os.fstat(stream.fileno()).st_size)


def load_npz(path: Path) -> dict[str, Any]:
    """Read the arrays of an archive that numpy saved, by name; errors as of `load_npy`."""
    arrays = {}
    try:
        with zipfile.ZipFile(ordinary(path)) as archive:
            for member in archive.infolist():
                if member.file_size > MAX_OTHER_BYTES:
                    raise ValueError(f"{member.filename} in it is too large")
                with archive.open(member) as stream:
                    name = member.filename.removesuffix(".npy")
                    arrays[name] = _read_array(stream, member.file_size)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ValueError(str(error)) from None
    return arrays


def _read_array(stream: IO[bytes], n_bytes: int) -> Any:
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"it is of numpy's format {version}, which is not known")
    shape, _, dtype = _HEADERS[version](stream)
    # numpy takes True for 1
    if not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"its header announces the shape {shape}")
    announced = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and announced != n_bytes - stream.tell():
        raise ValueError(
            f"its header announces {announced:,} bytes, and {n_bytes - stream.tell():,} follow"
        )
    stream.seek(0)
    return npy.read_array(stream, allow_pickle=False)
