"""`ray up`, `ray submit`, `ray job submit`, for real: two nodes, sshd, tokens, a shared storage."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import loopback as machine
import pytest
from loopback import Loopback

from cluster.check import cluster_problems
from gx2c.data import make_synthetic_brain, write_dataset

pytestmark = [pytest.mark.slow, pytest.mark.last, pytest.mark.timeout(1500)]

TINY = (
    "--preset quick --samples 3 --max-epochs 8 --folds 2 --inner-folds 2 --genes 20_var --nulls 4"
).split()
NODES = """
import ray, sweeps
ray.init(log_to_driver=False)
nodes = [n["NodeManagerAddress"] for n in ray.nodes() if n["Alive"]]
print("NODES", len(nodes), nodes)
print("INSTALLED", sweeps.__file__)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    """Two nodes that are up."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux has 127.0.0.2 without being told")
    if missing := machine.missing_programs():
        if problem := machine.install(missing):
            pytest.skip(f"{', '.join(missing)} is not installed, and {problem}")
    with machine.loopback() as found:
        brain = make_synthetic_brain(n_regions=32, n_genes=40, seed=3)
        write_dataset(found.folder / "tiny", brain, {"Name": "tiny", "Summary": "synthetic"})
        found.run("ray", "up", "-y", "--no-config-cache", str(found.file))
        yield found
    assert machine.processes_of(found.folder) == []


def exec_on(cluster: Loopback, command: str) -> str:
    return cluster.run("ray", "exec", "--no-config-cache", str(cluster.file), command)


def result(cluster: Loopback, name: str, home: Path) -> dict[str, Any]:
    """Bring a run home and return its summary without what differs between two runs."""
    cluster.run("gx2c", "fetch", str(cluster.storage / name), "--out", str(home))
    summary = json.loads((home / "summary.json").read_text())
    return {
        k: v for k, v in summary.items() if k not in ("provenance", "seconds", "disk", "sha256")
    }


def test_the_file_passes_the_check(cluster: Loopback) -> None:
    assert cluster_problems(cluster.file) == ()


def test_two_nodes_join_and_each_has_gx2c(cluster: Loopback) -> None:
    script = cluster.folder / "nodes.py"
    script.write_text(NODES)
    end = time.monotonic() + 300
    while True:
        out = exec_on(cluster, f"python {script}")
        # Ray gives the head another of this machine's addresses than 127.0.0.1
        if "NODES 2 " in out and machine.WORKER in out:
            break
        assert time.monotonic() < end, out + cluster.logs()
        time.sleep(3)
    assert f"INSTALLED {cluster.folder}/head/gx2c-site/sweeps" in out
    assert (cluster.folder / "worker" / "gx2c-site" / "sweeps").is_dir()


def test_nobody_gets_in_without_the_token(cluster: Loopback) -> None:
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{cluster.dashboard}/api/jobs/", timeout=30)
    refused.value.close()
    assert refused.value.code in (401, 403)


def test_submitted_and_as_a_job_a_sweep_gives_the_same(cluster: Loopback, tmp_path: Path) -> None:
    options = ["--dataset", str(cluster.folder / "tiny"), *TINY]
    # sshd begins in the home that /etc/passwd names, so not in the node's
    on_head = cluster.folder / "head" / "runs" / "submitted"
    out = cluster.run(
        *(
            "ray",
            "submit",
            "--no-config-cache",
            str(cluster.file),
            "sweeps/smt.py",
            "--",
            "--alone",
        ),
        *(*options, "--storage", str(cluster.storage), "--out", str(on_head)),
    )
    assert "gain over geography" in out
    assert f"gx2c fetch '{cluster.storage}/submitted'" in out
    assert (on_head / "summary.json").exists()

    # the storage is the one that the cluster file names
    out = cluster.run(
        *("ray", "job", "submit", "--address", cluster.dashboard, "--"),
        *("gx2c", "sweep", "smt", *options, "--out", str(cluster.folder / "job")),
    )
    assert "succeeded" in out.lower()
    submitted = result(cluster, "submitted", tmp_path / "submitted")
    assert submitted["test"]["pearson_r"]["mean"] is not None
    assert result(cluster, "job", tmp_path / "job") == submitted


def test_no_token_is_written_down(cluster: Loopback) -> None:
    token = (cluster.folder / "home" / ".ray" / "auth_token").read_text()
    places = [cluster.storage, cluster.folder / "head" / "runs", cluster.folder / "ray"]
    leaks = [
        path
        for place in places
        for path in place.rglob("*")
        if path.is_file() and token.encode() in path.read_bytes()
    ]
    assert leaks == []
