"""How trials share a GPU: the decision from numbers as a GPU would give them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from sweep_fixtures import make_plan

from gx2c.errors import UserError
from gx2c.fit import ComputeProfile
from sweeps.request.gpu_share import AUTO_GPUS, larger_share, share_of
from sweeps.workers.tasks import Packing, fit_to_gpus, trials_per_gpu
from trainables.runners import StepCost, cap_gpu_memory, measure_step
from trainables.work import TrialContext, TrialWork

GB = 10**9
A100 = StepCost(40 * GB, GB // 2, 2 * GB, wall_s=1.0, busy_s=0.25)


def cost(**changes: Any) -> StepCost:
    return dataclasses.replace(A100, **changes)


@pytest.mark.parametrize(
    ("measured", "n_trials"),
    [
        (A100, 4),  # busy a quarter of the time
        (cost(busy_s=0.9), 2),
        (cost(busy_s=1.0), 1),
        (cost(busy_s=0.01), 11),  # 40 / (1.5 * 2 + 0.5), memory first
        (cost(busy_s=0.001, peak_bytes=GB // 10), 16),  # never more than this
        (cost(busy_s=0.0), 11),  # a closed form computes on the CPU
        (cost(busy_s=0.01, peak_bytes=20 * GB), 1),
        (cost(busy_s=0.01, peak_bytes=39 * GB), 1),  # alone it may yet fit
    ],
)
def test_as_many_share_a_gpu_as_memory_holds_and_time_can_use(
    measured: StepCost, n_trials: int
) -> None:
    assert trials_per_gpu(measured) == n_trials


@pytest.mark.parametrize("n_trials", range(1, 17))
def test_that_many_shares_fit_one_gpu(n_trials: int) -> None:
    share = share_of(n_trials)
    assert n_trials * share <= 1
    assert int(1 / share + 1e-9) == n_trials


def test_auto_measures_the_first_configs_alone_on_a_whole_gpu() -> None:
    seen: list[Any] = []

    def measure(context: TrialContext, works: Sequence[TrialWork], share: float) -> StepCost:
        seen.append((share, [work.numbers for work in works]))
        return A100

    plan = make_plan("mlp", gpus_per_trial=AUTO_GPUS)
    fitted = fit_to_gpus(plan, measure)
    assert seen == [(1.0, [(0,), (1,), (2,), (3,)])]
    assert fitted.gpu_share == 0.25
    assert fitted.context().gpu_fraction == 0.25
    # a resumed sweep was asked for the same
    assert fitted.options == plan.options


def test_a_given_share_is_kept() -> None:
    plan = make_plan("mlp", gpus_per_trial=0.5)
    assert fit_to_gpus(plan, lambda *_: A100) == plan
    none = make_plan("mlp")
    assert fit_to_gpus(none, lambda *_: pytest.fail("no GPU was asked for")) == none


def test_gpus_without_cuda_compute_on_cpus_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    plan = make_plan("mlp", gpus_per_trial=0.25)
    plan = dataclasses.replace(plan, profile=ComputeProfile.choose(gpu=True))
    fitted = fit_to_gpus(plan, lambda *_: None)
    assert fitted.profile == ComputeProfile(threads=1)
    assert fitted.gpu_share == 0.25
    assert "every trial computes on its CPUs" in caplog.text


def test_auto_needs_a_gpu() -> None:
    with pytest.raises(UserError, match="auto measures .* no CUDA"):
        fit_to_gpus(make_plan("mlp", gpus_per_trial=AUTO_GPUS), lambda *_: None)


def test_a_trial_gets_a_larger_share_once(caplog: pytest.LogCaptureFixture) -> None:
    packing = Packing(0.25)
    assert packing.of("a") == 0.25
    assert packing.notes() == []
    assert packing.grow("a")
    assert packing.of("a") == 0.5
    assert packing.of("b") == 0.25
    assert not packing.grow("a")
    assert "a ran out of memory on its share of 0.25 GPU; it restarts with 0.5" in caplog.text
    assert "1 trial(s) ran out of memory on 0.25 GPU" in packing.notes()[0]
    assert larger_share(0.7) == 1.0
    assert not Packing(1.0).grow("a")


def test_the_cap_is_of_memory_on_gpus_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    caps: list[float] = []
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", caps.append)
    context = make_plan("mlp").context()
    cap_gpu_memory(context, 0.25)
    assert caps == []
    on_gpu = dataclasses.replace(context, profile=ComputeProfile(device="cuda"))
    cap_gpu_memory(on_gpu, 0.25)
    assert caps == [0.25]


@pytest.mark.gpu
def test_a_step_is_measured_on_this_gpu() -> None:
    plan = make_plan("mlp", gpus_per_trial=1.0)
    plan = dataclasses.replace(plan, profile=ComputeProfile.choose(gpu=True))
    measured: list[StepCost | None] = []

    def measure(context: TrialContext, works: Sequence[TrialWork], share: float) -> StepCost | None:
        measured.append(measure_step(context, works))
        return measured[0]

    auto = dataclasses.replace(
        plan, options=dataclasses.replace(plan.options, gpus_per_trial=AUTO_GPUS)
    )
    fitted = fit_to_gpus(auto, measure)
    assert measured[0] is not None
    assert 0 < measured[0].peak_bytes < measured[0].total_bytes
    assert 0 < measured[0].busy_s <= measured[0].wall_s
    assert 1 / 16 <= fitted.gpu_share + 1e-3


@pytest.mark.gpu
def test_a_process_gets_no_more_memory_than_its_share() -> None:
    context = dataclasses.replace(make_plan("mlp").context(), profile=ComputeProfile(device="cuda"))
    total = torch.cuda.get_device_properties(0).total_memory
    cap_gpu_memory(context, 0.1)
    try:
        with pytest.raises(torch.OutOfMemoryError):
            torch.empty(int(0.2 * total), dtype=torch.uint8, device="cuda")
    finally:
        cap_gpu_memory(context, 1.0)
