"""What a trial asks of Ray; every worker loads this file, so it imports nothing else."""

from __future__ import annotations

from typing import Any

from ray.tune import PlacementGroupFactory


def resources_of(config: dict[str, Any], *, cpus: int) -> PlacementGroupFactory:
    """Return the CPUs of any trial, and the share of a GPU that its config names.

    Parameters
    ----------
    config
        Of a trial, as Tune carries it.
    cpus
        CPUs of a trial.
    """
    gpus = {"GPU": config["gpu_share"]} if config["gpu_share"] else {}
    return PlacementGroupFactory([{"CPU": cpus, **gpus}])
