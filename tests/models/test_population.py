"""Layers of independent members: each equals torch's own layer with that member's weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from held import held
from torch import nn

from gx2c.errors import UserError
from gx2c.models.layers.population import (
    PopulationBatchNorm,
    PopulationDropout,
    PopulationLayerNorm,
    PopulationLinear,
    RandomStreams,
    connect_streams,
    initialise,
)

CPU = torch.device("cpu")
members = pytest.mark.parametrize("n_members", [1, 3])


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def randomised(layer, generator):
    for parameter in layer.parameters():
        parameter.data.normal_(generator=generator)
    return layer.double()


@members
def test_linear_equals_torch(n_members, generator):
    layer = randomised(held(n_members, PopulationLinear, 4, 6), generator)
    x = torch.randn(n_members, 9, 4, generator=generator, dtype=torch.float64)
    for member in range(n_members):
        expected = nn.functional.linear(x[member], layer.weight[member].T, layer.bias[member, 0])
        torch.testing.assert_close(layer(x)[member], expected)


@members
def test_layer_norm_equals_torch(n_members, generator):
    layer = randomised(held(n_members, PopulationLayerNorm, 5), generator)
    x = torch.randn(n_members, 9, 5, generator=generator, dtype=torch.float64)
    for member in range(n_members):
        weight, bias = layer.weight[member, 0], layer.bias[member, 0]
        expected = nn.functional.layer_norm(x[member], (5,), weight, bias)
        torch.testing.assert_close(layer(x)[member], expected)


def test_batch_norm_moves_by_a_tenth_after_ten_batches_and_after_loading(generator):
    layer = PopulationBatchNorm(4)
    layer.reset_member(0, generator)
    for _ in range(25):
        layer(torch.randn(1, 7, 4, generator=generator))
    loaded = PopulationBatchNorm(4)
    loaded.load_state_dict(layer.state_dict())
    before, x = layer.running_mean.clone(), torch.randn(1, 7, 4, generator=generator)
    for one in (layer, loaded):
        one(x)
        torch.testing.assert_close(one.running_mean, 0.9 * before + 0.1 * x.mean(1))


@members
def test_batch_norm_equals_torch_with_running_statistics(n_members, generator):
    layer = randomised(held(n_members, PopulationBatchNorm, 5), generator)
    # no momentum: torch's plain mean over batches
    plain = [nn.BatchNorm1d(5, momentum=None).double() for _ in range(n_members)]
    for member, norm in enumerate(plain):
        norm.weight.data, norm.bias.data = layer.weight.data[member], layer.bias.data[member]
    for _ in range(3):
        x = torch.randn(n_members, 9, 5, generator=generator, dtype=torch.float64) * 3 + 2
        found = layer(x)
        for member, norm in enumerate(plain):
            torch.testing.assert_close(found[member], norm(x[member]))
            torch.testing.assert_close(layer.running_mean[member], norm.running_mean)
            torch.testing.assert_close(layer.running_var[member], norm.running_var)
    layer.eval()
    for member, norm in enumerate(plain):
        torch.testing.assert_close(layer(x)[member], norm.eval()(x[member]))


def test_linear_starts_as_torch_does():
    layer = held(2, PopulationLinear, 100, 400)
    initialise(layer, [1, 2])
    for member in range(2):
        for values in (layer.weight[member], layer.bias[member]):
            assert values.abs().max() <= 0.1
        # a uniform distribution on (-b, b) has the standard deviation b / sqrt(3)
        np.testing.assert_allclose(layer.weight[member].std().item(), 0.1 / 3**0.5, rtol=0.02)
    assert not torch.equal(layer.weight[0], layer.weight[1])


def test_a_member_starts_alike_in_any_company():
    def build(seeds):
        network = nn.Sequential(
            held(len(seeds), PopulationLinear, 3, 4),
            held(len(seeds), PopulationBatchNorm, 4),
            held(len(seeds), PopulationLinear, 4, 2),
        )
        initialise(network, seeds)
        return network.state_dict()

    together, alone = build([5, 6, 7]), build([6])
    for name, values in alone.items():
        assert torch.equal(together[name][1:2], values)


def dropout(probability, seeds):
    layer = PopulationDropout(probability)
    streams = RandomStreams(len(seeds), CPU)
    connect_streams(layer, streams)
    streams.seed(seeds)
    return layer


def test_dropout_masks_belong_to_the_member():
    x = torch.ones(3, 50, 20)
    together = dropout(0.25, [5, 6, 7])(x)
    assert torch.equal(together[1:2], dropout(0.25, [6])(x[:1]))
    assert not torch.equal(together[0], together[1])


def test_dropout_keeps_the_mean_and_the_wanted_share():
    out = dropout(0.25, [0])(torch.ones(1, 400, 100))
    kept = out[out > 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / 0.75))
    assert abs(len(kept) / out.numel() - 0.75) < 0.01


def test_dropout_draws_a_new_mask_each_time_and_none_when_predicting():
    layer, x = dropout(0.5, [0]), torch.ones(1, 30, 10)
    assert not torch.equal(layer(x), layer(x))
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("probability", [-0.1, 1.0, float("nan")])
def test_dropout_refuses_what_is_no_probability(probability):
    with pytest.raises(UserError, match="give a probability from 0 to below 1"):
        PopulationDropout(probability)
