"""The factorised pair head equals torch's own MLP on concatenated embeddings."""

from __future__ import annotations

import pytest
import torch
from held import held
from torch import nn

from gx2c.errors import UserError
from gx2c.models.layers.heads import PairHead, off_diagonal
from gx2c.models.layers.population import initialise

N, DIM = 7, 5


def plain_head(head, member):
    """Build [Linear, ReLU, BatchNorm1d] x depth and a Linear with one member's weights."""
    layers = []
    for population, norm in zip([head.first, *head.middle], head.norms, strict=True):
        layers += [
            plain_linear(population, member),
            nn.ReLU(),
            nn.BatchNorm1d(norm.weight.shape[1], momentum=None),
        ]
        layers[-1].weight.data = norm.weight.data[member].clone()
        layers[-1].bias.data = norm.bias.data[member].clone()
    return nn.Sequential(*layers, plain_linear(head.last, member)).double()


def plain_linear(population, member):
    linear = nn.Linear(population.n_in, population.n_out)
    linear.weight.data = population.weight.data[member].T.clone()
    linear.bias.data = population.bias.data[member, 0].clone()
    return linear


@pytest.fixture(params=[(6,), (8, 6), (8, 6, 4)], ids=str)
def head(request):
    head = held(2, PairHead, DIM, request.param, dropout=0.0)
    initialise(head, [0, 1])
    generator = torch.Generator().manual_seed(1)
    for norm in head.norms:
        norm.weight.data.normal_(generator=generator)
        norm.bias.data.normal_(generator=generator)
    return head.double()


@pytest.fixture
def z():
    generator = torch.Generator().manual_seed(2)
    return torch.randn(2, N, DIM, dtype=torch.float64, generator=generator)


def concatenated(z, *, self_pairs):
    pairs = [(i, j) for i in range(N) for j in range(N) if self_pairs or i != j]
    return torch.stack([torch.cat([z[i], z[j]]) for i, j in pairs])


def test_within_equals_the_plain_mlp_and_its_batch_statistics(head, z):
    plain = [plain_head(head, member) for member in range(2)]
    found = head.within(z)
    assert found.shape == (2, N * (N - 1))
    for member in range(2):
        expected = plain[member](concatenated(z[member], self_pairs=False)).squeeze(1)
        torch.testing.assert_close(found[member], expected)
        norms = [layer for layer in plain[member] if isinstance(layer, nn.BatchNorm1d)]
        for ours, torchs in zip(head.norms, norms, strict=True):
            torch.testing.assert_close(ours.running_mean[member], torchs.running_mean)
            torch.testing.assert_close(ours.running_var[member], torchs.running_var)


def test_between_equals_the_plain_mlp(head, z):
    head.within(z)
    head.eval()
    found = head.between(head.left(z), head.right(z))
    for member in range(2):
        plain = plain_head(head, member).eval()
        norms = [layer for layer in plain if isinstance(layer, nn.BatchNorm1d)]
        for ours, torchs in zip(head.norms, norms, strict=True):
            torchs.running_mean, torchs.running_var = (
                ours.running_mean[member],
                ours.running_var[member],
            )
        expected = plain(concatenated(z[member], self_pairs=True)).view(N, N)
        torch.testing.assert_close(found[member], expected)


def test_between_and_within_agree_when_predicting(head, z):
    head.eval()
    square = head.between(head.left(z), head.right(z))
    torch.testing.assert_close(head.within(z), square[:, ~torch.eye(N, dtype=torch.bool)])


def test_off_diagonal_drops_self_pairs_in_row_major_order():
    pairs = torch.arange(2 * 4 * 4 * 3).view(2, 4, 4, 3)
    assert torch.equal(off_diagonal(pairs), pairs[:, ~torch.eye(4, dtype=torch.bool)])


def test_output_starts_at_the_means(head, z):
    head.last.weight.data.zero_()
    head.set_output_mean(torch.tensor([0.25, -0.5]))
    assert torch.equal(head.within(z)[:, 0], torch.tensor([0.25, -0.5], dtype=torch.float64))


def test_a_head_without_hidden_layers_is_refused():
    with pytest.raises(UserError, match="at least one hidden layer"):
        PairHead(DIM, (), dropout=0.0)
