"""What nulls say of a model and of its gain over geography, and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gx2c.data.brain import Brain, FloatArray
from gx2c.fit.task import GEOGRAPHY_RESIDUAL
from gx2c.metrics import METRICS
from gx2c.nulls import (
    DESCRIPTIVE,
    NullSummary,
    caution,
    fdr_p_values,
    max_t_p_values,
    select_spins,
    summarise_nulls,
)
from gx2c.nulls.spatiomolecular import CANDIDATE_METHOD
from sweeps.null_group import UNSELECTED
from sweeps.options import GEOGRAPHY, SweepOptions

# Models that contain the whole geography term: only their gain over nulls speaks of genes alone
ADJUSTED_FOR_GEOGRAPHY = ("geography+genes",)
HEADLINE = "pearson_r"
SIGNS = {name: 1.0 if metric.larger_is_better else -1.0 for name, metric in METRICS.items()}
NESTED = "score with genes - score of geography, on the same folds"

Scores = Mapping[str, float]


def summarise_sweep_nulls(
    options: SweepOptions,
    nulls: Mapping[str, pd.DataFrame],
    *,
    test: Scores,
    geography: Scores,
    brain: Brain,
) -> dict[str, Any]:
    """Compare a model's scores, and its gains over geography, with nulls.

    Selected spins give a p that is descriptive: what they are, and what as many unselected ones
    give, is put beside it.

    Parameters
    ----------
    options
        Of the sweep.
    nulls
        One row per null, averaged over folds, by model; geography's where its coordinates moved.
    test, geography
        Each metric, averaged over folds, of the model and of geography on the true brain.
    brain
        The true one.
    """
    selected = {m: table for m, table in nulls.items() if not m.startswith(UNSELECTED)}
    found = _summarise(options, selected, test=test, geography=geography)
    if options.null_method not in DESCRIPTIVE:
        return found
    others = {m.removeprefix(UNSELECTED): t for m, t in nulls.items() if m not in selected}
    usual = replace(options, null_method=CANDIDATE_METHOD)
    beside = _summarise(usual, others, test=test, geography=geography)
    return found | {
        "descriptive": True,
        "selection": select_spins(brain, seed=options.seed).facts(found["n"]),
        "unselected": beside,
        "caution": f"{found['caution']}: {_p_words(beside)}",
    }


def _p_words(summary: Mapping[str, Any]) -> str:
    """Give p of the gain over geography where it is tested, else of the score."""
    nested = summary["over_geography"]
    p = summary["p_value"] if nested is None else nested[HEADLINE]["p_value"]
    return f"p = {p:.3f} against {summary['n']} {summary['method']}"


def _summarise(
    options: SweepOptions,
    nulls: Mapping[str, pd.DataFrame],
    *,
    test: Scores,
    geography: Scores,
) -> dict[str, Any]:
    model = options.model
    mine = nulls[model]
    summaries = {name: _compare(name, test[name], mine[name]) for name in METRICS}
    headline = summaries[HEADLINE]
    adjusted = adjusted_for_geography(options)
    return {
        "n": headline.n,
        "failed": int((mine["failed_folds"] > 0).sum()),
        "method": options.null_method,
        "moved": options.null_moves,
        "search": "full" if options.null_search == "full" else "tuned on the true data",
        "adjusted_for_geography": adjusted,
        **{name: {"mean": s.mean, "sd": s.sd} for name, s in summaries.items()},
        "gain": {name: s.gain for name, s in summaries.items()},
        "p_values": {name: s.p_value for name, s in summaries.items()},
        "p_value": headline.p_value,
        "p_two_sided": headline.p_two_sided,
        "p_floor": headline.p_floor,
        "p_se": headline.p_se,
        "z": headline.z,
        "over_geography": nested_summary(nulls, model, test=test, geography=geography)
        if adjusted
        else None,
        "caution": caution(options.null_method, nested=adjusted),
    }


def adjusted_for_geography(options: SweepOptions) -> bool:
    """Tell whether the prediction contains the whole geography term, in nulls too."""
    return options.model in ADJUSTED_FOR_GEOGRAPHY or options.target == GEOGRAPHY_RESIDUAL


def nested_summary(
    nulls: Mapping[str, pd.DataFrame], model: str, *, test: Scores, geography: Scores
) -> dict[str, Any] | None:
    """Compare the gain over geography with that of nulls, metric by metric.

    p of the single metrics stands beside p over all of them: max-T, and the false discovery rate.

    Returns
    -------
    dict or None
        None where a score of the true brain is undefined.
    """
    observed = np.array([SIGNS[m] * (test[m] - geography[m]) for m in METRICS])
    if not np.isfinite(observed).all():
        return None
    gains = null_gains(nulls, model, geography=geography)
    found = [summarise_nulls(float(o), g) for o, g in zip(observed, gains.T, strict=True)]
    p_values = np.array([f.p_value for f in found])
    over_all = max_t_p_values(observed, gains), fdr_p_values(p_values)
    return {
        "statistic": NESTED,
        "n": len(gains),
        **{
            name: {
                "gain": f.observed,
                "null_mean": f.mean,
                "null_sd": f.sd,
                "z": f.z,
                "p_value": f.p_value,
                "p_se": f.p_se,
                "p_two_sided": f.p_two_sided,
                "p_max_t": float(max_t),
                "p_fdr": float(fdr),
            }
            for name, f, max_t, fdr in zip(METRICS, found, *over_all, strict=True)
        },
    }


def null_gains(nulls: Mapping[str, pd.DataFrame], model: str, *, geography: Scores) -> FloatArray:
    """Return each null's gain over geography, (n_nulls, n_metrics); larger is better.

    Where coordinates or the connectome move, over geography on the same surrogate.
    """
    names, signs = list(METRICS), np.array(list(SIGNS.values()))
    mine = nulls[model][names].to_numpy(dtype=np.float64)
    rival = (
        nulls[GEOGRAPHY][names].to_numpy(dtype=np.float64)
        if GEOGRAPHY in nulls
        else np.array([geography[name] for name in names])
    )
    gains: FloatArray = signs * (mine - rival)
    return gains


def _compare(metric: str, observed: float, nulls: pd.Series[float]) -> NullSummary:
    """Compare with nulls; an undefined score has no gain and no p-value."""
    scores = np.asarray(nulls, dtype=np.float64)
    better = METRICS[metric].larger_is_better
    if np.isfinite(observed):
        return summarise_nulls(observed, scores, larger_is_better=better)
    unknown = float("nan")
    found = summarise_nulls(0.0, scores, larger_is_better=better)
    return found._replace(
        observed=unknown,
        gain=unknown,
        z=unknown,
        p_value=unknown,
        p_two_sided=unknown,
        p_se=unknown,
    )
