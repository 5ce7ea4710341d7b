"""Networks trained in groups, one group after another, learn what they would all together."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from small_fits import NETWORKS, PROFILE, make_brain, network_config

import gx2c.fit.in_turn as in_turn
from gx2c.fit import FitInTurn, TrainingSet
from gx2c.fit.in_turn import equal_parts, members_at_once, saved_bytes

SEEDS = (11, 12, 13, 14, 15)
SIZES = (26, 24, 26, 20, 22)
PUBLISHED = {
    "genes_per_token": 60,
    "model_dim": 128,
    "token_output_dim": 10,
    "n_heads": 4,
    "n_layers": 4,
    "hidden_dims": (512, 256, 128),
}


@pytest.fixture(scope="module")
def brain():
    return make_brain()


def make_fit(brain, config, monkeypatch, *, most):
    monkeypatch.setattr(in_turn, "members_at_once", lambda *args, **keywords: most)
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.permutation(40)[:n]) for n in SIZES]
    sets = [TrainingSet.cut(brain, r, config.genes) for r in rows]
    return FitInTurn(config, sets, seeds=SEEDS, profile=PROFILE)


@pytest.mark.parametrize("model", NETWORKS)
@pytest.mark.parametrize("most", [1, 2, 3])
def test_groups_train_and_predict_as_all_do_together(brain, monkeypatch, model, most):
    """Five steps at a small rate: Adam and ReLU may blow rounding up."""
    config = network_config(model)
    shown = [brain.regions(np.arange(n)) for n in (5, 14, 40, 14, 9)]
    found = []
    for at_once in (most, len(SEEDS)):
        fit = make_fit(brain, config, monkeypatch, most=at_once)
        for group in fit.groups:
            group.n_steps = 5
        found.append((fit.run_epoch(1, 1e-4), fit.predict(shown)))
    (losses, predicted), (all_losses, all_predicted) = found
    np.testing.assert_allclose(losses, all_losses, rtol=1e-3)
    for some, together in zip(predicted, all_predicted, strict=True):
        np.testing.assert_allclose(some, together, atol=2e-3)


def test_groups_take_the_steps_that_all_members_would(brain, monkeypatch):
    config = network_config("mlp")
    together = make_fit(brain, config, monkeypatch, most=5).groups[0]
    for group in make_fit(brain, config, monkeypatch, most=2).groups:
        assert (group.n_steps, group.block) == (together.n_steps, together.block)


def test_weights_are_a_copy_of_those_of_all_members(brain, monkeypatch):
    fit = make_fit(brain, network_config("smt"), monkeypatch, most=2)
    before = fit.weights()
    assert all(len(values) == len(SEEDS) for values in before.values())
    assert not torch.equal(before["head.last.weight"][1], before["head.last.weight"][2])
    fit.run_epoch(1, 1e-2)
    assert not torch.equal(fit.weights()["head.last.weight"], before["head.last.weight"])


def test_a_saved_state_is_a_snapshot_in_tensors_and_plain_values(brain, monkeypatch):
    """Training on, in the saved fit or in one that loaded the state, leaves it alone."""
    config = network_config("smt")
    fit, other = (make_fit(brain, config, monkeypatch, most=2) for _ in range(2))
    fit.run_epoch(1, 1e-3)
    state, file = fit.state_dict(), io.BytesIO()
    expected = fit.run_epoch(2, 1e-3), fit.weights()
    torch.save(state, file)
    file.seek(0)
    for saved in (state, state, torch.load(file, weights_only=True)):
        other.load_state_dict(saved)
        np.testing.assert_array_equal(other.run_epoch(2, 1e-3), expected[0])
        assert all(torch.equal(expected[1][n], v) for n, v in other.weights().items())


def test_parts_are_few_equal_and_cover_everyone():
    assert equal_parts(16, 9) == [slice(0, 8), slice(8, 16)]
    assert equal_parts(4, 16) == [slice(0, 4)]
    assert equal_parts(3, 1) == [slice(0, 1), slice(1, 2), slice(2, 3)]
    for n_members in range(1, 20):
        for most in range(1, 20):
            parts = equal_parts(n_members, most)
            members = [k for part in parts for k in range(n_members)[part]]
            assert members == list(range(n_members))
            assert max(part.stop - part.start for part in parts) <= most


@pytest.mark.parametrize("model", NETWORKS)
def test_every_network_tells_what_a_step_keeps(model):
    config = network_config(model)
    small, large = (saved_bytes(config, n_genes=30, block=b) for b in (8, 32))
    assert 0 < small < large


def test_a_step_of_an_mlp_keeps_what_its_layers_hold():
    """Of 90 ordered pairs: at least the inputs of ReLU and BatchNorm, and no more than tenfold."""
    config = network_config("mlp", keywords={"hidden_dims": (64,)})
    least = 2 * 90 * 64 * 4
    assert least <= saved_bytes(config, n_genes=5, block=10) <= 10 * least


def test_large_networks_train_one_by_one_and_small_ones_together():
    quick, published = network_config("smt"), network_config("smt", keywords=PUBLISHED)
    small = dict(n_genes=500, block=16, device="cpu")
    large = dict(n_genes=7_380, block=64, device="cpu")
    assert members_at_once(quick, **small) >= 8
    assert members_at_once(published, **large) == 1
    assert members_at_once(published, **large | {"device": "cuda"}) > 1
