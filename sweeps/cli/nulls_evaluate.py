"""The command `gx2c nulls evaluate`: models against nulls, without a sweep."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from gx2c.errors import UserError
from sweeps.cli.data_import import Trust
from sweeps.cli.tables import print_table
from sweeps.request.seeds import parse_seeds
from sweeps.request.table import OPTIONS

DEFAULTS = {name: one.default for name, one in OPTIONS.items()}
MAX_NULLS = OPTIONS["nulls"].within[1]


def nulls_evaluate(
    out: Annotated[Path, typer.Option(help="Folder for the results, new or to be continued.")],
    run: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Finished runs; with several, p-values are also adjusted across runs. Omit to "
            "use --dataset."
        ),
    ] = None,
    dataset: Annotated[
        str, typer.Option(help="Name or folder of a dataset, without a run.")
    ] = DEFAULTS["dataset"],
    trust_row_order: Trust = False,
    split: Annotated[
        str, typer.Option(help="Split, without a run; docs/options.md lists them.")
    ] = DEFAULTS["split"],
    seeds: Annotated[
        str, typer.Option(help="Seeds of folds to average over, without a run: 1,2,3.")
    ] = "1",
    inner_repeats: Annotated[
        int, typer.Option(help="Sets of inner folds, without a run.", min=1, max=1_000)
    ] = DEFAULTS["inner_repeats"],
    surrogate: Annotated[
        str | None,
        typer.Option(help=OPTIONS["null_method"].help, show_default="that of the run, or usual"),
    ] = None,
    moves: Annotated[str, typer.Option(help=OPTIONS["null_moves"].help)] = DEFAULTS["null_moves"],
    n: Annotated[int, typer.Option(help="Number of nulls.", min=1, max=MAX_NULLS)] = DEFAULTS[
        "nulls"
    ],
    search: Annotated[
        str | None,
        typer.Option(help=OPTIONS["null_search"].help, show_default=OPTIONS["null_search"].usually),
    ] = None,
    stop_after: Annotated[
        int,
        typer.Option(
            help="Stop when so many nulls were as good (Besag-Clifford); 0 for never.",
            min=0,
            max=MAX_NULLS,
        ),
    ] = 0,
    frozen: Annotated[
        bool,
        typer.Option(
            "--frozen", help="Only report how much trained models lose on surrogates; no p-value."
        ),
    ] = False,
    workers: Annotated[
        int, typer.Option(help="Number of processes; results are the same.", min=1, max=1_024)
    ] = 1,
    ray: Annotated[bool, typer.Option("--ray", help="Run groups as Ray tasks instead.")] = False,
) -> None:
    """Test a model's gain over geography against nulls, each searched and retrained."""
    from sweeps.cli.summary_text import evaluation_lines
    from sweeps.nulls.evaluation import NullEvaluation, evaluate_candidates, frozen_drop
    from sweeps.nulls.units import unit_of_dataset, unit_of_run

    runs = {one.name: one for one in run or ()}
    if len(runs) < len(run or ()):
        raise UserError("two of the runs have folders of the same name; rename one")
    several = len(runs) > 1
    if several and (frozen or stop_after):
        raise UserError("--frozen and --stop-after take one run; leave them out")
    given: dict[str, Any] = {
        "nulls": n,
        "null_method": surrogate,
        "null_moves": moves,
        "null_search": search,
    }
    units = {name: unit_of_run(root, **given) for name, root in runs.items()} or {
        str(seed): unit_of_dataset(
            dataset,
            trust_row_order=trust_row_order,
            split=split,
            seed=seed,
            inner_repeats=inner_repeats,
            **given,
        )
        for seed in parse_seeds(seeds)
    }
    if frozen:
        print_table({"seed": u.plan.options.seed, **frozen_drop(u)} for u in units.values())
        return
    with _runner(next(iter(units.values())).plan.options, out, workers=workers, ray=ray) as work:
        if several:
            summaries, rows = evaluate_candidates(units, out, work)
        else:
            evaluation = NullEvaluation(list(units.values()), out, work, stop_after)
            summaries, rows = [evaluation.execute()], []
    for summary in summaries:
        typer.echo("\n".join(evaluation_lines(summary)) + "\n" * several)
    if several:
        typer.echo(f"over {len(rows)} models by Pearson r, p by max-T and false discovery rate:")
        print_table(rows)
    typer.echo(f"written to {out}")


@contextmanager
def _runner(options: Any, out: Path, *, workers: int, ray: bool) -> Iterator[Any]:
    """Open what runs groups of nulls: processes of this machine, or Ray."""
    from sweeps.nulls.evaluation import in_processes, on_ray

    if not ray:
        yield in_processes(workers)
        return
    from sweeps.workers.ray_session import ray_session

    # what "auto" found is not known any more: a whole GPU each
    cpus, gpus = options.cpus_per_trial, abs(options.gpus_per_trial)
    with ray_session(cpus_per_trial=cpus, gpus_per_trial=gpus, shared=str(out)) as at_once:
        yield on_ray(cpus=cpus, gpus=gpus, at_once=at_once)
