"""Curves whose best config is known, and random ones."""

from __future__ import annotations

import numpy as np

from benchmarks.replay import NO_SCORE, Curves

MAX_EPOCHS = 9


def ranked_curves(order) -> Curves:
    """Grow steadily; a config's place in `order` is its quality at every epoch."""
    growth = np.arange(MAX_EPOCHS) / 100
    return Curves(np.array(order, dtype=float)[:, None] + growth)


def late_bloomer() -> Curves:
    """Six configs, of which number 0 is the worst after epoch 1 and the best from epoch 4 on."""
    curves = ranked_curves([0, 1, 2, 3, 4, 5])
    scores = curves.scores.copy()
    scores[0, 3:] = 7.0
    return Curves(scores)


def random_curves(n_configs: int, *, n_epochs: int, patience: int, seed: int) -> Curves:
    """Walk at random on a coarse grid, so that scores tie; one config in ten diverges."""
    rng = np.random.default_rng(seed)
    scores = np.round(np.cumsum(rng.normal(0.1, 1.0, (n_configs, n_epochs)), axis=1))
    for row in scores[rng.random(n_configs) < 0.1]:
        row[rng.integers(n_epochs) :] = NO_SCORE
    return Curves(scores, patience)
