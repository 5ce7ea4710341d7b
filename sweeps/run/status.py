"""Progress of a run from its files alone, also while it runs and after it was killed."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gx2c.models.names import GEOGRAPHY, families_of
from sweeps.folder.disk import folder_bytes
from sweeps.folder.lock import holder_of
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, RecordStore, best_of, read_as, read_json
from sweeps.folder.results import NullGroup, Result, null_files, result_files
from sweeps.nulls.jobs import count_nulls
from sweeps.request.files import read_folds, read_options
from sweeps.request.null_kinds import AS_NEEDED, parse_null_methods
from sweeps.request.options import SweepOptions
from sweeps.request.plan import configs_per_fold

# Speed is estimated from the latest files, because early and late trials of a search differ
LATEST = 50
MAX_CAUSES = 5


def read_status(paths: SweepPaths) -> dict[str, Any]:
    """Return the finished, open and failed work of a run.

    Returns
    -------
    dict
        "state" (running, stopped or finished), "phase", "folds" (one entry per model, seed
        and outer fold), "causes" of failed configs by number, "retrained" and "nulls" as done and
        total, "eta_s" of the phase (None if unknown), "cpu_s" and "gpu_s" of work, "disk_bytes",
        "ray_dashboard" (empty if none).

    Raises
    ------
    UserError
        If the folder contains no sweep, or one of its files is damaged.
    """
    options = read_options(paths)
    models = dict.fromkeys((options.model, GEOGRAPHY))
    searched = dict.fromkeys((*families_of(options.model), GEOGRAPHY))
    store = RecordStore(paths)
    seeds = _seeds_of_folds(paths, options)
    n_folds = len(seeds)
    keys = [(m, f) for m in searched for f in range(n_folds)]
    records = {key: list(store.load(*key).values()) for key in keys}
    folds: list[dict[str, Any]] = [
        {"model": model, "seed": seeds[place], "fold": seeds[:place].count(seeds[place])}
        | _search(found, configs_per_fold(options, model))
        for (model, place), found in records.items()
    ]
    retrained, groups = result_files(paths), null_files(paths)
    null_groups = [read_as(NullGroup, path) for path in groups]
    nulls_a_fold, groups_a_fold = count_nulls(options, list(models), wanted_nulls(paths, options))
    nulls = _done_of(sum(len(group.seeds) for group in null_groups), nulls_a_fold * n_folds)
    counts = {
        "search": (sum(f["done"] for f in folds), sum(f["total"] for f in folds)),
        "retrain": (len(retrained), n_folds * len({*searched, *models})),
        # in groups, of which some may be unfinished
        "nulls": (
            n_folds * groups_a_fold * nulls["done"] / max(nulls["total"], 1),
            n_folds * groups_a_fold,
        ),
    }
    phase = next((name for name, (done, total) in counts.items() if done < total), "report")
    files = {
        "search": lambda: list(paths.root.glob("records/*/fold_*/config_*.json")),
        "retrain": lambda: retrained,
        "nulls": lambda: groups,
    }
    running = holder_of(paths.root)
    finished = paths.summary.exists() and phase == "report" and not running
    work_s = sum(
        [
            *(record.seconds for found in records.values() for record in found),
            *(read_as(Result, path).seconds for path in retrained),
            *(group.seconds for group in null_groups),
        ]
    )
    cluster = read_json(paths.cluster) if paths.cluster.exists() else {}
    causes = Counter(r.cause for found in records.values() for r in found if r.cause)
    return {
        "run": str(paths.root),
        "model": options.model,
        "dataset": options.dataset,
        "split": options.split,
        "state": "running" if running else "finished" if finished else "stopped",
        "process": None if running is None else f"{running.pid} on {running.host}",
        "phase": "done" if finished else phase,
        "eta_s": _eta_s(files[phase](), *counts[phase]) if running and phase in files else None,
        "folds": folds,
        "causes": dict(causes.most_common(MAX_CAUSES)),
        "retrained": _done_of(*counts["retrain"]),
        "nulls": nulls,
        "cpu_s": round(work_s * options.cpus_per_trial, 1),
        "gpu_s": round(work_s * cluster.get("gpu_share", 0.0), 1),
        "disk_bytes": folder_bytes(paths.root),
        "ray_dashboard": cluster.get("ray_dashboard", "") if running else "",
    }


def wanted_nulls(paths: SweepPaths, options: SweepOptions) -> dict[str, int]:
    """Return the number of nulls by surrogate, as far as the sweep has decided on them."""
    if paths.nulls.exists():
        return {kind: int(n) for kind, n in read_json(paths.nulls).items()}
    names = parse_null_methods(options.null_method)
    certain = names[:1] if options.null_method == AS_NEEDED else names
    return dict.fromkeys(certain, options.nulls)


def _seeds_of_folds(paths: SweepPaths, options: SweepOptions) -> list[int]:
    """Return the seed of each outer fold; those of earlier versions have no other."""
    if paths.folds.exists():
        return [fold.get("seed", options.seed) for fold in read_folds(paths)]
    return [seed for seed in options.all_seeds for _ in range(options.folds)]


def _search(records: Sequence[ConfigRecord], total: int) -> dict[str, Any]:
    states = Counter(record.state for record in records)
    best = best_of(records)
    return {
        "done": len(records),
        "total": total,
        "complete": states["COMPLETE"],
        "pruned": states["PRUNED"],
        "failed": states["FAILED"],
        "best": None if best is None else best.score,
        "best_config": None if best is None else best.number,
    }


def _done_of(done: int, total: int) -> dict[str, int]:
    return {"done": min(done, total), "total": total}


def _eta_s(files: Sequence[Path], done: float, total: int) -> float | None:
    times = sorted(path.stat().st_mtime for path in files)[-LATEST:]
    if len(times) < 3 or times[-1] <= times[0]:
        return None
    return round((total - done) * (times[-1] - times[0]) / (len(times) - 1), 1)
