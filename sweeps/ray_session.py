"""Start or join Ray, and see that it has what a trial needs."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import threading
from collections.abc import Iterator

import ray
from ray._private.worker import get_dashboard_url

from gx2c.errors import UserError
from sweeps.storage.reach import check_reach

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
MAX_STARTING = "TUNE_MAX_PENDING_TRIALS_PG"
# Ray's start is spent waiting for other processes; Ray Tune is a second of importing
NEEDED_NEXT = "sweeps.tuner"


@contextlib.contextmanager
def ray_session(*, cpus_per_trial: int, gpus_per_trial: float, shared: str) -> Iterator[int]:
    """Join the cluster that RAY_ADDRESS names, else start Ray on this machine for the sweep.

    Parameters
    ----------
    cpus_per_trial, gpus_per_trial
        Of one trial.
    shared
        Folder or URI that all nodes must reach.

    Yields
    ------
    int
        Trials that fit at once.

    Raises
    ------
    UserError
        If no node could ever run a trial, which Ray would await in silence, or a node does not
        reach what is shared.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if ray.is_initialized():
        # one session holds many sweeps
        yield slots(cpus_per_trial=cpus_per_trial, gpus_per_trial=gpus_per_trial)
        return
    joined = bool(os.environ.get("RAY_ADDRESS"))
    with _importing(NEEDED_NEXT):
        ray.init(
            address=None if joined else "local",
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    try:
        n_slots = slots(cpus_per_trial=cpus_per_trial, gpus_per_trial=gpus_per_trial)
        check_reach(shared)
        with _starting_at_once(n_slots):
            yield n_slots
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _starting_at_once(n_slots: int) -> Iterator[None]:
    """Let Tune start as many workers side by side; it starts one after another by itself.

    Each loads torch for seconds. Whoever has set Tune's variable is left alone.
    """
    ours = MAX_STARTING not in os.environ
    os.environ.setdefault(MAX_STARTING, str(n_slots))
    try:
        yield
    finally:
        if ours:
            # another session may have other nodes
            del os.environ[MAX_STARTING]


@contextlib.contextmanager
def _importing(module: str) -> Iterator[None]:
    """Import a module in a thread; what is wrong with it shows where it is used."""

    def load() -> None:
        with contextlib.suppress(Exception):
            importlib.import_module(module)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def dashboard_address() -> str:
    """Return where Ray's dashboard is, empty if there is none."""
    address = get_dashboard_url() if ray.is_initialized() else ""
    return f"http://{address}" if address else ""


def slots(*, cpus_per_trial: int, gpus_per_trial: float) -> int:
    """Count the trials that fit at once."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fits = [_slots_of(node, cpus_per_trial, gpus_per_trial) for node in nodes]
    if not any(fits):
        have = ", ".join(f"{n.get('CPU', 0):g} CPUs and {n.get('GPU', 0):g} GPUs" for n in nodes)
        raise UserError(
            f"a trial asks for {cpus_per_trial} CPU(s) and {gpus_per_trial:g} GPU(s), and no node "
            f"has them (found: {have}); lower --cpus-per-trial or --gpus-per-trial"
        )
    return sum(fits)


def _slots_of(node: dict[str, float], cpus: int, gpus: float) -> int:
    by_cpu = int(node.get("CPU", 0) // cpus)
    return min(by_cpu, int(node.get("GPU", 0) / gpus + 1e-9)) if gpus else by_cpu
