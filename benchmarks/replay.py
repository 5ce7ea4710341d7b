"""Recorded learning curves, and the replay of a scheduler on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweeps.search.rungs import RungRule

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FILE = Path(__file__).parent / "learning_curves.parquet"
NO_SCORE = float("-inf")


@dataclass(frozen=True)
class Curves:
    """Learning curves of some configs of one search, in the order in which they are tried.

    Attributes
    ----------
    scores
        (n_configs, max_epochs), larger is better; minus infinity from the epoch that diverged.
    patience
        Epochs without a better score after which a config ends by itself; 0 for never.
    """

    scores: FloatArray
    patience: int = 0

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def max_epochs(self) -> int:
        """Epochs of a curve that nothing stopped."""
        return int(self.scores.shape[1])

    def with_patience(self, patience: int) -> Curves:
        """Return the same curves under early stopping."""
        return Curves(self.scores, patience)

    @cached_property
    def best(self) -> FloatArray:
        """Best score within the first epochs, (n_configs, max_epochs)."""
        return np.maximum.accumulate(self.scores, axis=1)

    @cached_property
    def diverged(self) -> NDArray[np.bool_]:
        """Whether a config diverges before it ends by itself, (n_configs,)."""
        last = self.scores[np.arange(len(self)), self.ends - 1]
        return np.isneginf(last)

    @cached_property
    def ends(self) -> IntArray:
        """Epoch after which nothing is left to train, (n_configs,)."""
        epochs = np.arange(1, self.max_epochs + 1)
        over = np.isneginf(self.scores) | (epochs == self.max_epochs)
        if self.patience:
            over |= epochs - self._best_epochs >= self.patience
        return epochs[over.argmax(axis=1)]

    @cached_property
    def _best_epochs(self) -> IntArray:
        # the first of equals, as a fit that trains counts it; before any score, epoch 0
        best = self.best
        before = np.pad(best[:, :-1], ((0, 0), (1, 0)), constant_values=NO_SCORE)
        improved = np.where(best > before, np.arange(1, self.max_epochs + 1), 0)
        return np.maximum.accumulate(improved, axis=1)


@dataclass(frozen=True)
class Pool:
    """All recorded configs from which a replay draws searches.

    Attributes
    ----------
    name
        The recording and the model.
    curves
        One seed of every config.
    seed_sd
        Standard deviation of a config's final best score over seeds, pooled over the best
        configs: the standard error of what a search reports.
    """

    name: str
    curves: Curves
    seed_sd: float


def load_pools() -> dict[str, Pool]:
    """Read what `benchmarks.record_curves` wrote: one pool per recording and model."""
    table = pd.read_parquet(FILE)
    return {
        f"{recording}/{model}": _pool(f"{recording}/{model}", part)
        for (recording, model), part in table.groupby(["recording", "model"], sort=False)
    }


def _pool(name: str, table: pd.DataFrame) -> Pool:
    first = table[table["repeat"] == 0].sort_values("number")
    scores = np.full((len(first), int(first["max_epochs"].iloc[0])), NO_SCORE)
    for row, curve in zip(scores, first["score"], strict=True):
        row[: len(curve)] = curve
    repeated = table[table.groupby("number")["repeat"].transform("max") > 0]
    best = repeated["score"].map(np.max)
    seed_sd = float(np.sqrt(best.groupby(repeated["number"]).var().mean()))
    return Pool(name, Curves(scores), seed_sd)


@dataclass(frozen=True)
class Outcome:
    """The result of one search.

    Attributes
    ----------
    epochs, share
        Epochs trained, and their share of training every config to its end.
    chosen
        Number of the best fully trained config, as a sweep chooses it.
    regret
        How far the chosen config, fully trained, is below the best of the search.
    regret_as_stopped
        The same with the score that the chosen config had when it stopped.
    """

    epochs: int
    share: float
    chosen: int
    regret: float
    regret_as_stopped: float


def halve(curves: Curves, rule: RungRule) -> IntArray:
    """Return the epochs that `FoldSearch` trains each config under the same rule, (n_configs,)."""
    trained = np.zeros(len(curves), dtype=np.int64)
    size = rule.batch_size or len(curves)
    for first in range(0, len(curves), size):
        alive = set(range(first, min(first + size, len(curves))))
        for milestone in rule.milestones:
            _train(curves, alive, milestone, trained)
            held = {number for number in alive if curves.ends[number] > milestone}
            alive = rule.promoted(_table(curves, milestone, trained), held) if held else set()
        _train(curves, alive, curves.max_epochs, trained)
    return trained


def _train(curves: Curves, numbers: set[int], epochs: int, trained: IntArray) -> None:
    rows = sorted(numbers)
    trained[rows] = np.minimum(curves.ends[rows], epochs)


def _table(curves: Curves, milestone: int, trained: IntArray) -> dict[int, float]:
    complete = (trained > 0) & (trained == curves.ends)
    ranked = np.flatnonzero((trained >= milestone) | complete)
    scores = curves.best[ranked, np.minimum(trained[ranked], milestone) - 1]
    return dict(zip(ranked.tolist(), scores.tolist(), strict=True))


def judge(curves: Curves, trained: IntArray) -> Outcome:
    """Return the result of a search that trained its configs for that many epochs.

    Raises
    ------
    ValueError
        If it trained no config to its end without divergence.
    """
    complete = (trained == curves.ends) & ~curves.diverged
    if not complete.any():
        raise ValueError(f"of {len(curves)} configs none is fully trained; change the scheduler")
    reached = curves.best[np.arange(len(curves)), np.maximum(trained, 1) - 1]
    chosen = int(np.where(complete, reached, NO_SCORE).argmax())
    whole = curves.with_patience(0)
    final = np.where(whole.diverged, NO_SCORE, whole.best[:, -1])
    return Outcome(
        epochs=int(trained.sum()),
        share=float(trained.sum() / whole.ends.sum()),
        chosen=chosen,
        regret=float(final.max() - curves.best[chosen, -1]),
        regret_as_stopped=float(final.max() - reached[chosen]),
    )
