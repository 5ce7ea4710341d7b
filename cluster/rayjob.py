"""Rules for a KubeRay RayJob."""

from collections.abc import Iterator, Mapping
from typing import Any

from cluster.common import (
    OBJECT_STORES,
    STORAGE_VARIABLE,
    NodeKind,
    cost_problems,
    gpu_problems,
    idle_problems,
    open_address_problems,
    version_problems,
)

GPU_RESOURCE = "nvidia.com/gpu"


def rayjob_problems(config: dict[str, Any], text: str, gpus: float, storage: str) -> Iterator[str]:
    """Check a RayJob; yield one sentence per problem."""
    spec = config.get("spec") or {}
    cluster = spec.get("rayClusterSpec")
    if not isinstance(cluster, dict) or not _pods(cluster):
        yield "spec.rayClusterSpec has no headGroupSpec or workerGroupSpecs with containers"
        return
    yield from version_problems([str(cluster.get("rayVersion", "none"))])
    yield from _image_problems(cluster)
    yield from _authentication_problems(cluster)
    yield from _service_problems(cluster, text)
    yield from gpu_problems(_worker_kinds(cluster), gpus)
    yield from _storage_problems(cluster, storage)
    yield from _idle(cluster)
    if not spec.get("shutdownAfterJobFinishes"):
        yield "shutdownAfterJobFinishes is not true: the cluster would keep running and cost money"
    yield from cost_problems(text)


def _pods(cluster: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the first container of the head and of each group of workers."""
    groups = {"head": cluster.get("headGroupSpec")}
    for group in cluster.get("workerGroupSpecs") or []:
        groups[str(group.get("groupName"))] = group
    try:
        return {
            name: dict(group["template"]["spec"]["containers"][0])
            for name, group in groups.items()
            if group is not None
        }
    except (KeyError, IndexError, TypeError):
        return {}


def _variables(container: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(variable.get("name")): variable for variable in container.get("env") or []}


def _image_problems(cluster: Mapping[str, Any]) -> Iterator[str]:
    images = {str(container.get("image")) for container in _pods(cluster).values()}
    if len(images) != 1:
        yield f"head and workers run different images ({', '.join(sorted(images))})"
    for image in sorted(images):
        if "gx2c" not in image:
            yield f"image {image} has no gx2c; build it from cluster/Dockerfile"


def _authentication_problems(cluster: Mapping[str, Any]) -> Iterator[str]:
    if (cluster.get("authOptions") or {}).get("mode") != "token":
        yield "authOptions.mode is not token: anyone in the network could run code"
    for name, container in _pods(cluster).items():
        if "value" in _variables(container).get("RAY_AUTH_TOKEN", {}):
            yield f"{name} holds the token in plain text; take it from a Secret"


def _service_problems(cluster: Mapping[str, Any], text: str) -> Iterator[str]:
    head = cluster["headGroupSpec"]
    service = head.get("serviceType", "ClusterIP")
    if service != "ClusterIP" or head.get("enableIngress"):
        yield f"the head is a {service} service or has an ingress; keep it a ClusterIP"
    # the operator queries the dashboard for the job's state, so it listens inside the cluster
    yield from open_address_problems(text, allowed=["dashboard-host"])


def _worker_kinds(cluster: Mapping[str, Any]) -> list[NodeKind]:
    kinds = []
    for name, container in _pods(cluster).items():
        if name != "head":
            limits = (container.get("resources") or {}).get("limits") or {}
            kinds.append(NodeKind(name, _cpus(limits.get("cpu")), limits.get(GPU_RESOURCE, 0)))
    return kinds


def _cpus(given: Any) -> float | None:
    if given is None:
        return None
    text = str(given)
    return float(text.removesuffix("m")) / (1000 if text.endswith("m") else 1)


def _storage_problems(cluster: Mapping[str, Any], asked: str) -> Iterator[str]:
    for name, container in _pods(cluster).items():
        named = _variables(container).get(STORAGE_VARIABLE, {}).get("value", "")
        storage = asked or named
        mounts = [str(m.get("mountPath")) for m in container.get("volumeMounts") or []]
        if not storage:
            if name == "head":
                yield f"the head does not name the shared storage: set {STORAGE_VARIABLE}"
        elif not storage.startswith((*OBJECT_STORES, *mounts)):
            yield f"{name} has no volume at {storage}; mount it there, or use s3:// or gs://"


def _idle(cluster: Mapping[str, Any]) -> Iterator[str]:
    if not cluster.get("enableInTreeAutoscaling"):
        yield "enableInTreeAutoscaling is not true: idle workers would not be released"
    seconds = (cluster.get("autoscalerOptions") or {}).get("idleTimeoutSeconds")
    yield from idle_problems(None if seconds is None else seconds / 60)
