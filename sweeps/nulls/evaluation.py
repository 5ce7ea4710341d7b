"""Test models against nulls outside a sweep; `gx2c nulls evaluate`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.fit import NullDraw, frozen_scores
from gx2c.fit.scoring import mean_scores
from gx2c.metrics import HEADLINE, gain_interval
from gx2c.models.names import GEOGRAPHY
from gx2c.nulls import SequentialP, make_surrogate, sequential_p_value
from sweeps.folder.lock import refuse_links
from sweeps.folder.paths import SweepPaths
from sweeps.folder.provenance import provenance
from sweeps.folder.records import read_json, write_bytes, write_json
from sweeps.folder.summary_parts import Nulls, Part, Scores
from sweeps.nulls.candidates import Candidate, check_same_surrogates, over_candidates
from sweeps.nulls.group import NullJob, run_null_group
from sweeps.nulls.jobs import Runner, SplitNulls
from sweeps.nulls.summary import summarise_sweep_nulls
from sweeps.nulls.units import NullUnit


class GainInterval(Part):
    """An interval of the gain over geography, and its meaning."""

    low: float
    high: float
    level: float
    n_resamples: int
    of: str = "regions resampled, models as fitted"


class Sequential(Part):
    """The sequential test of Besag & Clifford."""

    stop_after: int
    p_value: float
    n_used: int
    stopped: bool


class EvaluationSummary(Part):
    """All numbers of an evaluation, the contents of its summary.json."""

    model: str
    dataset: str
    split: str
    seeds: list[int]
    test: Scores
    geography: Scores
    gain_interval: GainInterval
    nulls: Nulls
    surrogate: str
    sequential: Sequential | None
    provenance: dict[str, Any]


@dataclass(frozen=True)
class NullEvaluation:
    """The nulls of some units, saved group by group.

    Attributes
    ----------
    units
        One unit per seed, averaged.
    out
        Folder of the results; finished groups are not run again.
    run
        Runs jobs; see `in_processes` and `on_ray`.
    stop_after
        Number of nulls at least as good as the true score after which to stop (Besag & Clifford); 0
        for never.
    """

    units: Sequence[NullUnit]
    out: Path
    run: Runner
    stop_after: int = 0

    def execute(self) -> EvaluationSummary:
        """Do all unfinished work and return the summary."""
        self._check_request()
        n_groups, sequential = self._finish()
        nulls = self._tables(n_groups)
        summary = self._summary(nulls, sequential)
        table = nulls[summary.model].to_csv(sep="\t")
        write_bytes(self.out / "scores.tsv", table.encode())
        plain = summary.model_dump(exclude_none=True)
        plain["nulls"] = summary.nulls.model_dump(exclude_unset=True)
        write_json(self.out / "summary.json", plain)
        return summary

    def candidate(self, name: str = "", *, n_groups: int | None = None) -> Candidate:
        """Return the model, once executed or after some groups, as one of several candidates."""
        model = self.units[0].plan.options.model
        return Candidate.of(
            name,
            self.surrogates(),
            self._tables(n_groups),
            model=model,
            test=self._mean(model),
            geography=self._mean(GEOGRAPHY),
        )

    def surrogates(self) -> dict[str, Any]:
        """Return the settings that determine surrogate k and its test regions."""
        plan = self.units[0].plan
        options = plan.options
        return {
            "dataset": plan.brain.checksum,
            "folds": [
                (fold.train_regions.tolist(), fold.test_regions.tolist())
                for unit in self.units
                for fold in unit.plan.folds
            ],
            "seed": [unit.plan.options.seed for unit in self.units],
            "surrogate": options.null_method,
            "moves": options.null_moves,
            "number of nulls": options.nulls,
        }

    @cached_property
    def _nulls(self) -> list[SplitNulls]:
        folders = [SweepPaths(self.out / f"seed_{u.plan.options.seed}") for u in self.units]
        return [
            SplitNulls.of(unit.plan, paths, unit.jobs, unit.records)
            for unit, paths in zip(self.units, folders, strict=True)
        ]

    def _check_request(self) -> None:
        refuse_links(self.out)
        path = self.out / "request.json"
        asked = {"units": [_request(unit) for unit in self.units]}
        if path.exists() and read_json(path) != asked:
            raise UserError(f"{self.out} contains a different evaluation; give another --out")
        if not path.exists() and self.out.is_dir() and any(self.out.iterdir()):
            raise UserError(f"{self.out} exists and is not an evaluation; give another --out")
        write_json(path, asked)

    def _finish(self) -> tuple[int, SequentialP | None]:
        """Run group by group; return how many count, and the sequential p if it was asked for."""
        found, n_groups = None, 0
        for group in range(self._nulls[0].n_groups):
            for nulls in self._nulls:
                nulls.finish(self.run, groups=[group])
            n_groups = group + 1
            if self.stop_after:
                tested = self.candidate(n_groups=n_groups).by(HEADLINE)
                found = sequential_p_value(*tested, stop_after=self.stop_after)
                if found.stopped:
                    break
        return n_groups, found

    def _tables(self, n_groups: int | None = None) -> dict[str, pd.DataFrame]:
        """Average each null over folds, then over units."""
        tables = [nulls.tables(n_groups=n_groups) for nulls in self._nulls]
        return {
            model: pd.concat([t[model] for t in tables]).groupby("null").mean()
            for model in tables[0]
        }

    def _mean(self, model: str) -> dict[str, float]:
        return mean_scores([scores for unit in self.units for scores in unit.test[model]])

    def _summary(
        self, nulls: dict[str, pd.DataFrame], sequential: SequentialP | None
    ) -> EvaluationSummary:
        options, brain = self.units[0].plan.options, self.units[0].plan.brain
        test, geography = self._mean(options.model), self._mean(GEOGRAPHY)
        return EvaluationSummary(
            model=options.model,
            dataset=brain.name,
            split=options.split,
            seeds=[seed for unit in self.units for seed in unit.plan.options.all_seeds],
            test=test,
            geography=geography,
            gain_interval=self._interval(),
            nulls=summarise_sweep_nulls(
                options, nulls, test=test, geography=geography, brain=brain
            ),
            surrogate=make_surrogate(options.null_method, brain, seed=options.seed).statement,
            sequential=Sequential(stop_after=self.stop_after, **sequential._asdict())
            if sequential
            else None,
            provenance=provenance() | {"checksum": brain.checksum},
        )

    def _interval(self) -> GainInterval:
        model, folds = self.units[0].plan.options.model, []
        for unit in self.units:
            for number, fold in enumerate(unit.plan.folds):
                measured = unit.plan.brain.connectome_block(fold.test_regions)
                ours, theirs = (unit.predicted[m, number] for m in (model, GEOGRAPHY))
                folds.append((ours, theirs, measured, fold.test_regions, fold.scored_edges()))
        *arrays, regions, edges = zip(*folds, strict=True)
        seed = self.units[0].plan.options.seed
        found = gain_interval(*arrays, regions=regions, edges=edges, seed=seed)
        return GainInterval(**found._asdict())


def evaluate_candidates(
    units: Mapping[str, NullUnit], out: Path, run: Runner
) -> tuple[list[EvaluationSummary], list[dict[str, Any]]]:
    """Test several models on the same surrogates, each in its own folder.

    Return the summary of each model, and `over_candidates`, whose errors are raised before anything
    runs and whose result is also written to candidates.json.
    """
    evaluations = {name: NullEvaluation([unit], out / name, run) for name, unit in units.items()}
    check_same_surrogates({name: one.surrogates() for name, one in evaluations.items()})
    summaries = [one.execute() for one in evaluations.values()]
    rows = over_candidates([one.candidate(name) for name, one in evaluations.items()])
    write_json(out / "candidates.json", {"metric": HEADLINE, "models": rows})
    return summaries, rows


def frozen_drop(unit: NullUnit) -> dict[str, Any]:
    """Score models trained on the true brain on surrogate expression; this gives no p-value."""
    plan, options = unit.plan, unit.plan.options
    numbers, method, moves = range(options.nulls), options.null_method, options.null_moves
    drops: list[FloatArray] = []
    for job in (job for job in unit.jobs if job.model == options.model):
        fold = plan.folds[job.fold]
        scores = frozen_scores(
            job.chosen,
            plan.brain,
            NullDraw(plan.brain, fold, numbers, method, options.seed, moves).brains(),
            fold,
            seeds=job.seeds,
            profile=plan.profile.on_this_device(),
        )
        true = unit.test[options.model][job.fold][HEADLINE]
        drops.append(np.array([true - (s[HEADLINE] if s else 0.0) for s in scores]))
    per_null = np.mean(drops, axis=0)
    return {
        "n": len(per_null),
        "mean_drop": float(per_null.mean()),
        "sd": float(per_null.std(ddof=1)) if len(per_null) > 1 else float("nan"),
        "of": "Pearson r of a trained model on surrogate expression; not a null of a test",
    }


def in_processes(n_workers: int) -> Runner:
    """Return a function that runs jobs in some processes of this machine."""

    def run(context: Any, jobs: Sequence[NullJob]) -> Iterator[tuple[NullJob, Any]]:
        pool = Parallel(n_jobs=n_workers, return_as="generator")
        return zip(jobs, pool(delayed(run_null_group)(context, job) for job in jobs), strict=True)

    return run


def on_ray(*, cpus: int, gpus: float, at_once: int) -> Runner:
    """Return a function that runs jobs as tasks of the open Ray session."""
    from sweeps.workers.tasks import run_tasks

    def run(context: Any, jobs: Sequence[NullJob]) -> Iterator[tuple[NullJob, Any]]:
        return run_tasks(
            run_null_group,
            jobs,
            shared=context,
            cpus=cpus,
            gpus=gpus,
            at_once=at_once,
            title=attrgetter("title"),
        )

    return run


def _request(unit: NullUnit) -> dict[str, Any]:
    """Return the settings of a unit's nulls, except their number, which may increase later."""
    options = {k: v for k, v in unit.plan.options.to_dict().items() if k != "nulls"}
    jobs = [[j.model, j.fold, j.config.to_dict(), j.seed] for j in unit.jobs]
    return {"options": options, "checksum": unit.plan.brain.checksum, "jobs": jobs}
