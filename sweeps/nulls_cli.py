"""The commands `gx2c nulls ...`: make spins, check surrogates, count false positives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gx2c.errors import UserError
from sweeps.nulls_evaluate_cli import nulls_evaluate
from sweeps.row_table import print_rows

nulls_app = typer.Typer(help="Null models: make, check, false positives.", no_args_is_help=True)


@nulls_app.command("make")
def nulls_make(
    out: Annotated[Path, typer.Option(help="The file to write, .npy.")],
    dataset: Annotated[str, typer.Option(help="A name or a folder.")] = "schaefer100",
    method: Annotated[str, typer.Option(help="alexander_bloch, hungarian or vasa.")] = "hungarian",
    n: Annotated[int, typer.Option(help="How many spins.")] = 1_000,
    seed: Annotated[int, typer.Option(help="Spin k depends on it and on k alone.")] = 0,
    max_distortion: Annotated[
        float | None, typer.Option(help="Redraw spins more distorted than this.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Threads.")] = 1,
) -> None:
    """Write spins of a cortex as integers, regions with expression x spins."""
    import numpy as np

    from gx2c.data import load_dataset
    from gx2c.nulls import make_brain_spins

    if out.suffix != ".npy":
        raise UserError(f"--out {out} does not end in .npy, the format of spins; rename it")
    brain = load_dataset(dataset)
    spins = make_brain_spins(
        brain, n_spins=n, seed=seed, method=method, max_distortion=max_distortion, n_jobs=jobs
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    np.save(out, spins)
    typer.echo(f"{out}: {spins.shape[0]} regions x {spins.shape[1]} spins ({method}, seed {seed})")


@nulls_app.command("check")
def nulls_check(
    spins: Annotated[Path | None, typer.Argument(help="Spins to check, .npy.")] = None,
    dataset: Annotated[str, typer.Option(help="A name or a folder.")] = "schaefer100",
    surrogate: Annotated[
        list[str] | None, typer.Option(help="Without a file: which surrogates; default all.")
    ] = None,
    n: Annotated[int, typer.Option(help="How many surrogates to look at.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the surrogates.")] = 0,
) -> None:
    """Report roughness kept, duplicates, regions that stay, and what is not finite."""
    from gx2c.data import load_dataset
    from gx2c.nulls import IndexSurrogate, surrogate_quality

    brain = load_dataset(dataset)
    if spins is None:
        chosen = _by_name(surrogate, brain, seed)
    else:
        columns = _read_spins(spins, brain.n_regions)
        n = min(n, columns.shape[1])
        chosen = [IndexSurrogate(spins.name, "from a file", lambda k, m: columns[:, k : k + m])]
    reports = [surrogate_quality(brain, one, numbers=range(n))._asdict() for one in chosen]
    print_rows([{k: v for k, v in report.items() if k != "statement"} for report in reports])
    for report in reports:
        typer.echo(f"{report['name']}: {report['statement']}")


@nulls_app.command("fpr")
def nulls_fpr(
    method: Annotated[
        list[str] | None, typer.Option(help="Which null models; default all.")
    ] = None,
    smoothness: Annotated[
        list[float] | None, typer.Option(help="Of the maps, mm on a sphere of radius 100.")
    ] = None,
    homotopic: Annotated[float, typer.Option(help="Share of a map that is mirrored.")] = 0.0,
    regions: Annotated[int, typer.Option(help="Of both hemispheres.")] = 200,
    pairs: Annotated[int, typer.Option(help="Pairs of maps.")] = 500,
    nulls: Annotated[int, typer.Option(help="Nulls of each pair.")] = 199,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    out: Annotated[Path | None, typer.Option(help="A table to write, .tsv.")] = None,
) -> None:
    """Count false positives on unrelated smooth maps (Markello & Misic 2021)."""
    from gx2c.nulls import false_positive_table
    from gx2c.nulls.false_positives import SMOOTHNESS_MM

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
    print_rows(rows)
    if out is not None:
        import pandas as pd

        out.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_csv(out, sep="\t", index=False)


def _by_name(names: Sequence[str] | None, brain: Any, seed: int) -> list[Any]:
    import numpy as np

    from gx2c.nulls import SURROGATES, make_surrogate

    if not names:
        sphere = brain.sphere_coords
        whole = sphere is not None and bool(np.isfinite(sphere).all())
        names = [name for name in SURROGATES if name != "stitched" or not whole]
    return [make_surrogate(name, brain, seed=seed) for name in names]


def _read_spins(path: Path, n_regions: int) -> Any:
    import numpy as np

    if not path.exists():
        raise UserError(f"there is no file {path}; `gx2c nulls make --out {path}` makes one")
    try:
        with path.open("rb") as stream:
            spins = np.lib.format.read_array(stream, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not an array of spins ({error}); `gx2c nulls make` makes one"
        ) from None
    inside = spins.dtype.kind in "iu" and spins.ndim == 2 and len(spins) == n_regions
    if not inside or not spins.size or spins.min() < 0 or spins.max() >= n_regions:
        raise UserError(
            f"{path} holds {spins.dtype} of shape {spins.shape}; spins of this dataset are"
            f" integers from 0 to {n_regions - 1}, ({n_regions}, spins): make them for it"
        )
    return spins


nulls_app.command("evaluate")(nulls_evaluate)


@nulls_app.command("calibrate")
def nulls_calibrate(
    out: Annotated[Path, typer.Option(help="The table to write, or to go on with, .tsv.")],
    dataset: Annotated[str, typer.Option(help="A name or a folder.")] = "schaefer100",
    brains: Annotated[int, typer.Option(help="Synthetic brains per cell.")] = 40,
    power_brains: Annotated[int, typer.Option(help="Of these, with planted signal.")] = 20,
    nulls: Annotated[int, typer.Option(help="Nulls of each brain.")] = 39,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    jobs: Annotated[int, typer.Option(help="Processes.")] = 1,
    surrogate: Annotated[
        list[str] | None, typer.Option(help="Which; default those of the table in docs/nulls.md.")
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="Choose the ridge in each brain and in each null.")
    ] = False,
    plot: Annotated[Path | None, typer.Option(help="A picture to write, .svg.")] = None,
) -> None:
    """Count false positives of the whole pipeline on genes unrelated to the connectome."""
    from sweeps.calibrate import rates, run_calibration

    table = run_calibration(
        out,
        dataset=dataset,
        brains=brains,
        power_brains=power_brains,
        nulls=nulls,
        seed=seed,
        jobs=jobs,
        search=search,
        surrogates=surrogate or (),
    )
    print_rows(rates(table))
    if plot is not None:
        from sweeps.calibration_plot import calibration_svg

        plot.parent.mkdir(parents=True, exist_ok=True)
        plot.write_text(calibration_svg(table))
