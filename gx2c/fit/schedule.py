"""Learning-rate courses: one rate a pass, so that a recorded course can be replayed."""

from __future__ import annotations

import math

from gx2c.fit.config import TrainingSettings

WARM_UP_SHARE = 0.1
PLATEAU_FACTOR = 0.3
PLATEAU_WAIT_SHARE = 0.05


class LearningRateCourse:
    """The rate of each pass, from the settings and the validation losses so far.

    Parameters
    ----------
    settings
        `schedule` "constant"; "cosine", which warms up over the first tenth of `max_passes` and
        falls to zero at their end; or "plateau", which drops to three tenths whenever the loss
        has not improved for a twentieth of `max_passes` (two passes at least).
    """

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self.rates: list[float] = []
        self.losses: list[float] = []

    def next_rate(self) -> float:
        """Return the rate of the next pass and record it."""
        rate = self.settings.learning_rate * self._factor(len(self.rates))
        self.rates.append(rate)
        return rate

    def tell(self, validation_loss: float) -> None:
        """Record the validation loss after a pass."""
        self.losses.append(validation_loss)

    def _factor(self, done: int) -> float:
        if self.settings.schedule == "cosine":
            return cosine_factor(done, self.settings.max_passes)
        if self.settings.schedule == "plateau":
            return float(PLATEAU_FACTOR ** self._n_drops())
        return 1.0

    def _n_drops(self) -> int:
        wait = max(2, math.ceil(self.settings.max_passes * PLATEAU_WAIT_SHARE))
        drops, best, since = 0, math.inf, 0
        for loss in self.losses:
            best, since = (loss, 0) if loss < best else (best, since + 1)
            if since >= wait:
                drops, since = drops + 1, 0
        return drops


def cosine_factor(done: int, max_passes: int) -> float:
    """Linear warm-up, then half a cosine from 1 towards 0; `done` counts passes behind."""
    warm_up = max(1, round(WARM_UP_SHARE * max_passes))
    if done < warm_up:
        return (done + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (done - warm_up) / max(1, max_passes - warm_up)))
