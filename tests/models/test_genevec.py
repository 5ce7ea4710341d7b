"""Gene grammar against loops over pairs in plain algebra; what is shared, chunked and dropped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models import MODELS
from gx2c.models.layers.bases import asymmetry
from gx2c.models.layers.population import RandomStreams, connect_streams, initialise, prepare
from gx2c.models.layers.transformer import alibi_bias, alibi_slopes
from gx2c.models.networks import pair_attention
from gx2c.models.networks.genevec import SingleGenes
from gx2c.models.protocol import TrainingData

N_MEMBERS, N_REGIONS, N_GENES = 2, 5, 7
PAIRS = [(i, j) for i in range(N_REGIONS) for j in range(N_REGIONS) if i != j]
SMALL = {"model_dim": 8, "n_heads": 2, "n_layers": 2, "hidden_dims": (9, 5)}


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def training_view(seed=0, n=20):
    rng = np.random.default_rng(seed)
    expression = rng.standard_normal((n, N_GENES))
    expression = (expression - expression.mean(0)) / expression.std(0)
    vectors = rng.standard_normal((N_GENES, 3))
    regions = Regions(expression, rng.standard_normal((n, 3)), np.zeros(n, int))
    return TrainingData(regions, np.eye(n), vectors)


def build(model, **keywords):
    network = MODELS[model].build(N_GENES, n_members=N_MEMBERS, **SMALL | keywords)
    initialise(network, range(N_MEMBERS))
    for member in range(N_MEMBERS):
        prepare(network, member, training_view(member), seed=member)
    streams = RandomStreams(N_MEMBERS, torch.device("cpu"))
    connect_streams(network, streams)
    streams.seed(range(N_MEMBERS))
    return network.double()


def apply(layer, member, x):
    return x @ layer.weight[member] + layer.bias[member, 0]


def norm(layer, member, x):
    return torch.nn.functional.layer_norm(
        x, x.shape[-1:], layer.weight[member, 0], layer.bias[member, 0]
    )


def cross_attend(block, member, x, y):
    """Let the tokens (n_genes, dim) of one region attend to those of another, head by head."""
    q, k, v = (
        part.view(N_GENES, 2, -1)
        for part in (
            apply(block.qkv, member, x)[:, :8],
            apply(block.qkv, member, y)[:, 8:16],
            apply(block.qkv, member, y)[:, 16:],
        )
    )
    bias = alibi_bias(alibi_slopes(2).double(), N_GENES)
    heads = [torch.softmax(q[:, h] @ k[:, h].T / 2 + bias[h], dim=1) @ v[:, h] for h in range(2)]
    attended = apply(block.out, member, torch.cat(heads, dim=1))
    x = norm(block.norm_attention, member, x + attended)
    hidden = apply(block.narrow, member, torch.relu(apply(block.widen, member, x)))
    return norm(block.norm_feed_forward, member, x + hidden)


def expected_cross(network, tokens, member, i, j):
    """Run the published scheme for (i, j): the pair's embedding, then the swapped one's."""

    def embed(first, second):
        x, y = tokens[member, first], tokens[member, second]
        for block in network.blocks:
            x, y = cross_attend(block, member, x, y), cross_attend(block, member, y, x)
        return apply(network.readout.project, member, x)[:, 0]

    z = torch.cat([embed(i, j), embed(j, i)] if network.bidirectional else [embed(i, j)])
    return decode(network.head, member, z)


def decode(head, member, hidden):
    for linear, batch in zip([head.first, *head.middle], head.norms, strict=True):
        hidden = torch.relu(hidden @ linear.weight[member] + linear.bias[member, 0])
        hidden = hidden / (1 + 1e-5) ** 0.5 * batch.weight[member] + batch.bias[member]
    return (hidden @ head.last.weight[member] + head.last.bias[member, 0])[0]


@pytest.mark.parametrize("bidirectional", [True, False])
def test_cross_attention_equals_the_published_scheme_pair_by_pair(bidirectional):
    network = build("genevec_cross", readout="flatten", bidirectional=bidirectional).eval()
    expression = randn(N_MEMBERS, N_REGIONS, N_GENES)
    z = network.encode(expression, expression[..., :3])
    tokens = z.view(N_MEMBERS, N_REGIONS, N_GENES, -1)
    found = network.decode_within(z)
    for member in range(N_MEMBERS):
        for place, (i, j) in enumerate(PAIRS):
            expected = expected_cross(network, tokens, member, i, j)
            torch.testing.assert_close(found[member, place], expected, rtol=1e-7, atol=1e-9)


def test_mixed_attention_is_a_transformer_over_both_regions_in_a_row():
    network = build("genevec_mixed").eval()
    expression = randn(N_MEMBERS, N_REGIONS, N_GENES)
    z = network.encode(expression, expression[..., :3])
    tokens = z.view(N_MEMBERS, N_REGIONS, N_GENES, -1)
    found = network.decode_within(z)
    for place, (i, j) in enumerate(PAIRS):
        x = torch.cat([tokens[:, i], tokens[:, j]], dim=1)
        for block in network.blocks:
            x = block(x, 2 * N_GENES)
        for member in range(N_MEMBERS):
            read = apply(network.readout.project, member, x[member])[:, 0]
            expected = decode(network.head, member, read)
            torch.testing.assert_close(found[member, place], expected)


@pytest.mark.parametrize("model", ["genevec_cross", "genevec_mixed"])
def test_decoding_a_square_equals_decoding_within(model):
    network = build(model, readout="attention").eval()
    expression = randn(N_MEMBERS, N_REGIONS, N_GENES)
    z = network.encode(expression, expression[..., :3])
    square = network.decode_between(z, z)
    expected = torch.stack([square[:, i, j] for i, j in PAIRS], dim=1)
    torch.testing.assert_close(network.decode_within(z), expected)


@pytest.mark.parametrize("model", ["genevec_self", "genevec_cross", "genevec_mixed"])
def test_nothing_is_dropped_in_evaluation(model):
    """Published cross-attention drops attention weights in evaluation too: noisy predictions."""
    network = build(model, dropout=0.5, encoder_dropout=0.5)
    expression = randn(N_MEMBERS, N_REGIONS, N_GENES)
    network.train()
    one, other = (network.decode_within(network.encode(expression, expression)) for _ in range(2))
    assert not torch.equal(one, other)
    network.eval()
    one, other = (network.decode_within(network.encode(expression, expression)) for _ in range(2))
    assert torch.equal(one, other)


def gradients_and_bytes(network, expression):
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    network.zero_grad()
    for dropout in (m for m in network.modules() if hasattr(m, "streams")):
        dropout.streams.seed([3, 4])
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = network.decode_within(network.encode(expression, expression)).square().sum()
    loss.backward()
    return {name: p.grad.clone() for name, p in network.named_parameters()}, sum(kept.values())


@pytest.mark.parametrize("model", ["genevec_cross", "genevec_mixed"])
def test_chunks_computed_twice_keep_little_and_change_nothing(model, monkeypatch):
    """The second computation must draw the dropout of the first."""
    network = build(model, dropout=0.2, encoder_dropout=0.3, readout="attention").train()
    expression = randn(N_MEMBERS, 9, N_GENES)
    monkeypatch.setattr(pair_attention, "MAX_TOKENS_AT_ONCE", 2 * N_GENES * 4)
    found, kept = gradients_and_bytes(network, expression)
    monkeypatch.setattr(pair_attention, "checkpoint", lambda f, *args, **_: f(*args))
    expected, kept_at_once = gradients_and_bytes(network, expression)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-9, atol=1e-12)
    assert kept < kept_at_once / 3


def test_a_member_draws_the_same_masks_in_any_company():
    """Chunks hold equally many pairs whatever the number of members."""
    together = build("genevec_cross", dropout=0.3).float().train()
    alone = MODELS["genevec_cross"].build(N_GENES, **SMALL, dropout=0.3)
    alone.load_state_dict({name: v[1:] for name, v in together.state_dict().items()})
    streams = RandomStreams(1, torch.device("cpu"))
    connect_streams(alone.train(), streams)
    streams.seed([1])
    x = randn(N_MEMBERS, N_REGIONS, N_GENES).float()
    both = together.decode_within(together.encode(x, x))
    torch.testing.assert_close(alone.decode_within(alone.encode(x[1:], x[1:])), both[1:])


@pytest.mark.parametrize("identity", ["one_hot", "coexpression", "vectors"])
@pytest.mark.parametrize("expression", ["continuous", "binned", "both"])
def test_tokens_equal_the_published_maps(identity, expression):
    """Identity and expression are mapped, put side by side and mapped again."""
    tokens = SingleGenes(
        N_GENES,
        identity=identity,
        expression=expression,
        expression_bins=4,
        n_gene_dims=3,
        model_dim=8,
    )
    initialise(tokens, [0])
    view = training_view()
    tokens.prepare(0, view, seed=0)
    tokens.double()
    x = torch.from_numpy(view.regions.expression[:6]).unsqueeze(0)
    vectors = {
        "one_hot": np.eye(N_GENES),
        "coexpression": np.corrcoef(view.regions.expression.T),
        "vectors": view.gene_vectors,
    }[identity]
    genes = apply(tokens.identity, 0, torch.from_numpy(vectors.astype(np.float32)).double())
    values = 0
    if expression != "binned":
        values = values + apply(tokens.line, 0, x[0].unsqueeze(2))
    if expression != "continuous":
        edges = np.quantile(view.regions.expression, [0.25, 0.5, 0.75]).astype(np.float32)
        values = values + tokens.table.rows[0][np.digitize(x[0].numpy(), edges, right=True)]
    expected = apply(tokens.fuse, 0, torch.cat([genes.expand_as(values), values], dim=2))
    torch.testing.assert_close(tokens(x, x)[0], expected, rtol=1e-6, atol=1e-7)


def test_bins_hold_equally_many_training_values_and_travel_with_the_weights():
    """Published edges came from the first batch seen and were not saved."""
    network = build("genevec_self", expression="binned", expression_bins=5)
    (name,) = [key for key in network.state_dict() if key.endswith("edges")]
    for member in range(N_MEMBERS):
        edges = network.state_dict()[name][member].numpy()
        counts = np.bincount(np.digitize(training_view(member).regions.expression.ravel(), edges))
        assert counts.tolist() == [28] * 5
    before = network.state_dict()[name].clone()
    network.train().encode(*(randn(N_MEMBERS, N_REGIONS, n) for n in (N_GENES, 3)))
    assert torch.equal(network.state_dict()[name], before)


@pytest.mark.parametrize("model", ["genevec_self", "genevec_cross", "genevec_mixed"])
def test_the_asymmetry_of_a_block_is_the_mean_squared_difference(model):
    network = build(model, symmetry_weight=0.5, readout="flatten").train()
    assert network.symmetry_weight == 0.5
    expression = randn(N_MEMBERS, N_REGIONS, N_GENES)
    predicted = network.decode_within(network.encode(expression, expression)).detach()
    square = torch.zeros(N_MEMBERS, N_REGIONS, N_REGIONS, dtype=torch.float64)
    for place, (i, j) in enumerate(PAIRS):
        square[:, i, j] = predicted[:, place]
    expected = (square - square.transpose(1, 2)).square().sum((1, 2)) / len(PAIRS)
    torch.testing.assert_close(asymmetry(predicted).double(), expected, rtol=1e-5, atol=1e-8)


def test_the_mean_of_two_embeddings_predicts_symmetrically():
    network = build("genevec_self", combine="mean").eval()
    z = network.encode(randn(N_MEMBERS, N_REGIONS, N_GENES), randn(N_MEMBERS, N_REGIONS, 3))
    square = network.decode_between(z, z)
    torch.testing.assert_close(square, square.transpose(1, 2))
    expected = decode(network.head, 1, (z[1, 0] + z[1, 3]) / 2)
    torch.testing.assert_close(square[1, 0, 3], expected)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"identity": "word2vec"}, "identity is 'word2vec'"),
        ({"expression": "ranked"}, "expression is 'ranked'"),
        ({"expression": "binned", "expression_bins": 1}, "expression_bins is 1"),
        ({"model_dim": 9}, "model_dim 9 is not divisible by n_heads 2"),
        ({"readout": "max"}, "readout is 'max'"),
    ],
)
@pytest.mark.parametrize("model", ["genevec_self", "genevec_cross"])
def test_what_cannot_be_is_refused(model, keywords, message):
    with pytest.raises(UserError, match=message):
        build(model, **keywords)
