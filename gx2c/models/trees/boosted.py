"""Gradient-boosted trees on the principal components of both regions; needs the extra `trees`."""

import importlib
import importlib.util
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import FloatArray, IntArray, Regions
from gx2c.errors import UserError
from gx2c.models.reduction import Reduction, fit_pca
from gx2c.models.spec import TREES, ModelSpec

# Pairs predicted at once: bounds memory whatever the number of regions
MAX_PAIRS_AT_ONCE = 200_000
DIGITS = 9


def missing_package() -> str:
    """Return a sentence that names the package to install, or "" if it is installed."""
    if importlib.util.find_spec("xgboost") is not None:
        return ""
    return (
        "the model xgboost needs the package xgboost, which is not installed; "
        "run `pip install 'gx2c[trees]'`, or choose another model"
    )


class PairTrees:
    """Boosted regression trees on [s_i ; s_j], s the scores of principal components.

    Both orders of a pair are rows of the training table, and both are predicted and averaged. The
    components keep the table small: pairs x genes would be gigabytes.

    Parameters
    ----------
    n_components
        See `gx2c.models.reduction.fit_pca`.
    n_trees, max_depth, learning_rate, row_share, column_share, min_split_gain, l2, l1, min_weight
        `n_estimators`, `max_depth`, `learning_rate`, `subsample`, `colsample_bytree`, `gamma`,
        `reg_lambda`, `reg_alpha` and `min_child_weight` of `xgboost.XGBRegressor`.
    seed
        Seed of the rows and columns that each tree draws.

    References
    ----------
    Chen & Guestrin (2016), KDD, 785; settings as in GeneEx2Conn, NeurIPS 2025, model `xgboost`.
    """

    LEARNED: ClassVar[tuple[str, ...]] = ("_reduction", "grown")

    def __init__(
        self,
        *,
        n_components: int = 27,
        n_trees: int = 250,
        max_depth: int = 5,
        learning_rate: float = 0.1,
        row_share: float = 0.8,
        column_share: float = 0.8,
        min_split_gain: float = 0.1,
        l2: float = 0.1,
        l1: float = 0.01,
        min_weight: float = 3,
        seed: int = 42,
    ) -> None:
        self.n_components, self.n_trees, self.max_depth = n_components, n_trees, max_depth
        self.settings = {
            "n_estimators": n_trees,
            "max_depth": max_depth,
            # xgboost refuses numbers too small for its float32
            "learning_rate": round(learning_rate, DIGITS),
            "subsample": row_share,
            "colsample_bytree": column_share,
            "gamma": round(min_split_gain, DIGITS),
            "reg_lambda": round(l2, DIGITS),
            "reg_alpha": round(l1, DIGITS),
            "min_child_weight": min_weight,
            "random_state": seed,
            "tree_method": "hist",
            # threads change sums, and trials already share the cores
            "n_jobs": 1,
        }

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Grow trees on all ordered training pairs; see `Model.fit`.

        Raises
        ------
        UserError
            If the package xgboost is not installed.
        """
        self._trees = self._no_trees()
        self._reduction: Reduction = fit_pca(training.expression, n_components=self.n_components)
        scores = self._reduction.transform(training.expression)
        first, second = np.nonzero(~np.eye(len(scores), dtype=bool))
        self._trees.fit(_pair_features(scores, first, second), connectome[first, second])

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among unseen regions; see `Model.predict`."""
        scores = self._reduction.transform(regions.expression)
        n = len(scores)
        directed = np.empty((n, n))
        rows_at_once = max(1, MAX_PAIRS_AT_ONCE // n)
        for start in range(0, n, rows_at_once):
            rows = np.arange(start, min(n, start + rows_at_once))
            first, second = np.repeat(rows, n), np.tile(np.arange(n), len(rows))
            predicted = self._trees.predict(_pair_features(scores, first, second))
            directed[rows] = predicted.reshape(len(rows), n)
        return (directed + directed.T) / 2

    @property
    def grown(self) -> bytes:
        """The trees in xgboost's own JSON; set it to predict with them."""
        return bytes(self._trees.get_booster().save_raw("json"))

    @grown.setter
    def grown(self, trees: bytes) -> None:
        self._trees = self._no_trees()
        self._trees.load_model(bytearray(trees))

    def _no_trees(self) -> Any:
        if problem := missing_package():
            raise UserError(problem)
        return importlib.import_module("xgboost").XGBRegressor(**self.settings)

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return the maximum number of thresholds and leaves of all trees; see `Model`."""
        return int(self.n_trees * (2 ** (self.max_depth + 1) - 1))


def _pair_features(scores: FloatArray, first: IntArray, second: IntArray) -> NDArray[np.float32]:
    """Join the scores of both regions, (n_pairs, 2 * n_components)."""
    return np.hstack([scores[first], scores[second]]).astype(np.float32)


SPECS = (
    ModelSpec(
        "xgboost",
        PairTrees,
        TREES,
        summary="Boosted trees on principal components of both regions",
        reference="Chen & Guestrin (2016), KDD, 785; GeneEx2Conn, NeurIPS 2025",
        missing=missing_package,
        published={
            "n_trees": (150, 250, 350),
            "max_depth": (3, 4, 5, 6, 7),
            "learning_rate": (1e-4, 1e-3, 1e-2, 0.1),
            "row_share": (0.6, 0.8, 1.0),
            "column_share": (0.6, 0.8, 1.0),
            "min_split_gain": (0.0, 0.1, 0.5),
            "l2": (0.0, 1e-4, 0.01, 0.1, 1.0),
            "l1": (0.0, 1e-4, 0.01, 0.1, 1.0),
            "min_weight": (1, 3, 5),
            "n_components": (27,),
        },
    ),
)
