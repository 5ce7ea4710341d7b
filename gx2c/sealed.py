"""Checksums inside files: content that changed since gx2c wrote it is refused, never believed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from gx2c.errors import UserError

SEAL = "sha256"
T = TypeVar("T")


class DamagedError(UserError):
    """A file whose content is not what gx2c wrote."""


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Add the checksum of plain values to them, as their last entry."""
    return {**content, SEAL: _digest(content)}


def unsealed(content: Any, path: Path, *, hint: str) -> dict[str, Any]:
    """Take the checksum off again; files of earlier versions have none.

    Raises
    ------
    DamagedError
        If the content does not match it.
    """
    if not isinstance(content, dict):
        raise DamagedError(f"{path} is not a file that gx2c wrote; {hint}")
    name, found = next(reversed(content.items()), ("", ""))
    # a changed letter in the name of the entry must not hide the checksum
    if name != SEAL and not re.fullmatch("[0-9a-f]{64}", str(found)):
        return dict(content)
    rest = {key: value for key, value in content.items() if key != name}
    if name != SEAL or found != _digest(rest):
        raise DamagedError(f"{path} is damaged or was edited (its checksum differs); {hint}")
    return rest


def checked(schema: type[T], content: Mapping[str, Any], path: Path, *, hint: str) -> T:
    """Return content as a type.

    Raises
    ------
    DamagedError
        If it does not fit; the first problem is named.
    """
    try:
        adapter: TypeAdapter[T] = _adapter(schema)  # type: ignore[arg-type]
        found = adapter.validate_python(content)
        return found
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DamagedError(
            f"{path} is of another version, or damaged ({where}: {first['msg']}); {hint}"
        ) from None


@cache
def _adapter(schema: Any) -> TypeAdapter[Any]:
    return TypeAdapter(schema)


def _digest(content: Mapping[str, Any]) -> str:
    # of the values, not of their layout; what is not JSON was not written by gx2c
    text = json.dumps(content, default=repr, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
