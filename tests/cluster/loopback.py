"""Two machines that are one: a real sshd on 127.0.0.1 and 127.0.0.2, each with its own home."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
NEEDED = {"sshd": "openssh-server", "ssh": "openssh-client", "rsync": "rsync"}
HEAD, WORKER = "127.0.0.1", "127.0.0.2"
MARK = "GX2C_LOOPBACK"

SSHD_CONFIG = """\
Port {port}
ListenAddress {head}
ListenAddress {worker}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile {folder}/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
StrictModes no
MaxStartups 100
SetEnv {mark}={folder} HOME={folder}/head RAY_TMPDIR={folder}/head/tmp
Match LocalAddress {worker}
  SetEnv {mark}={folder} HOME={folder}/worker RAY_TMPDIR={folder}/worker/tmp
"""


@dataclass(frozen=True)
class Loopback:
    """A cluster file for `ray up` on loopback, and how to run commands on it.

    Attributes
    ----------
    folder
        Of everything; short, for Ray's sockets lie in it.
    file
        cluster/local.yaml with this machine's user, key and free ports, and with the commands of
        cluster/a100.yaml.
    dashboard
        Address of the job server.
    """

    folder: Path
    file: Path
    dashboard: str

    @property
    def storage(self) -> Path:
        """Folder that both nodes see."""
        return self.folder / "storage"

    def run(self, *command: str, timeout_s: float = 300.0) -> str:
        """Run a command as its user would, in the root of the repository; return what it printed.

        Raises
        ------
        AssertionError
            If it fails, with its output.
        """
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "GX2C_"))}
        environment |= {
            MARK: str(self.folder),
            "HOME": str(self.folder / "home"),
            "PATH": os.pathsep.join([str(self.folder / "bin"), *_search_path()]),
            "RAY_TMPDIR": str(self.folder / "home" / "tmp"),
            "RAY_AUTH_MODE": "token",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}{self.logs()}"
        return done.stdout

    def logs(self) -> str:
        """Return the end of what the autoscaler and sshd wrote."""
        files = [self.folder / "sshd.log", *self.folder.glob("ray/session_latest/logs/monitor.*")]
        return "".join(
            f"\n--- {path.name}\n{path.read_text(errors='replace')[-3000:]}"
            for path in files
            if path.exists()
        )


def missing_programs() -> list[str]:
    """Return the Debian packages of the programs that are not installed."""
    found = _search_path() + ["/usr/sbin", "/sbin"]
    return [
        package
        for program, package in NEEDED.items()
        if shutil.which(program, path=os.pathsep.join(found)) is None
    ]


def install(packages: list[str]) -> str:
    """Install packages through apt; return why that cannot be, or nothing."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", *packages]):
        try:
            done = subprocess.run(
                [*root, "apt-get", *command],
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"apt-get cannot run ({error})"
        if done.returncode:
            return f"apt-get {command[0]} failed: {done.stderr.strip()[-200:]}"
    return ""


@contextlib.contextmanager
def loopback() -> Iterator[Loopback]:
    """Start sshd for two nodes; in the end kill it and all that was started through it."""
    # Ray's sockets have paths of at most 107 characters
    folder = Path(tempfile.mkdtemp(prefix="gx2c-", dir="/tmp"))
    try:
        ports = _free_ports(6)
        _prepare(folder, ports[0])
        file = _write_cluster_file(folder, ports)
        cluster = Loopback(folder, file, f"http://127.0.0.1:{ports[2]}")
        with (folder / "sshd.log").open("w") as log:
            sshd = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin")
            assert sshd is not None
            subprocess.run(
                [sshd, "-f", str(folder / "sshd_config"), "-E", str(folder / "sshd.log")],
                check=True,
                stdout=log,
                stderr=log,
            )
        _await_port(ports[0])
        yield cluster
    finally:
        _kill_all_of(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(folder: Path, ssh_port: int) -> None:
    for name in ("home", "head", "worker"):
        for inside in (".ray", "tmp"):
            (folder / name / inside).mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "storage").mkdir()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd demands it of root
    for key in ("key", "host_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True
        )
    token = folder / "home" / ".ray" / "auth_token"
    token.write_text(secrets.token_hex(32))
    token.chmod(0o600)
    (folder / "sshd_config").write_text(
        SSHD_CONFIG.format(port=ssh_port, head=HEAD, worker=WORKER, folder=folder, mark=MARK)
    )
    # Ray's YAML has no port of ssh, and ssh takes ~ for the home in /etc/passwd: the ssh that is
    # first on PATH knows port and key
    config = f"Host 127.0.0.*\n  Port {ssh_port}\n  IdentityFile {folder}/key\n  LogLevel ERROR\n"
    (folder / "ssh_config").write_text(config)
    wrapper = folder / "bin" / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    wrapper.chmod(0o755)
    path = os.pathsep.join([str(folder / "bin"), *_search_path()])
    for node in ("head", "worker"):
        (folder / node / ".bashrc").write_text(f"export PATH={path}\n")


def _write_cluster_file(folder: Path, ports: list[int]) -> Path:
    _, gcs, dashboard, client, head_agent, worker_agent = ports
    text = (REPOSITORY / "cluster" / "local.yaml").read_text()
    for old, new in {
        "YOUR-USER": getpass.getuser(),
        "~/.ssh/id_ed25519": str(folder / "key"),
        "6399": str(gcs),
        "8299": str(dashboard),
        "10099": str(client),
        "52399": str(head_agent),
        "52398": str(worker_agent),
        "/tmp/gx2c-storage": str(folder / "storage"),
        "/tmp/gx2c-head": str(folder / "ray"),
    }.items():
        assert old in text, f"cluster/local.yaml no longer has {old}"
        text = text.replace(old, new)
    config = yaml.safe_load(text) | a100_commands(folder, ports)
    file = folder / "local.yaml"
    file.write_text("# Cost: none\n" + yaml.safe_dump(config, sort_keys=False, width=1000))
    return file


def a100_commands(folder: Path, ports: list[int]) -> dict[str, list[str]]:
    """Return the commands of cluster/a100.yaml, rewritten to two nodes on this machine.

    This machine has Ray and torch already, other Rays run on it, and its nodes share ports.
    """
    _, gcs, dashboard, client, head_agent, worker_agent = ports
    site = "--no-deps --no-build-isolation --upgrade --target ~/gx2c-site"
    links = " && ".join(f"ln -sf $(command -v {p}) ~/gx2c-env/bin/{p}" for p in ("pip", "ray"))
    rewritten = {
        "python3 -m venv ~/gx2c-env": f"(mkdir -p ~/gx2c-env/bin && {links})",
        "~/gx2c-env/bin/pip install --quiet -c ~/gx2c-source/constraints.txt "
        "'ray[default]==2.60.0' ~/gx2c-source": "python -c 'import ray; assert ray.__version__ == "
        f'"2.60.0", ray.__version__\' && ~/gx2c-env/bin/pip install --quiet {site} ~/gx2c-source',
        '"$HOME/gx2c-source[flash]"': "--no-index flash-attn",
        "export PATH=": "export PYTHONPATH=$HOME/gx2c-site PATH=",
        "RAY_ADDRESS=auto": f"RAY_ADDRESS={HEAD}:{gcs}",
        "s3://YOUR-BUCKET/gx2c": str(folder / "storage"),
        "~/gx2c-env/bin/ray stop": "true",
        "~/gx2c-env/bin/ray start --head --port=6379 --object-manager-port=8076": (
            f"RAY_enable_autoscaler_v2=0 ~/gx2c-env/bin/ray start --head --node-ip-address={HEAD} "
            f"--port={gcs} --num-cpus=1 --dashboard-port={dashboard} --temp-dir={folder}/ray "
            f"--dashboard-agent-listen-port={head_agent} --ray-client-server-port={client}"
        ),
        "--address=$RAY_HEAD_IP:6379 --object-manager-port=8076": (
            f"--address={HEAD}:{gcs} --node-ip-address={WORKER} --num-cpus=1 "
            f"--dashboard-agent-listen-port={worker_agent}"
        ),
    }
    a100 = yaml.safe_load((REPOSITORY / "cluster" / "a100.yaml").read_text())
    commands = {name: lines for name, lines in a100.items() if name.endswith("_commands")}
    everything = "\n".join(line for lines in commands.values() for line in lines)
    assert [old for old in rewritten if old not in everything] == [], "a100.yaml has changed"

    def here(line: str) -> str:
        for old, new in rewritten.items():
            line = line.replace(old, new)
        return line

    return {name: [here(line) for line in lines] for name, lines in commands.items()}


def read_file(cluster: Loopback) -> dict[str, Any]:
    """Return the cluster file's content."""
    return dict(yaml.safe_load(cluster.file.read_text()))


def _search_path() -> list[str]:
    # where this environment's python, ray and gx2c are
    return [str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep)]


def _free_ports(count: int) -> list[int]:
    # below the range from which the kernel gives ports to others meanwhile
    found: list[int] = []
    for _ in range(1000):
        if len(found) == count:
            return found
        port = 20_000 + secrets.randbelow(10_000)
        with contextlib.suppress(OSError):
            for address in (HEAD, WORKER):
                with socket.socket() as probe:
                    probe.bind((address, port))
            if port not in found:
                found.append(port)
    raise AssertionError(f"no {count} free ports on {HEAD} and {WORKER}")


def _await_port(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection((HEAD, port), timeout=2).close()
            return
        except OSError:
            assert time.monotonic() < end, f"sshd does not listen on port {port}"
            time.sleep(0.1)


def _kill_all_of(folder: Path) -> None:
    """Kill sshd, then whatever carries the mark that it gave, until nothing is left."""
    with contextlib.suppress(OSError, ValueError):
        os.kill(int((folder / "sshd.pid").read_text()), signal.SIGKILL)
    end = time.monotonic() + 30
    while (left := processes_of(folder)) and time.monotonic() < end:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)


def processes_of(folder: Path) -> list[int]:
    """Return the processes that were started through this folder's sshd, or for it."""
    # a Ray worker's title lies over its environment, but it ends with its raylet
    mark = f"{MARK}={folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in path.read_bytes().split(b"\0") and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
    return found
