"""Commands that take run folders: rerun, report, compare, fetch, rank, and look at them."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from gx2c.errors import UserError
from sweeps.cli.completion import complete_run
from sweeps.folder.paths import SweepPaths, newest_run

if TYPE_CHECKING:
    from sweeps.report.reading import RunFiles

Run = Annotated[
    Path | None,
    typer.Argument(
        help="A run folder, finished or not.",
        show_default="the newest below runs/",
        autocompletion=complete_run,
    ),
]
Files = Annotated[Path, typer.Option(help="Folder for the files.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


def run_of(given: Path | None) -> SweepPaths:
    """Return the run that was given, or else the newest, which is named on standard error."""
    folder = given or newest_run()
    if given is None:
        print(f"run      {quote(str(folder))} (the newest)", file=sys.stderr)
    return SweepPaths(folder)


def rerun(
    best: Annotated[
        Path, typer.Argument(help="A run folder, or its best.yaml.", autocompletion=complete_run)
    ],
    out: Annotated[Path, typer.Option(help="A new folder.")],
) -> None:
    """Retrain and rescore exported configs without a search; the numbers are the same."""
    from sweeps.cli.summary_text import print_rerun
    from sweeps.run.rerun import run_rerun

    print_rerun(run_rerun(SweepPaths(best).best if best.is_dir() else best, out))


def report(run: Run = None) -> None:
    """Write the report.html of a run again from its files."""
    from sweeps.report.build import write_report

    print(quote(str(write_report(run_of(run)))))


def figures(
    out: Files,
    run: Run = None,
    formats: Annotated[
        str, typer.Option("--format", help="svg, pdf and png, joined by commas.")
    ] = "svg,pdf",
) -> None:
    """Write the figures of a run's report for print, one file per figure and format."""
    from sweeps.report.catalogue import write_figures

    _write_files(write_figures, run, out, formats)


def tables(
    out: Files,
    run: Run = None,
    formats: Annotated[
        str, typer.Option("--format", help="csv, latex and markdown, joined by commas.")
    ] = "csv",
) -> None:
    """Write the tables of a run, one file per table and format."""
    from sweeps.report.table_files import write_tables

    _write_files(write_tables, run, out, formats)


def _write_files(
    write: Callable[["RunFiles", Path, str], list[Path]], run: Path | None, out: Path, formats: str
) -> None:
    from sweeps.report.reading import read_run

    for path in write(read_run(run_of(run)), out, formats):
        print(quote(str(path)))


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Finished run folders, of one or more seeds.", autocompletion=complete_run
        ),
    ],
    against: Annotated[str, typer.Option(help="geography, or a model of the runs.")] = "geography",
    metric: Annotated[str, typer.Option(help="Metric to show; --json has all.")] = "pearson_r",
    out: Annotated[
        Path | None, typer.Option(help="Folder for a page of all metrics.", show_default="no page")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare models on the same folds, paired, with a corrected resampled t-test."""
    import json

    from gx2c.metrics import METRICS
    from sweeps.cli.tables import print_comparison
    from sweeps.compare.paired import compare_runs
    from sweeps.folder.records import finite_or_none

    if metric not in METRICS:
        raise UserError(f"no metric {metric!r}; choose from {list(METRICS)}")
    result = compare_runs(runs, against=against)
    if out is not None:
        from sweeps.compare.comparison_page import write_comparison

        print(f"page     {quote(str(write_comparison(out, result)))}", file=sys.stderr)
    if as_json:
        print(json.dumps(finite_or_none(result), indent=1))
    else:
        print_comparison(result, metric)


def fetch(
    run: Annotated[str, typer.Argument(help="A run in a storage: s3://..., gs://..., a folder.")],
    out: Annotated[Path, typer.Option(help="Folder to copy it to.")],
) -> None:
    """Copy a run, finished or not, from a storage; files that are here already are skipped."""
    from sweeps.storage.session import fetch_run

    print(f"{quote(str(out))}: {fetch_run(run, SweepPaths(out))} files fetched")


def leaderboard(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Finished runs on the same folds.", autocompletion=complete_run),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the table, page, JSON and figure.")],
) -> None:
    """Rank finished runs of one dataset and split, with the same seeds."""
    from sweeps.cli.tables import print_leaderboard
    from sweeps.compare.leaderboard_page import notes_of, table_of, write_leaderboard

    board = write_leaderboard(out, runs)
    print_leaderboard(table_of(board), notes_of(board))


def study(run: Run = None) -> None:
    """Write a copy of a run's search for optuna-dashboard."""
    from sweeps.phases.study import copy_study

    print(quote(str(copy_study(run_of(run)))))


def status(run: Run = None, as_json: AsJson = False) -> None:
    """Show how far a run is, and what failed and why; only files are read."""
    import json

    from sweeps.cli.tables import print_status
    from sweeps.run.status import read_status

    found = read_status(run_of(run))
    print(json.dumps(found, indent=1)) if as_json else print_status(found)


def dashboard(
    run: Run = None,
    port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65_535)] = 8080,
) -> None:
    """Open a run's search in optuna-dashboard, and name the other ways to look at the run."""
    from sweeps.run.dashboard import THIS_MACHINE, LiveCopy, free_port
    from sweeps.run.status import read_status

    if importlib.util.find_spec("optuna_dashboard") is None:
        raise UserError(
            "optuna-dashboard is not installed; install it with `pip install 'gx2c[dashboard]'`"
        )
    paths, serve = run_of(run), importlib.import_module("optuna_dashboard").run_server
    ray = read_status(paths)["ray_dashboard"]
    with LiveCopy(paths) as storage:
        if (free := free_port(port)) != port:
            print(f"port {port} is in use; using {free}")
        print(
            f"optuna       http://{THIS_MACHINE}:{free} (Ctrl-C ends it): history, importance and "
            "curves of configs\n"
            f"tensorboard  tensorboard --logdir {quote(str(paths.tensorboard))}: learning curves, "
            "and a table of configs (HPARAMS)\n"
            f"ray          {ray or 'no cluster is up for this run'}"
            + " (token: `ray get-auth-token`): workers, memory and logs by trial"
            * bool(ray),
            flush=True,
        )
        serve(storage, host=THIS_MACHINE, port=free)
