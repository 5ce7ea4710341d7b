"""Sizes of the published networks at 7,380 genes, counted by their authors."""

from __future__ import annotations

import pytest

from gx2c.models import MODELS
from gx2c.models.population import count_parameters

N_GENES = 7380
HEAD = (512, 256, 128)
SMT = {
    "genes_per_token": 60,
    "model_dim": 128,
    "n_layers": 4,
    "n_heads": 4,
    "hidden_dims": HEAD,
    "token_output_dim": 10,
}
PUBLISHED = [
    ("smt", SMT, 2_162_315),
    ("smt", SMT | {"hidden_dims": (256, 128)}, 1_399_947),
    ("smt_cls", SMT, 2_173_067),
    ("smt_cls", SMT | {"hidden_dims": (256, 128)}, 1_405_579),
    ("smt_cls", SMT | {"genes_per_token": 20}, 4_686_987),
    ("mlp", {"hidden_dims": HEAD}, 7_723_777),
    ("mlp_coords", {"hidden_dims": HEAD}, 7_726_849),
    ("bilinear_lowrank", {"rank": 10}, 73_800),
    ("bilinear_lowrank", {"rank": 10, "shared_weights": False}, 147_600),
]


@pytest.mark.parametrize(("model", "keywords", "n_parameters"), PUBLISHED)
def test_published_number_of_parameters(model, keywords, n_parameters):
    network = MODELS[model].build(N_GENES, **keywords)
    assert count_parameters(network) == n_parameters


def test_members_are_not_counted_twice():
    assert count_parameters(MODELS["mlp"].build(N_GENES, hidden_dims=HEAD, n_members=2)) == (
        7_723_777
    )
