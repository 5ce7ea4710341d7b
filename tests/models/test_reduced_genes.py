"""Reductions inside networks: against scikit-learn, never trained, and never one token."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from held import held
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models import MODELS
from gx2c.models.layers.population import initialise, prepare
from gx2c.models.layers.reduced_genes import ReducedGenes, learn_autoencoder, run
from gx2c.models.protocol import TrainingData

N_GENES, N_TRAIN = 30, 20
TRANSFORMER = {"model_dim": 8, "n_heads": 2, "n_layers": 1, "hidden_dims": (9, 5)}
MODELS_HERE = ("smt_pca", "smt_pls", "smt_ae", "mlp_pca")


def training_view(seed=0):
    rng = np.random.default_rng(seed)
    latents = rng.standard_normal((N_TRAIN, 4))
    expression = latents @ rng.standard_normal((4, N_GENES))
    expression += 0.3 * rng.standard_normal((N_TRAIN, N_GENES))
    expression = (expression - expression.mean(0)) / expression.std(0)
    regions = Regions(expression, rng.standard_normal((N_TRAIN, 3)), np.zeros(N_TRAIN, int))
    return TrainingData(regions, np.corrcoef(latents))


def reduced(kind, n_components, *, whiten=False, n_members=1):
    layer = held(n_members, ReducedGenes, N_GENES, kind, n_components, whiten=whiten)
    for member in range(n_members):
        layer.prepare(member, training_view(member), seed=member)
    return layer


def scores(layer, expression, member=0):
    x = torch.from_numpy(expression.astype(np.float32)).expand(len(layer.weight_0), -1, -1)
    return layer(x)[member].double().numpy()


def test_pca_scores_are_those_of_scikit_learn():
    view, other = training_view(), training_view(7).regions.expression
    pca = PCA(5).fit(view.regions.expression)
    expected = pca.transform(other)
    expected /= np.sqrt(pca.transform(view.regions.expression).var(axis=0).mean())
    found = scores(reduced("pca", 5), other)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)


def test_pls_scores_are_those_of_scikit_learn():
    """Centred and scaled, where the published scores were neither."""
    view, other = training_view(), training_view(7).regions.expression
    profiles = view.connectome.copy()
    np.fill_diagonal(profiles, 0)
    np.fill_diagonal(profiles, profiles.sum(axis=0) / (N_TRAIN - 1))
    pls = PLSRegression(3, tol=1e-12, max_iter=1000).fit(view.regions.expression, profiles)
    expected = pls.transform(other) / pls.transform(view.regions.expression).std(axis=0)
    found = scores(reduced("pls", 3, whiten=True), other)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


@pytest.mark.parametrize("kind", ["pca", "pls", "autoencoder"])
@pytest.mark.parametrize("whiten", [True, False])
def test_training_scores_are_centred_and_of_unit_size(kind, whiten):
    found = scores(reduced(kind, 4, whiten=whiten), training_view().regions.expression)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    variance = found.var(axis=0)
    np.testing.assert_allclose(variance if whiten else variance.mean(), 1, atol=1e-4)


def test_components_that_training_regions_do_not_allow_are_zero():
    found = scores(reduced("pca", 25), training_view(7).regions.expression)
    assert (found[:, N_TRAIN - 1 :] == 0).all()
    assert (found[:, : N_TRAIN - 1] != 0).any(axis=0).all()


def test_each_member_has_the_reduction_of_its_own_training_regions():
    both, expression = reduced("pca", 4, n_members=2), training_view(7).regions.expression
    alone = ReducedGenes(N_GENES, "pca", 4, whiten=False)
    alone.prepare(0, training_view(1), seed=1)
    np.testing.assert_allclose(
        scores(both, expression, member=1), scores(alone, expression), atol=1e-5
    )


def test_autoencoder_learns_what_varies():
    """Its code of 4 tells the 4 planted latents apart; a fresh one's hardly does."""
    x = training_view().regions.expression
    code = run(learn_autoencoder(x, code_dim=4, seed=0), x)
    design = np.column_stack([code, np.ones(N_TRAIN)])
    rest = x - design @ np.linalg.lstsq(design, x, rcond=None)[0]
    assert rest.var() < 0.35 * x.var()
    again = run(learn_autoencoder(x, code_dim=4, seed=0), x)
    np.testing.assert_array_equal(code, again)


@pytest.mark.parametrize("model", MODELS_HERE)
def test_the_reduction_is_never_trained(model):
    """The published autoencoder's batch statistics went on moving."""
    keywords = {k: v for k, v in TRANSFORMER.items() if model != "mlp_pca" or k == "hidden_dims"}
    network = MODELS[model].build(N_GENES, n_components=6, **keywords)
    initialise(network, [0])
    prepare(network, 0, training_view(), seed=0)
    fixed = {name: value.clone() for name, value in network.named_buffers() if "weight_" in name}
    assert fixed
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    expression = torch.randn(1, 5, N_GENES)
    for module in network.modules():
        if hasattr(module, "probability"):
            module.probability = 0.0
    network.train()
    network.decode_within(network.encode(expression, expression)).square().sum().backward()
    optimizer.step()
    for name, value in fixed.items():
        assert torch.equal(dict(network.named_buffers())[name], value)


@pytest.mark.parametrize("model", ["smt_pca", "smt_pls", "smt_ae"])
@pytest.mark.parametrize(("n_components", "n_tokens"), [(2, 2), (7, 4), (32, 8)])
def test_there_are_several_tokens(model, n_components, n_tokens):
    network = MODELS[model].build(N_GENES, n_components=n_components, n_tokens=8, **TRANSFORMER)
    assert network.n_tokens >= n_tokens > 1


def test_unknown_reductions_are_refused():
    with pytest.raises(UserError, match="reduction is 'ica'"):
        ReducedGenes(N_GENES, "ica", 3, whiten=False)
