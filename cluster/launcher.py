"""Rules for the YAML of Ray's cluster launcher (`ray up`)."""

import contextlib
import io
import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
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

Config = Mapping[str, Any]

# Only the old autoscaler supports provider local (ray-project/ray issue 57153)
_OLD_AUTOSCALER = "RAY_enable_autoscaler_v2=0"
TOKEN_FILE = "~/.ray/auth_token"
_RAY_VERSION = re.compile(r"""ray(?:\[[\w,-]+\])?==([^'"\s]+)|__version__ == \W?"([^"]+?)\W?"\W""")


def launcher_problems(
    config: dict[str, Any], text: str, gpus: float, storage: str
) -> Iterator[str]:
    """Check the YAML of a cluster for `ray up`; yield one sentence per problem."""
    yield from _schema_problems(config)
    for rule in _RULES:
        yield from rule(config, text, gpus, storage)


def _schema_problems(config: dict[str, Any]) -> Iterator[str]:
    import click
    import jsonschema
    from ray.autoscaler._private.util import prepare_config, validate_config

    # Ray prints its own messages
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            validate_config(prepare_config(config))
        except jsonschema.ValidationError as error:
            where = ".".join(str(part) for part in error.absolute_path) or "the file"
            problem = f"Ray's schema refuses {where}: {error.message}"
        except (click.ClickException, SystemExit, Exception) as error:
            # any exception: Ray fills in defaults before it checks
            problem = f"Ray refuses it: {error or 'no reason given'}"
        else:
            return
    yield problem


def _commands(config: Config) -> list[str]:
    return [
        str(line)
        for name, lines in config.items()
        if name.endswith("_commands") and isinstance(lines, list)
        for line in lines
    ]


def _every_node(config: Config) -> list[str]:
    return [str(line) for line in config.get("setup_commands") or []]


def _starts(config: Config) -> list[str]:
    return [line for line in _commands(config) if re.search(r"\bray start\b", line)]


def _install_problems(config: Config, text: str, gpus: float, asked: str) -> Iterator[str]:
    if not any(re.search(r"pip install\b.*gx2c", line, re.DOTALL) for line in _every_node(config)):
        yield "setup_commands do not install gx2c; `ray submit` copies one script and no package"


def _authentication_problems(config: Config, text: str, gpus: float, asked: str) -> Iterator[str]:
    starts = _starts(config)
    if not any("--head" in line for line in starts) or len(starts) < 2:
        yield "head_start_ray_commands and worker_start_ray_commands must both run `ray start`"
    for line in starts:
        if "RAY_AUTH_MODE=token" not in line:
            yield f"Ray starts without RAY_AUTH_MODE=token ({line[:50]}...)"
    if TOKEN_FILE not in (config.get("file_mounts") or {}):
        yield f"file_mounts do not copy the token to {TOKEN_FILE}"
    for variable in ("RAY_AUTH_MODE=token", "RAY_ADDRESS="):
        profile = [line for line in _every_node(config) if ".bashrc" in line]
        if not any(variable in line for line in profile):
            yield f"setup_commands do not export {variable} in ~/.bashrc for `ray submit`'s driver"


def _port_problems(config: Config, text: str, gpus: float, asked: str) -> Iterator[str]:
    for line in _starts(config):
        if "--head" in line and "--dashboard-host=127.0.0.1" not in line:
            yield "the dashboard must listen on loopback only: add --dashboard-host=127.0.0.1"
    yield from open_address_problems(text)


def _worker_kinds(config: Config) -> list[NodeKind]:
    types = config.get("available_node_types")
    if not isinstance(types, dict):
        return [NodeKind("a worker", None, None)]
    kinds = []
    for name, node in types.items():
        if name != config.get("head_node_type"):
            has = (node or {}).get("resources") or {}
            kinds.append(NodeKind(name, has.get("CPU"), has.get("GPU")))
    return kinds


def _storage_problems(config: Config, text: str, gpus: float, asked: str) -> Iterator[str]:
    named = re.search(rf"{STORAGE_VARIABLE}=([^\s'\"]+)", " ".join(_every_node(config)))
    storage = asked or (named[1] if named else "")
    mounts = re.findall(r"mountpoint -q (/[^\s;&|]+)", " ".join(_every_node(config)))
    if not storage:
        yield f"setup_commands do not name the shared storage: export {STORAGE_VARIABLE}=..."
    elif storage.startswith(OBJECT_STORES) or _on_one_machine(config):
        return
    elif not storage.startswith("/"):
        yield f"storage {storage} is neither s3://, gs:// nor an absolute path"
    elif not any(PurePath(storage).is_relative_to(mount) for mount in mounts):
        yield (
            f"storage {storage} may be a folder of one node: let setup_commands require the mount "
            "(`mountpoint -q /its/mount`), or use s3:// or gs://"
        )


def _on_one_machine(config: Config) -> bool:
    provider = config.get("provider") or {}
    addresses = [provider.get("head_ip"), *(provider.get("worker_ips") or [])]
    try:
        return all(ipaddress.ip_address(address).is_loopback for address in addresses)
    except ValueError:
        return False


def _node_problems(config: Config, text: str, gpus: float, asked: str) -> Iterator[str]:
    types = config.get("available_node_types")
    if not isinstance(types, dict):
        return
    head = types.get(config.get("head_node_type")) or {}
    market = (head.get("node_config") or {}).get("InstanceMarketOptions")
    if market or (head.get("node_config") or {}).get("scheduling"):
        yield "the head is a spot machine, and the driver on it could be lost; make it on-demand"
    for name, node in types.items():
        if name != config.get("head_node_type") and not (node or {}).get("max_workers"):
            yield f"{name} has no max_workers; limit the number of nodes"


def _autoscaler_problems(config: Config, text: str, gpus: float, asked: str) -> Iterator[str]:
    if (config.get("provider") or {}).get("type") != "local":
        return
    if any("--head" in line and _OLD_AUTOSCALER not in line for line in _starts(config)):
        yield f"no worker would start: put {_OLD_AUTOSCALER} before `ray start --head`"


def _shared_problems(config: Config, text: str, gpus: float, asked: str) -> Iterator[str]:
    named = _RAY_VERSION.findall(" ".join(_commands(config)) + " ")
    yield from version_problems([first or second for first, second in named])
    yield from gpu_problems(_worker_kinds(config), gpus)
    yield from idle_problems(config.get("idle_timeout_minutes"))
    yield from cost_problems(text)


_RULES = (
    _install_problems,
    _authentication_problems,
    _port_problems,
    _storage_problems,
    _node_problems,
    _autoscaler_problems,
    _shared_problems,
)
