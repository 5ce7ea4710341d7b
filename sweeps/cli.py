"""The command `gx2c`; everything heavy is imported only by the command that needs it."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gx2c.errors import UserError
from sweeps.cluster_cli import cluster_app, gpu_share
from sweeps.data_cli import data_app
from sweeps.nulls_cli import nulls_app

app = typer.Typer(
    help="How well does regional gene expression predict the connectome, beyond geography?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data_app, name="data")
app.add_typer(nulls_app, name="nulls")
app.add_typer(cluster_app, name="cluster")

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


@app.command()
def sweep(
    model: Annotated[
        str,
        typer.Argument(
            help="Which model; `gx2c models` lists them. `all`, or several joined by commas, are "
            "swept on the same folds and ranked."
        ),
    ],
    preset: Annotated[str, typer.Option(help="quick, standard or paper.")] = "standard",
    dataset: Annotated[str | None, typer.Option(help="A name or a folder.")] = None,
    hemisphere: Annotated[str | None, typer.Option(help="left, right or both.")] = None,
    cortex_only: Annotated[
        bool | None, typer.Option("--cortex-only", help="Leave out what is not cortex.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="bilateral, bilateral-random, spatial, random, network, lobe, community, "
            "community-structural or community-target."
        ),
    ] = None,
    folds: Annotated[int | None, typer.Option(help="Outer folds.")] = None,
    inner_folds: Annotated[int | None, typer.Option(help="Inner folds of each outer fold.")] = None,
    inner_repeats: Annotated[
        int | None, typer.Option(help="Sets of inner folds: more rank configs better.")
    ] = None,
    buffer_mm: Annotated[
        float | None,
        typer.Option("--buffer", help="Nothing trains nearer to a test region than this, mm."),
    ] = None,
    score: Annotated[
        str | None, typer.Option(help="folds, or block-pairs: edges between two held-out folds.")
    ] = None,
    train_test_edges: Annotated[
        bool | None,
        typer.Option("--train-test-edges", help="Score edges with one end in training too."),
    ] = None,
    resolution: Annotated[
        float | None, typer.Option(help="Of communities: above 1 for more of them.")
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Configs per outer fold.")] = None,
    max_epochs: Annotated[int | None, typer.Option(help="Passes of a network at most.")] = None,
    metric: Annotated[str | None, typer.Option(help="val_mse or val_pearson_r.")] = None,
    genes: Annotated[str | None, typer.Option(help="all, N_var, a group, or a file.")] = None,
    gene_order: Annotated[
        str | None, typer.Option(help="tss, expression, random or cluster_<k>.")
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            help="In the place of expression, joined by +: expression, expression-pca:20, "
            "coordinates, structural, structural-laplacian:20, structural-adjacency:20."
        ),
    ] = None,
    embeddings: Annotated[
        str | None,
        typer.Option(help="A table with a row of numbers a region, in the place of expression."),
    ] = None,
    gene_vectors: Annotated[
        str | None,
        typer.Option(help="A table with a row of numbers a gene, or groups for shipped ones."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="functional, structural or geography-residual.")
    ] = None,
    binarise: Annotated[
        float | None, typer.Option(help="Predict which edges are above this value.")
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            help="Of networks, joined by +: subjects or subject-edges, strong-edges, noise."
        ),
    ] = None,
    augment_probability: Annotated[
        float | None, typer.Option(help="Share of steps that are augmented.")
    ] = None,
    augment_schedule: Annotated[
        str | None, typer.Option(help="constant, decay, increase or peak.")
    ] = None,
    augment_noise: Annotated[
        float | None, typer.Option(help="Noise on features, in standard deviations.")
    ] = None,
    nulls: Annotated[int | None, typer.Option(help="How many, each retrained.")] = None,
    null_method: Annotated[
        str | None, typer.Option(help="A surrogate: residual_spin, hungarian, moran, ...")
    ] = None,
    null_moves: Annotated[
        str | None, typer.Option(help="genes, genes+coordinates or connectome.")
    ] = None,
    null_search: Annotated[
        str | None, typer.Option(help="full: search again in each null; none: keep the config.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder.")] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            envvar="GX2C_STORAGE", help="Shared by all nodes: a folder, s3://... or gs://..."
        ),
    ] = None,
    cpus_per_trial: Annotated[int | None, typer.Option(help="CPUs of a trial.")] = None,
    gpus_per_trial: Annotated[
        float | None,
        typer.Option(parser=gpu_share, help="GPUs of a trial: 0.25, say, or auto to measure."),
    ] = None,
    max_concurrent: Annotated[int | None, typer.Option(help="Trials at once; 0: all fit.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="asha, asha-async, one-epoch or none.")
    ] = None,
    time_budget_min: Annotated[
        float | None, typer.Option("--time-budget", help="Stop, to be resumed, after minutes.")
    ] = None,
    trial_timeout_min: Annotated[
        float | None, typer.Option("--trial-timeout", help="Longest work of a network, minutes.")
    ] = None,
    max_disk_gb: Annotated[
        float | None, typer.Option("--max-disk", help="Of the run folder, GB.")
    ] = None,
    keep_checkpoints: Annotated[
        bool | None, typer.Option("--keep-checkpoints", help="Keep each trial's last one.")
    ] = None,
    warm_start: Annotated[
        list[str] | None, typer.Option(help="A run whose trials to learn from; repeatable.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted sweep.")
    ] = False,
) -> None:
    """Search, retrain and test one model on every outer fold, beside geography and nulls."""
    given = {
        name: value
        for name, value in locals().items()
        if name not in ("model", "preset", "out", "resume", "warm_start")
    }
    given["warm_start"] = tuple(warm_start or ()) or None
    from sweeps.options import make_options
    from sweeps.paths import SweepPaths
    from sweeps.storage.session import fetch_command
    from sweeps.sweep import run_sweep
    from sweeps.table import print_reductions, print_summary

    if model == "all" or "," in model:
        _sweep_zoo(model, preset, out, given, resume=resume)
        return
    options = make_options(model, preset=preset, **given)
    folder = out or _run_folder(options, resume=resume)
    print_reductions(options)
    try:
        summary = run_sweep(options, folder, resume=resume)
    except KeyboardInterrupt as stop:
        reason = getattr(stop, "reason", "stopped")
        print(f"\n{reason}; go on with: {resume_command(sys.argv, folder)}", file=sys.stderr)
        raise typer.Exit(getattr(stop, "exit_code", EXIT_INTERRUPTED)) from None
    print_summary(summary, SweepPaths(folder))
    if command := fetch_command(options.storage, SweepPaths(folder)):
        print(f"fetch    {command}")


@app.command()
def rerun(
    best: Annotated[Path, typer.Argument(help="A run's best.yaml.")],
    out: Annotated[Path, typer.Option(help="A new folder.")],
) -> None:
    """Retrain and rescore exported configs with no search: the same numbers."""
    from sweeps.rerun import run_rerun
    from sweeps.table import print_rerun

    print_rerun(run_rerun(best, out))


@app.command()
def report(run: Annotated[Path, typer.Argument(help="A finished run folder.")]) -> None:
    """Write a run's report.html anew from its files."""
    from sweeps.paths import SweepPaths
    from sweeps.report import write_report

    print(write_report(SweepPaths(run)))


@app.command()
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


@app.command()
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


@app.command()
def leaderboard(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs of the same folds.")],
    out: Annotated[Path, typer.Option(help="Folder for the table, JSON and figure.")],
) -> None:
    """Rank finished runs of one dataset, split and seed."""
    from sweeps.leaderboard_page import markdown_of, write_leaderboard

    print(markdown_of(write_leaderboard(out, runs)))


@app.command()
def study(run: Annotated[Path, typer.Argument(help="A run folder, finished or not.")]) -> None:
    """Write a copy of a run's search for optuna-dashboard."""
    from sweeps.paths import SweepPaths
    from sweeps.study_copy import copy_study

    print(copy_study(SweepPaths(run)))


@app.command()
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


@app.command()
def dashboard(
    run: Annotated[Path, typer.Argument(help="A run folder, finished or not.")],
    port: Annotated[int, typer.Option(help="On this machine alone.")] = 8080,
) -> None:
    """Open a run's search in optuna-dashboard; also says where Ray's dashboard is."""
    from sweeps.dashboard import prepare_dashboard, serve_dashboard
    from sweeps.paths import SweepPaths

    print("\n".join(prepare_dashboard(SweepPaths(run), port=port)), flush=True)
    serve_dashboard(SweepPaths(run), port=port)


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="step, time-to-score, gradient-noise, spins, schedulers, overhead, driver-memory, "
            "start, load or full-grid."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone.")] = False,
) -> None:
    """Measure something on this machine; see docs/performance.md."""
    import json

    import yaml

    try:
        from benchmarks import run_benchmark
    except ModuleNotFoundError:
        raise UserError(
            "benchmarks are part of the source tree; run this from a clone of the repository"
        ) from None
    result = run_benchmark(name)
    print(json.dumps(result, indent=1) if as_json else yaml.safe_dump(result, sort_keys=False))


@app.command()
def models(
    dataset: Annotated[
        str | None, typer.Option(help="Count parameters and ranges for this dataset.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone.")] = False,
) -> None:
    """List the models: what they use, their parameters, their search space."""
    import json

    from sweeps.models_table import describe_models, print_models

    rows = describe_models(dataset)
    print(json.dumps(rows, indent=1)) if as_json else print_models(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in one sentence and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        app(arguments, standalone_mode=True)
    except UserError as error:
        print(f"gx2c: {error}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)


def resume_command(arguments: Sequence[str], folder: Path) -> str:
    """Return the command that continues a sweep.

    Parameters
    ----------
    arguments
        Of this process, its program first.
    folder
        The run folder.
    """
    program = Path(arguments[0])
    is_script = program.parent.name == "sweeps" and program.name != "cli.py"
    kept, skip = ["python", arguments[0]] if is_script else ["gx2c"], False
    for word in arguments[1:]:
        if not skip and word != "--resume" and word.partition("=")[0] != "--out":
            kept.append(word)
        skip = word == "--out"
    return shlex.join([*kept, "--resume", "--out", str(folder)])


def sweep_script(model: str) -> None:
    """Run `gx2c sweep MODEL` with this script's arguments; what sweeps/<model>.py calls."""
    main(["sweep", model, *sys.argv[1:]])


def _sweep_zoo(
    names: str, preset: str, out: Path | None, given: dict[str, Any], *, resume: bool
) -> None:
    """Sweep several models and print their leaderboard."""
    from sweeps.leaderboard_page import markdown_of
    from sweeps.zoo import ZooRequest, parse_models, sweep_zoo

    given = {name: value for name, value in given.items() if value is not None}
    if "warm_start" in given:
        raise UserError("--warm-start is for a sweep of one model")
    if resume and out is None:
        raise UserError("give the folder of the sweep to continue with --out")
    request = ZooRequest(parse_models(names), preset, given)
    folder = out or Path("runs") / f"{'all' if names == 'all' else 'several'}-{_now()}"
    try:
        board = sweep_zoo(request, folder, resume=resume)
    except KeyboardInterrupt:
        print(f"\nstopped; add --resume --out {folder} to continue", file=sys.stderr)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    print(markdown_of(board))
    print(f"\nleaderboard   {folder / 'leaderboard.md'}, .json, .svg")


def _now() -> str:
    return f"{datetime.now():%Y%m%d-%H%M%S}"


def _run_folder(options: Any, *, resume: bool) -> Path:
    """Name a new folder, or find the latest unfinished one of the same kind."""
    from sweeps.paths import SweepPaths

    stem = f"{options.model}-{Path(options.dataset).name}-{options.split}"
    if not resume:
        return Path("runs") / f"{stem}-{_now()}"
    folders = sorted(Path("runs").glob(f"{stem}-*"), reverse=True)
    for folder in folders:
        if SweepPaths(folder).sweep.exists() and not SweepPaths(folder).summary.exists():
            return folder
    raise UserError(f"no unfinished sweep runs/{stem}-* to resume; give its folder with --out")


if __name__ == "__main__":
    main()
