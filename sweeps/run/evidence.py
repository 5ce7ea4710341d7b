"""The evidence for a verdict, from the files of a run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gx2c.data import Brain
from gx2c.data.brain import FloatArray
from gx2c.data.two_brains import tested_name
from gx2c.errors import UserError
from gx2c.fit import FitConfig
from gx2c.fit.retrain import fit_predict_closed_form
from gx2c.fit.scoring import mean_scores
from gx2c.metrics import HEADLINE, gain_interval, score_edges
from gx2c.models.names import GEOGRAPHY, families_of
from gx2c.nulls import sequential_p_value, spin_p_value
from gx2c.splits import Fold
from gx2c.verdict import LADDER, Comparison, Evidence, NullTest
from sweeps.folder.paths import SweepPaths
from sweeps.folder.results import read_connectome
from sweeps.nulls.candidates import Candidate
from sweeps.nulls.summary import kept_in_nulls
from sweeps.phases.control import control_paths
from sweeps.phases.retrain import read_scores
from sweeps.request.contradictions import reads_genes
from sweeps.request.plan import SweepPlan
from sweeps.request.table import GENES

DECAY = FitConfig("exponential_decay")
# A surrogate that can no longer be significant ends after so many nulls as good as the model
STOP_AFTER = 10
# A bound is one end of a two-sided interval
LEVEL = 0.90
UNKNOWN = Comparison(None, None, None)

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


@dataclass(frozen=True)
class Retrained:
    """Retrained models on the outer folds of all seeds.

    Attributes
    ----------
    paths
        Folder of the retrained models.
    brain, folds
        The data, and the outer folds.
    """

    paths: SweepPaths
    brain: Brain
    folds: Sequence[Fold]

    def of(self, model: str) -> Scored:
        """Return the scores and predictions of one model."""
        folds = range(len(self.folds))
        return Scored(
            [scores[HEADLINE] for scores in read_scores(self.paths, model, len(folds))],
            [read_connectome(self.paths.predicted(model, f, self.brain.name))[1] for f in folds],
        )

    def has(self, model: str) -> bool:
        """Return whether a model was retrained on every fold."""
        return all(self.paths.retrained(model, fold).exists() for fold in range(len(self.folds)))

    def decay(self) -> Scored | None:
        """Fit exponential decay with distance in each fold; None if it cannot be fitted."""
        try:
            predicted = [fit_predict_closed_form(DECAY, self.brain, fold) for fold in self.folds]
        except UserError:
            return None
        measured = [self.brain.connectome_block(fold.test_regions) for fold in self.folds]
        return Scored(
            [
                score_edges(one, truth, edges=fold.scored_edges())[HEADLINE]
                for one, truth, fold in zip(predicted, measured, self.folds, strict=True)
            ],
            predicted,
        )

    def compare(self, model: Scored, rival: Scored) -> Comparison:
        """Compare two models; regions are resampled once for all folds and seeds."""
        found = gain_interval(
            model.predicted,
            rival.predicted,
            [self.brain.connectome_block(fold.test_regions) for fold in self.folds],
            regions=[fold.test_regions for fold in self.folds],
            edges=[fold.scored_edges() for fold in self.folds],
            seed=self.folds[0].seed,
            level=LEVEL,
        )
        gain = float(np.mean(np.subtract(model.r, rival.r)))
        per_fold = [_or_none(r) for r in rival.r]
        return Comparison(rival.mean, _or_none(gain), _or_none(found.low), per_fold)

    def evidence(self, name: str, **more: Any) -> Evidence:
        """Compare a model with distance decay and geography; keywords are those of `Evidence`."""
        model, families = self.of(name), families_of(name)
        return Evidence(
            r=model.mean,
            decay=self.over_decay(name),
            geography=self.compare(model, self.of(GEOGRAPHY)),
            tested_on=tested_name(self.brain),
            averages=[*families] if len(families) > 1 else [],
            **more,
        )

    def over_decay(self, name: str) -> Comparison:
        """Compare a model with distance decay, if that can be fitted."""
        decay = self.decay()
        return UNKNOWN if decay is None else self.compare(self.of(name), decay)


def evidence_of(plan: SweepPlan, paths: SweepPaths) -> Evidence:
    """Compare the retrained model of a sweep with distance decay and geography."""
    options = plan.options
    return Retrained(paths, plan.brain, plan.folds).evidence(
        options.model,
        impossible=dict(plan.null_kinds.impossible),
        reads_genes=reads_genes(options.model, options.features),
        tuned=options.null_search != "full",
        kept=kept_in_nulls(options),
        started=bool(options.init_from),
    )


def with_control(evidence: Evidence, plan: SweepPlan, paths: SweepPaths) -> Evidence:
    """Add the comparison with the control, if it was retrained."""
    model = plan.options.model
    control = Retrained(control_paths(paths), plan.brain, plan.folds)
    if not control.has(model):
        return evidence
    own = Retrained(paths, plan.brain, plan.folds).of(model)
    return replace(evidence, coordinates=control.compare(own, control.of(model)))


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


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
