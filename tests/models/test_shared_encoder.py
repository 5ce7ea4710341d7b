"""Shared encoders: the bilinear decoder, the penalty's reach, and whom batch statistics count."""

from __future__ import annotations

import pytest
import torch

from gx2c.errors import UserError
from gx2c.models import MODELS
from gx2c.models.layers.population import initialise
from gx2c.models.spec import count_parameters

N_MEMBERS, N_REGIONS, N_GENES = 2, 6, 11


def build(model, **keywords):
    network = MODELS[model].build(N_GENES, n_members=N_MEMBERS, **keywords)
    initialise(network, range(N_MEMBERS))
    return network.double()


def expression(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(N_MEMBERS, N_REGIONS, N_GENES, dtype=torch.float64, generator=generator)


def test_bilinear_decoder_equals_that_of_torch():
    network = build("shared_mlp", encoder_dim=9, embedding_dim=4)
    network.set_output_mean(torch.tensor([0.3, -0.2]))
    z = torch.randn(N_MEMBERS, N_REGIONS, 4, dtype=torch.float64)
    square = network.decode_between(z, z)
    reference = torch.nn.Bilinear(4, 4, 1).double()
    pairs = [(i, j) for i in range(N_REGIONS) for j in range(N_REGIONS) if i != j]
    for member in range(N_MEMBERS):
        reference.weight.data = network.head.form.weight.data[member].unsqueeze(0)
        reference.bias.data = network.head.form.bias.data[member].view(1)
        for i, j in pairs:
            expected = reference(z[member, i], z[member, j]).squeeze()
            torch.testing.assert_close(square[member, i, j], expected)
    expected = torch.stack([square[:, i, j] for i, j in pairs], dim=1)
    torch.testing.assert_close(network.decode_within(z), expected)


def test_penalty_of_the_mlp_counts_the_encoder_alone():
    network = build("shared_mlp", encoder_dim=9, embedding_dim=4, penalty_weight=0.5)
    expected = 0.5 * sum(p.abs().sum() for p in network.encoder.parameters())
    torch.testing.assert_close(network.penalty(), expected)
    assert build("shared_mlp").penalty() is None


@pytest.mark.parametrize(("norm", "power"), [("l1", 1), ("l2", 2)])
def test_penalty_of_the_linear_encoder_counts_all(norm, power):
    network = build("shared_linear", penalty_norm=norm, penalty_weight=0.1)
    expected = 0.1 * sum(p.abs().pow(power).sum() for p in network.parameters())
    torch.testing.assert_close(network.penalty(), expected)


def test_batch_statistics_count_each_region_once():
    network = build("shared_mlp", encoder_dim=9, embedding_dim=4).train()
    x = expression()
    network.encode(x, x)
    linear, _, norm = list(network.encoder)[:3]
    hidden = torch.relu(linear(x))
    torch.testing.assert_close(norm.running_mean.double(), hidden.mean(dim=1))


def test_number_of_parameters():
    """Counted by hand from the published layers at 7,380 genes."""
    linear = MODELS["shared_linear"].build(7380, embedding_dim=32, hidden_dims=(64,))
    assert count_parameters(linear) == 7381 * 32 + 65 * 64 + 2 * 64 + 65
    mlp = MODELS["shared_mlp"].build(7380, encoder_dim=64, embedding_dim=32)
    assert count_parameters(mlp) == 7381 * 64 + 2 * 64 + 65 * 32 + 2 * 32 + 32 * 32 + 1


def test_unknown_choices_are_refused():
    with pytest.raises(UserError, match="decoder is 'sum'"):
        build("shared_mlp", decoder="sum")
    with pytest.raises(UserError, match="penalty_norm is 'l3'"):
        build("shared_linear", penalty_norm="l3")
