"""The step that the benchmark compiles is the step that sweeps take."""

from __future__ import annotations

import pytest
import torch

from benchmarks.compiled import CompiledStep, fit_and_block, fresh_cache
from benchmarks.step import quick_config


def losses(*, compiled):
    ours, block = fit_and_block(quick_config(), 2)
    theirs, _ = fit_and_block(quick_config(), 2)
    step = CompiledStep(theirs, block, compiled=compiled)
    return [(ours.step_on(block), step()) for _ in range(3)]


def test_masks_drawn_ahead_change_nothing():
    for expected, found in losses(compiled=False):
        torch.testing.assert_close(found, expected)


@pytest.mark.slow
# what torch's compiler itself uses of torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_steps_equal_those_of_sweeps():
    with fresh_cache():
        for expected, found in losses(compiled=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
