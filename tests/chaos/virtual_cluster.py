"""Several nodes on one machine, each of which can be killed."""

from __future__ import annotations

import os
from typing import Any

import processes
from ray.cluster_utils import Cluster

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
N_NODES = 2


class VirtualCluster:
    """A head without CPUs and two nodes with one CPU each."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.cluster = Cluster(initialize_head=True, head_node_args=_resources(0))
        self.nodes: list[Any] = []
        while len(self.nodes) < N_NODES:
            self.add_node()

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def add_node(self) -> None:
        self.nodes.append(self.cluster.add_node(**_resources(1), wait=True))

    def workers_of(self, node: Any) -> list[int]:
        return processes.descendants(_pid(node, "raylet"))

    def workers(self) -> list[int]:
        return [pid for node in self.nodes for pid in self.workers_of(node)]

    def kill_node(self, node: Any) -> list[int]:
        """Kill a node with all that runs on it, as a power cut would."""
        pids = [_pid(node, "raylet"), *self.workers_of(node), *_all_pids(node)]
        processes.kill(pids)
        self.nodes.remove(node)
        return pids

    def kill_head(self) -> list[int]:
        """Kill the head: the cluster's memory of everything."""
        pids = [*_all_pids(self.cluster.head_node), *self.workers_of(self.cluster.head_node)]
        processes.kill(pids)
        return pids

    def end(self) -> None:
        """Kill what is left of the cluster."""
        for node in list(self.nodes):
            self.kill_node(node)
        self.kill_head()


def _resources(cpus: int) -> dict[str, Any]:
    return {"num_cpus": cpus, "num_gpus": 0, "include_dashboard": False,
            "object_store_memory": 150_000_000}  # fmt: skip


def _pid(node: Any, kind: str) -> int:
    return int(node.all_processes[kind][0].process.pid)


def _all_pids(node: Any) -> list[int]:
    return [info.process.pid for infos in node.all_processes.values() for info in infos]
