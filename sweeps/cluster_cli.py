"""The commands `gx2c cluster ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gx2c.errors import DataError

cluster_app = typer.Typer(help="Cluster files: check.", no_args_is_help=True)


def gpu_share(text: str) -> float:
    """Read `--gpus-per-trial`."""
    if text == "auto":
        from sweeps.options import AUTO_GPUS

        return AUTO_GPUS
    share = float(text)
    if share < 0:
        raise typer.BadParameter(f"{text}; give a share of one GPU, 0 for none, or auto")
    return share


@cluster_app.callback()
def _cluster() -> None:
    """Keep `check` a command of its own while it is the only one."""


@cluster_app.command("check")
def cluster_check(
    file: Annotated[Path, typer.Argument(help="The YAML of `ray up`, or of a KubeRay RayJob.")],
    gpus_per_trial: Annotated[
        float, typer.Option(parser=gpu_share, help="As the sweep will give it.")
    ] = 0.0,
    storage: Annotated[
        str, typer.Option(help="As the sweep will give it; default: what the file names.")
    ] = "",
) -> None:
    """Check a cluster file offline and list every problem."""
    from cluster.check import cluster_problems

    # auto begins with a whole GPU
    problems = cluster_problems(file, gpus_per_trial=abs(gpus_per_trial), storage=storage)
    if problems:
        raise DataError(str(file), problems)
    print(f"{file}: no problem found")
