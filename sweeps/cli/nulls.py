"""The commands `gx2c nulls ...`: make spins, check surrogates, count false positives."""

from pathlib import Path
from typing import Annotated

import typer

from gx2c.errors import UserError
from sweeps.cli.data_import import Trust
from sweeps.cli.nulls_evaluate import nulls_evaluate
from sweeps.cli.tables import print_table
from sweeps.request.table import OPTIONS

MAX_NUMBER, MAX_SEED, MAX_JOBS = 1_000_000, 2**32 - 1, 1_024
DATASET = OPTIONS["dataset"].default
Dataset = Annotated[str, typer.Option(help=OPTIONS["dataset"].help)]
Seed = Annotated[int, typer.Option(help="Random seed.", min=0, max=MAX_SEED)]

nulls_app = typer.Typer(help="Null models: make, check, false positives.", no_args_is_help=True)
nulls_app.command("evaluate")(nulls_evaluate)


@nulls_app.command("make")
def nulls_make(
    out: Annotated[Path, typer.Option(help="File to write, .npy.")],
    dataset: Dataset = DATASET,
    trust_row_order: Trust = False,
    method: Annotated[str, typer.Option(help="alexander_bloch, hungarian or vasa.")] = "hungarian",
    n: Annotated[int, typer.Option(help="Number of spins.", min=1, max=MAX_NUMBER)] = 1_000,
    seed: Seed = 0,
    max_distortion: Annotated[
        float | None,
        typer.Option(
            help="Redraw spins that are more distorted than this.",
            show_default="none",
            min=0,
            max=1_000,
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Number of threads.", min=1, max=MAX_JOBS)] = 1,
) -> None:
    """Write spins of a cortex: integers, (regions with expression, spins)."""
    import numpy as np

    from gx2c.data import load_dataset
    from gx2c.nulls import make_brain_spins

    if out.suffix != ".npy":
        raise UserError(f"--out {out} does not end in .npy, the format of spins; rename it")
    brain = load_dataset(dataset, trust_row_order=trust_row_order)
    spins = make_brain_spins(
        brain, n_spins=n, seed=seed, method=method, max_distortion=max_distortion, n_jobs=jobs
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    np.save(out, spins)
    typer.echo(f"{out}: {spins.shape[0]} regions x {spins.shape[1]} spins ({method}, seed {seed})")


@nulls_app.command("check")
def nulls_check(
    spins: Annotated[Path | None, typer.Argument(help="File of spins to check, .npy.")] = None,
    dataset: Dataset = DATASET,
    trust_row_order: Trust = False,
    surrogate: Annotated[
        list[str] | None,
        typer.Option(help="Surrogate to check without a file; repeatable.", show_default="all"),
    ] = None,
    n: Annotated[int, typer.Option(help="Number of surrogates.", min=1, max=MAX_NUMBER)] = 50,
    seed: Seed = 0,
) -> None:
    """Report how much spatial structure surrogates keep, duplicates, and values not finite."""
    from gx2c.data import load_dataset
    from gx2c.nulls import SURROGATES, make_surrogate, moving_rows, read_spins, surrogate_quality

    brain = load_dataset(dataset, trust_row_order=trust_row_order)
    if spins is None:
        names = surrogate or [name for name, spec in SURROGATES.items() if spec.suits(brain)]
        chosen = [make_surrogate(name, brain, seed=seed) for name in names]
    else:
        columns = read_spins(spins, brain.n_regions)
        n = min(n, columns.shape[1])
        chosen = [moving_rows(spins.name, "from a file", lambda k, m: columns[:, k : k + m])]
    reports = [surrogate_quality(brain, one, numbers=range(n))._asdict() for one in chosen]
    notes = [f"{report['name']}: {report.pop('statement')}" for report in reports]
    print_table(reports, notes, left=("name",))


@nulls_app.command("fpr")
def nulls_fpr(
    method: Annotated[
        list[str] | None, typer.Option(help="Null model; repeatable.", show_default="all")
    ] = None,
    smoothness: Annotated[
        list[float] | None,
        typer.Option(
            help="Smoothness of the maps, mm on a sphere of radius 100; repeatable.",
            show_default="0, 20, 40, 60 and 80",
            min=0,
            max=200,
        ),
    ] = None,
    homotopic: Annotated[
        float, typer.Option(help="Share of a map that is mirrored.", min=0, max=1)
    ] = 0.0,
    regions: Annotated[
        int, typer.Option(help="Regions of both hemispheres.", min=2, max=MAX_NUMBER)
    ] = 200,
    pairs: Annotated[int, typer.Option(help="Pairs of maps.", min=1, max=MAX_NUMBER)] = 500,
    nulls: Annotated[int, typer.Option(help="Nulls per pair.", min=1, max=MAX_NUMBER)] = 199,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="Table to write, .tsv.", show_default="none")
    ] = None,
) -> None:
    """Count false positives on unrelated smooth maps (Markello & Misic 2021)."""
    import pandas as pd

    from gx2c.calibration.maps import SMOOTHNESS_MM, false_positive_table

    table = false_positive_table(
        methods=method or None,
        smoothness_mm=smoothness or SMOOTHNESS_MM,
        homotopic=homotopic,
        n_regions=regions,
        n_pairs=pairs,
        n_nulls=nulls,
        seed=seed,
    )
    rows = [row._asdict() for row in table]
    print_table(rows, left=("method",))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_csv(out, sep="\t", index=False)


@nulls_app.command("calibrate")
def nulls_calibrate(
    out: Annotated[Path, typer.Option(help="Table to write, or to continue, .tsv.")],
    dataset: Dataset = DATASET,
    trust_row_order: Trust = False,
    brains: Annotated[
        int, typer.Option(help="Synthetic brains per cell.", min=1, max=MAX_NUMBER)
    ] = 40,
    power_brains: Annotated[
        int, typer.Option(help="Of these, with planted signal.", min=0, max=MAX_NUMBER)
    ] = 20,
    nulls: Annotated[int, typer.Option(help="Nulls per brain.", min=1, max=MAX_NUMBER)] = 39,
    seed: Seed = 0,
    jobs: Annotated[int, typer.Option(help="Number of processes.", min=1, max=MAX_JOBS)] = 1,
    surrogate: Annotated[
        list[str] | None,
        typer.Option(help="Surrogate; repeatable.", show_default="those of docs/nulls.md"),
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="Choose the ridge in each brain and in each null.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Figure to write, .svg.", show_default="none")
    ] = None,
) -> None:
    """Count false positives of the whole pipeline on genes unrelated to the connectome."""
    from sweeps.nulls.calibrate import rates, run_calibration

    table = run_calibration(
        out,
        dataset=dataset,
        trust_row_order=trust_row_order,
        brains=brains,
        power_brains=power_brains,
        nulls=nulls,
        seed=seed,
        jobs=jobs,
        search=search,
        surrogates=surrogate or (),
    )
    print_table(rates(table), left=("surrogate",))
    if plot is not None:
        from sweeps.nulls.calibration_plot import calibration_picture

        plot.parent.mkdir(parents=True, exist_ok=True)
        calibration_picture(table).save(plot)


@nulls_app.command("grades")
def nulls_grades(
    out: Annotated[Path, typer.Option(help="Table to write, or to continue, .tsv.")],
    model: Annotated[
        str, typer.Option(help="Model of the sweeps, with geography in it.")
    ] = "geography+genes",
    jobs: Annotated[int, typer.Option(help="Number of processes.", min=1, max=MAX_JOBS)] = 1,
) -> None:
    """Grade whole sweeps on synthetic brains whose grade is known, and count false grades."""
    from sweeps.run.grading import grade_brains, grade_rates

    print_table(grade_rates(grade_brains(out, model, jobs=jobs)), left=("cell", "counted"))
