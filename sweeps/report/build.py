"""Write the page: one file without network access or scripts."""

import functools
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from gx2c.metrics import HEADLINE
from gx2c.models.names import families_of
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, write_bytes
from sweeps.report import facts, figures, tables
from sweeps.report.connectomes import colour_limit, connectome_figure, edge_figure, edge_range
from sweeps.report.picture import PALETTE, Picture
from sweeps.report.reading import RunFiles, read_run
from sweeps.report.wording import compact, counted, duration, flat


def write_report(paths: SweepPaths) -> Path:
    """Write report.html from a finished run folder: one file that loads nothing.

    Nothing is computed that the files do not contain; missing parts are named on the page.
    """
    run = read_run(paths)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sweeps.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    css = environment.loader.get_source(environment, "page.css")[0]  # type: ignore[union-attr]
    page = environment.get_template("report.html.j2").render(
        run=run, s=run.summary, css=css, palette=PALETTE, **_sentences(run), **_figures(run)
    )
    write_bytes(paths.report, page.encode())
    return paths.report


def _sentences(run: RunFiles) -> dict[str, Any]:
    s = run.summary
    provenance = flat(s.provenance.model_dump(exclude_unset=True))
    return {
        "headline": facts.headline(s),
        "reading": facts.reading(s),
        "about": facts.about(s),
        "key_numbers": facts.key_numbers(s),
        "fold_table": tables.fold_table(s),
        "family_rows": tables.family_rows(s),
        "metric_rows": tables.metric_rows(s),
        "detail_rows": tables.detail_rows(s) if s.model in s.details else [],
        "across_rows": tables.across_rows(s) if s.train_test else [],
        "null_facts": facts.null_facts(s.nulls) if s.nulls else {},
        "more_nulls": {name: facts.null_facts(found) for name, found in s.more_nulls.items()},
        "fold_names": [f"fold {fold.fold}" for fold in s.folds],
        "config_rows": tables.config_rows(s)
        if any(f.best_config or f.weights for f in s.folds)
        else [],
        "limits": facts.limits(s),
        "provenance": {name: compact(value) for name, value in provenance.items()},
        "seconds": {name: duration(value) for name, value in s.seconds.items()},
    }


def _figures(run: RunFiles) -> dict[str, Any]:
    s = run.summary
    scores = run.null_scores[np.isfinite(run.null_scores)]
    undefined = len(run.null_scores) - len(scores)
    counts = f"{counted(len(scores), 'null')} shown."
    counts += f" {counted(undefined, 'null')} without a defined score." if undefined else ""
    observed, rival = s.score(HEADLINE).mean, s.rival(HEADLINE).mean
    nulls = figures.null_figure(scores, observed, rival, s.model) if len(scores) else None
    return {
        "scores": figures.score_figure(s),
        "gain": None if s.geography is None or s.is_geography else figures.gain_figure(s),
        "connectomes": _connectomes(run),
        "missing": [f"Fold {c.fold}: {c.problem}" for c in run.connectomes if c.problem],
        "nulls": nulls,
        "null_counts": counts,
        "searches": _searches(run),
    }


def _connectomes(run: RunFiles) -> list[dict[str, Any]]:
    usable = [c for c in run.connectomes if c.predicted is not None and c.measured is not None]
    if not usable:
        return []
    limit, ends = colour_limit(usable), edge_range(usable)
    return [
        {
            "fold": c.fold,
            "n": counted(len(c.labels), "test region"),
            **{
                kind: connectome_figure(values, c.labels, kind=kind, fold=c.fold, limit=limit)
                for kind, values in (("measured", c.measured), ("predicted", c.predicted))
                if values is not None
            },
            "edges": edge_figure(c, ends),
            "rows": tables.one_fold_rows(run.summary, c.fold),
        }
        for c in usable
    ]


def _searches(run: RunFiles) -> dict[str, dict[str, Any]]:
    models = dict.fromkeys(row.model for row in run.trials)
    if not models.keys() >= set(families_of(run.summary.model)):
        return {}
    names = sorted(models, key=lambda name: (name != run.summary.model, name))
    return {name: _search(name, [row for row in run.trials if row.model == name]) for name in names}


def _search(model: str, rows: list[ConfigRecord]) -> dict[str, Any]:
    folds = sorted({row.fold for row in rows})
    by_fold = {fold: [row for row in rows if row.fold == fold] for fold in folds}
    ends = figures.score_range(row.score for row in rows)
    history = functools.partial(figures.draw_history, ends=ends)
    curves = {f: [row for row in rows if len(row.curve) > 1] for f, rows in by_fold.items()}
    drawn = [row for rows in curves.values() for row in figures.drawn_curves(rows)]
    picture: Picture | None = None
    if drawn:
        draw = functools.partial(
            figures.draw_curves, ends=figures.curve_range(drawn, lowest=ends[0])
        )
        picture = figures.search_figure(curves, model, draw, "Learning curves")
    return {
        "history": figures.search_figure(by_fold, model, history, "Validation scores of configs"),
        "curves": picture,
        "n_drawn": len(drawn),
        "n_curves": sum(map(len, curves.values())),
    }
