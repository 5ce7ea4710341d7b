"""Storages by name: s3://, gs:// or a path."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

SCHEMES = ("s3", "gs")


def is_uri(storage: str) -> bool:
    """Tell a URI from a path."""
    return "://" in storage


def join_uri(storage: str, *parts: str) -> str:
    """Add folders to a path or to the path of a URI; a path becomes absolute."""
    if not is_uri(storage):
        return str(Path(storage).expanduser().resolve().joinpath(*parts))
    split = urlsplit(storage)
    path = "/".join([split.path.rstrip("/"), *parts])
    return urlunsplit(split._replace(path=path))


def storage_problem(storage: str) -> str:
    """Say why something cannot be a storage, or return nothing; looks at the text alone."""
    if not is_uri(storage):
        return ""
    split = urlsplit(storage)
    if split.scheme not in SCHEMES or not split.netloc:
        return f"storage {split.scheme}:// is not known; give s3://BUCKET, gs://BUCKET or a folder"
    secret = any("secret" in key or "access_key" in key for key in parse_qs(split.query))
    if "@" in split.netloc or secret:
        # it would be written into the run folder
        return (
            "the storage holds a secret; give the bucket alone and put credentials where the "
            "provider's tools look for them (environment, profile, instance role)"
        )
    return ""
