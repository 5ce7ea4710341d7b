"""One config on all inner folds: when it ends, and how it is repeated."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch
from small_fits import NETWORKS, PROFILE, make_brain, make_fold, nested, network_config

from gx2c.errors import UserError
from gx2c.fit import NestedFit, TrainingSettings, derive_seed, epochs_to_retrain
from gx2c.fit.scoring import mean_scores, score_or_diverged, selection_score


@pytest.fixture(scope="module")
def brain():
    return make_brain()


@pytest.fixture(scope="module")
def fold(brain):
    return make_fold(brain)


def validation_score(fit, brain, fold):
    """Score the present weights from the brain and the folds."""
    along = brain.expression[:, np.argsort(brain.tss)]
    shown = [
        brain.regions(inner.test_regions).with_columns(along[inner.test_regions])
        for inner in fold.inner
    ]
    scores = [
        score_or_diverged(predicted, brain, inner)
        for predicted, inner in zip(fit.fit.predict(shown), fold.inner, strict=True)
    ]
    return selection_score(mean_scores(scores), fit.metric)


def test_the_best_point_is_the_first_of_the_best(brain, fold):
    fit = nested(brain, fold, network_config("mlp", schedule="constant", learning_rate=1e-2))
    points = list(fit.points())
    scores = [point.score for point in points]
    assert fit.best.epochs == scores.index(max(scores)) + 1
    assert [point.epochs for point in points] == list(range(1, len(points) + 1))


def test_a_point_is_the_mean_over_inner_folds(brain, fold):
    fit = nested(brain, fold, network_config("mlp"))
    point = fit.advance()
    assert validation_score(fit, brain, fold) == point.score == -point.validation["mse"]


def test_ends_after_max_epochs(brain, fold):
    fit = nested(brain, fold, network_config("mlp", max_epochs=3))
    assert len(list(fit.points())) == 3
    assert fit.finished and not fit.diverged


def test_ends_when_patience_is_over(brain, fold):
    config = network_config("bilinear_lowrank", learning_rate=0.0, patience=4)
    fit = nested(brain, fold, config)
    # nothing moves at rate 0: the first epoch stays the best
    assert len({point.score for point in fit.points()}) == 1
    assert len(fit.curve) == 1 + 4 and fit.best.epochs == 1


def test_patience_counts_from_the_best_epoch(brain, fold):
    fit = nested(brain, fold, network_config("bilinear_lowrank", learning_rate=0.0, patience=3))
    good = fit.fit.state_dict()
    for parameter in fit.fit.groups[0].network.parameters():
        parameter.data.mul_(9)
    fit.advance(), fit.advance()
    fit.fit.load_state_dict(good)
    list(fit.points())
    assert fit.best.epochs == 3 and len(fit.curve) == 3 + 3


@pytest.mark.parametrize("model", NETWORKS)
@pytest.mark.filterwarnings("error")
def test_ends_when_a_huge_learning_rate_diverges(brain, fold, model):
    config = network_config(model, learning_rate=1e30, schedule="constant")
    fit = nested(brain, fold, config)
    list(fit.points())
    assert fit.diverged and len(fit.curve) < 5
    assert fit.curve[-1].score == -math.inf and fit.curve[-1].validation == {}


def test_one_diverged_fold_ends_all_and_earlier_epochs_stay_best(brain, fold):
    fit = nested(brain, fold, network_config("mlp"))
    fit.advance(), fit.advance()
    best = fit.best
    fit.fit.groups[0].targets[1].fill_(math.nan)
    point = fit.advance()
    assert point.score == -math.inf and fit.diverged and fit.finished
    assert fit.best == best and math.isnan(point.train_mse)


def test_constant_predictions_rank_last_but_may_still_learn(brain, fold):
    """Far above 1, all pairs are predicted alike after clipping; that is no divergence."""
    fit = nested(brain, fold, network_config("mlp"), metric="val_pearson_r")
    weights = fit.fit.state_dict()
    fit.fit.groups[0].network.head.last.bias.data.fill_(9.0)
    first = fit.advance()
    assert first.score == -math.inf and first.validation["mse"] > 0
    assert not fit.diverged and not fit.finished
    fit.fit.load_state_dict(weights)
    assert fit.advance().score > -math.inf
    assert fit.best.epochs == 2


@pytest.mark.parametrize("model", NETWORKS)
def test_the_same_seed_gives_the_same_curve_whatever_came_before(brain, fold, model):
    curves = []
    before = torch.get_num_threads()
    try:
        for threads, seed in ((1, 0), (2, 1)):
            torch.set_num_threads(threads)
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            torch.rand(seed)
            fit = nested(brain, fold, network_config(model, max_epochs=3))
            curves.append(list(fit.points()))
    finally:
        torch.set_num_threads(before)
    assert curves[0] == curves[1]
    assert (
        list(nested(brain, fold, network_config(model, max_epochs=3), seed=6).points())
        != (curves[0])
    )


def test_inner_folds_have_seeds_of_their_own(brain, fold):
    fit = nested(brain, fold, network_config("mlp"), seed=5)
    assert fit.fit.seeds == tuple(derive_seed(5, i) for i in range(3))


@pytest.mark.parametrize("schedule", ["plateau", "cosine"])
@pytest.mark.parametrize("model", ["smt", "bilinear_lowrank"])
def test_a_run_that_was_saved_continues_as_if_it_never_stopped(brain, fold, model, schedule):
    config = network_config(model, schedule=schedule, learning_rate=2e-2, patience=8)
    whole = nested(brain, fold, config)
    list(whole.points())

    begun = nested(brain, fold, config)
    for _ in range(4):
        begun.advance()
    file = io.BytesIO()
    torch.save(begun.state_dict(), file)
    begun.advance()
    file.seek(0)

    # into a fit that has been somewhere else before
    resumed = nested(brain, fold, config)
    resumed.advance()
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert len(resumed.curve) == 4
    list(resumed.points())

    assert resumed.curve == whole.curve and resumed.best == whole.best
    for name, values in whole.fit.weights().items():
        assert torch.equal(resumed.fit.weights()[name], values)
    rates = {point.learning_rate for point in whole.curve}
    assert len(rates) > 1, "a constant rate would hide a lost schedule"


def test_a_diverged_run_is_still_diverged_after_loading(brain, fold):
    config = network_config("mlp", learning_rate=1e30, schedule="constant")
    fit, resumed = nested(brain, fold, config), nested(brain, fold, config)
    list(fit.points())
    resumed.load_state_dict(fit.state_dict())
    assert resumed.diverged and resumed.finished and list(resumed.points()) == []


def test_unknown_metric_is_refused(brain, fold):
    fit = NestedFit(brain, fold, network_config("mlp"), metric="val_r", seed=0, profile=PROFILE)
    with pytest.raises(UserError, match="no metric 'val_r'; .*choose from"):
        fit.advance()


@pytest.mark.parametrize(
    ("best", "trained", "wanted"), [(2, 25, 10), (20, 30, 20), (2, 6, 6), (0, 0, 0)]
)
def test_an_early_minimum_of_a_noisy_curve_is_not_trusted(best, trained, wanted):
    settings = TrainingSettings(max_epochs=30)
    assert epochs_to_retrain(best, trained=trained, settings=settings) == wanted
