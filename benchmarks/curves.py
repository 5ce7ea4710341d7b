"""Recorded learning curves, ready to be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
        (n_configs, max_passes), larger is better; minus infinity from the pass that diverged.
    seconds
        (n_configs,), of one pass.
    patience
        Passes without a better score after which a config ends by itself; 0 for never.
    """

    scores: FloatArray
    seconds: FloatArray
    patience: int = 0

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def max_passes(self) -> int:
        """Passes of a curve that nothing stopped."""
        return int(self.scores.shape[1])

    def take(self, numbers: IntArray) -> Curves:
        """Return some configs in another order."""
        return Curves(self.scores[numbers], self.seconds[numbers], self.patience)

    def with_patience(self, patience: int) -> Curves:
        """Return the same curves under early stopping."""
        return Curves(self.scores, self.seconds, patience)

    @cached_property
    def best(self) -> FloatArray:
        """Best score within the first passes, (n_configs, max_passes)."""
        return np.maximum.accumulate(self.scores, axis=1)

    @cached_property
    def diverged(self) -> NDArray[np.bool_]:
        """Whether a config diverges before it ends by itself, (n_configs,)."""
        last = self.scores[np.arange(len(self)), self.ends - 1]
        return np.isneginf(last)

    @cached_property
    def ends(self) -> IntArray:
        """Pass after which nothing is left to train, (n_configs,)."""
        passes = np.arange(1, self.max_passes + 1)
        over = np.isneginf(self.scores) | (passes == self.max_passes)
        if self.patience:
            over |= passes - self._best_passes >= self.patience
        ends: IntArray = passes[over.argmax(axis=1)]
        return ends

    @cached_property
    def _best_passes(self) -> IntArray:
        # the first of equals, as a fit that trains counts it; before any score, pass 0
        best = self.best
        before = np.pad(best[:, :-1], ((0, 0), (1, 0)), constant_values=NO_SCORE)
        improved = np.where(best > before, np.arange(1, self.max_passes + 1), 0)
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


def load_pools(path: Path = FILE) -> dict[str, Pool]:
    """Read what `benchmarks.record_curves` wrote: one pool per recording and model."""
    table = pd.read_parquet(path)
    return {
        f"{recording}/{model}": _pool(f"{recording}/{model}", part)
        for (recording, model), part in table.groupby(["recording", "model"], sort=False)
    }


def _pool(name: str, table: pd.DataFrame) -> Pool:
    first = table[table["repeat"] == 0].sort_values("number")
    scores = np.full((len(first), int(first["max_passes"].iloc[0])), NO_SCORE)
    for row, curve in zip(scores, first["score"], strict=True):
        row[: len(curve)] = curve
    seconds = (first["seconds"] / first["passes"]).to_numpy()
    return Pool(name, Curves(scores, seconds), _seed_sd(table))


def _seed_sd(table: pd.DataFrame) -> float:
    repeated = table[table.groupby("number")["repeat"].transform("max") > 0]
    best = repeated["score"].map(np.max)
    return float(np.sqrt(best.groupby(repeated["number"]).var().mean()))
