from __future__ import annotations

import math

import pytest

from gx2c.fit import TrainingSettings
from gx2c.fit.nested import learning_rate


def course_of(losses, **settings):
    """Return the rate of each epoch when the given losses follow them."""
    given = TrainingSettings(learning_rate=2.0, **settings)
    return [learning_rate(given, losses[:done]) for done in range(len(losses))]


def test_constant():
    assert course_of([3, 2, 5, 5, 5], schedule="constant") == [2.0] * 5


def test_cosine_warms_up_over_a_tenth_and_falls_towards_zero():
    rates = course_of([1.0] * 40, schedule="cosine", max_epochs=40)
    assert rates[:4] == pytest.approx([0.5, 1.0, 1.5, 2.0])
    assert rates[4] == pytest.approx(2.0)
    assert rates[4 + 18] == pytest.approx(1.0)
    assert all(a > b for a, b in zip(rates[4:], rates[5:], strict=False))
    assert rates[-1] == pytest.approx(1 + math.cos(math.pi * 35 / 36))
    assert min(rates) > 0


@pytest.mark.parametrize("max_epochs", [1, 2, 3])
def test_short_cosines_train_at_every_epoch(max_epochs):
    rates = course_of([1.0] * max_epochs, schedule="cosine", max_epochs=max_epochs)
    assert rates[0] == 2.0 and min(rates) > 0


def test_plateau_drops_after_a_twentieth_of_the_longest_training():
    losses = [5, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3]
    rates = course_of(losses, schedule="plateau", max_epochs=60)
    # the third epoch without a better loss is the fifth, the ninth and no other
    expected = [2.0] * 5 + [0.6] * 4 + [0.18] * 2
    assert rates == pytest.approx(expected)


def test_plateau_waits_two_epochs_at_least():
    rates = course_of([1, 1, 1, 1], schedule="plateau", max_epochs=5)
    assert rates == pytest.approx([2.0, 2.0, 2.0, 0.6])


def test_a_diverged_loss_is_never_the_best():
    rates = course_of([math.inf, math.inf, 1, 1, 1, 1], schedule="plateau", max_epochs=40)
    assert rates == pytest.approx([2.0, 2.0, 0.6, 0.6, 0.6, 0.18])
