"""The cluster files that are shipped, beyond the rules of `gx2c cluster check`."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from filled import fill
from loopback import a100_commands

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


@pytest.mark.parametrize("name", sorted(path.stem for path in CLUSTER.glob("*.yaml")))
def test_every_file_is_without_a_problem_once_it_is_filled_in(name: str, tmp_path: Path) -> None:
    assert cluster_problems(fill(name, tmp_path)) == ()


@pytest.mark.parametrize("name", [*CLOUD, "kuberay"])
def test_four_trials_fit_a_gpu(name: str, tmp_path: Path) -> None:
    assert cluster_problems(fill(name, tmp_path), gpus_per_trial=0.25) == ()


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


def flash_step(name: str) -> str:
    """Return the command of a file that installs flash-attn."""
    if name in LAUNCHER:
        lines = read(name)["setup_commands"]
    else:
        text = (CLUSTER / name).read_text().replace("\\\n", "")
        lines = [line.strip().removeprefix("RUN ") for line in text.splitlines() if line[:1] != "#"]
    (found,) = (line for line in lines if "flash-attn" in line)
    return found


@pytest.mark.parametrize("name", [*CLOUD, "onprem", "slurm.sh", "Dockerfile"])
@pytest.mark.parametrize("has_wheel", [True, False])
def test_flash_attention_comes_from_a_wheel_or_not_at_all(
    name: str, has_wheel: bool, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    pip = tmp_path / "gx2c-env" / "bin" / "pip"
    pip.parent.mkdir(parents=True)
    pip.write_text(f'#!/bin/sh\necho "$@" > {asked}\nexit {0 if has_wheel else 1}\n')
    pip.chmod(0o755)
    environment = {
        "HOME": str(tmp_path),
        "GX2C_ENV": str(tmp_path / "gx2c-env"),
        "PATH": f"{pip.parent}:/usr/bin:/bin",
    }
    script = f"set -euo pipefail\n{flash_step(name)}"
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, "compiling, or failing, would stall the cluster"
    assert "--only-binary" in asked.read_text()
    assert ("SDPA" in done.stdout) is not has_wheel


def test_the_commands_of_the_a100_file_start_the_loopback_cluster(tmp_path: Path) -> None:
    commands = a100_commands(tmp_path, [20_001, 20_002, 20_003, 20_004, 20_005, 20_006])
    kept = {name: len(lines) for name, lines in commands.items()}
    a100 = read("a100")
    assert kept == {name: len(a100[name]) for name in a100 if name.endswith("_commands")}
    path = tmp_path / "local.yaml"
    config = yaml.safe_load(fill("local", tmp_path).read_text()) | commands
    path.write_text("# Cost: none\n" + yaml.safe_dump(config, width=1000))
    assert cluster_problems(path) == ()
    text = path.read_text()
    assert "ray stop" not in text and "s3://" not in text and "6379" not in text
