"""What benchmarks compute from their measurements, on planted ones."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from benchmarks import enrichment, kernel_nulls, overhead
from benchmarks.frame import ANSWERED, BENCHMARKS, in_turn, memory_kib, run_benchmark
from benchmarks.step import count_operations
from benchmarks.time_to_score import seconds_to, soonest
from gx2c.data import load_dataset
from gx2c.errors import UserError

ROOT = Path(__file__).parents[2]


def test_the_readme_names_every_benchmark():
    text = (ROOT / "benchmarks/README.md").read_text()
    table = text.partition("## ")[0]
    named = re.findall(r"^\| ([a-z-]+) \|", table, re.MULTILINE)
    assert sorted(named) == sorted(["name", *BENCHMARKS])


def bench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Call `gx2c bench`."""
    command = [sys.executable, "-m", "sweeps.cli.app", "bench", *arguments]
    path = os.pathsep.join([str(ROOT), *sys.path])
    return subprocess.run(
        command, cwd=cwd, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )


def test_the_command_lists_every_benchmark_from_any_folder(tmp_path):
    # what lies in the working directory is not run
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__main__.py").write_text("raise SystemExit('not this one')")
    done = bench("--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["benchmarks"] == [*BENCHMARKS]


def test_an_unknown_benchmark_is_one_sentence_and_exit_code_2(tmp_path):
    done = bench("steps", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("gx2c: no benchmark 'steps'; choose from step, ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ANSWERED)
def test_a_removed_benchmark_names_the_page_with_its_result(name):
    with pytest.raises(UserError, match="was removed; its result is in docs/") as refusal:
        run_benchmark(name)
    page, section = re.search(r"in (docs/[a-z]+\.md), '(.+)'$", str(refusal.value)).groups()
    assert f"\n## {section}\n" in (ROOT / page).read_text()


def test_a_goal_is_reached_at_the_first_epoch_that_is_no_worse():
    curve = [0.5, 0.2, 0.3, 0.1], [1.0, 2.0, 3.0, 4.0]
    assert [seconds_to(goal, *curve) for goal in (0.5, 0.25, 0.1)] == [1.0, 2.0, 4.0]
    assert seconds_to(0.05, *curve) == math.inf


def test_the_soonest_setting_of_a_scheme_is_soonest_on_average_over_seeds():
    seconds = {"pairs slow": [4.0, 4.0], "pairs uneven": [1.0, math.inf], "blocks": [0.1, 0.1]}
    assert soonest(seconds, "pairs") == 4.0


def test_attention_counts_as_its_products_do():
    q, k, v = (torch.randn(6, 2, 5, 4, requires_grad=True) for _ in range(3))
    bias = torch.zeros(1, 2, 5, 5)
    forward = count_operations(lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=bias))
    assert forward == 2 * (2 * 6 * 2 * 5 * 5 * 4)
    both = count_operations(
        lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=bias).sum().backward()
    )
    # the scores once more, and two products for each of the two
    assert both == forward + 5 * (2 * 6 * 2 * 5 * 5 * 4)


def test_both_ways_to_nulls_of_kernels_agree():
    assert kernel_nulls.measure(40, 60)["largest_gap_of_r"] < 1e-9


@pytest.mark.slow
def test_two_thousand_configs_cost_little_each():
    found = overhead.run(n_configs=2_000)
    assert found["configs"] == 2_000
    # generous, for a shared machine: something quadratic is far beyond
    assert found["overhead_ms_per_config"] < 250
    # with what the copy of the study needs once
    assert found["driver_kib_per_config"] < 40


@pytest.mark.slow
def test_the_peak_of_a_process_is_its_own():
    held = np.ones(150_000_000)
    done = subprocess.run(
        [sys.executable, "-c", "from benchmarks.frame import memory_kib as m; print(m('VmHWM'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 1_000 < int(done.stdout) < memory_kib("VmHWM"), "not that of the one which started it"
    assert memory_kib("VmHWM") > held.nbytes / 1024


def test_works_take_turns():
    now, order = [0.0], []

    def work(name: str, seconds: list[float]) -> None:
        order.append(name)
        now[0] += seconds.pop(0)

    works = {"a": partial(work, "a", [99, 1, 4, 2]), "b": partial(work, "b", [9] * 4)}
    taken = in_turn(works, rounds=3, clock=lambda: now[0])
    assert "".join(order) == "ab" * 4
    assert taken == {
        "a": {"median": 2.0, "fastest": 1.0, "spread": 4.0},
        "b": {"median": 9.0, "fastest": 9.0, "spread": 1.0},
    }


def test_enrichment_finds_a_set_that_made_the_connectome_and_counts_brains(monkeypatch):
    monkeypatch.setattr(enrichment, "N_NULLS", 19)
    unrelated = enrichment.unrelated

    def made_by_the_first_set(calibrator, number):
        brain = unrelated(calibrator, number)
        genes = brain.expression[:, : enrichment.SET_SIZE]
        connectome = np.tanh(genes @ genes.T / enrichment.SET_SIZE)
        np.fill_diagonal(connectome, 1.0)
        return replace(brain, connectome=connectome)

    monkeypatch.setattr(enrichment, "unrelated", made_by_the_first_set)
    calibrator = enrichment.Calibrator.of(load_dataset("schaefer100"), seed=0)
    p = enrichment.set_p_values(calibrator, 0, surrogate="residual_spin")
    assert p[0] == 1 / 20 and p.argmin() == 0 and (p[1:] > 0.05).any()
    monkeypatch.setattr(enrichment, "set_p_values", lambda *_, **__: np.array([0.05, 0.1]))
    found = enrichment.run(n_brains=3)
    assert (found["pooled_rate"], found["standard_error"], found["n_brains"]) == (0.5, 0.0, 3)
