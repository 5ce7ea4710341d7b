"""Rank finished runs of one dataset and split, with the same seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from gx2c.errors import UserError
from gx2c.metrics import HEADLINE, METRICS
from gx2c.models.names import families_of, spec_of
from sweeps.compare.finished_run import FinishedRun, name_among, read_finished
from sweeps.compare.over_runs import grade_among, over_runs
from sweeps.folder.paths import SweepPaths
from sweeps.folder.provenance import provenance
from sweeps.folder.records import RecordStore
from sweeps.folder.summary_file import Summary, read_summary
from sweeps.folder.summary_parts import Average, Averages, Gain, Number, Part, Provenance
from sweeps.phases.search import best_record
from sweeps.request.files import read_options

# A curve has not flattened if its best score rose by more than this share of its total rise within
# the last tenth of its epochs
LAST_EPOCHS = 0.1
STILL_RISING = 0.01


class Row(Part):
    """One run of a leaderboard.

    Max-T and FDR adjust over the models tested on the same surrogates, the first of each run;
    `p_joint` has p over these models for every surrogate of the verdict. `not_converged` lists the
    outer folds in which the validation curve of the chosen config was still rising. The grade is
    that of the run, with `p_joint` in place of its own p.
    """

    name: str
    model: str
    run: str
    kind: str
    uses: list[str]
    test: Averages
    single: Averages
    members: str
    per_fold: list[Number]
    gain: dict[str, Gain] | None
    p_value: Number | None
    p_floor: Number | None
    null_search: str | None
    descriptive: bool
    n_nulls: int
    trials: int
    pruned: int
    failed: int
    epochs: int
    seconds: float
    not_converged: list[int]
    genes: str
    samples: int
    max_epochs: int
    notes: list[str]
    p_max_t: float | None = None
    p_fdr: float | None = None
    p_joint: dict[str, float] = Field(default_factory=dict)
    candidates: int | None = None
    grade: int | None = None
    tested_up_to: int | None = None
    sentence: str | None = None

    @property
    def shown(self) -> Average:
        """The score that ranks runs."""
        return self.test[HEADLINE]


class Leaderboard(Part):
    """All rows, the best first, with their common settings."""

    dataset: str
    checksum: str
    split: str
    seeds: list[int]
    n_regions: int
    geography: Averages
    rows: list[Row]
    left_out: dict[str, str]
    provenance: Provenance


def make_leaderboard(
    runs: Sequence[Path], *, left_out: Mapping[str, str] | None = None
) -> Leaderboard:
    """Rank runs; `left_out` names the models without a run, each with the reason.

    Raises
    ------
    UserError
        If a run is not finished, runs have different folds, or two are the same.
    """
    finished = [read_finished(run) for run in runs]
    if not finished:
        raise UserError("there is no finished run to rank")
    _check_same_folds(finished)
    names, over_all = _names(finished), over_runs(finished)
    rows = [
        _row(run, name, over_all.get(run.root, {}))
        for name, run in zip(names, finished, strict=True)
    ]
    first = finished[0]
    return Leaderboard(
        dataset=first.summary.dataset,
        checksum=first.checksum,
        split=first.summary.split,
        seeds=first.summary.seeds,
        n_regions=first.summary.n_regions,
        geography={name: first.summary.rival(name) for name in METRICS},
        rows=sorted(rows, key=lambda row: (-_or_least(row.shown.mean), row.name)),
        left_out=dict(left_out or {}),
        provenance=Provenance.model_validate(provenance()),
    )


def best_networks(runs: Sequence[Path], n_best: int) -> list[str]:
    """Return the networks that read genes and have the best validation scores."""
    scores: dict[str, float] = {}
    for paths in map(SweepPaths, runs):
        summary = read_summary(paths)
        spec = spec_of(summary.model)
        if spec.trains_in_epochs and "expression" in spec.uses:
            scores[spec.name] = _mean_validation(summary, read_options(paths).metric)
    return sorted(scores, key=lambda model: (-scores[model], model))[:n_best]


def has_flattened(scores: Sequence[float | None]) -> bool:
    """Return whether a validation curve, one score per epoch, had stopped rising."""
    known = [_or_least(score) for score in scores]
    n_last = max(1, round(LAST_EPOCHS * len(known)))
    before = known[:-n_last]
    if not before:
        return True
    best = max(known)
    return best - max(before) <= STILL_RISING * (best - known[0])


def _mean_validation(summary: Summary, metric: str) -> float:
    name = metric.removeprefix("val_")
    values = [_or_least(fold.validation.get(name)) for fold in summary.folds]
    return METRICS[name].sign * sum(values) / len(values)


def _check_same_folds(runs: Sequence[FinishedRun]) -> None:
    first = runs[0]
    for run in runs[1:]:
        if (run.checksum, run.folds, run.scored) != (first.checksum, first.folds, first.scored):
            raise UserError(
                f"{run.root} and {first.root} have different data, folds or targets; rank runs of "
                "one dataset and split, with the same seeds"
            )


def _names(runs: Sequence[FinishedRun]) -> list[str]:
    by_name: dict[str, FinishedRun] = {}
    for run in runs:
        name = name_among(run, runs)
        if name in by_name:
            raise UserError(
                f"{run.root} and {by_name[name].root} are both runs of {run.model} with the same "
                "settings; give only one of them"
            )
        by_name[name] = run
    return list(by_name)


def _row(run: FinishedRun, name: str, over_all: Mapping[str, Any]) -> Row:
    summary, options, spec, nulls = run.summary, run.options, spec_of(run.model), run.summary.nulls
    store = RecordStore(run.paths)
    searches = [
        (fold, list(store.load(name, place).values()))
        for fold, place in enumerate(summary.places)
        for name in families_of(run.model)
    ]
    records = [record for _, tried in searches for record in tried]
    states = [record.state for record in records]
    geography = summary.geography
    return Row(
        name=name,
        model=run.model,
        run=run.root.name,
        kind=spec.fitted_by.kind,
        uses=list(spec.uses),
        test=summary.test,
        single=summary.single,
        members=summary.members,
        per_fold=[scores[HEADLINE] for scores in run.test],
        gain=None if summary.is_geography or geography is None else geography.gain,
        p_value=nulls.p_value if nulls else None,
        p_floor=nulls.p_floor if nulls else None,
        null_search=nulls.search if nulls else None,
        descriptive=bool(nulls and nulls.descriptive),
        n_nulls=nulls.n if nulls else 0,
        trials=len(records),
        pruned=states.count("PRUNED"),
        failed=states.count("FAILED"),
        epochs=sum(len(record.curve) for record in records),
        seconds=sum(record.seconds for record in records),
        not_converged=sorted(
            {
                fold
                for fold, tried in searches
                if not has_flattened(
                    [p["score"] for p in best_record(tried, model="", fold=fold).curve]
                )
            }
        ),
        genes=options.genes,
        samples=options.samples,
        max_epochs=options.max_epochs,
        notes=summary.notes,
        **{key: over_all.get(key) for key in ("p_max_t", "p_fdr", "candidates")},
        p_joint=over_all.get("p_joint", {}),
        **grade_among(summary, over_all.get("p_joint", {})),
    )


def _or_least(value: float | None) -> float:
    return float("-inf") if value is None or value != value else float(value)
