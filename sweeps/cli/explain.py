"""The command `gx2c explain`: the genes that matter to a saved model, and virtual knock-outs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeps.cli.after import Dataset, Model, Out, open_models, write_connectomes, write_rows, wrote

if TYPE_CHECKING:
    from gx2c.data import Brain
    from gx2c.saved.model import SavedModel


def explain(
    model: Model,
    out: Out,
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
    models, brain = open_models(model, dataset, out)
    if knock_out is not None:
        _knock_out(models, brain, knock_out, named or gene_groups(), quantile, out)
        return
    from gx2c.explain import importance
    from gx2c.nulls import DEFAULT_SURROGATE
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
        write_rows(out / f"{kind}.tsv", list(table.columns), table.itertuples(index=False))
        ranking_figure(f"{kind} by {models[0].name}", table).save(out / f"{kind}.svg")
        first = table.iloc[0]
        p = first["p_max_t"] if not nulls else f"p (max-T) {first['p_max_t']:.3g}"
        wrote(out / kind, f".tsv and .svg: first {first['unit']} {first['importance']:+.3g}, {p}")
    print(f"by       {found!r}")


def _progress(groups: Iterable[Any], total: int) -> Iterable[Any]:
    """Show how many groups of nulls are done, on standard error."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(groups, "retraining on surrogates", total, console=console, transient=True)


def _knock_out(
    models: "Sequence[SavedModel]",
    brain: "Brain",
    choice: str,
    sets: Any,
    quantile: float | None,
    out: Path,
) -> None:
    from gx2c.explain.importance import read_sets
    from gx2c.explain.knock_out import knock_out
    from sweeps.report.importance import change_figure

    found = knock_out(models, brain, read_sets(sets, choice), quantile=quantile)
    spread = {"KnockOutSd": found.deviation} if found.n_members > 1 else {}
    write_connectomes(out, brain, models[0], {"KnockOutMean": found.change} | spread)
    title = f"{models[0].name} without {choice}"
    change_figure(title, found.change, list(brain.network)).save(out / "change.svg")
    wrote(out / "change.svg")
    print(f"change   {found!r}")
