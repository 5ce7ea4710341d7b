"""What benchmarks compute from their measurements, on planted ones."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import gradient_noise
from benchmarks.frame import BENCHMARKS, in_turn, seconds_of
from benchmarks.memory import peak_kib
from benchmarks.time_to_score import Curve, lowest, soonest
from sweeps.cli import bench


def test_the_readme_names_every_benchmark():
    text = Path(gradient_noise.__file__).with_name("README.md").read_text()
    table = text.partition("## ")[0]
    named = re.findall(r"^\| ([a-z-]+) \|", table, re.MULTILINE)
    assert sorted(named) == sorted(["name", *BENCHMARKS])


def test_the_command_names_every_benchmark():
    name = get_type_hints(bench, include_extras=True)["name"]
    named = re.split(", | or ", get_args(name)[1].help.rstrip("."))
    assert sorted(named) == sorted(BENCHMARKS)


def test_noise_is_the_variance_over_the_square_of_the_mean(monkeypatch):
    """Gradients around (3, 4) with a standard deviation of 2 in each of two directions."""
    monkeypatch.setattr(gradient_noise, "DRAWS", 4_000)
    parameter = nn.Parameter(torch.zeros(2))
    fit = SimpleNamespace(network=SimpleNamespace(parameters=lambda: [parameter]))
    generator = torch.Generator().manual_seed(0)

    def step():
        parameter.grad = torch.tensor([3.0, 4.0]) + 2 * torch.randn(2, generator=generator)

    assert gradient_noise.noise(fit, step)["noise"] == pytest.approx(8 / 25, rel=0.1)


def test_a_curve_reaches_a_goal_at_the_first_pass_that_is_no_worse():
    curve = Curve(mse=[0.5, 0.2, 0.3, 0.1], seconds=[1.0, 2.0, 3.0, 4.0])
    assert [curve.seconds_to(goal) for goal in (0.5, 0.25, 0.1)] == [1.0, 2.0, 4.0]
    assert curve.seconds_to(0.05) == math.inf


def test_the_soonest_setting_is_soonest_on_average_over_seeds():
    slow = [Curve([0.1], [4.0]), Curve([0.1], [4.0])]
    uneven = [Curve([0.1], [1.0]), Curve([0.3, 0.2], [1.0, 2.0])]
    assert soonest({"slow": slow, "uneven": uneven}, 0.15) == {"setting": "slow", "seconds": 4.0}
    assert soonest({"slow": slow, "uneven": uneven}, 0.25)["setting"] == "uneven"
    assert lowest({"slow": slow, "uneven": uneven}) == pytest.approx(0.1)


def test_work_in_another_process_is_timed_by_the_clock_on_the_wall():
    def sleep():
        time.sleep(0.05)

    assert seconds_of(sleep, repeats=1, warm_up=0, clock=time.perf_counter)["median"] >= 0.05
    assert seconds_of(sleep, repeats=1, warm_up=0)["median"] < 0.05


def test_the_peak_of_a_process_is_its_own():
    held = np.ones(150_000_000)
    done = subprocess.run(
        [sys.executable, "-c", "from benchmarks.memory import peak_kib; print(peak_kib())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 1_000 < int(done.stdout) < peak_kib(), "not that of the one which started it"
    assert peak_kib() > held.nbytes / 1024


def test_works_take_turns():
    now, order = [0.0], []

    def work(name: str, seconds: list[float]) -> None:
        order.append(name)
        now[0] += seconds.pop(0)

    works = {"a": partial(work, "a", [9, 1, 2, 9, 3, 4]), "b": partial(work, "b", [9] * 6)}
    taken = in_turn(works, rounds=2, repeats=2, warm_up=1, clock=lambda: now[0])
    assert "".join(order) == "aaabbb" * 2
    assert taken == {"a": {"median": 1.5, "spread": 4.0}, "b": {"median": 9.0, "spread": 1.0}}
