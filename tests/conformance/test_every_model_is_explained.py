"""Every model: its attention is that which it uses, and its contributions are complete."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from cases import NETWORKS, brief_fit, outer_fold, planted_brain, saved_fit

from gx2c.errors import UserError
from gx2c.explain import attention, attention_maps, gradients, importance
from gx2c.explain.edges import HeldOutEdges
from gx2c.explain.gradients import member_gradients
from gx2c.models import MODELS

FIRST_OF_BUILDER = {spec.builder: name for name, spec in reversed(MODELS.items())}.values()
TRANSFORMERS = [name for name in NETWORKS if name.startswith(("smt", "genevec"))]


@pytest.mark.parametrize("model", TRANSFORMERS)
def test_attention_weights_give_the_output_of_every_layer(model, tmp_path, monkeypatch):
    """And averages are those over regions or pairs, of all and of each network."""
    brain, regions = planted_brain(), outer_fold().test_regions
    loaded = saved_fit(model, tmp_path)
    weights, computed = [], attention.attention_weights

    def kept(q, k, slopes):
        weights.append(computed(q, k, slopes))
        return weights[-1]

    worst = []
    blocks = attention._blocks(loaded.fitted[0].groups[0].network)
    for block in blocks:

        def attend(q, k, v, slopes, own=block.attend):
            out = own(q, k, v, slopes)
            if weights:  # encoding for pairs attends to nothing yet
                worst.append(float((weights[-1] @ v - out).abs().max()))
            return out

        block.attend = attend
    monkeypatch.setattr(attention, "attention_weights", kept)
    (found,) = attention_maps(loaded, brain)
    assert len(worst) == len(weights) >= len(blocks) and max(worst) < 1e-5
    np.testing.assert_allclose(found.maps.sum(axis=-1), 1, atol=1e-6)
    assert found.groups[0] == "all" and found.counts[0] == found.counts[1:].sum()
    mean = np.average(found.maps[1:], axis=0, weights=found.counts[1:])
    np.testing.assert_allclose(found.maps[0], mean, atol=1e-12)
    pairs = found.counts[0] == len(regions) * (len(regions) - 1)
    assert pairs == (model in ("genevec_cross", "genevec_mixed"))
    first = torch.cat([w.reshape(-1, *w.shape[1:]) for w in weights[:: len(blocks)]]).double()
    np.testing.assert_allclose(found.maps[0, 0], first.mean(0).numpy(), atol=1e-6)
    named = [name for token in found.tokens for name in token.columns]
    assert found.maps.shape[3:] == (len(found.tokens),) * 2
    assert ("CLS" in [t.name for t in found.tokens]) == ("CLS" in found.tokens[0].name)
    reduced = model in ("smt_pca", "smt_pls", "smt_ae")
    assert reduced or set(named) == set(loaded.genes)


@pytest.mark.parametrize("model", [name for name in MODELS if name not in TRANSFORMERS])
def test_models_without_attention_refuse(model, tmp_path):
    with pytest.raises(UserError, match="has no attention; choose a transformer"):
        attention_maps(saved_fit(model, tmp_path), planted_brain())


@pytest.mark.parametrize("model", MODELS)
def test_importances_exist_or_the_model_says_why_not(model, tmp_path, monkeypatch):
    for limit in ("STEPS", "MOST_STEPS"):  # the test below asks for completeness
        monkeypatch.setattr(gradients, limit, 2)
    loaded, brain = saved_fit(model, tmp_path), planted_brain()
    if not loaded.genes:
        with pytest.raises(UserError, match="reads no expression, so no gene matters to it"):
            importance([loaded], brain)
        return
    sets = {"few": loaded.genes[:5], "rest": loaded.genes[5:]}
    table = importance([loaded], brain, sets=sets, kinds=["sets"]).tables["sets"]
    values = table[table["group"] == "all"]["importance"]
    assert len(values) == 2 and np.isfinite(table["importance"]).all() and (values != 0).any()


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(name, marks=() if name in FIRST_OF_BUILDER else pytest.mark.slow)
        for name in NETWORKS
    ],
)
def test_integrated_gradients_are_complete_and_those_of_each_group(model):
    """The reference differentiates each group's agreement by both ends of all edges at once."""
    names = [["A", "B"][k % 2] for k in range(planted_brain().n_regions)]
    brain = dataclasses.replace(planted_brain(), network=tuple(names))
    fitted, regions = brief_fit(model).fitted, outer_fold().test_regions[:4]
    edges = HeldOutEdges.of(brain, regions)
    (found,) = member_gradients(fitted, [brain], regions, edges)
    assert found.gap < 0.01
    (few,) = member_gradients(fitted, [brain], regions, edges, steps=3)
    network = fitted.groups[0].network
    x, coords = fitted.groups[0].inputs([fitted.views[0].show(brain, regions)])
    pairs = [edges.weights * np.outer(a, b) for a in edges.network.T for b in edges.network.T]
    aa, ab, ba, bb = pairs
    masks = np.array([edges.weights, aa, ab + ba, bb, *(edges.weights * edges.bands)])
    expected = np.zeros_like(few.values)
    for share, weight in zip(*gradients._points(3), strict=True):
        part = (float(share) * x).requires_grad_()
        z = network.encode(part, coords)
        directed = network.decode_between(z, z)[0]
        for group, mask in enumerate(torch.from_numpy(masks).float()):
            total = (mask * directed).sum() / 2
            (gradient,) = torch.autograd.grad(total, part, retain_graph=True)
            added = (gradient * x)[0].sum(dim=0).double().numpy()
            expected[fitted.views[0].features.read_genes(), group] += weight * added
    np.testing.assert_allclose(few.values, expected, atol=1e-6)
