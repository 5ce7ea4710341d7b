"""The evidence for a verdict, from the files of a run."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.fit import FitConfig
from gx2c.fit.retrain import fit_predict_closed_form
from gx2c.fit.scoring import mean_scores
from gx2c.metrics import HEADLINE, gain_interval, score_edges
from gx2c.models.names import GEOGRAPHY
from gx2c.nulls import sequential_p_value, spin_p_value
from gx2c.verdict import LADDER, Comparison, Evidence, NullTest
from sweeps.folder.paths import SweepPaths
from sweeps.folder.results import read_connectome
from sweeps.nulls.candidates import Candidate
from sweeps.phases.control import control_paths
from sweeps.phases.retrain import read_scores
from sweeps.request.options import reads_genes
from sweeps.request.plan import SweepPlan
from sweeps.request.table import GENES

DECAY = FitConfig("exponential_decay")
# A surrogate that can no longer be significant ends after so many nulls as good as the model
STOP_AFTER = 10
# A bound is one end of a two-sided interval
LEVEL = 0.90

# Scores averaged over folds, each null in a row, by model
Tables = Mapping[str, pd.DataFrame]


class Scored(NamedTuple):
    """A model on every outer fold: its r, and its predictions of the test regions."""

    r: Sequence[float]
    predicted: Sequence[FloatArray]

    @property
    def mean(self) -> float | None:
        """Mean r; None if undefined on a fold."""
        return _or_none(float(np.mean(self.r)))


def evidence_of(plan: SweepPlan, paths: SweepPaths, nulls: Mapping[str, Tables]) -> Evidence:
    """Compare a run's model with distance decay, geography, its control and its nulls.

    Parameters
    ----------
    plan, paths
        The sweep, whose models are retrained.
    nulls
        Tables of its nulls by surrogate, as far as they were run.
    """
    options = plan.options
    model, geography = (_of_run(plan, paths, name) for name in (options.model, GEOGRAPHY))
    control = control_paths(paths)
    n_folds = len(plan.folds)
    has_control = all(control.retrained(options.model, f).exists() for f in range(n_folds))
    decay = _decay(plan)
    return Evidence(
        r=model.mean,
        decay=Comparison(None, None, None) if decay is None else _compare(plan, model, decay),
        geography=_compare(plan, model, geography),
        coordinates=_compare(plan, model, _of_run(plan, control, options.model))
        if has_control
        else None,
        nulls=null_tests(plan, paths, nulls),
        impossible=dict(plan.null_kinds.impossible),
        reads_genes=reads_genes(options.model, options.features),
        tuned=options.null_search != "full",
    )


def null_tests(
    plan: SweepPlan, paths: SweepPaths, nulls: Mapping[str, Tables]
) -> dict[str, NullTest]:
    """Return the tests of the verdict's surrogates, if genes alone moved and r is defined."""
    if plan.options.null_moves != GENES:
        return {}
    found = {
        kind: null_test(plan, paths, kind, tables)
        for kind, tables in nulls.items()
        if kind in LADDER
    }
    return {kind: test for kind, test in found.items() if test is not None}


def null_test(plan: SweepPlan, paths: SweepPaths, kind: str, tables: Tables) -> NullTest | None:
    """Test the gain over geography; the first surrogate never ends early."""
    model, n_folds = plan.options.model, len(plan.folds)
    test, geography = (mean_scores(read_scores(paths, m, n_folds)) for m in (model, GEOGRAPHY))
    candidate = Candidate.of(model, {}, tables, model=model, test=test, geography=geography)
    observed, gains = candidate.by(HEADLINE)
    if not math.isfinite(observed):
        return None
    if kind == plan.null_kinds.names[0] or not plan.null_kinds.as_needed:
        return NullTest(spin_p_value(observed, gains), len(gains))
    found = sequential_p_value(observed, gains, stop_after=STOP_AFTER)
    return NullTest(found.p_value, found.n_used, found.stopped)


def _of_run(plan: SweepPlan, paths: SweepPaths, model: str) -> Scored:
    folds = range(len(plan.folds))
    return Scored(
        [scores[HEADLINE] for scores in read_scores(paths, model, len(folds))],
        [read_connectome(paths.predicted(model, f, plan.brain.name))[1] for f in folds],
    )


def _decay(plan: SweepPlan) -> Scored | None:
    """Fit exponential decay with distance in each outer fold; None if it cannot be fitted."""
    try:
        predicted = [fit_predict_closed_form(DECAY, plan.brain, fold) for fold in plan.folds]
    except UserError:
        return None
    r = [
        score_edges(one, plan.brain.connectome_block(fold.test_regions), edges=fold.scored_edges())[
            HEADLINE
        ]
        for one, fold in zip(predicted, plan.folds, strict=True)
    ]
    return Scored(r, predicted)


def _compare(plan: SweepPlan, model: Scored, rival: Scored) -> Comparison:
    found = gain_interval(
        model.predicted,
        rival.predicted,
        [plan.brain.connectome_block(fold.test_regions) for fold in plan.folds],
        regions=[fold.test_regions for fold in plan.folds],
        edges=[fold.scored_edges() for fold in plan.folds],
        seed=plan.options.seed,
        level=LEVEL,
    )
    gain = float(np.mean(np.subtract(model.r, rival.r)))
    per_fold = [_or_none(r) for r in rival.r]
    return Comparison(rival.mean, _or_none(gain), _or_none(found.low), per_fold)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
