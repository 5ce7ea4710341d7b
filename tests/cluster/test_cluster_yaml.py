"""The cluster files that are shipped: what `gx2c cluster check` does not say of any file."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.check import cluster_problems

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "cluster"
CLOUD = ("a100", "h100")
LAUNCHER = (*CLOUD, "onprem", "local")


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((CLUSTER / f"{name}.yaml").read_text())


def pinned(package: str) -> str:
    found = re.search(
        rf"^{package}==(\S+)$", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE
    )
    assert found, f"constraints.txt does not pin {package}"
    return found[1]


@pytest.mark.parametrize("path", sorted(CLUSTER.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_file_is_without_a_problem(path: Path) -> None:
    assert cluster_problems(path) == ()


@pytest.mark.parametrize("name", [*CLOUD, "kuberay"])
def test_four_trials_fit_a_gpu(name: str) -> None:
    assert cluster_problems(CLUSTER / f"{name}.yaml", gpus_per_trial=0.25) == ()


@pytest.mark.parametrize("path", sorted(CLUSTER.iterdir()), ids=lambda p: p.name)
def test_every_version_of_ray_is_the_pinned_one(path: Path) -> None:
    if path.is_dir():
        return
    text = path.read_text()
    named = re.findall(r"ray(?:\[[a-z,]+\])?==([\d.]+)|rayproject/ray:([\d.]+)-", text)

    assert {a or b for a, b in named} <= {pinned("ray")}


@pytest.mark.parametrize("name", LAUNCHER)
def test_everything_that_the_build_needs_is_copied(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        "pyproject.toml",
        "constraints.txt",
        project["project"]["readme"],
        *project["project"]["license-files"],
        *wheel["packages"],
        *wheel["force-include"],
    }
    mounts = {
        remote: local
        for remote, local in read(name)["file_mounts"].items()
        if remote.startswith("~/gx2c-source/")
    }

    assert set(mounts.values()) == needed
    for remote, local in mounts.items():
        assert remote == f"~/gx2c-source/{local}"
        assert (ROOT / local).exists(), f"{local} does not exist"


@pytest.mark.parametrize("name", CLOUD)
def test_the_head_is_on_demand_and_workers_are_spot(name: str) -> None:
    config = read(name)
    types = dict(config["available_node_types"])
    head = types.pop(config["head_node_type"])

    assert "InstanceMarketOptions" not in head["node_config"]
    assert head["resources"]["GPU"] == 0
    assert types
    for worker in types.values():
        assert worker["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
        assert worker["min_workers"] >= 1
        assert worker["max_workers"] <= config["max_workers"]


def test_the_two_cloud_files_differ_in_the_machine_alone() -> None:
    a100, h100 = ((CLUSTER / f"{name}.yaml").read_text().splitlines() for name in CLOUD)

    differing = [i for i, pair in enumerate(zip(a100, h100, strict=True)) if len(set(pair)) > 1]
    comments = [i for i in differing if a100[i].startswith("#")]
    assert len(differing) - len(comments) == 4  # name, node type, its CPUs, its instance type


def test_nothing_ends_other_rays_on_loopback() -> None:
    assert not any("ray stop" in line for line in read("local")["head_start_ray_commands"])
    assert not any("ray stop" in line for line in read("local")["worker_start_ray_commands"])


def test_the_slurm_script_can_be_parsed_and_needs_a_model() -> None:
    script = CLUSTER / "slurm.sh"

    subprocess.run(["bash", "-n", str(script)], check=True)
    done = subprocess.run(
        ["bash", str(script)],
        env={"PATH": "/usr/bin:/bin", "SLURM_JOB_ID": "1", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "say which sweep" in done.stderr


def test_the_slurm_script_authenticates_and_opens_no_dashboard() -> None:
    text = (CLUSTER / "slurm.sh").read_text()

    assert "RAY_AUTH_MODE=token" in text
    assert "--include-dashboard=false" in text
    assert "ray stop" not in text
    assert "# Cost:" in text
