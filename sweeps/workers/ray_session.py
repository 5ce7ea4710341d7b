"""Start or join Ray, and check that it has the resources of a trial."""

import contextlib
import importlib
import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

import ray
from ray._private import ray_constants
from ray._private import utils as ray_utils
from ray._private.worker import get_dashboard_url
from ray.job_config import JobConfig

from gx2c.errors import UserError
from sweeps.storage.reach import check_reach
from sweeps.workers.session_folder import keep_token_private, session_folder
from sweeps.workers.watch import parts_watched

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
LOOPBACK = "127.0.0.1"
PROBE_S = 5.0
# How every gRPC client begins (HTTP/2 preface and empty settings), and every server answers
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
# Ray's start mostly waits for other processes, while Ray Tune takes a second to import
NEEDED_NEXT = "sweeps.phases.tuner"


@contextlib.contextmanager
def ray_session(
    *,
    cpus_per_trial: int,
    gpus_per_trial: float,
    shared: str,
    metadata: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Join the cluster of RAY_ADDRESS, or start Ray on this machine for the sweep.

    Parameters
    ----------
    cpus_per_trial, gpus_per_trial
        Resources of one trial.
    shared
        Folder or URI that all nodes must reach.
    metadata
        What Ray's dashboard shows of the job.

    Yields
    ------
    int
        Number of concurrent trials that fit.

    Raises
    ------
    UserError
        If Ray does not start, no node could ever run a trial, for which Ray would wait silently, or
        a node cannot reach the shared location.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if ray.is_initialized():
        # one session can run several sweeps
        yield slots(cpus_per_trial=cpus_per_trial, gpus_per_trial=gpus_per_trial)
        return
    job = JobConfig(metadata=dict(metadata or {}))
    address = os.environ.get("RAY_ADDRESS")
    with _joined(address, job) if address else _started(job):
        n_slots = slots(cpus_per_trial=cpus_per_trial, gpus_per_trial=gpus_per_trial)
        check_reach(shared)
        with _starting_at_once(n_slots):
            yield n_slots


@contextlib.contextmanager
def _joined(cluster: str, job: JobConfig) -> Iterator[None]:
    _refuse_if_silent(cluster)
    try:
        _init(cluster, job)
        yield
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _started(job: JobConfig) -> Iterator[None]:
    """Start Ray for this sweep alone: only this user reads its files, only this machine joins."""
    keep_token_private()
    # Ray replaces 127.0.0.1 as a node's address by a public one, except on macOS and Windows, and
    # has no option for it on Linux (Ray 2.54 to 2.60): so its processes listen on loopback alone
    loopback = patch.object(ray_constants, "ENABLE_RAY_CLUSTER", False)
    with session_folder() as folder, loopback:
        try:
            with parts_watched() as started:
                _init("", job, address="local", _temp_dir=str(folder), _node_ip_address=LOOPBACK)
                started()
                yield
        finally:
            ray.shutdown()


def _refuse_if_silent(cluster: str) -> None:
    """Refuse a cluster that does not answer within seconds; Ray itself waits for minutes."""
    host, _, port = cluster.rpartition("://")[2].rpartition(":")
    if not port.isdigit():
        return
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE_S) as connection:
            connection.sendall(_HELLO)
            if not connection.recv(len(_HELLO)):
                raise ConnectionError("it hangs up")
    except (OSError, OverflowError) as error:
        raise UserError(
            f"the Ray cluster at {cluster} does not answer ({error}); check RAY_ADDRESS and "
            "that the cluster is up, or unset it to use this machine alone"
        ) from None


def _init(cluster: str, job: JobConfig, **where: Any) -> None:
    # keeps our handler of SIGTERM, in whose place Ray puts one that exits without a word
    signals_left_alone = patch.object(ray_utils, "set_sigterm_handler", lambda _: None)
    try:
        with _importing(NEEDED_NEXT), signals_left_alone:
            ray.init(job_config=job, logging_level=logging.ERROR, log_to_driver=False, **where)
    # Ray raises a plain Exception if a process of its own does not come up in time
    except Exception as error:
        why = str(error).strip().partition("\n")[0]
        if cluster:
            raise UserError(
                f"the Ray cluster at {cluster} cannot be joined ({why}); check RAY_ADDRESS and "
                "that the cluster is up, or unset it to use this machine alone"
            ) from None
        raise UserError(
            f"Ray did not start on this machine ({why}); if it is overloaded or short of memory, "
            "end other work, then run the same command again"
        ) from None


@contextlib.contextmanager
def _starting_at_once(n_slots: int) -> Iterator[None]:
    """Make Tune start this many workers at the same time instead of one after another.

    Each takes seconds to load torch. A value of Tune's variable set by the user is kept.
    """
    ours = MAX_STARTING not in os.environ
    os.environ.setdefault(MAX_STARTING, str(n_slots))
    try:
        yield
    finally:
        if ours:
            # another session may have different nodes
            del os.environ[MAX_STARTING]


@contextlib.contextmanager
def _importing(module: str) -> Iterator[None]:
    """Import a module in a thread; import errors appear where it is used."""

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
    """Return the address of Ray's dashboard, empty if there is none."""
    address = get_dashboard_url() if ray.is_initialized() else ""
    return f"http://{address}" if address else ""


def slots(*, cpus_per_trial: int, gpus_per_trial: float) -> int:
    """Return the number of concurrent trials that fit."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fits = [_slots_of(node, cpus_per_trial, gpus_per_trial) for node in nodes]
    if not any(fits):
        have = ", ".join(f"{n.get('CPU', 0):g} CPUs and {n.get('GPU', 0):g} GPUs" for n in nodes)
        raise UserError(
            f"a trial needs {cpus_per_trial} CPU(s) and {gpus_per_trial:g} GPU(s), and no node has "
            f"them (found: {have}); lower --cpus-per-trial or --gpus-per-trial"
        )
    return sum(fits)


def _slots_of(node: dict[str, float], cpus: int, gpus: float) -> int:
    by_cpu = int(node.get("CPU", 0) // cpus)
    return min(by_cpu, int(node.get("GPU", 0) / gpus + 1e-9)) if gpus else by_cpu
