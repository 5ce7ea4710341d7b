"""Networks trained side by side, and what they predict."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_fits import NETWORKS, PROFILE, make_brain, network_config

import gx2c.fit.predictor as predictor_module
from gx2c.fit import ComputeProfile, GeneOptions, NetworkFit, TrainingSet, derive_seed
from gx2c.fit.prepare import NetworkInputs

SEEDS = (11, 12, 13)
every_network = pytest.mark.parametrize("model", NETWORKS)


@pytest.fixture(scope="module")
def brain():
    return make_brain()


@pytest.fixture(scope="module")
def rows():
    """Training regions of three members, equally many, and differing."""
    rng = np.random.default_rng(0)
    return [np.sort(rng.permutation(40)[:26]) for _ in SEEDS]


def make_fit(brain, config, rows, seeds=SEEDS, *, profile=PROFILE):
    sets = [TrainingSet.cut(brain, r, config.genes) for r in rows]
    return NetworkFit(config, sets, seeds=seeds, profile=profile)


def in_float64(fit):
    fit.network.double()
    fit.inputs = [NetworkInputs(i.expression.double(), i.coords.double()) for i in fit.inputs]
    fit.targets = [target.double() for target in fit.targets]
    return fit


def weights(fit):
    return {name: values.clone() for name, values in fit.network.state_dict().items()}


def member_of(tensors, member):
    return {name: values[member : member + 1] for name, values in tensors.items()}


def gradients(fit):
    """Return the gradients of one block of every member, dropout on."""
    fit.network.train()
    fit.streams.seed([derive_seed(seed, 1) for seed in fit.seeds])
    block = torch.arange(10)
    blocks = [block] * len(fit.seeds)
    targets = torch.stack([target[block][:, block] for target in fit.targets])
    fit.loss(blocks, targets)[0].backward()
    return {name: p.grad for name, p in fit.network.named_parameters()}


@every_network
def test_members_learn_at_each_step_what_they_would_alone(brain, rows, model):
    config = network_config(model)
    together = gradients(in_float64(make_fit(brain, config, rows)))
    for member in range(len(SEEDS)):
        fit = in_float64(make_fit(brain, config, rows[member : member + 1], SEEDS[member:][:1]))
        for name, alone in gradients(fit).items():
            found = together[name][member : member + 1]
            torch.testing.assert_close(found, alone, rtol=1e-9, atol=1e-13)


@every_network
def test_members_train_in_float64_as_they_would_alone(brain, rows, model):
    config = network_config(model, learning_rate=1e-3)
    together = in_float64(make_fit(brain, config, rows))
    losses = together.run_epoch(1, 1e-3)
    for member in range(len(SEEDS)):
        alone = in_float64(make_fit(brain, config, rows[member : member + 1], SEEDS[member:][:1]))
        np.testing.assert_allclose(alone.run_epoch(1, 1e-3), losses[member], rtol=1e-9)
        for name, values in weights(alone).items():
            found = weights(together)[name][member : member + 1]
            torch.testing.assert_close(found, values, rtol=1e-6, atol=1e-9)


@every_network
def test_members_train_in_float32_nearly_as_they_would_alone(brain, rows, model):
    """Adam and ReLU may blow rounding up (never so in float64), so the rate is small."""
    config = network_config(model)
    regions = brain.regions(np.arange(26, 40))

    def five_steps(rows, seeds):
        fit = make_fit(brain, config, rows, seeds)
        fit.n_steps = 5
        losses = fit.run_epoch(1, 1e-4)
        return losses, fit.predict([regions] * len(seeds))

    losses, predicted = five_steps(rows, SEEDS)
    for member in range(len(SEEDS)):
        loss, alone = five_steps(rows[member : member + 1], SEEDS[member:][:1])
        np.testing.assert_allclose(loss, losses[member], rtol=1e-3)
        np.testing.assert_allclose(alone[0], predicted[member], atol=2e-3)
    assert np.abs(predicted[0] - predicted[1]).max() > 0.05


def test_company_does_not_change_a_member(brain, rows):
    config = network_config("smt")
    first = in_float64(make_fit(brain, config, rows, SEEDS))
    second = in_float64(make_fit(brain, config, [rows[2], rows[0]], [SEEDS[2], 99]))
    first.run_epoch(1, 1e-3), second.run_epoch(1, 1e-3)
    for name, values in weights(first).items():
        torch.testing.assert_close(weights(second)[name][:1], values[2:], rtol=1e-6, atol=1e-9)
    assert not torch.equal(
        weights(second)["head.last.weight"][1], weights(first)["head.last.weight"][0]
    )


def test_a_member_gets_another_dropout_mask_at_each_step_and_epoch(brain, rows):
    config = network_config("mlp", keywords={"dropout": 0.5})

    def losses(epochs):
        fit = make_fit(brain, config, rows[:1], [3])
        fit.network.train()
        return [fit.run_epoch(number, 0.0)[0] for number in epochs]

    # at rate 0 the weights stand still: losses differ by blocks and masks alone
    assert losses([1, 2, 3]) == losses([1, 2, 3])
    assert len(set(losses([1, 2, 3]))) == 3
    assert losses([3])[0] == losses([1, 2, 3])[2]


@every_network
@pytest.mark.parametrize("asymmetric", [True, False])
def test_predictions_are_symmetric_and_correlations(brain, rows, model, asymmetric):
    keywords = {"shared_weights": not asymmetric} if model == "bilinear_lowrank" else {}
    fit = make_fit(brain, network_config(model, keywords=keywords), rows)
    fit.run_epoch(1, 1e-2)
    for parameter in fit.network.parameters():
        parameter.data *= 20
    for predicted in fit.predict([brain.regions(r) for r in rows]):
        assert predicted.shape == (26, 26)
        np.testing.assert_array_equal(predicted, predicted.T)
        assert np.abs(predicted).max() <= 1
    assert np.abs(predicted).max() == 1 or model != "bilinear_lowrank"


def test_a_prediction_is_the_mean_of_both_directions(brain, rows):
    fit = make_fit(brain, network_config("mlp"), rows[:1], SEEDS[:1])
    fit.run_epoch(1, 1e-3)
    regions = brain.regions(np.arange(20, 40))
    predicted = fit.predict([regions])[0]
    inputs = fit.input_makers[0](regions, fit.device)
    fit.network.eval()
    with torch.no_grad():
        z = fit.network.encode(inputs.expression[None], inputs.coords[None])
        directed = fit.network.decode_between(z, z)[0].double().numpy()
    assert np.abs(directed - directed.T).max() > 1e-4
    mean = np.clip((directed + directed.T) / 2, -1, 1)
    np.testing.assert_allclose(predicted, mean, atol=1e-12)


@every_network
def test_predicting_in_chunks_changes_nothing(brain, rows, model, monkeypatch):
    fit = make_fit(brain, network_config(model), rows)
    fit.run_epoch(1, 1e-3)
    shown = [brain.regions(r) for r in rows]
    whole = fit.predict(shown)
    for pairs in (1, 26 * 7, 26 * 25):
        monkeypatch.setattr(predictor_module, "MAX_PAIRS_AT_ONCE", pairs)
        for found, expected in zip(fit.predict(shown), whole, strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-6)


@every_network
def test_members_may_predict_different_numbers_of_regions(brain, rows, model):
    fit = make_fit(brain, network_config(model), rows)
    fit.run_epoch(1, 1e-3)
    shown = [brain.regions(np.arange(n)) for n in (5, 14, 40)]
    together = fit.predict(shown)
    assert [p.shape for p in together] == [(5, 5), (14, 14), (40, 40)]
    for member, regions in enumerate(shown):
        same = fit.predict([regions] * 3)[member]
        np.testing.assert_allclose(together[member], same, atol=1e-6)


def test_predicting_leaves_the_network_as_it_is(brain, rows):
    fit = make_fit(brain, network_config("smt"), rows)
    fit.run_epoch(1, 1e-3)
    before = weights(fit)
    fit.predict([brain.regions(np.arange(40))] * 3)
    assert all(torch.equal(before[name], values) for name, values in weights(fit).items())


def test_an_overflow_is_not_passed_off_as_a_strong_connection(brain, rows):
    fit = make_fit(brain, network_config("mlp"), rows[:1], SEEDS[:1])
    fit.network.head.last.bias.data.fill_(float("inf"))
    assert np.isnan(fit.predict([brain.regions(rows[0])])[0]).all()


def test_training_starts_at_the_mean_training_edge(brain, rows):
    fit = make_fit(brain, network_config("mlp"), rows)
    for member, r in enumerate(rows):
        block = brain.connectome_block(r)
        expected = block[~np.eye(26, dtype=bool)].mean()
        assert fit.network.head.last.bias[member].item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("activation", ["none", "relu", "sigmoid", "softplus"])
@pytest.mark.parametrize("rank", [2, 32])
def test_a_bilinear_form_starts_near_the_mean_predictor(brain, rows, activation, rank):
    keywords = {"activation": activation, "rank": rank, "shared_weights": False}
    fit = make_fit(brain, network_config("bilinear_lowrank", keywords=keywords), rows)
    predictions = fit.predict([brain.regions(r) for r in rows])
    for predicted, r in zip(predictions, rows, strict=True):
        block = brain.connectome_block(r)
        edges = np.triu_indices(26, 1)
        mean_error = np.square(block[edges] - block[edges].mean()).mean()
        start_error = np.square(block - predicted)[edges].mean()
        assert start_error == pytest.approx(mean_error, rel=0.15)
        assert np.ptp(predicted[edges]) > 0, "all weights at 0 would never move"


def test_self_connections_are_never_a_target(brain, rows):
    fit = make_fit(brain, network_config("mlp"), rows)
    spoiled = make_fit(brain, network_config("mlp"), rows)
    for target in spoiled.targets:
        target.fill_diagonal_(float("nan"))
    np.testing.assert_array_equal(fit.run_epoch(1, 1e-3), spoiled.run_epoch(1, 1e-3))


def test_networks_see_the_chosen_genes_alone(brain, rows):
    fit = make_fit(brain, network_config("mlp", genes=GeneOptions(which="6_var")), rows)
    assert fit.inputs[0].expression.shape == (26, 6)
    assert fit.network.head.first.n_in == 12


@every_network
def test_half_precision_trains_near_full_precision(brain, rows, model):
    regions = [brain.regions(rows[0])] * 3
    found = []
    for dtype in ("float32", "bfloat16"):
        fit = make_fit(brain, network_config(model), rows, profile=ComputeProfile(dtype=dtype))
        losses = fit.run_epoch(1, 1e-3)
        assert np.isfinite(losses).all()
        found.append(fit.predict(regions)[0])
    assert not np.array_equal(*found)
    np.testing.assert_allclose(*found, atol=0.25)
    assert np.corrcoef(found[0].ravel(), found[1].ravel())[0, 1] > 0.95


def test_seeds_of_different_numbers_are_unrelated():
    seeds = [derive_seed(*n) for n in ((1,), (1, 0), (1, 0, 0), (0, 1), (2,), (1, 1))]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(1, 2) == derive_seed(1, 2)
