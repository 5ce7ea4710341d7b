"""The numbers of a finished sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gx2c.fit import FitConfig
from gx2c.metrics import METRICS, average_scores
from sweeps.conditions import conditions
from sweeps.details import summarise_details, summarise_train_test
from sweeps.disk import folder_bytes
from sweeps.null_summary import adjusted_for_geography, summarise_sweep_nulls
from sweeps.options import GEOGRAPHY
from sweeps.paths import SweepPaths
from sweeps.plan import SweepPlan
from sweeps.provenance import provenance
from sweeps.records import ConfigRecord
from sweeps.retrain_phase import read_retrained
from sweeps.split_options import SplitOptions

Records = Mapping[tuple[str, int], Sequence[ConfigRecord]]


def summarise(
    plan: SweepPlan,
    paths: SweepPaths,
    *,
    records: Records,
    best: Mapping[tuple[str, int], ConfigRecord],
    nulls: Mapping[str, pd.DataFrame] | None,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Put a sweep's results together.

    Parameters
    ----------
    plan, paths
        Of the sweep.
    records, best
        All finished configs, and the chosen one, per model and outer fold.
    nulls
        One row per null, averaged over folds, by model; None without nulls.
    seconds
        Per phase.
    """
    options = plan.options
    tests = {m: _tests(paths, m, len(plan.folds)) for m in plan.models}
    averaged = {m: average_scores(scores) for m, scores in tests.items()}
    return {
        "model": options.model,
        "dataset": plan.brain.name,
        **split_facts(options),
        "seed": options.seed,
        "n_regions": plan.brain.n_regions,
        "n_genes": plan.n_genes(),
        "conditions": conditions(options),
        "folds": [
            _fold(plan, options.model, fold, records, best, tests[options.model][fold])
            for fold in range(len(plan.folds))
        ],
        "test": averaged[options.model],
        "geography": {
            "model": GEOGRAPHY,
            "folds": [
                {"fold": f, "validation": best[GEOGRAPHY, f].validation, "test": test}
                for f, test in enumerate(tests[GEOGRAPHY])
            ],
            "test": averaged[GEOGRAPHY],
            "gain": gains(tests[options.model], tests[GEOGRAPHY]),
        },
        "details": summarise_details(paths, plan.brain, plan.folds, plan.models),
        "train_test": summarise_train_test(paths, plan.models, len(plan.folds)),
        "nulls": None
        if nulls is None
        else summarise_sweep_nulls(
            options,
            nulls,
            test={name: averaged[options.model][name]["mean"] for name in METRICS},
            geography={name: averaged[GEOGRAPHY][name]["mean"] for name in METRICS},
            brain=plan.brain,
        ),
        "provenance": _provenance(plan, paths),
        "seconds": dict(seconds),
        "notes": _notes(plan),
    }


def split_facts(options: SplitOptions) -> dict[str, Any]:
    """Return what every output says of the split."""
    return {
        "split": options.split,
        "split_label": options.split_label,
        "deterministic_split": options.deterministic_split,
    }


def gains(
    scores: Sequence[Mapping[str, float]], baseline: Sequence[Mapping[str, float]]
) -> dict[str, Any]:
    """Average the difference of each metric over folds; positive is better, for losses too."""
    signs = {name: 1.0 if metric.larger_is_better else -1.0 for name, metric in METRICS.items()}
    differences = [
        {name: sign * (mine[name] - theirs[name]) for name, sign in signs.items()}
        for mine, theirs in zip(scores, baseline, strict=True)
    ]
    averaged = average_scores(differences)
    return {
        name: {**averaged[name], "per_fold": [d[name] for d in differences]} for name in METRICS
    }


def _tests(paths: SweepPaths, model: str, n_folds: int) -> list[dict[str, float]]:
    return [
        {name: np.nan if value is None else value for name, value in record["test"].items()}
        for record in read_retrained(paths, model, n_folds)
    ]


def _fold(
    plan: SweepPlan,
    model: str,
    fold: int,
    records: Records,
    best: Mapping[tuple[str, int], ConfigRecord],
    test: Mapping[str, float],
) -> dict[str, Any]:
    states = [record.state for record in records[model, fold]]
    chosen, blocks = best[model, fold], plan.folds[fold].blocks
    return {
        "fold": fold,
        "name": plan.folds[fold].name,
        "blocks": None if blocks is None else blocks.tolist(),
        "n_train_regions": len(plan.folds[fold].train_regions),
        "n_test_regions": len(plan.folds[fold].test_regions),
        "best_config": chosen.config,
        "uses": list(FitConfig.from_dict(chosen.config).uses),
        "passes": chosen.passes,
        "validation": chosen.validation,
        "test": dict(test),
        "trials": {
            "total": len(states),
            "pruned": states.count("PRUNED"),
            "failed": states.count("FAILED"),
        },
    }


def _provenance(plan: SweepPlan, paths: SweepPaths) -> dict[str, Any]:
    return {
        **provenance(),
        "dataset": {"name": plan.brain.name, "checksum": plan.brain.checksum},
        "seeds": {"sweep": plan.options.seed},
        "profile": plan.profile.to_dict(),
        "options": plan.options.to_dict(),
        "disk_bytes": folder_bytes(paths.root),
        "warm_start": list(plan.warm.sources),
    }


def _notes(plan: SweepPlan) -> list[str]:
    notes = plan.search_notes()
    if plan.options.split_label:
        notes.append(f"{plan.options.split_label}: its scores are optimistic")
    if plan.options.deterministic_split:
        notes.append(
            f"split {plan.options.split} is the same for every seed: its folds are no random "
            "sample, so that no t-test over them is valid"
        )
    if plan.brain.excluded:
        names = ", ".join(plan.brain.excluded)
        notes.append(f"{len(plan.brain.excluded)} region(s) without expression left out: {names}")
    if plan.options.nulls and not adjusted_for_geography(plan.options):
        notes.append(
            "the gain over nulls is not adjusted for geography: spun genes also lose what genes "
            "say of place; the gain over geography is the honest rival"
        )
    notes += [_warm_note(plan.options.model, source) for source in plan.warm.sources]
    if plan.options.trial_timeout_min:
        notes.append("with --trial-timeout the search depends on the speed of the machine")
    if plan.options.scheduler == "asha-async":
        notes.append("scheduler asha-async: the search depends on timing and is not reproducible")
    return notes


def _warm_note(model: str, source: Mapping[str, Any]) -> str:
    return (
        f"the search was told of {sum(source['trials'][model])} earlier trials of {source['run']}, "
        "each only where all its regions train; their passes are not counted here"
    )
