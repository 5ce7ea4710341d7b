"""p over several runs that were tested on the same surrogates, and the grades that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.fit.scoring import mean_scores
from gx2c.models.names import GEOGRAPHY
from gx2c.nulls import holm_p_values
from gx2c.verdict import LADDER, verdict
from sweeps.compare.finished_run import FinishedRun, name_among
from sweeps.folder.results import read_null_scores
from sweeps.folder.summary_file import Summary
from sweeps.folder.summary_parts import Nulls
from sweeps.nulls.candidates import Candidate, over_candidates


def over_runs(runs: Sequence[FinishedRun]) -> dict[Path, dict[str, Any]]:
    """Return `over_candidates` by run folder, among runs that share their first surrogates.

    "p_joint" has p over these runs by surrogate of the verdict. Runs without nulls, or with
    surrogates that no other run shares, are omitted.
    """
    groups: dict[str, list[tuple[FinishedRun, Candidate]]] = {}
    for run in runs:
        nulls = run.summary.nulls
        one = nulls and _candidate(run, name_among(run, runs), nulls)
        if one and np.isfinite(one.observed).all():
            groups.setdefault(repr(one.surrogates), []).append((run, one))
    found: dict[Path, dict[str, Any]] = {}
    for members in (group for group in groups.values() if len(group) > 1):
        rows = over_candidates([one for _, one in members])
        joint = {members[0][1].surrogates["surrogate"]: [row["p_max_t"] for row in rows]}
        for kind in LADDER:
            if kind not in joint and (p_values := _over_later([run for run, _ in members], kind)):
                joint[kind] = p_values
        for k, ((run, _), row) in enumerate(zip(members, rows, strict=True)):
            p_joint = {kind: p_values[k] for kind, p_values in joint.items()}
            found[run.root] = row | {"candidates": len(members), "p_joint": p_joint}
    return found


def grade_among(summary: Summary, p_joint: Mapping[str, float]) -> dict[str, Any]:
    """Return a run's grade, how far it was tested and its sentence, with p over several models."""
    found = summary.verdict
    if found is None:
        return {}
    nulls = {
        kind: replace(test, p_value=p_joint.get(kind, test.p_value))
        for kind, test in found.evidence.nulls.items()
    }
    if nulls != found.evidence.nulls:
        found = verdict(replace(found.evidence, nulls=nulls))
    of_verdict = ("grade", "tested_up_to", "sentence")
    return {name: getattr(found, name) for name in of_verdict}


def _over_later(runs: Sequence[FinishedRun], kind: str) -> list[float]:
    """Return p of each run over all of them against a surrogate other than the first.

    By max-T if all ran as many nulls of it. Otherwise some ended early or were not needed, for
    reasons that depend on the result: then by Holm's method, where p is 1 without a test. Empty if
    no verdict rests on the surrogate.
    """
    verdicts = [run.summary.verdict for run in runs]
    tests = [found.evidence.nulls.get(kind) if found else None for found in verdicts]
    if not any(tests):
        return []
    nulls = [run.summary.more_nulls.get(kind) for run in runs]
    sizes = {None if one is None else one.n for one in nulls}
    if len(sizes) == 1 and not any(test is None or test.stopped for test in tests):
        of_runs = zip(runs, nulls, strict=True)
        found = [_candidate(run, str(run.root), one, f"{kind}/") for run, one in of_runs if one]
        if (complete := [one for one in found if one]) and len(complete) == len(runs):
            return [row["p_max_t"] for row in over_candidates(complete)]
    own = [1.0 if test is None else test.p_value for test in tests]
    return [float(p) for p in holm_p_values(np.array(own))]


def _candidate(run: FinishedRun, name: str, found: Nulls, folder: str = "") -> Candidate | None:
    """Return a run as one of several candidates; None if the table of its nulls is missing."""
    paths = run.paths
    if not paths.null_scores(folder + run.model).exists():
        return None
    surrogates = {
        "surrogate": found.method,
        "moves": found.moved,
        "seed": run.summary.seed,
        "number of nulls": found.n,
    }
    moved = [m for m in (run.model, GEOGRAPHY) if paths.null_scores(folder + m).exists()]
    nulls = {m: read_null_scores(paths, folder + m) for m in moved}
    test, geography = mean_scores(run.test), mean_scores(run.geography)
    return Candidate.of(name, surrogates, nulls, model=run.model, test=test, geography=geography)
