"""The numbers of a finished sweep."""

from collections.abc import Mapping, Sequence
from typing import Any

from gx2c.data.dataset import references_of
from gx2c.data.two_brains import training_part
from gx2c.files import file_digest
from gx2c.fit import FitConfig
from gx2c.metrics import METRICS, average_scores, better_by
from gx2c.models.names import GEOGRAPHY, families_of
from gx2c.splits import SPLITTERS, Fold
from gx2c.verdict import Evidence, verdict
from sweeps.folder.disk import folder_bytes
from sweeps.folder.paths import SweepPaths
from sweeps.folder.provenance import provenance
from sweeps.folder.records import ConfigRecord, Records
from sweeps.folder.results import read_result
from sweeps.folder.summary_file import Summary
from sweeps.folder.summary_parts import (
    FoldSummary,
    Gain,
    Geography,
    Provenance,
    Scores,
    TrialCounts,
)
from sweeps.nulls.summary import adjusted_for_geography, summarise_sweep_nulls
from sweeps.phases.retrain import profile_of, read_scores
from sweeps.request.notes import data_notes, search_notes
from sweeps.request.plan import SweepPlan
from sweeps.run.details import (
    alone_scores,
    averages,
    corrected,
    ensemble_of,
    family_scores,
    single_scores,
    summarise_details,
    summarise_train_test,
)
from sweeps.run.evidence import Tables


def summarise(
    plan: SweepPlan,
    paths: SweepPaths,
    *,
    records: Records,
    best: Mapping[tuple[str, int], ConfigRecord],
    nulls: Mapping[str, Tables],
    evidence: Evidence,
    seconds: Mapping[str, float],
    notes: Sequence[str] = (),
) -> Summary:
    """Assemble the summary of a sweep.

    Parameters
    ----------
    plan, paths
        The sweep; every model of it is retrained.
    records, best
        All finished configs, and the chosen one, per model and outer fold.
    nulls
        By surrogate in the order of the plan, one row per null, averaged over folds, by model.
    evidence
        The comparisons and null tests that decide the verdict.
    seconds
        Time spent in each phase.
    notes
        Notes to add to those of the plan.
    """
    options, model, n_folds = plan.options, plan.options.model, len(plan.folds)
    tests = {m: read_scores(paths, m, n_folds) for m in plan.models}
    test = averages(tests[model], plan.folds)
    inside = [best[GEOGRAPHY, fold].validation for fold in range(n_folds)]
    geography = against_geography(paths, tests, model, plan.folds, validation=inside)
    null_summaries = [
        (
            kind,
            summarise_sweep_nulls(
                plan.of_null_kind(kind).options,
                tables,
                test={name: test[name].mean for name in METRICS},
                geography={name: geography.test[name].mean for name in METRICS},
                brain=training_part(plan.brain),
            ),
        )
        for kind, tables in nulls.items()
    ]
    return Summary(
        model=model,
        dataset=plan.brain.name,
        split=options.split,
        split_label=SPLITTERS[options.split].label,
        deterministic_split=SPLITTERS[options.split].deterministic,
        seed=options.seed,
        n_regions=training_part(plan.brain).n_regions,
        n_genes=plan.n_genes(),
        conditions=options.conditions,
        folds=[
            _fold(plan, paths, records, best, fold, tests[model][fold]) for fold in range(n_folds)
        ],
        test=test,
        **single_scores(paths, model, plan.folds),
        **alone_scores(paths, model, plan.folds),
        **family_scores(paths, model, plan.folds),
        geography=geography,
        details=summarise_details(paths, plan.brain, plan.folds, plan.models),
        train_test=summarise_train_test(paths, plan.models, plan.folds),
        nulls=null_summaries[0][1] if null_summaries else None,
        more_nulls=dict(null_summaries[1:]),
        verdict=verdict(evidence),
        provenance=Provenance.model_validate(
            {
                **provenance(),
                "dataset": {
                    "name": plan.brain.name,
                    "checksum": plan.brain.checksum,
                    "references": "\n".join(references_of(options.dataset)),
                },
                "seeds": {"sweep": options.seed},
                "profile": profile_of(paths, plan, model, 0),
                "options": options.to_dict(),
                "disk_bytes": folder_bytes(paths.root),
                "warm_start": list(plan.warm.sources),
            }
        ),
        seconds=dict(seconds),
        notes=[*_notes(plan), *notes],
        files={
            str(path.relative_to(paths.root)): file_digest(path)
            for path in (*sorted(paths.root.glob("nulls/**/scores.tsv")), paths.regions)
            if path.exists()
        },
    )


def against_geography(
    paths: SweepPaths,
    tests: Mapping[str, Sequence[Scores]],
    model: str,
    folds: Sequence[Fold],
    *,
    validation: Sequence[Scores] = (),
) -> Geography:
    """Return geography's scores per outer fold and a model's gain over it.

    `validation` holds geography's validation scores, if it was searched.
    """
    inside: list[dict[str, Any]] = [{"validation": scores} for scores in validation]
    inside = inside or [{}] * len(tests[GEOGRAPHY])
    return Geography(
        model=GEOGRAPHY,
        folds=[
            FoldSummary(
                fold=fold.number,
                seed=fold.seed,
                test=test,
                **more,
                **ensemble_of(read_result(paths, GEOGRAPHY, place)),
            )
            for place, (fold, test, more) in enumerate(
                zip(folds, tests[GEOGRAPHY], inside, strict=True)
            )
        ],
        test=averages(tests[GEOGRAPHY], folds),
        gain=gains(tests[model], tests[GEOGRAPHY], folds),
    )


def gains(
    scores: Sequence[Scores], baseline: Sequence[Scores], folds: Sequence[Fold] = ()
) -> dict[str, Gain]:
    """Average the difference of each metric over folds; positive is better, also for losses."""
    differences = [better_by(mine, theirs) for mine, theirs in zip(scores, baseline, strict=True)]
    found = {}
    for name, average in average_scores(differences).items():
        per_fold = [one[name] for one in differences]
        interval = corrected(per_fold, folds, "se", "low", "high")
        found[name] = Gain(**{**average, **interval}, per_fold=per_fold)
    return found


def _fold(
    plan: SweepPlan,
    paths: SweepPaths,
    records: Records,
    best: Mapping[tuple[str, int], ConfigRecord],
    number: int,
    test: Scores,
) -> FoldSummary:
    model = plan.options.model
    retrained, fold = read_result(paths, model, number), plan.folds[number]
    states = [r.state for name in families_of(model) for r in records[name, number]]
    chosen: dict[str, Any] = {}
    if one := best.get((model, number)):
        chosen = {
            "best_config": retrained.config,
            "uses": list(FitConfig.from_dict(retrained.config).uses),
            "epochs": len(retrained.learning_rates),
            "validation": one.validation,
        }
    return FoldSummary(
        fold=fold.number,
        seed=fold.seed,
        name=fold.name,
        blocks=None if fold.blocks is None else fold.blocks.tolist(),
        n_train_regions=len(fold.train_regions),
        n_test_regions=len(fold.test_regions),
        **chosen,
        test=test,
        **ensemble_of(retrained),
        trials=TrialCounts(
            total=len(states), pruned=states.count("PRUNED"), failed=states.count("FAILED")
        ),
    )


def _notes(plan: SweepPlan) -> list[str]:
    notes = search_notes(plan)
    splitter = SPLITTERS[plan.options.split]
    if splitter.label:
        notes.append(f"{splitter.label}: its scores are optimistic")
    if splitter.deterministic:
        notes.append(
            f"split {plan.options.split} is the same for every seed: its folds are not a random "
            "sample, so no t-test over them is valid"
        )
    notes += data_notes(plan)
    if plan.options.nulls and not adjusted_for_geography(plan.options):
        notes.append(
            "the gain over nulls is not adjusted for geography: permuting genes also removes "
            "location information; the gain over geography is the fair comparison"
        )
    notes += [
        f"the search started from {sum(source['trials'][plan.options.model])} earlier trials of "
        f"{source['run']}, each only in folds that train on all its regions; their epochs are not "
        "counted here"
        for source in plan.warm.sources
    ]
    if plan.options.trial_timeout_min:
        notes.append("with --trial-timeout the search depends on the speed of the machine")
    if plan.options.scheduler == "asha-async":
        notes.append("scheduler asha-async: the search depends on timing and is not reproducible")
    return notes
