"""What only a CUDA device can show: `pytest -m gpu`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_fits import NETWORKS, make_brain, make_fold, network_config

from gx2c.fit import ComputeProfile, FitInTurn, NestedFit, TrainingSet
from gx2c.models.layers.transformer import (
    alibi_slopes,
    flash_attention,
    flash_attention_is_available,
    sdpa_attention,
)

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]
FULL = ComputeProfile(device="cuda")


@pytest.fixture(scope="module")
def brain():
    return make_brain()


def make_fit(brain, model, profile):
    config = network_config(model)
    sets = [TrainingSet.cut(brain, np.arange(k, 26 + k), config.genes) for k in range(3)]
    return FitInTurn(config, sets, seeds=(1, 2, 3), profile=profile)


@pytest.mark.parametrize("model", NETWORKS)
def test_five_steps_without_dropout_are_those_of_the_cpu(brain, model):
    """Masks come from other generators there, so dropout is off."""
    found = []
    for profile in (ComputeProfile(), FULL):
        fit = make_fit(brain, model, profile)
        for group in fit.groups:
            group.n_steps = 5
            for module in group.network.modules():
                if hasattr(module, "probability"):
                    module.probability = 0.0
        found.append((fit.run_epoch(1, 1e-4), fit.predict([brain.regions(np.arange(30, 40))] * 3)))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=2e-3)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=5e-3)


@pytest.mark.parametrize("model", NETWORKS)
def test_the_same_seed_gives_the_same_weights_twice(brain, model):
    fits = [make_fit(brain, model, FULL) for _ in range(2)]
    for fit in fits:
        fit.run_epoch(1, 1e-3), fit.run_epoch(2, 1e-3)
    first, second = (fit.weights() for fit in fits)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("model", NETWORKS)
def test_half_precision_trains_near_full_precision(brain, model):
    shown, found = [brain.regions(np.arange(26))] * 3, []
    for dtype in ("float32", "bfloat16"):
        fit = make_fit(brain, model, ComputeProfile(device="cuda", dtype=dtype))
        assert np.isfinite(fit.run_epoch(1, 1e-3)).all()
        found.append(fit.predict(shown)[0])
    assert not np.array_equal(*found)
    assert np.corrcoef(found[0].ravel(), found[1].ravel())[0, 1] > 0.95


@pytest.mark.skipif(not flash_attention_is_available(), reason="flash-attn is not installed")
@pytest.mark.parametrize("alibi", [True, False])
def test_flash_attention_equals_sdpa(alibi):
    generator = torch.Generator("cuda").manual_seed(0)
    q, k, v = torch.randn(3, 5, 4, 123, 32, device="cuda", generator=generator).bfloat16()
    slopes = alibi_slopes(4).cuda() if alibi else None
    found, expected = (f(q, k, v, slopes).float() for f in (flash_attention, sdpa_attention))
    torch.testing.assert_close(found, expected, rtol=2e-2, atol=2e-2)


def test_a_trial_on_a_gpu_computes_in_half_precision_with_the_kernel_at_hand():
    profile = ComputeProfile.choose(gpu=True).on_this_device()
    modern = torch.cuda.get_device_capability() >= (8, 0)
    assert (profile.device, profile.dtype) == ("cuda", "bfloat16" if modern else "float32")
    flash = modern and flash_attention_is_available()
    assert profile.attention == ("flash" if flash else "sdpa")


def test_a_trial_keeps_within_a_fraction_of_the_memory(brain):
    """A tenth of the device holds a small trial; what it holds is given back."""
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.1)
    try:
        torch.cuda.reset_peak_memory_stats()
        nested = NestedFit(
            brain, make_fold(brain), network_config("smt"), metric="val_mse", seed=0, profile=FULL
        )
        nested.advance()
        total = torch.cuda.get_device_properties(0).total_memory
        assert torch.cuda.max_memory_allocated() < 0.1 * total
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_a_epoch_waits_for_the_device_only_at_its_end(brain):
    """Steps are launched without reading a loss: only copies to the host synchronise."""
    fit = make_fit(brain, "smt", FULL)
    fit.run_epoch(1, 1e-3)
    group = fit.groups[0]
    blocks = [torch.arange(group.block, device="cuda")] * len(group.seeds)
    torch.cuda.set_sync_debug_mode("error")
    try:
        group.step_on(blocks)
    finally:
        torch.cuda.set_sync_debug_mode("default")
