"""Summary of a model's nulls: score and gain over geography, with cautions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gx2c.data.brain import Brain, FloatArray
from gx2c.fit.stacking import EQUAL
from gx2c.metrics import HEADLINE, METRICS, better_by
from gx2c.models.names import BEST, GEOGRAPHY, spec_of
from gx2c.nulls import (
    SURROGATES,
    NullSummary,
    caution,
    fdr_p_values,
    max_t_p_values,
    select_spins,
    summarise_nulls,
)
from gx2c.verdict import KEPT
from sweeps.folder.summary_parts import Nulls
from sweeps.nulls.group import UNSELECTED
from sweeps.request.options import SweepOptions

# Stated of nulls whose networks start as those of the result
STARTED = (
    "each null starts from the same model of measured genes as the result, which favours the "
    "measured genes: p is no test"
)
NESTED = "score with genes - score of geography, on the same folds"

# Stated of the headline metric's null distribution
HEADLINE_KEYS = ("p_value", "p_two_sided", "p_floor", "p_se", "z")

Scores = Mapping[str, float]


def summarise_sweep_nulls(
    options: SweepOptions,
    nulls: Mapping[str, pd.DataFrame],
    *,
    test: Scores,
    geography: Scores,
    brain: Brain,
) -> Nulls:
    """Compare a model's scores and its gains over geography with nulls.

    For selected spins p is descriptive; the summary then also describes the selection and the
    result of as many unselected spins.

    Parameters
    ----------
    options
        Options of the sweep.
    nulls
        One row per null, averaged over folds, by model; also of geography if coordinates moved.
    test, geography
        Each metric, averaged over folds, of the model and of geography on the true brain.
    brain
        The true brain.
    """
    selected = {m: table for m, table in nulls.items() if not m.startswith(UNSELECTED)}
    found = _summarise(options, selected, test=test, geography=geography)
    unselected = SURROGATES[options.null_method].selected_from
    if not unselected:
        return Nulls.model_validate(found)
    others = {m.removeprefix(UNSELECTED): t for m, t in nulls.items() if m not in selected}
    usual = replace(options, null_method=unselected)
    beside = _summarise(usual, others, test=test, geography=geography)
    more = {
        "descriptive": True,
        "selection": select_spins(brain, seed=options.seed).facts(found["n"]),
        "unselected": beside,
        "caution": f"{found['caution']}: {_p_words(Nulls.model_validate(beside))}",
    }
    return Nulls.model_validate(found | more)


def adjusted_for_geography(options: SweepOptions) -> bool:
    """Return whether the prediction contains the full spatial baseline, also in nulls.

    Only the gain of such a model over its nulls is evidence about genes alone.
    """
    return spec_of(options.model).contains_geography


def null_gains(nulls: Mapping[str, pd.DataFrame], model: str, *, geography: Scores) -> FloatArray:
    """Return each null's gain over geography, (n_nulls, n_metrics); larger is better.

    If coordinates or the connectome move, the gain is over geography on the same surrogate.
    """
    names, signs = list(METRICS), np.array([metric.sign for metric in METRICS.values()])
    mine = nulls[model][names].to_numpy(dtype=np.float64)
    rival = (
        nulls[GEOGRAPHY][names].to_numpy(dtype=np.float64)
        if GEOGRAPHY in nulls
        else np.array([geography[name] for name in names])
    )
    gains: FloatArray = signs * (mine - rival)
    return gains


def _p_words(nulls: Nulls) -> str:
    """Return the p-value of the gain over geography if it is tested, else of the score."""
    nested = nulls.over_geography
    p = nulls.p_value if nested is None else nested.by_metric[HEADLINE].p_value
    return f"p = {p:.3f} against {nulls.n} {nulls.method}"


def _summarise(
    options: SweepOptions,
    nulls: Mapping[str, pd.DataFrame],
    *,
    test: Scores,
    geography: Scores,
) -> dict[str, Any]:
    mine = nulls[options.model]
    summaries = {name: _compare(name, test[name], mine[name]) for name in METRICS}
    headline = summaries[HEADLINE]
    adjusted = adjusted_for_geography(options)
    found = caution(options.null_method, nested=adjusted)
    over_geography = _nested(nulls, options.model, test, geography) if adjusted else None
    return {
        "n": headline.n,
        "failed": int((mine["failed_folds"] > 0).sum()),
        "method": options.null_method,
        "moved": options.null_moves,
        "search": _search_words(options),
        "ensemble": options.ensemble,
        "adjusted_for_geography": adjusted,
        **{name: {"mean": s.mean, "sd": s.sd} for name, s in summaries.items()},
        "gain": {name: s.gain for name, s in summaries.items()},
        "p_values": {name: s.p_value for name, s in summaries.items()},
        **{key: getattr(headline, key) for key in HEADLINE_KEYS},
        "over_geography": over_geography,
        "caution": "; ".join(filter(None, [found, STARTED * bool(options.init_from)])),
    }


def kept_in_nulls(options: SweepOptions) -> str:
    """Return what nulls keep of what was found on the true data."""
    if options.model != BEST:
        return KEPT
    return f"{KEPT} of networks{'' if options.weights == EQUAL else ', and weights,'}"


def _search_words(options: SweepOptions) -> str:
    full = options.null_search == "full"
    return "full" if full else f"{kept_in_nulls(options)} tuned on the true data"


def _nested(
    nulls: Mapping[str, pd.DataFrame], model: str, test: Scores, geography: Scores
) -> dict[str, Any] | None:
    """Compare the gain over geography with that of nulls; None if a true score is undefined.

    Each metric has its own p-value and p-values adjusted over all metrics by max-T and FDR.
    """
    observed = np.array(list(better_by(test, geography).values()))
    if not np.isfinite(observed).all():
        return None
    gains = null_gains(nulls, model, geography=geography)
    found = [summarise_nulls(float(o), g) for o, g in zip(observed, gains.T, strict=True)]
    max_t = max_t_p_values(observed, gains).tolist()
    fdr = fdr_p_values(np.array([f.p_value for f in found])).tolist()
    by_metric = {
        name: {
            "gain": f.observed,
            "null_mean": f.mean,
            "null_sd": f.sd,
            **{key: getattr(f, key) for key in ("z", "p_value", "p_se", "p_two_sided")},
            "p_max_t": p_max_t,
            "p_fdr": p_fdr,
        }
        for name, f, p_max_t, p_fdr in zip(METRICS, found, max_t, fdr, strict=True)
    }
    return {"statistic": NESTED, "n": len(gains), **by_metric}


def _compare(metric: str, observed: float, nulls: pd.Series[float]) -> NullSummary:
    """Compare with nulls; an undefined score has no gain and no p-value."""
    defined = bool(np.isfinite(observed))
    found = summarise_nulls(
        observed if defined else 0.0,
        np.asarray(nulls, dtype=np.float64),
        larger_is_better=METRICS[metric].larger_is_better,
    )
    if defined:
        return found
    unknown = ("observed", "gain", "z", "p_value", "p_two_sided", "p_se")
    return NullSummary(**found._asdict() | dict.fromkeys(unknown, float("nan")))
