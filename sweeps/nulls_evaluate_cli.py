"""The command `gx2c nulls evaluate`: models against nulls, without a sweep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from gx2c.errors import UserError
from sweeps.row_table import print_rows


def nulls_evaluate(
    out: Annotated[Path, typer.Option(help="Folder of the results, or to go on with.")],
    run: Annotated[
        list[Path] | None, typer.Argument(help="Finished runs, p over them too; else a dataset.")
    ] = None,
    dataset: Annotated[
        str, typer.Option(help="Without a run: a name or a folder.")
    ] = "schaefer100",
    split: Annotated[
        str, typer.Option(help="Without a run: how regions are held out.")
    ] = "bilateral",
    seeds: Annotated[str, typer.Option(help="Without a run: of folds, 1,2,3; averaged.")] = "1",
    inner_repeats: Annotated[
        int, typer.Option(help="Sets of a dataset's inner folds: more choose better.")
    ] = 1,
    surrogate: Annotated[
        str | None, typer.Option(help="residual_spin, hungarian, moran, ...")
    ] = None,
    moves: Annotated[str, typer.Option(help="genes, genes+coordinates, connectome.")] = "genes",
    n: Annotated[int, typer.Option(help="How many nulls.")] = 100,
    search: Annotated[
        str | None, typer.Option(help="full or none; default full for closed forms.")
    ] = None,
    stop_after: Annotated[
        int, typer.Option(help="Stop when so many nulls were as good (Besag-Clifford); 0: never.")
    ] = 0,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Drop of trained models on surrogate input; no p.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes; the result is the same.")] = 1,
    ray: Annotated[bool, typer.Option("--ray", help="Run groups as Ray tasks instead.")] = False,
) -> None:
    """Hold a model's gain over geography against nulls, each searched and retrained."""
    from sweeps.null_evaluation import frozen_drop
    from sweeps.null_report import evaluation_lines
    from sweeps.null_units import unit_of_dataset, unit_of_run

    if n < 1 or workers < 1 or stop_after < 0:
        raise UserError(f"n={n}, workers={workers}, stop_after={stop_after}; give 1, 1, 0 or more")
    nulls = {"nulls": n, "null_method": surrogate, "null_moves": moves, "null_search": search}
    if run and len(run) > 1:
        if frozen or stop_after:
            raise UserError("--frozen and --stop-after take one run; leave them out")
        by_name = {one.name: unit_of_run(one, **nulls) for one in run}
        if len(by_name) < len(run):
            raise UserError("two of the runs have folders of the same name; rename one")
        print_rows(_evaluate_candidates(by_name, out, workers=workers, ray=ray))
        return
    if run:
        units = [unit_of_run(run[0], **nulls)]
    else:
        numbers = _seeds(seeds)
        more: dict[str, Any] = {"inner_repeats": inner_repeats, **nulls}
        units = [unit_of_dataset(dataset, split=split, seed=s, **more) for s in numbers]
    if frozen:
        for unit in units:
            print_rows([{"seed": unit.plan.options.seed, **frozen_drop(unit)}])
        return
    summary = _evaluate(units, out, workers=workers, ray=ray, stop_after=stop_after)
    for line in evaluation_lines(summary):
        typer.echo(line)
    typer.echo(f"written to {out}")


def _evaluate(
    units: Sequence[Any], out: Path, *, workers: int, ray: bool, stop_after: int
) -> dict[str, Any]:
    from sweeps.null_evaluation import NullEvaluation

    with _runner(units[0].plan.options, out, workers=workers, ray=ray) as run:
        return NullEvaluation(units, out, run, stop_after).execute()


def _evaluate_candidates(
    units: Mapping[str, Any], out: Path, *, workers: int, ray: bool
) -> list[dict[str, Any]]:
    from sweeps.null_evaluation import evaluate_candidates
    from sweeps.null_report import evaluation_lines

    options = next(iter(units.values())).plan.options
    with _runner(options, out, workers=workers, ray=ray) as run:
        summaries, rows = evaluate_candidates(units, out, run)
    for summary in summaries:
        for line in evaluation_lines(summary):
            typer.echo(line)
        typer.echo("")
    typer.echo(f"over {len(rows)} models by Pearson r, p by max-T and false discovery rate:")
    return rows


@contextmanager
def _runner(options: Any, out: Path, *, workers: int, ray: bool) -> Iterator[Any]:
    """Open what runs groups of nulls: processes of this machine, or Ray."""
    from sweeps.null_evaluation import in_processes, on_ray

    if not ray:
        yield in_processes(workers)
        return
    from sweeps.ray_session import ray_session

    # what "auto" found is not known any more: a whole GPU each
    cpus, gpus = options.cpus_per_trial, abs(options.gpus_per_trial)
    with ray_session(cpus_per_trial=cpus, gpus_per_trial=gpus, shared=str(out)) as at_once:
        yield on_ray(cpus=cpus, gpus=gpus, at_once=at_once)


def _seeds(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 0 or len(set(numbers)) < len(numbers):
        raise UserError(f"--seeds {text}: give different whole numbers from 0 on, such as 1,2,3")
    return numbers
