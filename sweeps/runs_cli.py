"""Commands that take run folders: rerun, report, compare, fetch, rank, and look at them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def rerun(
    best: Annotated[Path, typer.Argument(help="A run's best.yaml.")],
    out: Annotated[Path, typer.Option(help="A new folder.")],
) -> None:
    """Retrain and rescore exported configs with no search: the same numbers."""
    from sweeps.rerun import run_rerun
    from sweeps.table import print_rerun

    print_rerun(run_rerun(best, out))


def report(run: Annotated[Path, typer.Argument(help="A finished run folder.")]) -> None:
    """Write a run's report.html anew from its files."""
    from sweeps.paths import SweepPaths
    from sweeps.report import write_report

    print(write_report(SweepPaths(run)))


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Finished run folders, of one or more seeds.")],
    against: Annotated[str, typer.Option(help="geography, or a model of the runs.")] = "geography",
    metric: Annotated[str, typer.Option(help="Which to show; --json has all.")] = "pearson_r",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone.")] = False,
) -> None:
    """Compare models on the same folds, paired, with a corrected resampled t-test."""
    import json

    from sweeps.compare import compare_runs
    from sweeps.compare_table import check_metric, print_comparison
    from sweeps.records import finite_or_none

    check_metric(metric)
    result = compare_runs(runs, against=against)
    if as_json:
        print(json.dumps(finite_or_none(result), indent=1))
    else:
        print_comparison(result, metric)


def fetch(
    run: Annotated[
        str, typer.Argument(help="Of a run in a storage: s3://..., gs://..., a folder.")
    ],
    out: Annotated[Path, typer.Option(help="The folder to bring it to.")],
) -> None:
    """Bring a run from a storage, finished or not; only what is not here is fetched."""
    from sweeps.paths import SweepPaths
    from sweeps.storage.session import fetch_run

    print(f"{out}: {fetch_run(run, SweepPaths(out))} files fetched")


def leaderboard(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs of the same folds.")],
    out: Annotated[Path, typer.Option(help="Folder for the table, JSON and figure.")],
) -> None:
    """Rank finished runs of one dataset, split and seed."""
    from sweeps.leaderboard_page import markdown_of, write_leaderboard

    print(markdown_of(write_leaderboard(out, runs)))


def study(run: Annotated[Path, typer.Argument(help="A run folder, finished or not.")]) -> None:
    """Write a copy of a run's search for optuna-dashboard."""
    from sweeps.paths import SweepPaths
    from sweeps.study_copy import copy_study

    print(copy_study(SweepPaths(run)))


def status(
    run: Annotated[Path, typer.Argument(help="A run folder, finished or not.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone.")] = False,
) -> None:
    """Say how far a run is, what failed and why; reads files only."""
    import json

    from sweeps.paths import SweepPaths
    from sweeps.status import read_status
    from sweeps.status_table import print_status

    found = read_status(SweepPaths(run))
    print(json.dumps(found, indent=1)) if as_json else print_status(found)


def dashboard(
    run: Annotated[Path, typer.Argument(help="A run folder, finished or not.")],
    port: Annotated[int, typer.Option(help="On this machine alone.")] = 8080,
) -> None:
    """Open a run's search in optuna-dashboard; also says where Ray's dashboard is."""
    from sweeps.dashboard import prepare_dashboard, serve_dashboard
    from sweeps.paths import SweepPaths

    print("\n".join(prepare_dashboard(SweepPaths(run), port=port)), flush=True)
    serve_dashboard(SweepPaths(run), port=port)
