"""FiLM per pair against the published scheme, and what is computed once a region."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from gx2c.data.brain import Regions
from gx2c.models import MODELS
from gx2c.models.layers.population import initialise, prepare
from gx2c.models.protocol import TrainingData

N_MEMBERS, N_REGIONS, N_GENES = 2, 5, 13
PAIRS = [(i, j) for i in range(N_REGIONS) for j in range(N_REGIONS) if i != j]


def build():
    network = MODELS["smt_cls_pool"].build(
        N_GENES,
        genes_per_token=4,
        model_dim=8,
        n_heads=2,
        n_layers=1,
        hidden_dims=(9, 5),
        n_members=N_MEMBERS,
    )
    initialise(network, range(N_MEMBERS))
    coords_mm = np.random.default_rng(0).uniform(-60, 60, (20, 3))
    for member in range(N_MEMBERS):
        view = TrainingData(
            Regions(np.zeros((20, N_GENES)), coords_mm + 5 * member, np.zeros(20, int)), np.eye(20)
        )
        prepare(network, member, view, seed=0)
    return network.double().eval(), coords_mm.std(axis=0)


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def apply(layer, member, x):
    return x @ layer.weight[member] + layer.bias[member, 0]


def expected_pair(network, pooled, coords, mm, member, i, j):
    """Encode both ends of one pair from the coordinates and the distance, then decode."""

    def film(own, other):
        here, there = coords[member, own], coords[member, other]
        distance = ((here - there) * mm).square().sum().sqrt() / network.mean_distance_mm[member, 0]
        hidden = F.gelu(apply(network.place, member, torch.cat([here, distance])))
        cls = apply(network.cls, member, hidden)
        x = pooled[member, own]
        return x + apply(network.gamma, member, cls) * x + apply(network.beta, member, cls)

    hidden = torch.cat([film(i, j), film(j, i)])
    head = network.head
    for linear, norm in zip([head.first, *head.middle], head.norms, strict=True):
        hidden = torch.relu(apply(linear, member, hidden)) / (1 + 1e-5) ** 0.5
        hidden = hidden * norm.weight[member] + norm.bias[member]
    return apply(head.last, member, hidden)[0]


def test_every_pair_equals_the_published_scheme():
    network, mm = build()
    expression, coords = randn(N_MEMBERS, N_REGIONS, N_GENES), randn(N_MEMBERS, N_REGIONS, 3)
    z = network.encode(expression, coords)
    found, square = network.decode_within(z), network.decode_between(z, z)
    mm = torch.from_numpy(mm)
    for member in range(N_MEMBERS):
        for place, (i, j) in enumerate(PAIRS):
            expected = expected_pair(network, z[..., :-3], coords, mm, member, i, j)
            torch.testing.assert_close(found[member, place], expected, rtol=1e-6, atol=1e-8)
            torch.testing.assert_close(square[member, i, j], expected, rtol=1e-6, atol=1e-8)


def test_blocks_see_each_region_once():
    network, _ = build()
    rows = []
    network.blocks[0].register_forward_hook(lambda module, inputs, out: rows.append(out.shape[1]))
    z = network.encode(randn(N_MEMBERS, N_REGIONS, N_GENES), randn(N_MEMBERS, N_REGIONS, 3))
    network.decode_within(z)
    assert rows == [N_REGIONS * network.n_tokens]


def test_distance_is_in_means_of_training_distances():
    network, mm = build()
    coords = np.random.default_rng(0).uniform(-60, 60, (20, 3))
    away = np.sqrt(np.square(coords[:, None] - coords).sum(axis=2))[~np.eye(20, dtype=bool)]
    units = torch.from_numpy(coords / mm).expand(N_MEMBERS, -1, -1)
    found = network._distance(units, units)[:, ~torch.eye(20, dtype=bool)]
    np.testing.assert_allclose(found[0], away / away.mean(), rtol=1e-5)
    assert network.mean_distance_mm[0].item() == np.float32(away.mean())
