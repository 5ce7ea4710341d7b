"""Check that every node of a cluster can read what this one writes."""

import uuid
from collections.abc import Sequence

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from gx2c.errors import UserError
from sweeps.storage.store import Store, open_store, storage_errors

_PATIENCE_S = 60.0


def check_reach(where: str) -> None:
    """Refuse a folder or URI that some node of the cluster cannot read, before trials write there.

    Raises
    ------
    UserError
        If some nodes cannot read it; the message names them.
    """
    nodes = {n["NodeID"]: n["NodeManagerAddress"] for n in ray.nodes() if n["Alive"]}
    if len(nodes) < 2:
        return
    store = open_store(where)
    name = f".probe-{uuid.uuid4().hex}"
    with storage_errors(store.where):
        store.write(name, name.encode())
        try:
            blind = _blind_nodes(store, name, list(nodes))
        finally:
            store.delete(name)
    if blind:
        addresses = ", ".join(sorted(nodes[node] for node in blind))
        raise UserError(
            f"{len(blind)} of {len(nodes)} nodes ({addresses}) cannot read what this one writes "
            f"to {where}; give a --storage that all reach: s3://..., gs://..., or a folder that "
            "every node mounts"
        )


def can_read(where: str, name: str) -> bool:
    """Return whether this process can read what another one wrote."""
    try:
        return open_store(where).read(name) == name.encode()
    except (OSError, UserError):
        return False


def _blind_nodes(store: Store, name: str, nodes: Sequence[str]) -> list[str]:
    remote = ray.remote(num_cpus=0)(can_read)
    asked = {
        remote.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(
            store.where, name
        ): node
        for node in nodes
    }
    done, silent = ray.wait(list(asked), num_returns=len(asked), timeout=_PATIENCE_S)
    return [asked[r] for r in silent] + [asked[r] for r in done if not ray.get(r)]
