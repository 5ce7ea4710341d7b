"""Tokens of genes with signatures, against the published maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.layers.population import initialise
from gx2c.models.networks.gene_signatures import SignedGenes
from gx2c.models.protocol import TrainingData

N_GENES = 7


def tokens_and_view(layers):
    tokens = SignedGenes(N_GENES, n_gene_dims=3, projection_layers=layers, model_dim=8)
    initialise(tokens, [0])
    rng = np.random.default_rng(0)
    vectors = rng.uniform(0, 9, (N_GENES, 3))
    regions = Regions(rng.standard_normal((9, N_GENES)), np.zeros((9, 3)), np.zeros(9, int))
    view = TrainingData(regions, np.eye(9), vectors)
    tokens.prepare(0, view, seed=0)
    return tokens.double().eval(), view


@pytest.mark.parametrize("layers", [1, 3])
def test_tokens_are_expression_and_signature_through_the_projection(layers):
    tokens, view = tokens_and_view(layers)
    x = torch.from_numpy(view.regions.expression).unsqueeze(0)
    scaled = (view.gene_vectors - view.gene_vectors.mean(0)) / view.gene_vectors.std(0)
    signatures = torch.from_numpy(scaled.astype(np.float32)).double()
    pairs = torch.cat([x[0].unsqueeze(2), signatures.expand(9, -1, -1)], dim=2)
    expected = pairs @ tokens.embed.weight[0] + tokens.embed.bias[0]
    if layers == 3:
        norm, _, _, linear, last = tokens.rest
        hidden = torch.nn.functional.layer_norm(expected, (8,), norm.weight[0, 0], norm.bias[0, 0])
        hidden = torch.relu(hidden) @ linear.weight[0] + linear.bias[0]
        expected = torch.nn.functional.layer_norm(hidden, (8,), last.weight[0, 0], last.bias[0, 0])
    torch.testing.assert_close(tokens(x, x)[0], expected)


def test_missing_signatures_are_asked_for():
    tokens, view = tokens_and_view(1)
    without = TrainingData(view.regions, view.connectome)
    with pytest.raises(UserError, match="--gene-vectors groups"):
        tokens.prepare(0, without, seed=0)
    with pytest.raises(UserError, match="projection_layers is 2"):
        SignedGenes(N_GENES, n_gene_dims=3, projection_layers=2, model_dim=8)
