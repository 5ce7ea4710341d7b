"""Sizes of the published networks at 7,380 genes, counted by their authors."""

from __future__ import annotations

import pytest

from gx2c.models import MODELS
from gx2c.models.spec import count_parameters

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
POOLED = {key: value for key, value in SMT.items() if key != "token_output_dim"}
PUBLISHED = [
    ("smt", SMT, 2_162_315),
    ("smt", SMT | {"hidden_dims": (256, 128)}, 1_399_947),
    ("smt_cls", SMT, 2_173_067),
    ("smt_cls", SMT | {"hidden_dims": (256, 128)}, 1_405_579),
    ("smt_cls", SMT | {"genes_per_token": 20}, 4_686_987),
    ("smt_cls_random", SMT, 2_173_067),
    # without the two FiLM layers, 2 * 128 * 129, that the published smt_pool holds and never uses
    ("smt_pool", POOLED, 1_069_826 - 33_024),
    ("smt_cls_pool", POOLED, 1_086_978),
    ("mlp", {"hidden_dims": HEAD}, 7_723_777),
    ("mlp_coords", {"hidden_dims": HEAD}, 7_726_849),
    ("bilinear_lowrank", {"rank": 10}, 73_800),
    ("bilinear_lowrank", {"rank": 10, "shared_weights": False}, 147_600),
    ("pls_bilinear", {"n_components": 10}, 101),
]


@pytest.mark.parametrize(("model", "keywords", "n_parameters"), PUBLISHED)
def test_published_number_of_parameters(model, keywords, n_parameters):
    network = MODELS[model].build(N_GENES, **keywords)
    assert count_parameters(network) == n_parameters


CLOSED_FORMS = [
    ("bilinear_cm", {}, 54_464_401),
    ("bilinear_cm_pca", {"n_components": 27}, 730),
    ("bilinear_cm_pls", {"n_components": 10}, 101),
    ("exponential_decay", {}, 2),
    ("gaussian_kernel", {}, 1),
]
N_REGIONS = 341
GENEVEC = {"model_dim": 32, "n_heads": 2, "n_layers": 2, "hidden_dims": (256, 128, 64)}
# The published networks hold a line and a table of bins and use one of them; here both act
BOTH = {"expression": "both", "expression_bins": 100}
GENE_GRAMMAR = [
    ("genevec_self", BOTH, 125_474),
    ("genevec_mixed", BOTH | {"with_coords": True}, 125_602),
    (
        "genevec_cross",
        BOTH
        | {"expression_bins": 5, "identity": "vectors", "n_gene_dims": 200}
        | {"readout": "attention"},
        85_730,
    ),
]


@pytest.mark.parametrize(("model", "keywords", "n_parameters"), GENE_GRAMMAR)
def test_published_number_of_parameters_of_gene_grammar(model, keywords, n_parameters):
    """Of 100 genes, each a token; cross-attention with gene vectors of 200 numbers."""
    assert count_parameters(MODELS[model].build(100, **GENEVEC, **keywords)) == n_parameters


@pytest.mark.parametrize(("model", "keywords", "n_parameters"), CLOSED_FORMS)
def test_published_number_of_parameters_of_a_closed_form(model, keywords, n_parameters):
    spec = MODELS[model]
    keywords = {**spec.defaults, **keywords}
    assert spec.count_parameters(N_GENES, N_REGIONS, keywords) == n_parameters


@pytest.mark.parametrize(("model", "keywords", "n_parameters"), PUBLISHED)
def test_a_spec_counts_as_its_network(model, keywords, n_parameters):
    assert MODELS[model].count_parameters(N_GENES, N_REGIONS, keywords) == n_parameters


def test_a_reduction_counts_no_more_components_than_regions_allow():
    assert MODELS["bilinear_cm_pls"].count_parameters(N_GENES, 6) == 5**2 + 1


def test_a_frozen_map_is_not_counted():
    learned, fixed = (MODELS[name].build(N_GENES, **SMT) for name in ("smt_cls", "smt_cls_fixed"))
    assert count_parameters(learned) - count_parameters(fixed) == 4 * SMT["model_dim"]


def test_members_are_not_counted_twice():
    assert count_parameters(MODELS["mlp"].build(N_GENES, hidden_dims=HEAD, n_members=2)) == (
        7_723_777
    )
