"""`gx2c cluster check`: each rule refuses a file that breaks it, and says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from filled import fill, text_of
from typer.testing import CliRunner

from cluster.check import cluster_problems
from gx2c.errors import DataError
from sweeps.cli.app import app

CLUSTER = Path(__file__).parents[2] / "cluster"
Edit = Callable[[dict[str, Any]], Any]


def problems_of(tmp_path: Path, name: str, edit: Edit, **request: Any) -> str:
    """Break a good file and return what is found, one line a problem."""
    config = yaml.safe_load(text_of(name))
    edit(config)
    path = tmp_path / "broken.yaml"
    path.write_text("# Cost: none\n" + yaml.safe_dump(config))
    return "\n".join(cluster_problems(path, **request))


def replace(key: str, old: str, new: str) -> Edit:
    def edit(config: dict[str, Any]) -> None:
        config[key] = [line.replace(old, new) for line in config[key]]

    return edit


def worker(config: dict[str, Any]) -> dict[str, Any]:
    return config["available_node_types"]["a100"]


LAUNCHER: dict[str, tuple[Edit, str]] = {
    "schema": (lambda c: c.update(max_workers="many"), "Ray's schema refuses max_workers"),
    "unknown head": (lambda c: c.update(head_node_type="none"), "head_node_type"),
    "no workers": (
        lambda c: c["available_node_types"]["a100"].update(min_workers=5),
        "Ray refuses it",
    ),
    "old ray": (replace("setup_commands", "2.60.0", "2.50.0"), "it names ray 2.50.0, and"),
    "no ray": (replace("setup_commands", "==2.60.0", ""), "names no version of ray"),
    "no gx2c": (replace("setup_commands", "gx2c-source", "other"), "do not install gx2c"),
    "head unauthenticated": (
        replace("head_start_ray_commands", "RAY_AUTH_MODE=token", ""),
        "Ray starts without RAY_AUTH_MODE=token",
    ),
    "worker unauthenticated": (
        replace("worker_start_ray_commands", "RAY_AUTH_MODE=token", ""),
        "Ray starts without RAY_AUTH_MODE=token",
    ),
    "driver unauthenticated": (
        replace("setup_commands", "RAY_AUTH_MODE=token", ""),
        "do not export RAY_AUTH_MODE=token",
    ),
    "driver alone": (
        replace("setup_commands", "RAY_ADDRESS=auto", ""),
        "do not export RAY_ADDRESS=",
    ),
    "no token": (lambda c: c["file_mounts"].pop("~/.ray/auth_token"), "do not copy the token"),
    "default start": (lambda c: c.pop("worker_start_ray_commands"), "must both run `ray start`"),
    "open dashboard": (
        replace(
            "head_start_ray_commands", "--dashboard-host=127.0.0.1", "--dashboard-host=0.0.0.0"
        ),
        "opens a port to everyone",
    ),
    "dashboard anywhere": (
        replace("head_start_ray_commands", "--dashboard-host=127.0.0.1", ""),
        "the dashboard must listen on loopback only",
    ),
    "open group": (
        lambda c: c["provider"].update(
            security_group={"IpPermissions": [{"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}
        ),
        "opens a port to everyone",
    ),
    "half a GPU": (lambda c: worker(c)["resources"].update(GPU=0.5), "a node has whole ones"),
    "few CPUs": (lambda c: worker(c)["resources"].update(CPU=16), "only 16 CPUs, and each trial"),
    "no GPU": (lambda c: worker(c)["resources"].update(GPU=0), "no worker has 0.25 GPUs"),
    "no storage": (replace("setup_commands", "GX2C_STORAGE=", "X="), "do not name the shared"),
    "own folder": (
        replace("setup_commands", "s3://my-bucket/gx2c", "/home/ubuntu/gx2c"),
        "may be a folder of one node",
    ),
    "relative folder": (
        replace("setup_commands", "s3://my-bucket/gx2c", "runs"),
        "neither s3://, gs:// nor an absolute path",
    ),
    "spot head": (
        lambda c: c["available_node_types"]["head"]["node_config"].update(
            InstanceMarketOptions={"MarketType": "spot"}
        ),
        "the head is a spot machine",
    ),
    "endless": (lambda c: worker(c).pop("max_workers"), "a100 has no max_workers"),
    "never idle": (lambda c: c.update(idle_timeout_minutes=600), "released after 600 minutes"),
}


@pytest.mark.parametrize("rule", LAUNCHER)
def test_a_launcher_file_that_breaks_a_rule_is_refused(tmp_path: Path, rule: str) -> None:
    edit, message = LAUNCHER[rule]
    assert message in problems_of(tmp_path, "a100", edit, gpus_per_trial=0.25)


def container(config: dict[str, Any], *, head: bool = False) -> dict[str, Any]:
    cluster = config["spec"]["rayClusterSpec"]
    group = cluster["headGroupSpec"] if head else cluster["workerGroupSpecs"][0]
    return group["template"]["spec"]["containers"][0]


def cluster_of(config: dict[str, Any]) -> dict[str, Any]:
    return config["spec"]["rayClusterSpec"]


RAYJOB: dict[str, tuple[Edit, str]] = {
    "empty": (lambda c: c["spec"].pop("rayClusterSpec"), "spec.rayClusterSpec has no"),
    "old ray": (lambda c: cluster_of(c).update(rayVersion="2.50.0"), "it names ray 2.50.0"),
    "plain image": (lambda c: container(c).update(image="rayproject/ray:2.60.0"), "has no gx2c"),
    "unauthenticated": (
        lambda c: cluster_of(c).pop("authOptions"),
        "authOptions.mode is not token",
    ),
    "token in the file": (
        lambda c: container(c)["env"].append({"name": "RAY_AUTH_TOKEN", "value": "abc"}),
        "holds the token in plain text",
    ),
    "open service": (
        lambda c: cluster_of(c)["headGroupSpec"].update(serviceType="LoadBalancer"),
        "the head is a LoadBalancer service",
    ),
    "few CPUs": (
        lambda c: container(c)["resources"]["limits"].update(cpu="8000m"),
        "only 8 CPUs, and each trial",
    ),
    "no storage": (
        lambda c: container(c, head=True).pop("env"),
        "does not name the shared storage",
    ),
    "own folder": (
        lambda c: container(c)["env"][0].update(value="/home/ray/runs"),
        "has no volume at /home/ray/runs",
    ),
    "stays": (lambda c: c["spec"].pop("shutdownAfterJobFinishes"), "would keep running"),
    "fixed size": (lambda c: cluster_of(c).pop("enableInTreeAutoscaling"), "idle workers would"),
}


@pytest.mark.parametrize("rule", RAYJOB)
def test_a_rayjob_that_breaks_a_rule_is_refused(tmp_path: Path, rule: str) -> None:
    edit, message = RAYJOB[rule]
    assert message in problems_of(tmp_path, "kuberay", edit, gpus_per_trial=0.25)


def test_all_problems_come_at_once_with_exit_code_2(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text_of("a100").replace("2.60.0", "2.1.0").replace("127.0.0.1", "0.0.0.0"))

    with pytest.raises(DataError) as error:
        CliRunner().invoke(app, ["cluster", "check", str(path)], catch_exceptions=False)
    assert len(error.value.problems) == 3  # the version, the open port, the dashboard


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "cannot be read as YAML"),
        ("- a", "not a mapping"),
        ("kind: Pod", "kind 'Pod' is not known"),
        ("", "not a mapping"),
        ("kind: RayJob\nspec: 3\n", "required structure"),
        ("kind: RayJob\nspec: {rayClusterSpec: 3}\n", "has no headGroupSpec"),
        ("setup_commands: 3\nprovider: 4\nfile_mounts: 5\n", "required structure"),
    ],
)
def test_what_is_no_cluster_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(content)
    assert message in "\n".join(cluster_problems(path))


def test_a_local_cluster_whose_workers_would_not_start_is_refused(tmp_path: Path) -> None:
    edit = replace("head_start_ray_commands", "RAY_enable_autoscaler_v2=0", "")
    assert "no worker would start" in problems_of(tmp_path, "onprem", edit)


@pytest.mark.parametrize("share", ["auto", "0.25", "0"])
def test_a_good_file_is_said_to_be_good(share: str, tmp_path: Path) -> None:
    file = str(fill("a100", tmp_path))
    done = CliRunner().invoke(app, ["cluster", "check", file, "--gpus-per-trial", share])
    assert (done.exit_code, done.output) == (0, f"{file}: no problem found\n")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in cluster_problems(tmp_path / "none.yaml")[0]


def test_a_path_is_storage_only_under_a_required_mount(tmp_path: Path) -> None:
    onprem = fill("onprem", tmp_path)
    assert cluster_problems(onprem, storage="/shared/other") == ()
    assert "may be a folder" in cluster_problems(onprem, storage="/sharedish/x")[0]


PLACEHOLDERS = {
    "a100": ["ami-00000000000000000", "ami-00000000000000000", "YOUR-BUCKET"],
    "h100": ["ami-00000000000000000", "ami-00000000000000000", "YOUR-BUCKET"],
    "onprem": ["YOUR-USER"],
    "local": ["YOUR-USER"],
    "kuberay": ["YOUR-REGISTRY", "YOUR-BUCKET"],
}


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_placeholders_are_problems_with_file_line_and_advice(name: str) -> None:
    path = CLUSTER / f"{name}.yaml"
    with pytest.raises(DataError) as error:
        CliRunner().invoke(app, ["cluster", "check", str(path)], catch_exceptions=False)
    lines = path.read_text().splitlines()
    assert len(error.value.problems) == len(PLACEHOLDERS[name])
    for placeholder, problem in zip(PLACEHOLDERS[name], error.value.problems, strict=True):
        found = re.match(rf"{name}\.yaml:(\d+): {placeholder} is a placeholder; put .+", problem)
        assert found, problem
        assert placeholder in lines[int(found[1]) - 1]


@pytest.mark.parametrize("text", ["a: 2024-13-45", "a: " + "[" * 20_000, "a: " + "9" * 6_000])
def test_yaml_that_cannot_be_read_is_a_problem(tmp_path, text):
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    (problem,) = cluster_problems(path, gpus_per_trial=0.0, storage="")
    assert "cannot be read as YAML" in problem
