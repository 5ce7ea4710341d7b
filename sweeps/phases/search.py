"""Run all searches of a sweep in one Tuner."""

from gx2c.errors import UserError
from sweeps.folder.disk import DiskBudget
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, best_of
from sweeps.request.plan import SweepPlan
from sweeps.search.board import SearchBoard
from sweeps.search.tune_sessions import TuneSessions
from sweeps.storage.session import Mirror, run_in_storage
from sweeps.storage.uri import join_uri
from sweeps.workers.tasks import Packing


def run_search(
    plan: SweepPlan,
    paths: SweepPaths,
    board: SearchBoard,
    disk: DiskBudget | None = None,
    mirror: Mirror | None = None,
) -> list[str]:
    """Run the board's open work until every search is finished; return notes for the summary.

    Checkpoints of trials are in the storage, or else in the run folder, and are deleted when the
    search ends.

    Raises
    ------
    UserError
        If a search ends without a single fully trained config.
    RuntimeError
        If Tune returned before the searches were finished.
    """
    storage = plan.options.storage
    sessions = TuneSessions(
        paths, join_uri(run_in_storage(storage, paths), paths.tune.name) if storage else ""
    )
    packing = Packing(plan.gpu_share)
    if not board.finished:
        # Ray Tune takes a second to import: `ray_session` does it while Ray starts
        from sweeps.phases.tuner import make_tuner, refusals_said
        from sweeps.search.callbacks import Halt
        from sweeps.search.ray_patches import (
            disk_trouble_halts,
            prestarted_workers_are_used,
            starting_actors_are_kept,
            state_is_written_once,
            tasks_are_named,
        )

        tuner = make_tuner(plan, paths, board, sessions, halt=(halt := Halt(disk)), packing=packing)
        # the storage knows the new session before its first checkpoint
        if mirror:
            mirror.push_outputs()
        with (
            prestarted_workers_are_used(),
            starting_actors_are_kept(),
            tasks_are_named(),
            disk_trouble_halts(halt),
            state_is_written_once(),
            refusals_said(storage),
        ):
            tuner.fit()
        paths.running.unlink(missing_ok=True)
    if not board.finished:
        raise RuntimeError(f"Ray Tune ended before the search was finished; resume {paths.root}")
    if not plan.options.keep_checkpoints:
        sessions.remove()
    for search in board.searches.values():
        best_record(list(search.records.values()), model=search.model, fold=search.fold)
    return packing.notes()


def best_record(records: list[ConfigRecord], *, model: str, fold: int) -> ConfigRecord:
    """Return the best fully trained config, the first one if several are best."""
    best = best_of(records)
    if best is None:
        causes = sorted({r.cause for r in records if r.cause}) or ["all were pruned"]
        raise UserError(
            f"no config of {model} was fully trained on outer fold {fold} ({'; '.join(causes)}); "
            "try more --samples or --scheduler none"
        )
    return best
