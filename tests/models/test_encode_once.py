"""A block that encodes each region once learns what encoding both ends of each pair would teach."""

from __future__ import annotations

import pytest
import torch

from gx2c.models import MODELS
from gx2c.models.layers.population import initialise
from gx2c.models.networks.bilinear import FactorHead

N_MEMBERS, N_REGIONS, N_GENES = 2, 6, 11
SMT = {
    "genes_per_token": 4,
    "model_dim": 8,
    "token_output_dim": 3,
    "n_heads": 2,
    "n_layers": 2,
    "hidden_dims": (7, 5),
    "encoder_dropout": 0.0,
    "dropout": 0.0,
}
MLP = {"hidden_dims": (9, 5), "dropout": 0.0}
CASES = [
    ("smt", SMT),
    ("smt", SMT | {"alibi": False}),
    ("smt_cls", SMT),
    ("mlp", MLP),
    ("mlp_coords", MLP),
    ("bilinear_lowrank", {"rank": 3}),
    ("bilinear_lowrank", {"rank": 3, "activation": "softplus", "shared_weights": False}),
]
PAIRS = [(i, j) for i in range(N_REGIONS) for j in range(N_REGIONS) if i != j]


def build(model, keywords):
    network = MODELS[model].build(N_GENES, n_members=N_MEMBERS, **keywords)
    initialise(network, range(N_MEMBERS))
    return network.double()


def batch_norm(x, norm):
    """Normalise over the pairs, (n_members, n_pairs, dim)."""
    deviation = x - x.mean(1, keepdim=True)
    scaled = deviation / (deviation.square().mean(1, keepdim=True) + 1e-5).sqrt()
    return scaled * norm.weight.unsqueeze(1) + norm.bias.unsqueeze(1)


def decode_pairs(network, left, right):
    """Decode pairs of embeddings one by one, from the network's weights alone."""
    if isinstance(network.head, FactorHead):
        return (left.chunk(2, 2)[0] * right.chunk(2, 2)[1]).sum(2)
    head, hidden = network.head, torch.cat([left, right], dim=2)
    for linear, norm in zip([head.first, *head.middle], head.norms, strict=True):
        hidden = batch_norm(torch.relu(hidden @ linear.weight + linear.bias), norm)
    return (hidden @ head.last.weight + head.last.bias).squeeze(2)


def predict_pair_by_pair(network, expression, coords):
    """Encode both regions of each ordered pair separately."""
    first, second = map(list, zip(*PAIRS, strict=True))
    left = network.encode(expression[:, first], coords[:, first])
    right = network.encode(expression[:, second], coords[:, second])
    return decode_pairs(network, left, right)


def gradients(network, predicted, targets):
    network.zero_grad()
    (predicted - targets).square().mean(1).sum().backward()
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(("model", "keywords"), CASES)
def test_gradients_equal_those_of_the_per_pair_scheme(model, keywords):
    network = build(model, keywords)
    generator = torch.Generator().manual_seed(0)
    expression, coords, targets = (
        torch.randn(N_MEMBERS, *shape, dtype=torch.float64, generator=generator)
        for shape in ((N_REGIONS, N_GENES), (N_REGIONS, 3), (len(PAIRS),))
    )
    once = network.decode_within(network.encode(expression, coords))
    per_pair = predict_pair_by_pair(network, expression, coords)
    torch.testing.assert_close(once, per_pair, rtol=1e-10, atol=1e-12)
    found, expected = (gradients(network, p, targets) for p in (once, per_pair))
    assert found.keys() == expected.keys()
    assert found.keys() == dict(network.named_parameters()).keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-9, atol=1e-12)
    assert max(g.abs().max() for g in expected.values()) > 1e-3


@pytest.mark.parametrize(("model", "keywords"), CASES)
def test_decoding_a_square_equals_decoding_within(model, keywords):
    network = build(model, keywords).eval()
    expression = torch.randn(N_MEMBERS, N_REGIONS, N_GENES, dtype=torch.float64)
    z = network.encode(expression, torch.randn(N_MEMBERS, N_REGIONS, 3, dtype=torch.float64))
    square = network.decode_between(z, z)
    expected = torch.stack([square[:, i, j] for i, j in PAIRS], dim=1)
    torch.testing.assert_close(network.decode_within(z), expected)


@pytest.mark.parametrize(("norm", "power"), [("l1", 1), ("l2", 2)])
def test_bilinear_penalty_is_the_norm_of_all_weights(norm, power):
    network = build(
        "bilinear_lowrank",
        {"penalty_norm": norm, "penalty_weight": 0.5, "shared_weights": False},
    )
    expected = 0.5 * sum(side.weight.abs().pow(power).sum() for side in network.encoder.sides)
    torch.testing.assert_close(network.penalty(), expected)
    assert build("bilinear_lowrank", {"penalty_weight": 0.0}).penalty() is None


def test_shared_bilinear_weights_predict_symmetrically():
    for shared in (True, False):
        network = build("bilinear_lowrank", {"shared_weights": shared, "activation": "sigmoid"})
        expression = torch.randn(N_MEMBERS, N_REGIONS, N_GENES, dtype=torch.float64)
        z = network.encode(expression, expression[..., :3])
        square = network.decode_between(z, z)
        assert torch.allclose(square, square.transpose(1, 2)) == shared
