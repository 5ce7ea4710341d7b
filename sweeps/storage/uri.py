"""Names of storages: s3://, gs:// or a path."""

from urllib.parse import parse_qs, urlsplit, urlunsplit

from gx2c.errors import UserError
from gx2c.files import user_path

SCHEMES = ("s3", "gs")


def is_uri(storage: str) -> bool:
    """Return whether a storage is a URI rather than a path."""
    return "://" in storage


def join_uri(storage: str, *parts: str) -> str:
    """Add folders to a path or to the path of a URI; a path becomes absolute."""
    if not is_uri(storage):
        return str(user_path(storage).resolve().joinpath(*parts))
    split = urlsplit(storage)
    path = "/".join([split.path.rstrip("/"), *parts])
    return urlunsplit(split._replace(path=path))


def check_storage(storage: str) -> None:
    """Refuse a text that cannot name a storage; nothing is accessed.

    Raises
    ------
    UserError
        If the provider is not known, or the text contains a secret.
    """
    if not is_uri(storage):
        return
    split = urlsplit(storage)
    if split.scheme not in SCHEMES or not split.netloc:
        raise UserError(
            f"storage {split.scheme}:// is not known; give s3://BUCKET, gs://BUCKET or a folder"
        )
    secret = any("secret" in key or "access_key" in key for key in parse_qs(split.query))
    # a bucket that anybody may use needs no secret
    if split.netloc.rpartition("@")[0] not in ("", "anonymous") or secret:
        # it would be written into the run folder
        raise UserError(
            "the storage contains a secret; give only the bucket and put credentials where the "
            "provider's tools look for them (environment, profile, instance role)"
        )
