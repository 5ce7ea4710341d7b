"""Resources that a trial requests from Ray; every worker loads this file, so it imports little."""

from typing import Any

from ray.tune import PlacementGroupFactory


def resources_of(config: dict[str, Any], *, cpus: int) -> PlacementGroupFactory:
    """Return the CPUs of a trial and the GPU share in its config, which has Tune's form."""
    gpus = {"GPU": config["gpu_share"]} if config["gpu_share"] else {}
    return PlacementGroupFactory([{"CPU": cpus, **gpus}])
