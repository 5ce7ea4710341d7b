"""The command `gx2c sweep`: its options, its folder, and one model or several."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gx2c.errors import UserError
from sweeps.cluster_cli import gpu_share

EXIT_INTERRUPTED = 130


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
        typer.Option(
            help="A table with a row of numbers a gene, a GMT file, or groups: shipped ones."
        ),
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
