"""The loss of a step against NumPy, averaged weights against a loop, and planted answers."""

import dataclasses

import numpy as np
import pytest
import torch
from small_fits import PROFILE, make_brain, network_config

from gx2c.errors import UserError
from gx2c.fit import NetworkFit, TrainingSet, TrainingSettings
from gx2c.fit.in_turn import FitInTurn

ROWS = np.arange(24)
N_BLOCK = 8
INPUTS = ("expression", "coords")


@pytest.fixture(scope="module")
def brain():
    return make_brain()


def config_with(model, **training):
    config = network_config(model)
    settings = dataclasses.replace(config.training, **training)
    return dataclasses.replace(config, training=settings)


def fit_of(brain, config, seeds=(3, 4), kind=NetworkFit):
    sets = [TrainingSet.cut(brain, ROWS, config.genes) for _ in seeds]
    return kind(config, sets, seeds=list(seeds), profile=PROFILE)


def loss_of(brain, config):
    """Return the loss of a block, each member's error, and predictions, (n_members, n, n)."""
    fit = fit_of(brain, config)
    fit.network.eval()
    rows = torch.arange(N_BLOCK)
    targets = torch.stack([target[rows][:, rows] for target in fit.targets])
    with torch.no_grad():
        loss, errors = fit.loss([rows, rows], targets)
        z = [torch.stack([getattr(i, part)[rows] for i in fit.inputs]) for part in INPUTS]
        flat = fit.network.decode_within(fit.network.encode(*z)).double().numpy()
    predicted = np.zeros((len(flat), N_BLOCK, N_BLOCK))
    predicted[:, ~np.eye(N_BLOCK, dtype=bool)] = flat
    return float(loss), errors.numpy(), predicted, targets.double().numpy()


OFF = ~np.eye(N_BLOCK, dtype=bool)


@pytest.mark.parametrize("model", ["mlp", "smt"])
@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_correlation_loss_is_that_of_numpy(brain, model, share):
    loss, errors, predicted, measured = loss_of(brain, config_with(model, correlation_loss=share))
    expected = []
    for p, m in zip(predicted, measured, strict=True):
        r = np.corrcoef(p[OFF], m[OFF])[0, 1]
        expected.append((1 - share) * np.mean((p - m)[OFF] ** 2) + share * (1 - r))
    assert loss == pytest.approx(np.sum(expected), rel=1e-4)
    # epochs report the squared error, whatever is trained on
    mse = [np.mean((p - m)[OFF] ** 2) for p, m in zip(predicted, measured, strict=True)]
    np.testing.assert_allclose(errors, mse, rtol=1e-4)


@pytest.mark.parametrize("model", ["mlp", "smt", "smt_cls"])
def test_the_symmetric_loss_applies_to_every_network(brain, model):
    plain, *_ = loss_of(brain, config_with(model))
    loss, _, predicted, _ = loss_of(brain, config_with(model, symmetric_loss=0.5))
    added = [0.5 * np.mean((p - p.T)[OFF] ** 2) for p in predicted]
    assert loss - plain == pytest.approx(np.sum(added), rel=1e-3)
    assert loss > plain


def test_constant_predictions_have_a_gradient(brain):
    fit = fit_of(brain, config_with("mlp", correlation_loss=1.0))
    for values in fit.network.head.last.weight.data:
        values.zero_()
    fit.run_epoch(1, 1e-3)
    assert all(bool(p.isfinite().all()) for p in fit.network.parameters())


def trained(brain, n_epochs=20, **training):
    fit = fit_of(brain, config_with("mlp", **training))
    for number in range(n_epochs):
        fit.run_epoch(number + 1, 3e-3)
    return fit


def decoded(fit):
    """Return all pairs of the training regions of the first member as they are, not clipped."""
    fit.network.eval()
    with torch.no_grad():
        z = fit.network.encode(*(torch.stack([getattr(i, p) for i in fit.inputs]) for p in INPUTS))
        return fit.network.decode_between(z, z)[0].double().numpy()


def test_each_loss_finds_what_it_asks_for(brain):
    """The correlation alone leaves the scale free; the symmetric loss makes directions alike."""
    off = ~np.eye(len(ROWS), dtype=bool)
    measured = brain.connectome_block(ROWS)[off]
    by_correlation, plain, symmetric = (
        decoded(trained(brain, **loss))
        for loss in ({"correlation_loss": 1.0}, {}, {"symmetric_loss": 10.0})
    )
    found, usual = (np.corrcoef(p[off], measured)[0, 1] for p in (by_correlation, plain))
    assert found > 0.6 and found > usual + 0.1
    assert np.square(symmetric - symmetric.T).mean() < 0.6 * np.square(plain - plain.T).mean()


def test_averaged_weights_are_those_of_a_loop(brain):
    """Training itself does not change: only the weights that predict do."""
    decay, means, seen = 0.7, None, []
    plain, averaged = (fit_of(brain, config_with("mlp", ema_decay=d)) for d in (0.0, decay))
    step = plain.step_on

    def noted(block):
        nonlocal means
        error = step(block)
        now = {name: p.detach().clone() for name, p in plain.network.named_parameters()}
        means = now if means is None else {n: decay * means[n] + (1 - decay) * now[n] for n in now}
        seen.append(error)
        return error

    plain.step_on = noted
    for number in (1, 2):
        np.testing.assert_array_equal(
            plain.run_epoch(number, 1e-3), averaged.run_epoch(number, 1e-3)
        )
    assert len(seen) > 4
    found = dict(averaged.predictor.named_parameters())
    for name, values in means.items():
        torch.testing.assert_close(found[name], values)
        assert torch.equal(
            dict(averaged.network.named_parameters())[name],
            dict(plain.network.named_parameters())[name],
        )
    one, other = (fit.predict([brain.regions(ROWS)] * 2)[0] for fit in (plain, averaged))
    assert not np.array_equal(one, other)


def test_a_checkpoint_and_the_weights_hold_the_average(brain):
    config = config_with("mlp", ema_decay=0.9)
    whole, resumed = (fit_of(brain, config, kind=FitInTurn) for _ in range(2))
    whole.run_epoch(1, 1e-3)
    resumed.load_state_dict(whole.state_dict())
    for fit in (whole, resumed):
        fit.run_epoch(2, 1e-3)
    for name, values in whole.weights().items():
        assert torch.equal(resumed.weights()[name], values)
        assert torch.equal(whole.groups[0].predictor.state_dict()[name], values[: len(values)])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"correlation_loss": 1.5}, "correlation_loss is 1.5; it must lie between 0 and 1"),
        ({"symmetric_loss": -1.0}, "symmetric_loss is -1.0; give a number of at least 0"),
        ({"ema_decay": 1.0}, "ema_decay is 1.0; give a number from 0 to below 1"),
    ],
)
def test_impossible_losses_are_refused(given, message):
    with pytest.raises(UserError, match=message):
        TrainingSettings(**given)
