"""Own derivatives of fused layers equal those that autograd takes of the plain formulas."""

from __future__ import annotations

import pytest
import torch

from gx2c.models.layers.heads import off_diagonal, sum_of_pairs
from gx2c.models.layers.population import (
    EPSILON,
    PopulationDropout,
    RandomStreams,
    connect_streams,
    normalise_rows,
)


def draw(*shape, seed=0, offset=0.0):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(*shape, dtype=torch.float64, generator=generator) + offset
    return values.requires_grad_()


def gradients(out, inputs):
    weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).sin().view_as(out)
    return torch.autograd.grad((out * weights).square().sum(), inputs)


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_normalising_rows_equals_the_plain_formula(n_members, offset):
    x, weight = draw(n_members, 9, 4, offset=offset), draw(n_members, 4, seed=1)
    bias = draw(n_members, 4, seed=2)
    out, mean, variance = normalise_rows(x, weight, bias)
    centred = x - x.mean(1, keepdim=True)
    plain = centred / (centred.square().mean(1, keepdim=True) + EPSILON).sqrt()
    plain = plain * weight.unsqueeze(1) + bias.unsqueeze(1)
    torch.testing.assert_close(out, plain)
    torch.testing.assert_close(mean, x.mean(1))
    torch.testing.assert_close(variance, x.var(1, correction=0))
    inputs = (x, weight, bias)
    for found, expected in zip(gradients(out, inputs), gradients(plain, inputs), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def test_half_precision_is_normalised_in_full():
    x = draw(2, 500, 3, offset=20.0).detach()
    weight, bias = torch.ones(2, 3), torch.zeros(2, 3)
    out, mean, _ = normalise_rows(x.bfloat16(), weight, bias)
    assert out.dtype == torch.bfloat16 and mean.dtype == torch.float32
    assert out.float().mean(1).abs().max() < 0.01
    torch.testing.assert_close(out.float().std(1), torch.ones(2, 3), rtol=0.01, atol=0)


@pytest.mark.parametrize("n", [2, 5])
def test_sums_of_pairs_equal_the_square_without_its_diagonal(n):
    left, right = draw(2, n, 3), draw(2, n, 3, seed=1)
    found = sum_of_pairs(left, right)
    plain = off_diagonal(left.unsqueeze(2) + right.unsqueeze(1))
    assert torch.equal(found, plain)
    inputs = (left, right)
    for ours, expected in zip(gradients(found, inputs), gradients(plain, inputs), strict=True):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("training", [True, False])
def test_adding_a_branch_with_dropout_is_dropout_and_addition(training):
    x, branch = draw(2, 6, 8), draw(2, 6, 8, seed=1)
    dropout = PopulationDropout(0.4).train(training)
    streams = RandomStreams(2, torch.device("cpu"))
    connect_streams(dropout, streams)
    streams.seed([3, 4])
    found = dropout.add(x, branch)
    streams.seed([3, 4])
    torch.testing.assert_close(found, x + dropout(branch))
