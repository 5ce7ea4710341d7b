"""Attention kernels that are timed against each other compute the same, and so do gradients."""

from __future__ import annotations

import pytest
import torch

from benchmarks import kernels
from benchmarks.kernels import flex, products, time_steps
from benchmarks.step import quick_config
from gx2c.models.attention import alibi_slopes, sdpa_attention


def random_tensors(n):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(3, 2, 7, 4, generator=generator, dtype=torch.float64) for _ in range(n)]


# called without a compiler it computes the same, slowly, and says so
@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("slopes", [None, alibi_slopes(2).double()], ids=["plain", "alibi"])
@pytest.mark.parametrize("kernel", [products, flex])
def test_every_kernel_attends_alike(kernel, slopes):
    q, k, v = random_tensors(3)
    torch.testing.assert_close(kernel(q, k, v, slopes), sdpa_attention(q, k, v, slopes))


def test_gradients_of_products_are_those_of_attention():
    slopes = alibi_slopes(2).double()
    *inputs, gradient = random_tensors(4)
    for tensor in inputs:
        tensor.requires_grad_()
    found, expected = (
        torch.autograd.grad(kernel(*inputs, slopes), inputs, gradient)
        for kernel in (products, sdpa_attention)
    )
    torch.testing.assert_close(found, expected)


def test_a_cpu_times_what_can_train_there():
    taken = kernels.time_attention((2, 2, 5, 4), "cpu")
    assert set(taken) == {"sdpa", "products"}
    assert min(one["ms"] for one in taken.values()) > 0


def test_steps_run_in_both_number_formats():
    taken = time_steps(quick_config(), 1, "cpu")
    assert set(taken) == {"float32", "bfloat16"}
    assert min(one["ms"] for one in taken.values()) > 0
