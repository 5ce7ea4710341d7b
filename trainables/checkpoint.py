"""A trial's checkpoint: tensors and plain values, hashed, and read back by the same work alone."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from trainables.work import TrialWork

CHECKPOINT_FILE = "trial.pt"
_DIGEST_BYTES = hashlib.sha256().digest_size


class UnusableCheckpointError(ValueError):
    """A checkpoint that is damaged or of other work; the trial begins anew."""


def write_checkpoint(folder: Path, work: TrialWork, state: dict[str, Any]) -> None:
    """Write what a trial needs to continue.

    Parameters
    ----------
    folder
        Where to.
    work
        Of the trial.
    state
        Tensors and plain values, so that loading needs no pickled code.
    """
    buffer = BytesIO()
    torch.save({"work": _identity(work), "state": state}, buffer)
    content = buffer.getvalue()
    (folder / CHECKPOINT_FILE).write_bytes(hashlib.sha256(content).digest() + content)


def read_checkpoint(content: bytes, work: TrialWork, *, device: str) -> dict[str, Any]:
    """Return the state in a checkpoint.

    Raises
    ------
    UnusableCheckpointError
        If a byte is missing or changed, or another work wrote it.
    """
    digest, payload = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(payload).digest() != digest:
        raise UnusableCheckpointError(f"the checkpoint of {work.name} is damaged")
    saved = torch.load(BytesIO(payload), weights_only=True, map_location=device)
    if saved["work"] != _identity(work):
        raise UnusableCheckpointError(f"the checkpoint of {work.name} is of another config")
    return dict(saved["state"])


def _identity(work: TrialWork) -> str:
    plain = work.to_dict()
    # where checkpoints lie and when to report do not change what is computed
    return json.dumps({k: plain[k] for k in plain if k not in ("checkpoints", "milestones")})
