"""The request of a sweep in its folder, written and read: options, inputs, folds."""

import os
from dataclasses import asdict
from typing import Any

import yaml

from gx2c.data import IntArray
from gx2c.errors import UserError
from gx2c.files import load_yaml
from gx2c.saved.origin import measured_checksum
from gx2c.sealed import DamagedError, sealed, unsealed
from sweeps.folder.paths import SweepPaths, check_new_folder
from sweeps.folder.records import ConfigRecord, read_json, write_bytes, write_json
from sweeps.folder.regions import write_regions
from sweeps.request.option import Affects
from sweeps.request.options import SweepOptions
from sweeps.request.plan import SweepPlan, WarmStart
from sweeps.request.starting import starts_of
from sweeps.request.table import OPTIONS

# The limit of ext4, XFS, APFS and NTFS, which NFS passes on
MAX_NAME_BYTES = 255
_RESTORE = "restore it from a copy of the run, or start again with another --out"


def read_options(paths: SweepPaths) -> SweepOptions:
    """Read the options of the sweep in a run folder; refuse a missing or damaged file."""
    try:
        plain = unsealed(load_yaml(paths.sweep), paths.sweep, hint=_RESTORE)
        return SweepOptions.from_dict(dict(plain))
    except FileNotFoundError:
        raise UserError(f"{paths.root} contains no sweep (no {paths.sweep.name})") from None
    except DamagedError:
        raise
    except (OSError, TypeError, ValueError) as error:
        raise UserError(f"{paths.sweep} is not a sweep's options ({error})") from None


def check_folder(paths: SweepPaths, options: SweepOptions, *, resume: bool) -> None:
    """Refuse a folder that is not new, or on resume one whose sweep has other options."""
    if not resume:
        hint = "add --resume to continue its sweep, or give another --out"
        check_new_folder(paths.root, hint=hint)
        return
    before = read_options(paths)
    # nulls may be added to a sweep without them, because they change nothing else
    free = {Affects.PLACEMENT} if before.nulls else {Affects.PLACEMENT, Affects.NULLS}
    if changed := differences(before, options, free):
        raise UserError(
            f"{paths.root} was started with different options ({'; '.join(changed)}); "
            "resume with the same options or give another --out"
        )


def differences(before: SweepOptions, now: SweepOptions, free: set[Affects]) -> list[str]:
    """Return the differences between two sweeps' options, except those that affect only `free`."""
    old, new = before.to_dict(), now.to_dict()
    return [
        f"{name} was {old[name]!r} and is now {new[name]!r}"
        for name, one in OPTIONS.items()
        if one.affects not in free and old[name] != new[name]
    ]


def _inputs(plan: SweepPlan) -> dict[str, Any]:
    """Return inputs that determine results but are not options, such as the contents of files."""
    which = plan.genes.which
    return {
        "checksum": plan.brain.checksum,
        "measured": measured_checksum(plan.brain),
        "genes": which if isinstance(which, str) else list(which),
        "warm_start": list(plan.warm.sources),
        "init_from": [start.digest for start in starts_of(plan.folds)],
    }


def check_names(paths: SweepPaths, plan: SweepPlan) -> None:
    """Refuse a dataset whose name makes a file name that no file system takes."""
    data = plan.brain.name, plan.brain.measure
    longest = max(len(os.fsencode(paths.predicted(m, 0, *data).name)) for m in plan.models)
    if longest > MAX_NAME_BYTES:
        raise UserError(
            f"the name of the dataset, {plan.brain.name[:20]}…, is too long: it makes file names "
            f"of {longest} bytes, and {MAX_NAME_BYTES} are allowed; rename its folder"
        )


def check_inputs(paths: SweepPaths, plan: SweepPlan) -> None:
    """Refuse data that are not those with which the sweep was started."""
    if not paths.inputs.exists():
        return
    before, now = read_json(paths.inputs, hint=_RESTORE), _inputs(plan)
    # a sweep of an earlier version records fewer inputs
    if changed := sorted(name for name in now if before.get(name, now[name]) != now[name]):
        of = plan.options.init_from if changed == ["init_from"] else plan.options.dataset
        raise UserError(
            f"{paths.root} was started with different data ({', '.join(changed)} of "
            f"{of} changed since); restore the files or give another --out"
        )


def write_request(paths: SweepPaths, plan: SweepPlan) -> None:
    """Write options, inputs and folds, which turns the folder into a run folder."""
    options = yaml.safe_dump(sealed(plan.options.to_dict()), sort_keys=False)
    # first, because a sweep killed after this can be resumed
    write_bytes(paths.sweep, options.encode())
    if plan.warm.sources:
        trials = [
            {"model": model, "fold": fold, "records": [asdict(r) for r in records]}
            for (model, fold), records in plan.warm.trials.items()
        ]
        write_json(paths.warm_start, {"sources": list(plan.warm.sources), "trials": trials})
    write_regions(paths, plan.brain)
    write_json(paths.folds, _describe_folds(plan))
    write_json(paths.inputs, _inputs(plan))


def _describe_folds(plan: SweepPlan) -> dict[str, Any]:
    """Return the regions of every outer and inner fold by name, which leakage checks compare."""

    def names(regions: IntArray) -> list[str]:
        return [plan.brain.labels[i] for i in regions]

    return {
        "folds": [
            {
                "seed": fold.seed,
                "train": names(fold.train_regions),
                "test": names(fold.test_regions),
                "inner": [
                    {"train": names(f.train_regions), "validation": names(f.test_regions)}
                    for f in fold.inner
                ],
            }
            for fold in plan.folds
        ]
    }


def read_folds(paths: SweepPaths) -> list[dict[str, Any]]:
    """Return the regions of each outer fold of a run, by name.

    Raises
    ------
    UserError
        If the run has no record of them.
    """
    if not paths.folds.exists():
        raise UserError(
            f"{paths.root} has no record of its folds' regions (no {paths.folds.name}); "
            "give a run made by this version of gx2c"
        )
    folds = read_json(paths.folds, hint=_RESTORE).get("folds")
    if not isinstance(folds, list) or not all({"train", "test", "inner"} <= set(f) for f in folds):
        raise UserError(f"{paths.folds} is not a file written by gx2c")
    return folds


def read_accepted(paths: SweepPaths) -> WarmStart:
    """Read the trials of earlier runs that a sweep accepted at its start."""
    content = read_json(paths.warm_start, hint=_RESTORE)
    try:
        trials = {
            (part["model"], part["fold"]): tuple(ConfigRecord(**r) for r in part["records"])
            for part in content["trials"]
        }
        return WarmStart(trials, tuple(content["sources"]))
    except (KeyError, TypeError):
        raise UserError(f"{paths.warm_start} is not a file written by gx2c") from None
