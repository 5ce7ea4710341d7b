"""A sweep on several nodes of a virtual cluster, with shares of GPUs that exist by name only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from gx2c.data import make_synthetic_brain, write_dataset

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(torch.cuda.is_available(), reason="the GPUs must exist by name only"),
]

REPOSITORY = Path(__file__).parents[2]
TINY = (
    "--preset quick --samples 4 --max-epochs 8 --folds 2 --inner-folds 2 --genes 20_var --nulls 4"
).split()
# The cluster lives in a process of its own: Ray allows one a process, and it ends with it
CLUSTER = """
import os, subprocess, sys
from ray.cluster_utils import Cluster

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
for _ in range(2):
    cluster.add_node(num_cpus=1, num_gpus=1)
environment = {**os.environ, "RAY_ADDRESS": cluster.address}
done = subprocess.run([sys.executable, "-m", "sweeps.cli.app", *sys.argv[1:]], env=environment)
cluster.shutdown()
sys.exit(done.returncode)
"""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    brain = make_synthetic_brain(n_regions=32, n_genes=40, seed=3)
    folder = tmp_path_factory.mktemp("datasets") / "tiny"
    return write_dataset(folder, brain, {"Name": "tiny", "Summary": "synthetic"})


def run(program: list[str], *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "GX2C_"))}
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), environment.get("PYTHONPATH", "")]),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    # nobody else's `ray.init()` on this machine shall find this cluster; sockets need short paths
    with tempfile.TemporaryDirectory(prefix="gx2c-", dir="/tmp", ignore_cleanup_errors=True) as tmp:
        return subprocess.run(
            [*program, *arguments],
            cwd=cwd,
            env=environment | {"RAY_TMPDIR": tmp},
            capture_output=True,
            text=True,
            timeout=600,
        )


def on_cluster(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-c", CLUSTER], *arguments, cwd=cwd)


def test_shares_of_logical_gpus_give_the_summary_of_one_machine(
    dataset: Path, tmp_path: Path
) -> None:
    sweep = ["sweep", "mlp", "--dataset", str(dataset), *TINY]
    alone = run([sys.executable, "-m", "sweeps.cli.app"], *sweep, "--out", "alone", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    many = on_cluster(
        *sweep, "--out", "many", "--gpus-per-trial", "0.25", "--storage", "shared", cwd=tmp_path
    )
    assert many.returncode == 0, many.stderr
    assert "every trial computes on its CPUs" in many.stderr
    assert "gx2c fetch" in many.stdout

    summaries = [
        json.loads((tmp_path / name / "summary.json").read_text()) for name in ("alone", "many")
    ]
    for part in ("folds", "test", "geography", "nulls"):
        assert summaries[0][part] == summaries[1][part]
    assert summaries[1]["provenance"]["profile"]["device"] == "cpu"


def test_what_cannot_be_on_a_cluster_is_refused_before_it_starts(
    dataset: Path, tmp_path: Path
) -> None:
    done = on_cluster(
        *("sweep", "mlp", "--dataset", str(dataset), *TINY),
        *("--out", "run", "--gpus-per-trial", "auto"),
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "auto measures a trial on a GPU" in done.stderr
    assert not (tmp_path / "run").exists()
