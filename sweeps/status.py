"""How far a run is, from its files alone: also while it runs, and after it was killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sweeps.disk import folder_bytes
from sweeps.fold_regions import read_folds
from sweeps.null_phase import NULLS_PER_GROUP, count_nulls
from sweeps.options import GEOGRAPHY, SweepOptions
from sweeps.paths import SweepPaths
from sweeps.plan import configs_per_fold
from sweeps.records import ConfigRecord, RecordStore, read_json
from sweeps.request import read_options
from sweeps.run_lock import holder_of

# Speed is taken from the latest files only: trials early and late in a search differ
LATEST = 50
MAX_CAUSES = 5


def read_status(paths: SweepPaths) -> dict[str, Any]:
    """Say what a run has finished, what is left, and what failed.

    Returns
    -------
    dict
        "state" (running, stopped or finished), "phase", "folds" (one entry per model and outer
        fold), "causes" of failed configs by number, "retrained" and "nulls" as done and total,
        "eta_s" of the phase (None if unknown), "cpu_s" and "gpu_s" of work, "disk_bytes",
        "ray_dashboard" (empty if none).

    Raises
    ------
    UserError
        If the folder holds no sweep, or a file of it is damaged.
    """
    options = read_options(paths)
    models = dict.fromkeys((options.model, GEOGRAPHY))
    store = RecordStore(paths)
    n_folds = len(read_folds(paths)) if paths.folds.exists() else options.folds
    keys = [(m, f) for m in models for f in range(n_folds)]
    records = {key: list(store.load(*key).values()) for key in keys}
    folds = [_fold(m, f, found, configs_per_fold(options, m)) for (m, f), found in records.items()]
    retrained = sorted(paths.root.glob("retrained/*/fold_*/result.json"))
    groups = sorted(paths.root.glob("nulls/**/group_*.json"))
    nulls_a_fold, groups_a_fold = count_nulls(options, list(models))
    counts = {
        "search": (sum(f["done"] for f in folds), sum(f["total"] for f in folds)),
        "retrain": (len(retrained), len(records)),
        "nulls": (len(groups), n_folds * groups_a_fold),
    }
    phase = next((name for name, (done, total) in counts.items() if done < total), "report")
    files = {
        "search": lambda: list(paths.root.glob("records/*/fold_*/config_*.json")),
        "retrain": lambda: retrained,
        "nulls": lambda: groups,
    }
    running = holder_of(paths.root)
    finished = paths.summary.exists() and phase == "report" and not running
    work_s = sum(r.seconds for found in records.values() for r in found) + sum(
        read_json(path)["seconds"] for path in (*retrained, *groups)
    )
    cluster = read_json(paths.cluster) if paths.cluster.exists() else {}
    live = cluster if running else {}
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
        "causes": _causes(records.values()),
        "retrained": _done_of(*counts["retrain"]),
        "nulls": _done_of(len(groups) * NULLS_PER_GROUP, nulls_a_fold * n_folds),
        **_work(options, cluster.get("gpu_share", 0.0), work_s),
        "disk_bytes": folder_bytes(paths.root),
        "ray_dashboard": live.get("ray_dashboard", ""),
    }


def _fold(model: str, fold: int, records: Sequence[ConfigRecord], total: int) -> dict[str, Any]:
    states = Counter(record.state for record in records)
    complete = [r for r in records if r.state == "COMPLETE" and r.score is not None]
    best = max(complete, key=lambda r: (r.score, -r.number), default=None)
    return {
        "model": model,
        "fold": fold,
        "done": len(records),
        "total": total,
        "complete": states["COMPLETE"],
        "pruned": states["PRUNED"],
        "failed": states["FAILED"],
        "best": None if best is None else best.score,
        "best_config": None if best is None else best.number,
    }


def _causes(records: Any) -> dict[str, int]:
    causes = Counter(r.cause for found in records for r in found if r.cause)
    return dict(causes.most_common(MAX_CAUSES))


def _done_of(done: int, total: int) -> dict[str, int]:
    return {"done": min(done, total), "total": total}


def _work(options: SweepOptions, gpu_share: float, seconds: float) -> dict[str, float]:
    return {
        "cpu_s": round(seconds * options.cpus_per_trial, 1),
        "gpu_s": round(seconds * gpu_share, 1),
    }


def _eta_s(files: Sequence[Path], done: int, total: int) -> float | None:
    """Go on as fast as the latest files came."""
    times = sorted(path.stat().st_mtime for path in files)[-LATEST:]
    if len(times) < 3 or times[-1] <= times[0]:
        return None
    return round((total - done) * (times[-1] - times[0]) / (len(times) - 1), 1)
