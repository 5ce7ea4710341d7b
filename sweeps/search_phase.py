"""Run all searches of a sweep in one Tuner."""

from __future__ import annotations

from gx2c.errors import UserError
from sweeps.disk import DiskBudget
from sweeps.packing import Packing
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan
from sweeps.records import ConfigRecord
from sweeps.search.board import SearchBoard
from sweeps.storage.mirror import NO_MIRROR, Mirror, NoMirror
from sweeps.storage.session import run_in_storage
from sweeps.storage.uri import join_uri
from sweeps.tune_sessions import TuneSessions


def run_search(
    plan: SweepPlan,
    paths: SweepPaths,
    board: SearchBoard,
    disk: DiskBudget | None = None,
    mirror: Mirror | NoMirror = NO_MIRROR,
) -> list[str]:
    """Run what the board still wants; returns when every search is finished.

    Trials' checkpoints lie in the storage, or else the run folder, and go when the search ends.

    Returns
    -------
    list of str
        What the summary should say of it.

    Raises
    ------
    UserError
        If a search ends without a single fully trained config.
    RuntimeError
        If Tune returned before the searches were finished.
    """
    sessions = TuneSessions(paths, _tune_storage(plan, paths))
    packing = Packing(plan.gpu_share)
    if not board.finished:
        # Ray Tune takes a second to import: `ray_session` does it while Ray starts
        from sweeps.search.patient_actors import starting_actors_are_kept
        from sweeps.search.prestarted_workers import prestarted_workers_are_used
        from sweeps.tuner import make_tuner

        tuner = make_tuner(plan, paths, board, sessions, disk=disk, packing=packing)
        # the new session is known there too before it writes its first checkpoint
        mirror.push_outputs()
        with prestarted_workers_are_used(), starting_actors_are_kept():
            tuner.fit()
    if not board.finished:
        raise RuntimeError(f"Ray Tune ended before the search was finished; resume {paths.root}")
    if not plan.options.keep_checkpoints:
        sessions.remove()
    for search in board.searches.values():
        best_record(list(search.records.values()), model=search.model, fold=search.fold)
    return packing.notes()


def best_record(records: list[ConfigRecord], *, model: str, fold: int) -> ConfigRecord:
    """Return the best fully trained config; the first of equals."""
    complete = [r for r in records if r.state == "COMPLETE" and r.score is not None]
    if not complete:
        causes = sorted({r.cause for r in records if r.cause}) or ["all were pruned"]
        raise UserError(
            f"no config of {model} was fully trained on outer fold {fold} ({'; '.join(causes)}); "
            "try more --samples or --scheduler none"
        )
    return max(complete, key=lambda r: (r.score, -r.number))


def _tune_storage(plan: SweepPlan, paths: SweepPaths) -> str:
    """Return where checkpoints lie: beside all else of this run in the storage, if there is one."""
    storage = plan.options.storage
    return join_uri(run_in_storage(storage, paths), paths.tune.name) if storage else ""
