"""Cross-validate a model over folds, and test its gain over geography against surrogates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from gx2c.data import Brain, FloatArray
from gx2c.errors import UserError
from gx2c.estimators import ESTIMATORS, Estimator
from gx2c.fit.network import derive_seed
from gx2c.fit.null_draw import NullDraw
from gx2c.metrics import HEADLINE, METRICS
from gx2c.nulls import DEFAULT_SURROGATE, caution, check_nulls, spin_p_value
from gx2c.splits import Fold

__all__ = ["CrossValidation", "NullTest", "cross_validate", "null_test"]


@dataclass(frozen=True, repr=False)
class CrossValidation:
    """Scores of one model on the test regions of each fold.

    Attributes
    ----------
    scores
        A row for each fold, a column for each of `gx2c.metrics.METRICS`, over test edges; NaN
        where the fit diverged.
    predictions
        For each fold (n_test_regions, n_test_regions), in the order of `Fold.test_regions`.
    """

    scores: pd.DataFrame
    predictions: tuple[FloatArray, ...]

    @property
    def mean(self) -> dict[str, float]:
        """Each metric averaged over folds; NaN if one fold has none."""
        return dict(self.scores.mean(skipna=False))

    def __repr__(self) -> str:
        means = ", ".join(f"{name} {value:.3f}" for name, value in self.mean.items())
        return f"CrossValidation({means}; {len(self.scores)} folds)"


@dataclass(frozen=True, repr=False)
class NullTest:
    """A model's gain over geography on true and on surrogate expression.

    Attributes
    ----------
    gain
        Mean test r over folds, less that of the geography baseline.
    p_value
        One-sided, (b + 1) / (n + 1), where b surrogates gained as much or more.
    nulls
        (n,) the gain of the model when retrained on each surrogate.
    caution
        Why the p-value should be read with care; empty if nothing is known against it.
    """

    gain: float
    p_value: float
    nulls: FloatArray
    caution: str

    def __repr__(self) -> str:
        nulls = f"nulls {self.nulls.mean():+.3f}, n {len(self.nulls)}"
        warned = f"; {self.caution}" if self.caution else ""
        return f"NullTest(gain {self.gain:+.3f} ({nulls}), p = {self.p_value:.3f}{warned})"


def cross_validate(
    model: Estimator, brain: Brain, folds: Sequence[Fold], *, seed: int = 0
) -> CrossValidation:
    """Fit a model on each fold's training regions and score it on the test regions.

    Parameters
    ----------
    model
        An estimator of `gx2c.models`; it is not changed.
    brain
        The brain.
    folds
        From `gx2c.make_folds`.
    seed
        Random seed of networks; each fold has its own, derived from it.

    Raises
    ------
    UserError
        If the model, the brain or the folds cannot be used.
    """
    _check(model, folds, seed)
    results = [
        model.retrain([brain], fold, seeds=[derive_seed(seed, number, 0)])[0]
        for number, fold in enumerate(folds)
    ]
    rows = [result.scores or dict.fromkeys(METRICS, np.nan) for result in results]
    index = pd.Index([fold.name or number for number, fold in enumerate(folds)], name="fold")
    return CrossValidation(pd.DataFrame(rows, index=index), tuple(r.predicted for r in results))


def null_test(
    model: Estimator,
    brain: Brain,
    folds: Sequence[Fold],
    *,
    surrogate: str = DEFAULT_SURROGATE,
    n: int = 99,
    seed: int = 0,
    n_jobs: int = 1,
) -> NullTest:
    """Test whether a model gains more over geography with the true genes than with surrogates.

    The model is retrained with the same parameters on n surrogates of the brain, in which
    expression is moved or redrawn so that its spatial autocorrelation remains and its pairing with
    the connectome does not. The geography baseline reads no genes, so it is fitted once.

    Parameters
    ----------
    model, brain, folds
        As for `cross_validate`; the model must read expression.
    surrogate
        A name in `gx2c.nulls.SURROGATES`.
    n
        Number of surrogates; the smallest possible p-value is 1 / (n + 1).
    seed
        Random seed of surrogates and networks.
    n_jobs
        Processes among which the folds are divided; the result does not depend on it.

    Raises
    ------
    UserError
        As `cross_validate`; if there is no such surrogate or the brain lacks what it needs, if
        the model reads no expression, or if it diverged on the true brain.

    References
    ----------
    Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9(1), 39 (p-value).
    """
    _check(model, folds, seed)
    if not model.config(brain).reads_genes:
        raise UserError(
            f"{model} reads no expression, so surrogates cannot change it; give a model that does"
        )
    if not isinstance(n, int) or n < 1:
        raise UserError(f"n is {n!r}; give a whole number of surrogates, at least 1")
    check_nulls(brain, method=surrogate, moves="genes", seed=seed)
    geography = cross_validate(ESTIMATORS["Geography"](), brain, folds).mean[HEADLINE]
    gain = cross_validate(model, brain, folds, seed=seed).mean[HEADLINE] - geography
    jobs = [
        delayed(model.null_scores)(
            NullDraw(brain, fold, range(n), surrogate, seed),
            seeds=[derive_seed(seed, number, k + 1) for k in range(n)],
        )
        for number, fold in enumerate(folds)
    ]
    scores = [
        [one[HEADLINE] if one else np.nan for one in found] for found in Parallel(n_jobs)(jobs)
    ]
    # a correlation that is undefined explains nothing, as in a sweep's nulls
    nulls = np.nan_to_num(scores).mean(axis=0) - geography
    contains = model.spec.contains_geography
    return NullTest(gain, spin_p_value(gain, nulls), nulls, caution(surrogate, nested=contains))


def _check(model: Estimator, folds: Sequence[Fold], seed: int) -> None:
    if not isinstance(model, Estimator):
        raise UserError(f"{model!r} is no estimator; give one such as gx2c.models.SMT()")
    if not isinstance(folds, Sequence) or not folds or not isinstance(folds[0], Fold):
        raise UserError("folds are needed as gx2c.make_folds returns them, at least one")
    if not isinstance(seed, int) or seed < 0:
        raise UserError(f"seed is {seed!r}; give a whole number from 0 on")
