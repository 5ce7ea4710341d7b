"""Tokens from a convolution and from coordinates, and pooling, against plain references."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from held import held

from gx2c.errors import UserError
from gx2c.models import MODELS
from gx2c.models.layers.population import RandomStreams, connect_streams, initialise
from gx2c.models.layers.tokens import (
    AttentionPooling,
    ConvolvedGenes,
    ScrambledCoordinates,
    make_readout,
)
from gx2c.models.spec import count_parameters

N_MEMBERS, N_REGIONS = 2, 5


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize(("n_genes", "stride"), [(50, 4), (47, 8), (3, 4)])
def test_convolution_equals_that_of_torch(n_genes, stride):
    """As published: Conv1d, ReLU, 1 x 1 convolution, AdaptiveAvgPool1d."""
    tokens = held(
        N_MEMBERS,
        ConvolvedGenes,
        n_genes,
        kernel_size=8,
        stride=stride,
        out_channels=6,
        n_tokens=4,
        model_dim=10,
    )
    initialise(tokens, range(N_MEMBERS))
    tokens.double()
    expression = randn(N_MEMBERS, N_REGIONS, n_genes)
    found = tokens(expression, expression[..., :3])
    for member in range(N_MEMBERS):
        narrow, wide = (layer.weight[member] for layer in (tokens.convolve, tokens.widen))
        padded = F.pad(expression[member], (0, tokens.padding)).unsqueeze(1)
        hidden = F.conv1d(
            padded, narrow.T.unsqueeze(1), tokens.convolve.bias[member, 0], stride=stride
        )
        hidden = F.conv1d(torch.relu(hidden), wide.T.unsqueeze(2), tokens.widen.bias[member, 0])
        expected = F.adaptive_avg_pool1d(hidden, tokens.n_tokens).transpose(1, 2)
        torch.testing.assert_close(found[member], expected, rtol=1e-6, atol=1e-6)


def test_every_gene_is_read():
    tokens = ConvolvedGenes(47, kernel_size=8, stride=8, out_channels=6, n_tokens=4, model_dim=10)
    initialise(tokens, [0])
    expression = torch.randn(1, 1, 47, requires_grad=True)
    tokens(expression, expression[..., :3]).square().sum().backward()
    assert (expression.grad != 0).float().mean() > 0.8
    assert expression.grad[0, 0, -1] != 0
    with pytest.raises(UserError, match="stride 32 exceeds kernel_size 16"):
        MODELS["smt_conv"].build(100, kernel_size=16, stride=32)


def test_pooling_equals_a_loop_over_regions():
    pooling = held(N_MEMBERS, AttentionPooling, 6)
    initialise(pooling, range(N_MEMBERS))
    pooling.double().eval()
    tokens = randn(N_MEMBERS, N_REGIONS, 7, 6)
    found = pooling(tokens)
    for member in range(N_MEMBERS):
        for region in range(N_REGIONS):
            x = tokens[member, region]
            hidden = x @ pooling.hidden.weight[member] + pooling.hidden.bias[member]
            hidden = F.gelu(hidden / (1 + 1e-5) ** 0.5)
            scores = hidden @ pooling.score.weight[member] + pooling.score.bias[member]
            expected = torch.softmax(scores, dim=0).T @ x
            torch.testing.assert_close(found[member, region], expected[0])


def test_pooling_counts_each_region_once():
    """Encoding both ends of pairs would count regions by the pairs that they are in."""
    pooling = AttentionPooling(6)
    initialise(pooling, [0])
    streams = RandomStreams(1, torch.device("cpu"))
    streams.seed([0])
    connect_streams(pooling, streams)
    tokens = torch.randn(1, N_REGIONS, 7, 6)
    pooling.train()(tokens)
    expected = pooling.hidden(tokens.flatten(1, 2)).mean(dim=1)
    torch.testing.assert_close(pooling.norm.running_mean, expected)


def test_scrambled_coordinates_say_nothing_of_place():
    """Each region keeps its numbers; two a hundredth of a standard deviation apart share none."""
    scramble = ScrambledCoordinates()
    initialise(scramble, [0])
    coords = torch.randn(1, 4000, 3)
    values = scramble(coords)
    assert torch.equal(values, scramble(coords))
    assert values.mean().abs() < 0.05
    assert (values.std() - 1).abs() < 0.05
    neighbours = scramble(coords + 0.02 * torch.randn(1, 4000, 3))
    correlation = (values * neighbours).mean(dim=(0, 1))
    assert correlation.abs().max() < 0.05


@pytest.mark.parametrize(("model", "trained"), [("smt_cls", True), ("smt_cls_fixed", False)])
def test_only_a_learned_map_of_coordinates_is_trained(model, trained):
    keywords = {"genes_per_token": 4, "model_dim": 8, "n_heads": 2, "n_layers": 1}
    network = MODELS[model].build(11, hidden_dims=(5,), **keywords)
    initialise(network, [0])
    network.eval()
    z = network.encode(torch.randn(1, 4, 11), torch.randn(1, 4, 3))
    network.decode_within(z).sum().backward()
    assert (network.tokeniser.cls.weight.grad is not None) == trained


def test_unknown_kinds_are_refused():
    with pytest.raises(UserError, match="coordinates is 'mm'"):
        MODELS["smt"].build(20, coordinates="mm")


def test_the_down_sampler_is_an_mlp_of_each_token():
    readout = held(2, make_readout, "mlp", 6, 4, token_output_dim=2)
    initialise(readout, [1, 2])
    tokens = torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    found = readout(tokens)
    assert found.shape == (2, 3, readout.embedding_dim) == (2, 3, 8)
    for member, region, token in np.ndindex(2, 3, 4):
        hidden = tokens[member, region, token] @ readout.hidden.weight[member]
        hidden = torch.clamp(hidden + readout.hidden.bias[member, 0], min=0)
        expected = hidden @ readout.project.weight[member] + readout.project.bias[member, 0]
        place = slice(2 * token, 2 * token + 2)
        torch.testing.assert_close(found[member, region, place], expected)
    # as published for tokens of width 128: 128 * 64 + 64 and 64 + 1
    published = make_readout("mlp", 128, 770, token_output_dim=1)
    assert count_parameters(published) == 128 * 64 + 64 + 64 + 1
