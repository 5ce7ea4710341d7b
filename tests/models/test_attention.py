"""Attention, tokens and the transformer block against explicit loops in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from held import held

from gx2c.errors import UserError
from gx2c.models.layers.population import PopulationLinear, initialise
from gx2c.models.layers.transformer import (
    TransformerBlock,
    alibi_bias,
    alibi_slopes,
    gene_tokens,
    sdpa_attention,
)
from gx2c.models.networks.smt import smt

SLOPES = {
    2: [1 / 16, 1 / 256],
    4: [1 / 4, 1 / 16, 1 / 64, 1 / 256],
    8: [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256],
}


def softmax_attention(q, k, v, slopes):
    """Attend with one loop a query, (batch, heads, tokens, dim)."""
    out = np.zeros_like(v)
    for batch, head, query in np.ndindex(*q.shape[:3]):
        scores = k[batch, head] @ q[batch, head, query] / np.sqrt(q.shape[3])
        if slopes is not None:
            scores = scores - slopes[head] * np.abs(np.arange(len(scores)) - query)
        weights = np.exp(scores - scores.max())
        out[batch, head, query] = weights / weights.sum() @ v[batch, head]
    return out


def layer_norm(x, weight, bias):
    deviation = x - x.mean(-1, keepdims=True)
    return deviation / np.sqrt((deviation**2).mean(-1, keepdims=True) + 1e-5) * weight + bias


def reference_block(block, x, n_tokens, member):
    """Transform the rows of one member, (rows, dim), from the block's weights alone."""
    w = {name: p.detach().numpy()[member] for name, p in block.named_parameters()}
    slopes = None if block.slopes is None else block.slopes.numpy()
    qkv = x @ w["qkv.weight"] + w["qkv.bias"]
    heads, n_heads = np.split(qkv, 3, axis=1), block.n_heads

    def split(h):
        return h.reshape(len(x) // n_tokens, n_tokens, n_heads, -1).transpose(0, 2, 1, 3)

    q, k, v = (split(h) for h in heads)
    attended = softmax_attention(q, k, v, slopes).transpose(0, 2, 1, 3).reshape(x.shape)
    x = layer_norm(x + attended, w["norm_attention.weight"], w["norm_attention.bias"])
    hidden = np.maximum(x @ w["widen.weight"] + w["widen.bias"], 0)
    hidden = hidden @ w["narrow.weight"] + w["narrow.bias"]
    return layer_norm(x + hidden, w["norm_feed_forward.weight"], w["norm_feed_forward.bias"])


def random_block(*, alibi=True, n_heads=4, n_members=1, dim=16):
    block = held(n_members, TransformerBlock, dim, n_heads=n_heads, dropout=0.0, alibi=alibi)
    initialise(block, range(n_members))
    generator = torch.Generator().manual_seed(9)
    for norm in (block.norm_attention, block.norm_feed_forward):
        norm.weight.data.normal_(generator=generator)
        norm.bias.data.normal_(generator=generator)
    return block.double()


@pytest.mark.parametrize("n_heads", SLOPES)
def test_alibi_slopes_are_geometric(n_heads):
    assert alibi_slopes(n_heads).tolist() == SLOPES[n_heads]


def test_alibi_bias_is_symmetric_and_falls_with_distance():
    bias = alibi_bias(torch.tensor([0.5, 0.25]), 3)
    assert bias[0].tolist() == [[0, -0.5, -1], [-0.5, 0, -0.5], [-1, -0.5, 0]]
    assert torch.equal(bias[1], bias[0] / 2)


@pytest.mark.parametrize("n_heads", [2, 4, 8])
@pytest.mark.parametrize("alibi", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6)])
def test_attention_equals_the_explicit_softmax(n_heads, alibi, dtype, tolerance):
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, 3, n_heads, 11, 4))
    slopes = alibi_slopes(n_heads) if alibi else None
    found = sdpa_attention(*(torch.tensor(x, dtype=dtype) for x in (q, k, v)), slopes)
    expected = softmax_attention(q, k, v, SLOPES[n_heads] if alibi else None)
    np.testing.assert_allclose(found.numpy(), expected, atol=tolerance)


@pytest.mark.parametrize("alibi", [True, False])
@pytest.mark.parametrize("n_members", [1, 3])
def test_block_equals_the_plain_reference(alibi, n_members):
    block = random_block(alibi=alibi, n_members=n_members)
    x = np.random.default_rng(1).normal(size=(n_members, 5 * 7, 16))
    found = block(torch.tensor(x), 7).detach().numpy()
    for member in range(n_members):
        expected = reference_block(block, x[member], 7, member)
        np.testing.assert_allclose(found[member], expected, atol=1e-12)


def test_tokens_of_a_region_see_no_other_region():
    block = random_block()
    x = torch.randn(1, 3 * 7, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    changed = x.clone()
    changed[:, 7:14] += 1
    before, after = block(x, 7), block(changed, 7)
    assert torch.equal(before[:, :7], after[:, :7]) and torch.equal(before[:, 14:], after[:, 14:])
    assert not torch.equal(before[:, 7:14], after[:, 7:14])


def test_tokens_are_contiguous_genes():
    expression = torch.arange(2 * 3 * 10.0).view(2, 3, 10)
    tokens = gene_tokens(expression, 5)
    assert tokens.shape == (2, 3, 2, 5)
    assert tokens[1, 2].tolist() == [[50, 51, 52, 53, 54], [55, 56, 57, 58, 59]]


def test_a_short_last_token_ignores_the_missing_genes():
    """The embedding of 3 genes in a token of 5 is the map of those 3 genes alone."""
    embed = PopulationLinear(5, 6).double()
    initialise(embed, [0])
    expression = torch.arange(1.0, 9.0, dtype=torch.float64).view(1, 1, 8)
    tokens = gene_tokens(expression, 5)
    assert tokens.shape[2] == 2
    found = embed(tokens.flatten(1, 2))[0, 1]
    expected = expression[0, 0, 5:] @ embed.weight[0, :3] + embed.bias[0, 0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-15)


def test_a_network_with_a_short_token_takes_explicit_zeros_alike():
    network = smt(8, genes_per_token=5, model_dim=8, n_heads=2, n_layers=2)
    initialise(network, [0])
    network.eval()
    expression = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(0))
    padded = torch.cat([expression, torch.zeros(1, 4, 2)], dim=2)
    coords = torch.zeros(1, 4, 3)
    assert torch.equal(network.encode(expression, coords), network.encode(padded, coords))


def test_cls_token_is_the_map_of_coordinates_and_stands_first():
    network = held(
        2,
        smt,
        10,
        genes_per_token=5,
        model_dim=8,
        n_heads=2,
        n_layers=0,
        coordinates="learned",
    )
    initialise(network, [0, 1])
    expression, coords = torch.randn(2, 4, 10), torch.randn(2, 4, 3)
    z = network.encode(expression, coords).view(2, 4, 3, -1)
    torch.testing.assert_close(z[:, :, 0], network.readout.project(network.tokeniser.cls(coords)))
    assert network.n_tokens == 3


def test_order_of_genes_reaches_the_transformer_through_alibi():
    """Swapping whole tokens permutes the output without ALiBi, and does more with it."""
    for alibi, permutes in ((False, True), (True, False)):
        network = smt(12, genes_per_token=4, model_dim=8, n_heads=2, n_layers=2, alibi=alibi)
        initialise(network, [0])
        network.eval()
        expression = torch.randn(1, 2, 12, generator=torch.Generator().manual_seed(3))
        swapped = expression.view(1, 2, 3, 4)[:, :, [2, 0, 1]].flatten(2)
        z = network.encode(expression, torch.zeros(1, 2, 3)).view(1, 2, 3, -1)[:, :, [2, 0, 1]]
        z_swapped = network.encode(swapped, torch.zeros(1, 2, 3)).view(1, 2, 3, -1)
        assert torch.allclose(z, z_swapped, atol=1e-6) == permutes


def test_heads_must_divide_the_width():
    with pytest.raises(UserError, match="model_dim 10 is not divisible by n_heads 4"):
        smt(10, model_dim=10, n_heads=4)
