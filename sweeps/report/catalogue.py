"""The table of all figures of a run, for the page and for `gx2c figures`."""

import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gx2c.models.names import families_of
from sweeps.report.brain_figures import errors_on_brain, folds_on_brain, is_possible
from sweeps.report.connectomes import connectome_figures
from sweeps.report.edge_figures import kinds_figure, network_figure, scatter_figure
from sweeps.report.figures import gain_figure, member_figure, null_figure, score_figure
from sweeps.report.picture import Picture
from sweeps.report.reading import RunFiles
from sweeps.report.search_figures import Search
from sweeps.report.verdict_figure import verdict_figure
from sweeps.report.writing import write_files

FORMATS = ("svg", "pdf", "png")
# Pictures by what distinguishes those of one entry, such as the fold; None where a run has none
Drawn = Mapping[str, Picture] | Picture | None


@functools.lru_cache(maxsize=1)
def searches_of(run: RunFiles) -> dict[str, Search]:
    """Return the search of every model, the run's own first."""
    names = sorted(
        {r.model for r in run.trials}, key=lambda name: (name != run.summary.model, name)
    )
    metric = str(run.summary.provenance.options.get("metric", "val_mse"))
    return {
        name: Search(name, [row for row in run.trials if row.model == name], metric)
        for name in names
    }


def _of_searches(
    draw: Callable[[Search], Picture | None], *, geography: bool = True
) -> Callable[[RunFiles], Drawn]:
    """Draw the searches of the run's models, and that of geography if wanted."""

    def drawn(run: RunFiles) -> dict[str, Picture]:
        own = families_of(run.summary.model)
        return {
            "" if name == run.summary.model else name: picture
            for name, search in searches_of(run).items()
            if (geography or name in own) and (picture := draw(search))
        }

    return drawn


def _gain(run: RunFiles) -> Picture | None:
    has = run.summary.geography is not None and not run.summary.is_geography
    return gain_figure(run.summary) if has else None


def _brain(draw: Callable[[RunFiles], Picture | None]) -> Callable[[RunFiles], Drawn]:
    return lambda run: draw(run) if is_possible() else None


FIGURES: Mapping[str, Callable[[RunFiles], Drawn]] = {
    "verdict": verdict_figure,
    "folds": lambda run: score_figure(run.summary),
    "gain": _gain,
    "brain_folds": _brain(folds_on_brain),
    "connectomes_fold": connectome_figures,
    "scatter": scatter_figure,
    "kinds": kinds_figure,
    "networks": network_figure,
    "brain_error": _brain(errors_on_brain),
    "nulls": null_figure,
    "members": member_figure,
    "search": _of_searches(Search.history_figure),
    "curves": _of_searches(Search.curves_figure),
    "parallel": _of_searches(Search.parallel_figure, geography=False),
    "importance": _of_searches(Search.importance_figure, geography=False),
}


def figures_of(run: RunFiles) -> Iterator[tuple[str, Picture]]:
    """Draw every figure for which the run has the numbers, with its name."""
    for name, draw in FIGURES.items():
        drawn = draw(run)
        for which, picture in (drawn if isinstance(drawn, Mapping) else {"": drawn}).items():
            if picture is not None:
                yield f"{name}_{which}" if which else name, picture


def write_figures(run: RunFiles, out: Path, formats: str) -> list[Path]:
    """Write each figure to a folder in some of `FORMATS`; errors are those of `write_files`."""
    endings = {ending: ending for ending in FORMATS}
    return write_files(figures_of(run), Picture.save, out, formats, endings)
