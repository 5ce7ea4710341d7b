"""Write the page: one file without network access or scripts."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import jinja2

from gx2c.models.names import families_of
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import write_bytes
from sweeps.report import facts, tables
from sweeps.report.brain_figures import APPROXIMATE, LACKS, is_possible
from sweeps.report.catalogue import figures_of, searches_of
from sweeps.report.methods import methods
from sweeps.report.picture import PALETTE, Picture
from sweeps.report.reading import RunFiles, read_run
from sweeps.report.search_figures import Search, drawn_curves
from sweeps.report.verdict_figure import verdict_figure, verdict_note
from sweeps.report.wording import compact, counted, duration, flat

Pictures = defaultdict[str, Picture | None]
# Columns of a table of configs that fit a printed page
FOLDS_PER_TABLE = 6


def write_report(paths: SweepPaths) -> Path:
    """Write report.html from a finished run folder: one file that loads nothing.

    No model is run or scored again; missing parts are named on the page.
    """
    run = read_run(paths)
    page = render("report.html.j2", run=run, s=run.summary, **_sentences(run), **_figures(run))
    write_bytes(paths.report, page.encode())
    return paths.report


def render(template: str, **context: Any) -> str:
    """Fill in a template of a page, with the look that all pages share."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sweeps.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.tests["bold"] = lambda cell: isinstance(cell, tables.Bold)
    css = environment.loader.get_source(environment, "page.css")[0]  # type: ignore[union-attr]
    return environment.get_template(template).render(css=css, palette=PALETTE, **context)


def _sentences(run: RunFiles) -> dict[str, Any]:
    s, first = run.summary, run.of_seed(run.seeds[0]).summary
    provenance = flat(s.provenance.model_dump(exclude_unset=True))
    has_details = s.model in s.details
    has_configs = any(f.best_config or f.weights for f in s.folds)
    return {
        "headline": facts.headline(s),
        "grade": None if s.verdict is None else s.verdict.grade,
        "reading": facts.reading(s),
        "about": facts.about(s),
        "key_numbers": facts.key_numbers(s),
        "verdict_note": verdict_note(run),
        "fold_table": tables.fold_table(s),
        "family_rows": tables.family_rows(s),
        "metric_rows": tables.metric_rows(s),
        "kind_rows": tables.kind_rows(s) if has_details else [],
        "other_rows": tables.other_rows(s) if has_details else [],
        "across_rows": tables.across_rows(s) if s.train_test else [],
        "null_facts": facts.null_facts(s.nulls) if s.nulls else {},
        "more_nulls": {name: facts.null_facts(found) for name, found in s.more_nulls.items()},
        "config_tables": tables.config_tables(first, FOLDS_PER_TABLE) if has_configs else [],
        "of_seed": f"seed {run.seeds[0]}" if len(run.seeds) > 1 else "",
        "methods": methods(s),
        "limits": facts.limits(s),
        "provenance": {name: compact(value) for name, value in provenance.items()},
        "seconds": {name: duration(value) for name, value in s.seconds.items()},
        "brain_note": APPROXIMATE if is_possible() else LACKS,
        "missing": [
            f"{c.name[0].upper()}{c.name[1:]}: {c.problem}" for c in run.connectomes if c.problem
        ],
        "null_counts": _null_counts(run),
    }


def _null_counts(run: RunFiles) -> str:
    words = []
    for kind, scores in run.null_scores.items():
        undefined = sum(score != score for score in scores.tolist())
        shown = counted(len(scores) - undefined, "null")
        without = f" ({counted(undefined, 'null')} without a defined score)" if undefined else ""
        words.append(f"{shown} of {kind} shown{without}")
    return "; ".join(words)


def _figures(run: RunFiles) -> dict[str, Any]:
    # a name without a picture is nothing
    pictures: Pictures = defaultdict(lambda: None, figures_of(run, on_page=True))
    shown = run.of_seed(run.seeds[0])
    tabs = [
        {
            "name": c.name,
            "n": counted(len(c.labels), "test region"),
            "picture": pictures[f"connectomes_fold_{fold.in_seed}"],
            "rows": tables.one_fold_rows(run.summary, c.fold),
        }
        for c, fold in zip(shown.connectomes, shown.summary.folds, strict=True)
        if not c.problem
    ]
    searches, own = searches_of(shown), set(families_of(run.summary.model))
    complete = searches.items() if searches.keys() >= own else ()
    found = {name: _search(run, search, pictures) for name, search in complete}
    return {
        "pictures": pictures,
        "narrow_verdict": verdict_figure(run, narrow=True),
        "tabs": tabs,
        "searches": found,
        "own": own,
        "explained": _explained(run, pictures),
    }


def _explained(run: RunFiles, pictures: Pictures) -> dict[str, Any]:
    """Return what is shown of saved models, each part empty where it was not computed."""
    found = run.explained

    def drawn(name: str) -> list[Picture]:
        return [p for key, p in pictures.items() if p is not None and key.startswith(f"{name}_")]

    return {
        "problems": found.problems,
        "note": facts.ranking_note(found.asked) if found.rankings else "",
        "rankings": [
            (kind, pictures[f"ranking_{kind}"], *tables.ranking_table(table))
            for kind, table in found.rankings.items()
        ],
        "pairs": drawn("pairs"),
        "attention": drawn("attention"),
        "embedding": drawn("embedding"),
        "knock_outs": drawn("knock_out"),
        "more": {
            "attention": len(found.attention),
            "embedding": len(found.embeddings),
            "knock_out": len(found.knock_outs) if is_possible() else 0,
        },
    }


def _search(run: RunFiles, search: Search, pictures: Pictures) -> dict[str, Any]:
    end = "" if search.model == run.summary.model else f"_{search.model}"
    curves = search.curves.values()
    return {
        **{
            name: pictures[f"{name}{end}"]
            for name in ("search", "curves", "parallel", "importance")
        },
        "label": search.label,
        "n_drawn": sum(len(drawn_curves(rows)) for rows in curves),
        "n_curves": sum(map(len, curves)),
        "n": len(search.values),
    }
