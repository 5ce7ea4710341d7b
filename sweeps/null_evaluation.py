"""Hold scores against nulls outside a sweep; `gx2c nulls evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.fit import FitConfig, frozen_scores
from gx2c.metrics import METRICS
from gx2c.metrics.region_resample import gain_interval
from gx2c.nulls import make_surrogate, sequential_p_value, surrogate_brains
from sweeps.candidates import Candidate, check_same_surrogates, over_candidates
from sweeps.null_group import NullJob, run_null_group
from sweeps.null_phase import collect_nulls, null_jobs, open_null_jobs, save_null_group
from sweeps.null_summary import HEADLINE, null_gains, summarise_sweep_nulls
from sweeps.null_units import NullUnit
from sweeps.options import GEOGRAPHY
from sweeps.paths import SweepPaths
from sweeps.provenance import provenance
from sweeps.records import finite_or_none, read_json, write_json

# (job index, (scores, seconds)) as they are finished
Results = Iterator[tuple[int, Any]]
Runner = Callable[[Any, Sequence[NullJob]], Results]


@dataclass(frozen=True)
class NullEvaluation:
    """Nulls of some units, saved group by group.

    Attributes
    ----------
    units
        One per seed; averaged.
    out
        Folder of the results; what it holds already is not run again.
    run
        (context, jobs) -> results; see `in_processes` and `on_ray`.
    stop_after
        End when so many nulls were as good as the truth (Besag & Clifford); 0 for never.
    """

    units: Sequence[NullUnit]
    out: Path
    run: Runner
    stop_after: int = 0

    def execute(self) -> dict[str, Any]:
        """Do all that is not yet done and return the summary."""
        self._check_request()
        first = self.units[0].plan.options
        jobs = self._jobs()
        n_groups = 1 + max(null.group for null in jobs[0])
        used = n_groups
        for group in range(n_groups):
            for unit, mine in zip(self.units, jobs, strict=True):
                self._finish(unit, [null for null in mine if null.group == group])
            if self.stop_after and self._sequential(jobs, group).stopped:
                used = group + 1
                break
        nulls = self._nulls(jobs, used - 1)
        summary = self._summary(nulls)
        if self.stop_after:
            found = self._sequential(jobs, used - 1)
            summary["sequential"] = {"stop_after": self.stop_after, **found._asdict()}
        nulls[first.model].to_csv(self.out / "scores.tsv", sep="\t")
        write_json(self.out / "summary.json", finite_or_none(summary))
        return summary

    def candidate(self, name: str) -> Candidate:
        """Return the model, once executed, as one of several candidates."""
        model, jobs = self.units[0].plan.options.model, self._jobs()
        return Candidate.of(
            name,
            self.surrogates(),
            self._nulls(jobs, jobs[0][-1].group),
            model=model,
            test=self._mean(model),
            geography=self._mean(GEOGRAPHY),
        )

    def surrogates(self) -> dict[str, Any]:
        """Return what decides surrogate k, and on which regions it is tested."""
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

    def _jobs(self) -> list[list[NullJob]]:
        return [
            null_jobs(u.plan.options, u.plan.options.seed, u.jobs, u.records) for u in self.units
        ]

    def _check_request(self) -> None:
        path = self.out / "request.json"
        asked = {"units": [_request(unit) for unit in self.units]}
        if path.exists() and read_json(path) != asked:
            raise UserError(f"{self.out} holds an evaluation of something else; give another --out")
        if not path.exists() and self.out.is_dir() and any(self.out.iterdir()):
            raise UserError(f"{self.out} exists and holds no evaluation; give another --out")
        write_json(path, asked)

    def _paths(self, unit: NullUnit) -> SweepPaths:
        return SweepPaths(self.out / f"seed_{unit.plan.options.seed}")

    def _finish(self, unit: NullUnit, jobs: list[NullJob]) -> None:
        paths = self._paths(unit)
        todo = open_null_jobs(paths, jobs)
        for index, (scores, seconds) in self.run(unit.plan.context(), todo):
            save_null_group(paths, todo[index], scores, seconds)

    def _nulls(self, jobs: list[list[NullJob]], last: int) -> dict[str, pd.DataFrame]:
        """Average each null over folds, then over units, up to a group."""
        tables = [
            collect_nulls(
                unit.plan.context(), self._paths(unit), [j for j in mine if j.group <= last]
            )
            for unit, mine in zip(self.units, jobs, strict=True)
        ]
        return {
            model: pd.concat([t[model] for t in tables]).groupby("null").mean()
            for model in tables[0]
        }

    def _sequential(self, jobs: list[list[NullJob]], last: int) -> Any:
        model = self.units[0].plan.options.model
        geography = self._mean(GEOGRAPHY)
        gains = null_gains(self._nulls(jobs, last), model, geography=geography)
        place = list(METRICS).index(HEADLINE)
        observed = self._mean(model)[HEADLINE] - geography[HEADLINE]
        return sequential_p_value(observed, gains[:, place], stop_after=self.stop_after)

    def _mean(self, model: str) -> dict[str, float]:
        folds = [scores for unit in self.units for scores in unit.test[model]]
        return {name: float(np.mean([s[name] for s in folds])) for name in METRICS}

    def _summary(self, nulls: dict[str, pd.DataFrame]) -> dict[str, Any]:
        options, brain = self.units[0].plan.options, self.units[0].plan.brain
        test, geography = self._mean(options.model), self._mean(GEOGRAPHY)
        surrogate = make_surrogate(options.null_method, brain, seed=options.seed)
        return {
            "model": options.model,
            "dataset": brain.name,
            "split": options.split,
            "seeds": [unit.plan.options.seed for unit in self.units],
            "test": test,
            "geography": geography,
            "gain_interval": self._interval(),
            "nulls": summarise_sweep_nulls(
                options, nulls, test=test, geography=geography, brain=brain
            ),
            "surrogate": surrogate.statement,
            "provenance": provenance() | {"checksum": brain.checksum},
        }

    def _interval(self) -> dict[str, Any]:
        """Return the interval of the gain over geography when regions are drawn anew."""
        ours, theirs, measured = [], [], []
        for unit in self.units:
            model = unit.plan.options.model
            for number, fold in enumerate(unit.plan.folds):
                ours.append(unit.predicted[model, number])
                theirs.append(unit.predicted[GEOGRAPHY, number])
                measured.append(unit.plan.brain.connectome_block(fold.test_regions))
        found = gain_interval(ours, theirs, measured, seed=self.units[0].plan.options.seed)
        return found._asdict() | {"of": "regions drawn anew, models as they were fitted"}


def evaluate_candidates(
    units: Mapping[str, NullUnit], out: Path, run: Runner
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Hold several models against the same surrogates, each in a folder of its own.

    Returns
    -------
    list, list
        Each model's summary, and `over_candidates`, which is also written to candidates.json.

    Raises
    ------
    UserError
        As `over_candidates`, before anything is run.
    """
    evaluations = {name: NullEvaluation([unit], out / name, run) for name, unit in units.items()}
    check_same_surrogates({name: one.surrogates() for name, one in evaluations.items()})
    summaries = [one.execute() for one in evaluations.values()]
    rows = over_candidates([one.candidate(name) for name, one in evaluations.items()])
    write_json(out / "candidates.json", {"metric": HEADLINE, "models": rows})
    return summaries, rows


def frozen_drop(unit: NullUnit) -> dict[str, Any]:
    """Test models trained on the true brain on surrogate expression; no p-value follows."""
    options = unit.plan.options
    drops: list[FloatArray] = []
    for job in (job for job in unit.jobs if job.model == options.model):
        fold = unit.plan.folds[job.fold]
        brains = surrogate_brains(
            unit.plan.brain,
            range(options.nulls),
            method=options.null_method,
            moves=options.null_moves,
            seed=options.seed,
            training_regions=fold.train_regions,
        )
        scores = frozen_scores(
            FitConfig.from_dict(job.config),
            unit.plan.brain,
            brains,
            fold,
            learning_rates=job.learning_rates,
            seed=job.seed,
            profile=unit.plan.profile,
        )
        true = unit.test[options.model][job.fold][HEADLINE]
        drops.append(np.array([true - (s[HEADLINE] if s else 0.0) for s in scores]))
    per_null = np.mean(drops, axis=0)
    return {
        "n": len(per_null),
        "mean_drop": float(per_null.mean()),
        "sd": float(per_null.std(ddof=1)) if len(per_null) > 1 else float("nan"),
        "of": "Pearson r when a trained model is shown surrogate expression; no null of a test",
    }


def in_processes(n_workers: int) -> Runner:
    """Return what runs jobs in this many processes of this machine."""

    def run(context: Any, jobs: Sequence[NullJob]) -> Results:
        from joblib import Parallel, delayed

        pool = Parallel(n_jobs=n_workers, return_as="generator")
        yield from enumerate(pool(delayed(run_null_group)(context, job) for job in jobs))

    return run


def on_ray(*, cpus: int, gpus: float, at_once: int) -> Runner:
    """Return what runs jobs as tasks of the Ray session that is open."""
    from sweeps.tasks import run_tasks

    def run(context: Any, jobs: Sequence[NullJob]) -> Results:
        work = [(job,) for job in jobs]
        return run_tasks(
            run_null_group, work, shared=context, cpus=cpus, gpus=gpus, at_once=at_once
        )

    return run


def _request(unit: NullUnit) -> dict[str, Any]:
    """Return all that decides the nulls of a unit; more of them may be asked for later."""
    options = {k: v for k, v in unit.plan.options.to_dict().items() if k != "nulls"}
    jobs = [[j.model, j.fold, j.config, j.seed] for j in unit.jobs]
    return {"options": options, "checksum": unit.plan.brain.checksum, "jobs": jobs}
