"""The table of all figures of a run, for the page and for `gx2c figures`."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from gx2c.models.names import families_of
from sweeps.report.brain_figures import errors_on_brain, folds_on_brain, is_possible
from sweeps.report.connectomes import connectome_figures
from sweeps.report.edge_figures import kinds_figure, network_figure, scatter_figure
from sweeps.report.explained_figures import (
    attention_figures,
    embedding_figures,
    knock_out_figures,
    pair_figures,
    ranking_figures,
)
from sweeps.report.figures import gain_figure, member_figure, null_figure, score_figure
from sweeps.report.picture import Picture
from sweeps.report.reading import RunFiles
from sweeps.report.search_figures import Search
from sweeps.report.verdict_figure import verdict_figure
from sweeps.report.wording import fold_name
from sweeps.report.writing import write_files

FORMATS = ("svg", "pdf", "png")
# A picture, or several by what distinguishes them, such as the fold; None where a run has none
Drawn = Iterable[tuple[str, Picture]] | Picture | None


class Figure(NamedTuple):
    """An entry of the table.

    Attributes
    ----------
    draw
        Draws its pictures.
    by_seed
        Whether it is drawn for each seed of the splits; a page shows the first.
    on_page
        How many of its pictures a page shows; all if None.
    """

    draw: Callable[[RunFiles], Drawn]
    by_seed: bool = False
    on_page: int | None = None


@functools.lru_cache(maxsize=1)
def searches_of(run: RunFiles) -> dict[str, Search]:
    """Return the search of every model, the run's own first."""
    model = run.summary.model
    names = sorted({r.model for r in run.trials}, key=lambda name: (name != model, name))
    metric = str(run.summary.provenance.options.get("metric", "val_mse"))
    folds = {fold.fold: fold_name(fold) for fold in run.summary.folds}
    return {
        name: Search(name, [row for row in run.trials if row.model == name], metric, folds)
        for name in names
    }


def _of_searches(
    draw: Callable[[Search], Picture | None], *, geography: bool = True
) -> Callable[[RunFiles], Drawn]:
    """Draw the searches of the run's models, and that of geography if wanted."""

    def drawn(run: RunFiles) -> Iterator[tuple[str, Picture]]:
        own = families_of(run.summary.model)
        for name, search in searches_of(run).items():
            picture = draw(search) if geography or name in own else None
            if picture is not None:
                yield "" if name == run.summary.model else name, picture

    return drawn


def _gain(run: RunFiles) -> Picture | None:
    has = run.summary.geography is not None and not run.summary.is_geography
    return gain_figure(run.summary) if has else None


def _brain(draw: Callable[[RunFiles], Picture | None]) -> Callable[[RunFiles], Drawn]:
    return lambda run: draw(run) if is_possible() else None


FIGURES: Mapping[str, Figure] = {
    "verdict": Figure(verdict_figure),
    "folds": Figure(lambda run: score_figure(run.summary)),
    "gain": Figure(_gain),
    "brain_folds": Figure(_brain(folds_on_brain), by_seed=True),
    "connectomes": Figure(connectome_figures, by_seed=True),
    "scatter": Figure(scatter_figure),
    "kinds": Figure(kinds_figure),
    "networks": Figure(network_figure),
    "brain_error": Figure(_brain(errors_on_brain)),
    "nulls": Figure(null_figure),
    "ranking": Figure(ranking_figures),
    "pairs": Figure(pair_figures),
    "attention": Figure(attention_figures, on_page=2),
    "embedding": Figure(embedding_figures, on_page=2),
    "knock_out": Figure(knock_out_figures, on_page=4),
    "members": Figure(member_figure, by_seed=True),
    "search": Figure(_of_searches(Search.history_figure), by_seed=True),
    "curves": Figure(_of_searches(Search.curves_figure), by_seed=True),
    "parallel": Figure(_of_searches(Search.parallel_figure, geography=False)),
    "importance": Figure(_of_searches(Search.importance_figure, geography=False)),
}


def figures_of(run: RunFiles, *, on_page: bool = False) -> Iterator[tuple[str, Picture]]:
    """Draw every figure for which the run has the numbers, with its name.

    Names of those of one seed have the seed if there are several; on a page only the first seed's
    are drawn, without it.
    """
    for name, figure in FIGURES.items():
        seeds = run.seeds[: 1 if on_page or not figure.by_seed else None]
        for seed in seeds:
            drawn = figure.draw(run.of_seed(seed) if figure.by_seed else run)
            several = figure.by_seed and len(run.seeds) > 1 and not on_page
            start = f"{name}_seed_{seed}" if several else name
            named = [("", drawn)] if isinstance(drawn, Picture) else drawn or ()
            for which, picture in islice(named, figure.on_page if on_page else None):
                yield f"{start}_{which}" if which else start, picture


def write_figures(run: RunFiles, out: Path, formats: str) -> list[Path]:
    """Write each figure to a folder in some of `FORMATS`; errors are those of `write_files`."""
    endings = {ending: ending for ending in FORMATS}
    return write_files(figures_of(run), Picture.save, out, formats, endings)
