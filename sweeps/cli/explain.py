"""The command `gx2c explain`: the genes that matter to a saved model, and virtual knock-outs."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeps.cli.after import Dataset, Model, Out, Results, open_models, write_connectomes, wrote

if TYPE_CHECKING:
    from gx2c.data import Brain
    from gx2c.saved.model import SavedModel

# Of the name of a folder
MOST_LETTERS = 60


def explain(
    model: Model,
    out: Out = None,
    dataset: Dataset = "",
    method: Annotated[
        str | None,
        typer.Option(
            help="gradients (networks), left-out (closed forms) or permutation.",
            show_default="as suits the model",
        ),
    ] = None,
    nulls: Annotated[
        int,
        typer.Option(
            help="Surrogates on which all models are retrained; 0 tests nothing.", min=0, max=9999
        ),
    ] = 99,
    surrogate: Annotated[
        str | None, typer.Option(help="Kind of surrogate.", show_default="residual_spin")
    ] = None,
    sets: Annotated[
        Path | None,
        typer.Option(help="GMT file of gene sets.", show_default="the groups that come with gx2c"),
    ] = None,
    units: Annotated[
        str, typer.Option(help="Kinds of units to rank, joined by commas.")
    ] = "genes,tokens,chromosomes,sets",
    seed: Annotated[int, typer.Option(help="Random seed.", min=0)] = 0,
    workers: Annotated[
        int, typer.Option(help="Processes for nulls; results are the same.", min=1, max=1024)
    ] = 1,
    knock_out: Annotated[
        str | None,
        typer.Option(
            help="Set GENE,… or a set to their mean instead, and write the predicted change.",
            show_default="none",
        ),
    ] = None,
    quantile: Annotated[
        float | None,
        typer.Option(help="Quantile to which --knock-out sets genes.", show_default="mean"),
    ] = None,
) -> None:
    """Rank genes, tokens, chromosomes and gene sets by importance for held-out edges."""
    from gx2c.data.gene_sets import gene_groups, read_gmt
    from gx2c.errors import UserError, require_choice
    from gx2c.explain.cases import KINDS

    kinds = [kind.strip() for kind in units.split(",")]
    for kind in kinds:
        require_choice("units", kind, KINDS)
    if quantile is not None and knock_out is None:
        raise UserError("--quantile goes with --knock-out; leave it out, or give genes")
    named = read_gmt(sets) if sets else None
    if knock_out is not None:
        name = f"knock_outs/{_folder_of(knock_out, quantile)}"
        results = Results.open(model, dataset, out, name)
        _knock_out(
            *open_models(model, dataset), knock_out, named or gene_groups(), quantile, results
        )
        return
    results = Results.open(model, dataset, out, "explain")
    models, brain = open_models(model, dataset)
    from gx2c.explain import importance
    from gx2c.nulls import DEFAULT_SURROGATE
    from sweeps.folder.explained import write_ranking
    from sweeps.report.importance import ranking_figure

    found = importance(
        models,
        brain,
        method=method,
        nulls=nulls,
        surrogate=surrogate or DEFAULT_SURROGATE,
        sets=named,
        kinds=kinds,
        seed=seed,
        n_jobs=workers,
        progress=_progress,
    )
    for kind, table in found.tables.items():
        write_ranking(results.folder, kind, table)
        picture = ranking_figure(f"{kind} by {models[0].name}", table)
        picture.save(results.folder / f"{kind}.svg")
        first = table.iloc[0]
        p = first["p_max_t"] if not nulls else f"p (max-T) {first['p_max_t']:.3g}"
        said = f".tsv and .svg: first {first['unit']} {first['importance']:+.3g}, {p}"
        wrote(results.folder / kind, said)
    print(f"by       {found!r}")
    results.close(
        kinds=list(found.tables),
        method=found.method,
        nulls=nulls,
        surrogate=surrogate or DEFAULT_SURROGATE,
    )


def _progress(pieces: Iterable[Any], total: int) -> Iterable[Any]:
    """Show how much of all models and nulls is done, on standard error."""
    from rich.progress import track

    from sweeps.run.progress import progress_console

    return track(pieces, "explaining", total, console=progress_console(), transient=True)


def _knock_out(
    models: "Sequence[SavedModel]",
    brain: "Brain",
    choice: str,
    sets: Any,
    quantile: float | None,
    results: Results,
) -> None:
    from gx2c.explain.importance import read_sets
    from gx2c.explain.knock_out import knock_out
    from sweeps.report.importance import change_figure

    found = knock_out(models, brain, read_sets(sets, choice), quantile=quantile)
    spread = {"KnockOutSd": found.deviation} if found.n_members > 1 else {}
    write_connectomes(results.folder, brain, models[0], {"KnockOutMean": found.change} | spread)
    title = f"{models[0].name} without {choice}"
    picture = results.folder / "change.svg"
    change = found.change * models[0].about.dataset.divisor
    change_figure(title, change, list(brain.network)).save(picture)
    wrote(picture)
    print(f"change   {found!r}")
    results.close(title=title, genes=list(found.genes), quantile=quantile, members=found.n_members)


def _folder_of(choice: str, quantile: float | None) -> str:
    """Name a knock-out by its genes, for a folder."""
    at = "" if quantile is None else f"_q{quantile:g}"
    return re.sub(r"[^A-Za-z0-9-]+", "_", choice)[:MOST_LETTERS] + at
