"""cluster/a100.yaml as Ray itself reads it, offline."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "cluster" / "a100.yaml"


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return yaml.safe_load(CLUSTER.read_text())


@pytest.fixture(scope="module")
def prepared(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with Ray's defaults filled in, as `ray up` sees it."""
    from ray.autoscaler._private.util import prepare_config

    return prepare_config(config)


def commands(config: dict[str, Any]) -> list[str]:
    return [line for key, lines in config.items() if key.endswith("_commands") for line in lines]


def pinned(package: str) -> str:
    found = re.search(
        rf"^{package}==(\S+)$", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE
    )
    assert found, f"constraints.txt does not pin {package}"
    return found[1]


def test_it_passes_rays_own_schema(prepared: dict[str, Any]) -> None:
    from ray.autoscaler._private.util import validate_config

    validate_config(prepared)


def test_rays_schema_refuses_a_broken_one(config: dict[str, Any]) -> None:
    import jsonschema
    from ray.autoscaler._private.util import prepare_config, validate_config

    with pytest.raises(jsonschema.ValidationError):
        validate_config(prepare_config(config | {"max_workers": "many"}))


def test_the_version_of_ray_is_the_pinned_one(config: dict[str, Any]) -> None:
    named = set(re.findall(r"ray(?:\[[a-z,]+\])?==(\S+?)['\"\s]", " ".join(commands(config)) + " "))

    assert named == {pinned("ray")}


def test_every_node_installs_gx2c_with_the_pins(config: dict[str, Any]) -> None:
    install = next(line for line in config["setup_commands"] if "ray[default]" in line)

    assert "-c ~/gx2c-source/constraints.txt" in install
    assert install.split()[-1] == "~/gx2c-source"


def test_everything_that_the_build_needs_is_copied(config: dict[str, Any]) -> None:
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
        for remote, local in config["file_mounts"].items()
        if remote.startswith("~/gx2c-source/")
    }

    assert set(mounts.values()) == needed
    for remote, local in mounts.items():
        assert remote == f"~/gx2c-source/{local}"
        assert (ROOT / local).exists(), f"{local} does not exist"


def test_authentication_is_on_wherever_ray_starts(config: dict[str, Any]) -> None:
    starts = [line for line in commands(config) if "ray start" in line]

    assert len(starts) == 2
    assert all("RAY_AUTH_MODE=token" in line for line in starts)
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    # for the driver that `ray submit` starts
    assert any("RAY_AUTH_MODE=token" in line and ".bashrc" in line for line in commands(config))


def test_no_port_is_open(config: dict[str, Any], prepared: dict[str, Any]) -> None:
    (head_start,) = (line for line in prepared["head_start_ray_commands"] if "--head" in line)

    assert "--dashboard-host=127.0.0.1" in head_start
    assert "0.0.0.0" not in CLUSTER.read_text()
    assert not any("0.0.0.0" in line for line in commands(prepared))
    # further inbound rules would be named here
    assert "security_group" not in config["provider"]
    assert "--ray-client-server-port" not in head_start


def test_the_head_is_on_demand_and_workers_are_spot(config: dict[str, Any]) -> None:
    types = dict(config["available_node_types"])
    head = types.pop(config["head_node_type"])

    assert "InstanceMarketOptions" not in head["node_config"]
    assert head["resources"]["GPU"] == 0
    assert types
    for worker in types.values():
        assert worker["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
        assert worker["min_workers"] >= 1
        assert worker["max_workers"] <= config["max_workers"]


def test_gpus_are_whole(config: dict[str, Any]) -> None:
    for node_type in config["available_node_types"].values():
        assert isinstance(node_type["resources"]["GPU"], int)


def test_idle_workers_are_given_back(config: dict[str, Any]) -> None:
    assert 0 < config["idle_timeout_minutes"] <= 30
