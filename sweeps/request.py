"""What a sweep was asked for, written into its folder and read back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml

from gx2c.data import Brain
from gx2c.errors import UserError
from sweeps.fold_regions import describe_folds
from sweeps.options import SweepOptions
from sweeps.paths import SweepPaths, check_new_folder
from sweeps.plan import SweepPlan
from sweeps.records import read_json, write_bytes, write_json

# Options that may differ when a sweep is resumed: none of them changes a result
FREE_ON_RESUME = (
    "max_concurrent",
    "storage",
    "time_budget_min",
    "max_disk_gb",
    "keep_checkpoints",
)


def read_options(paths: SweepPaths) -> SweepOptions:
    """Read the options of the sweep that a run folder holds.

    Raises
    ------
    UserError
        If there is none, or it is damaged.
    """
    try:
        plain = yaml.safe_load(paths.sweep.read_text())
        return SweepOptions.from_dict(dict(plain))
    except FileNotFoundError:
        raise UserError(f"{paths.root} holds no sweep (no {paths.sweep.name})") from None
    except (yaml.YAMLError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{paths.sweep} is not a sweep's options ({error})") from None


def read_inputs(paths: SweepPaths) -> dict[str, Any]:
    """Read which data a run was started with.

    Raises
    ------
    UserError
        If the folder does not say.
    """
    return read_json(paths.inputs)


def check_folder(paths: SweepPaths, options: SweepOptions, *, resume: bool) -> None:
    """Refuse a folder that holds something, or on resume a sweep of other options.

    Raises
    ------
    UserError
        Saying what differs.
    """
    if not resume:
        hint = "add --resume to continue its sweep, or give another --out"
        check_new_folder(paths.root, hint=hint)
        return
    before = read_options(paths).to_dict()
    changed = [
        f"{name} was {before[name]!r} and is now {value!r}"
        for name, value in options.to_dict().items()
        if name not in FREE_ON_RESUME and before[name] != value and not _adds_nulls(before, name)
    ]
    if changed:
        raise UserError(
            f"{paths.root} was started with other options ({'; '.join(changed)}); "
            "resume with the same ones or give another --out"
        )


def _adds_nulls(before: Mapping[str, Any], name: str) -> bool:
    """Say whether this is a sweep without nulls that gets some: nothing else changes by them."""
    return name == "nulls" and before["nulls"] == 0


def _inputs(plan: SweepPlan) -> dict[str, Any]:
    """Return what decides results but is not an option: files may change between sessions."""
    which = plan.genes.which
    return {
        "checksum": plan.brain.checksum,
        "measured": measured_checksum(plan.brain),
        "genes": which if isinstance(which, str) else list(which),
        "warm_start": list(plan.warm.sources),
    }


def measured_checksum(brain: Brain) -> str:
    """Return the hash of what models are tested on: regions by name, and their connectome.

    Files that a model reads beside expression are not in it, so that it ranks beside others.
    """
    digest = hashlib.sha256("\n".join(brain.labels).encode())
    digest.update(np.ascontiguousarray(brain.connectome, dtype=np.float64).tobytes())
    return digest.hexdigest()


def check_inputs(paths: SweepPaths, plan: SweepPlan) -> None:
    """Refuse to go on with other data than those the sweep was started with.

    Raises
    ------
    UserError
        Saying what changed.
    """
    if not paths.inputs.exists():
        return
    before, now = read_json(paths.inputs), _inputs(plan)
    # a sweep of an earlier version says less of what it was started with
    if changed := sorted(name for name in now if before.get(name, now[name]) != now[name]):
        raise UserError(
            f"{paths.root} was started with other data ({', '.join(changed)} of "
            f"{plan.options.dataset} changed since); restore the files or give another --out"
        )


def write_request(paths: SweepPaths, plan: SweepPlan) -> None:
    """Write options, inputs and folds: from then on the folder holds a sweep."""
    options = yaml.safe_dump(plan.options.to_dict(), sort_keys=False)
    # first: with it alone a sweep that was killed here can be resumed
    write_bytes(paths.sweep, options.encode())
    if plan.warm.sources:
        write_json(paths.warm_start, plan.warm.to_dict())
    write_json(paths.folds, describe_folds(plan.brain, plan.folds))
    write_json(paths.inputs, _inputs(plan))
