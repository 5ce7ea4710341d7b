"""Augmentation: what is varied, when, for whom, and that it is the same again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from garbage import with_garbage
from small_fits import PROFILE, make_brain, make_fold, nested, network_config

from gx2c.errors import UserError
from gx2c.fit import FitConfig, GeneOptions, NetworkFit, Task, TrainingSet, retrain
from gx2c.fit.augmentation import SCHEDULES, Augmentation, parse_kinds
from gx2c.fit.config import check_task
from gx2c.fit.network import ordered_pairs
from gx2c.fit.prepare import make_augmenter
from gx2c.models.names import spec_of

ROWS = np.arange(0, 40, 2)
ALL_KINDS = ("subjects", "strong-edges", "noise")


@pytest.fixture(scope="module")
def brain():
    return make_brain(n_subjects=6)


def config_of(*kinds: str, learned: str = "connectome", **settings) -> FitConfig:
    augmentation = Augmentation(kinds, **{"probability": 1.0} | settings)
    task = Task(learned=learned, augmentation=augmentation)
    return dataclasses.replace(network_config("mlp"), task=task)


def varied(brain, config, *, seed=1, number=1, block=(3, 0, 8, 5, 11, 17)):
    """Vary one step of one member; return what it was and what it became."""
    training = TrainingSet.cut(brain, ROWS, GeneOptions(), config.task)
    augmenter = make_augmenter(config, [training])
    augmenter.begin_epoch(number, [seed])
    rows = torch.tensor(block)
    targets = torch.from_numpy(training.connectome.astype(np.float32))[rows][:, rows][None]
    features = torch.randn((1, len(block), 7), generator=torch.Generator().manual_seed(0))
    features[..., 4] = 0.0
    return features, targets, augmenter.vary([rows], features, targets)


@pytest.mark.parametrize("learned", ["connectome", "geography-residual"])
def test_subjects_are_one_persons_edges_or_the_groups(brain, learned):
    config = config_of("subjects", learned=learned)
    training = TrainingSet.cut(brain, ROWS, GeneOptions(), config.task)
    block = (3, 0, 8, 5, 11, 17)
    features, targets, found = varied(brain, config, block=block)
    regions = ROWS[list(block)]
    columns = {pair: k for k, pair in enumerate(zip(*np.triu_indices(40, 1), strict=True))}
    taken = np.zeros((20, 20)) if training.taken_out is None else training.taken_out
    matching = []
    for person in brain.individual_connectomes:
        expected = targets[0].numpy().copy()
        for a, i in enumerate(regions):
            for b, j in enumerate(regions):
                value = np.nan if i == j else person[columns[min(i, j), max(i, j)]]
                if np.isfinite(value):
                    expected[a, b] = value - taken[block[a], block[b]]
        matching.append(np.allclose(found.targets[0].numpy(), expected, atol=1e-6))
    assert sum(matching) == 1
    assert torch.equal(found.features, features) and found.counts.all()


def test_subject_edges_are_several_peoples(brain):
    _, targets, found = varied(brain, config_of("subject-edges"))
    matrix = found.targets[0].numpy()
    np.testing.assert_array_equal(matrix, matrix.T)
    assert not torch.equal(found.targets, targets)


def test_strong_edges_alone_count(brain):
    _, targets, found = varied(brain, config_of("strong-edges"))
    strong = np.abs(targets[0].numpy()) > 0.3
    np.fill_diagonal(strong, False)
    assert strong.any() and not strong.all()
    np.testing.assert_array_equal(found.counts[0].numpy(), strong.astype(np.float32))
    weak = dataclasses.replace(brain, connectome=0.1 * brain.connectome)
    _, _, found = varied(weak, config_of("strong-edges"))
    assert found.counts.all(), "a block without strong edges counts as a whole"


def test_noise_has_the_size_asked_for_and_spares_constant_columns(brain):
    features, targets, found = varied(brain, config_of("noise", noise=0.5), block=tuple(range(20)))
    difference = (found.features - features)[0]
    assert not difference[:, 4].any()
    assert float(difference[:, [0, 1, 2, 3, 5, 6]].std()) == pytest.approx(0.5, rel=0.2)
    assert torch.equal(found.targets, targets)


def test_schedules_run_over_the_epochs():
    expected = {
        "constant": [0.4] * 5,
        "decay": [0.4, 0.3, 0.2, 0.1],
        "increase": [0.0, 0.1, 0.2, 0.3],
        "peak": [0.0, 0.2, 0.4, 0.2],
    }
    assert set(expected) == set(SCHEDULES)
    for schedule, values in expected.items():
        augmentation = Augmentation(("noise",), probability=0.4, schedule=schedule)
        found = [augmentation.probability_of(n, len(values)) for n in range(1, len(values) + 1)]
        assert found == pytest.approx(values)


def test_steps_are_varied_as_often_as_asked(brain):
    config = config_of("noise", probability=0.3)
    training = TrainingSet.cut(brain, ROWS, GeneOptions(), config.task)
    augmenter = make_augmenter(config, [training])
    augmenter.begin_epoch(1, [4])
    features, targets = torch.ones((1, 5, 3)), torch.zeros((1, 5, 5))
    rows = torch.arange(5)
    changed = [
        not torch.equal(augmenter.vary([rows], features, targets).features, features)
        for _ in range(600)
    ]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.06)


def test_what_is_off_changes_nothing(brain):
    fold = make_fold(brain)
    plain = network_config("mlp")
    off = dataclasses.replace(plain, task=Task(augmentation=Augmentation(("noise",), 0.0)))
    results = [
        retrain(c, [brain], fold, learning_rates=[3e-3] * 2, seeds=[3], profile=PROFILE)[0]
        for c in (plain, off, config_of("noise"))
    ]
    np.testing.assert_array_equal(results[0].predicted, results[1].predicted)
    assert not np.array_equal(results[0].predicted, results[2].predicted)


def test_a_member_is_varied_alike_alone_and_beside_others(brain):
    config = config_of(*ALL_KINDS, probability=0.5)
    sets = [TrainingSet.cut(brain, rows, GeneOptions(), config.task) for rows in (ROWS, ROWS + 1)]

    def weights(members):
        fit = NetworkFit(
            config, [sets[m] for m in members], seeds=[7 + m for m in members], profile=PROFILE
        )
        for number in (1, 2, 3):
            fit.run_epoch(number, 3e-3)
        return fit.network.state_dict()

    together, alone = weights([0, 1]), weights([1])
    for name, values in alone.items():
        torch.testing.assert_close(together[name][1:], values, rtol=1e-3, atol=1e-5)


def test_an_interrupted_fit_goes_on_as_it_would_have(brain):
    config, fold = config_of(*ALL_KINDS, schedule="decay"), make_fold(brain)
    whole, first = nested(brain, fold, config), nested(brain, fold, config)
    for _ in range(4):
        whole.advance()
    for _ in range(2):
        first.advance()
    again = nested(brain, fold, config)
    again.load_state_dict(first.state_dict())
    for _ in range(2):
        again.advance()
    assert again.curve == whole.curve


def test_augmentation_never_sees_test_regions(brain):
    """Nor do the edges that people have there matter."""
    fold, config = make_fold(brain), config_of(*ALL_KINDS)
    people = brain.individual_connectomes.copy()
    first, second = np.triu_indices(40, 1)
    touched = np.isin(first, fold.test_regions) | np.isin(second, fold.test_regions)
    people[:, touched] = 0.9
    garbage = with_garbage(brain, fold.test_regions)
    garbage = dataclasses.replace(garbage, individual_connectomes=people)
    curves = [list(nested(b, fold, config).points())[:4] for b in (brain, garbage)]
    assert curves[0] == curves[1]


def test_the_loss_is_the_mean_over_edges_that_count(brain):
    fit = NetworkFit(
        config_of("strong-edges"),
        [TrainingSet.cut(brain, ROWS, GeneOptions(), config_of("strong-edges").task)],
        seeds=[1],
        profile=PROFILE,
    )
    fit.network.eval()
    fit.augmenter.begin_epoch(1, [1])
    rows = torch.arange(8)
    targets = fit.targets[0][rows][:, rows][None]
    with torch.no_grad():
        _, loss = fit.loss([rows], targets)
        z = fit.network.encode(
            fit.inputs[0].expression[None, rows], fit.inputs[0].coords[None, rows]
        )
        predicted = fit.network.decode_within(z)[0]
    wanted = ordered_pairs(targets)[0]
    pairs = [(i, j) for i in range(8) for j in range(8) if i != j]
    np.testing.assert_array_equal(wanted, [float(targets[0, i, j]) for i, j in pairs])
    errors = [float((p - t) ** 2) for p, t in zip(predicted, wanted, strict=True) if abs(t) > 0.3]
    assert float(loss) == pytest.approx(np.mean(errors), rel=1e-5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: parse_kinds("mirrors"), "no augmentation 'mirrors'"),
        (lambda: parse_kinds("subjects+subject-edges"), "vary one thing twice"),
        (lambda: parse_kinds("noise+noise"), "vary one thing twice"),
        (lambda: Augmentation(("noise",), probability=1.2), "one from 0 to 1"),
        (lambda: Augmentation(("noise",), schedule="often"), "choose from"),
        (lambda: Augmentation(("noise",), noise=float("nan")), "a number from 0 on"),
        (
            lambda: check_task(
                Task(augmentation=Augmentation(("subjects",))), make_brain(), spec_of("mlp"), ()
            ),
            "needs individual connectomes",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(UserError, match=words):
        make()


def test_a_config_comes_back_with_its_augmentation():
    config = config_of(*ALL_KINDS, schedule="peak", noise=0.1)
    assert FitConfig.from_dict(config.to_dict()) == config
    assert parse_kinds("none") == ()
