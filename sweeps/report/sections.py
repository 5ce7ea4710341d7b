"""The parts of the page, top to bottom; each one says so where its files are missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sweeps.report import connectomes, tables
from sweeps.report.headline import (
    NOT_ADJUSTED,
    TUNED,
    geography_mean,
    is_geography,
    null_caveats,
)
from sweeps.report.markup import Markup, join, node
from sweeps.report.null_plot import null_plot
from sweeps.report.pieces import absent, figure, legend, section
from sweeps.report.reading import FoldConnectomes, RunFiles
from sweeps.report.scores import METRIC, gain_plot, score_plot
from sweeps.report.summary import Average, Summary
from sweeps.report.wording import counted, duration, number, signed

LIMITS = (
    "The connectome is a group mean. A high score says nothing about differences between people.",
    "What is held out are regions of one brain, not people: the score does not say how well a new "
    "person's connectome would be predicted.",
    "Expression from the Allen Human Brain Atlas rests on six donors, two of them sampled in the "
    "right hemisphere too. Where it was normalised over all regions, test regions took part.",
    "The folds are few and share training regions, so their SD is not an interval for the mean.",
    "Near regions are alike in both expression and connectivity. Only the gain over geography "
    "speaks of genes, and only as far as geography was modelled well.",
)
CAVEATS = {
    NOT_ADJUSTED: "The p-value is not adjusted for geography: what expression tells of place is "
    "lost in the nulls too.",
    TUNED: "The nulls reuse the config tuned on the true data, which favours the true data.",
}


def scores(run: RunFiles) -> Markup:
    """Return the scores beside geography, as dots and as tables."""
    s = run.summary
    figures = [figure(score_plot(s), _score_caption(s))]
    if s.geography is not None and not is_geography(s):
        words = f"Gain of {s.model} over geography; right of 0, the model is better."
        figures.append(figure(gain_plot(s), words))
    return section(
        "Scores beside geography",
        node("div", *figures, class_="pair"),
        node("h3", "Every outer fold"),
        tables.fold_table(s),
        node("p", "Validation regions lie inside the training regions; test regions were scored "
             "once, after everything was chosen.", class_="note"),
        node("h3", "All metrics, averaged over folds"),
        tables.metric_table(s),
    )  # fmt: skip


def predictions(run: RunFiles) -> Markup:
    """Return predicted beside measured connectomes, one fold at a time."""
    usable = [c for c in run.connectomes if c.predicted is not None and c.measured is not None]
    missing = [f"Fold {c.fold}: {c.problem}" for c in run.connectomes if c.problem]
    if not usable:
        return section("Predicted and measured connectome", absent(" ".join(missing)))
    limit, ends = connectomes.colour_limit(usable), connectomes.edge_range(usable)
    hover = connectomes.values_fit(usable)
    panels = [
        _connectome_panel(c, tables.one_fold_table(run.summary, c.fold), limit, ends, hover)
        for c in usable
    ]
    return section(
        "Predicted and measured connectome",
        node("p", "Only edges among test regions are shown: neither of their ends was seen in "
             "training. Both maps and all folds share one colour scale, so a prediction that "
             "varies too little looks pale.", class_="note"),
        _selector([c.fold for c in usable], panels),
        *[node("p", words, class_="note") for words in missing],
    )  # fmt: skip


def nulls(run: RunFiles) -> Markup:
    """Return the null distribution with the observed score and geography's."""
    title, found = "Against the nulls", run.summary.nulls
    if found is None:
        words = (
            "No nulls were run; `--nulls N` asks for them, to see how the score stands to chance."
        )
        return section(title, absent(words))
    observed = run.summary.test.get(METRIC, Average()).mean
    model = found.model or run.summary.model
    usable = run.null_scores[np.isfinite(run.null_scores)]
    if not len(usable):
        words = run.problems.get("nulls", "No null has a defined score.")
        return section(title, absent(words), _null_facts(run.summary))
    words = (
        f"Each null moves {found.moved} ({found.method}), leaves all else as it is and retrains "
        f"on the same folds; {counted(len(usable), 'null')} shown."
    )
    undefined = len(run.null_scores) - len(usable)
    words += f" {counted(undefined, 'null')} without a defined score." if undefined else ""
    plot = null_plot(usable, observed, geography_mean(run.summary), model)
    return section(title, figure(plot, words, wide=True), _null_facts(run.summary))


def configs(run: RunFiles) -> Markup:
    """Return the chosen config of every fold."""
    if not any(fold.best_config for fold in run.summary.folds):
        return section("Chosen configs", absent("The summary names no configs."))
    words = (
        "What the choice reads, then values that differ among folds; those in grey are the same in "
        "every fold."
    )
    table = tables.config_table(run.summary)
    return section("Chosen configs", node("p", words, class_="note"), table)


def _caveat(label: str) -> str:
    """Return the sentence of a label; one that was measured speaks for itself."""
    return CAVEATS.get(label, f"Read p with care, {label}.")


def limits(run: RunFiles) -> Markup:
    """Return what the numbers do not say, and what the run itself noted."""
    found = run.summary.nulls
    caveats = [] if found is None else [_caveat(label) for label in null_caveats(found)]
    own = [*caveats, *run.summary.notes]
    items = [node("li", words) for words in (*LIMITS, *own)]
    return section("What these numbers do not say", node("ul", *items, class_="limits"))


def provenance(run: RunFiles) -> Markup:
    """Return where the numbers come from and how long they took."""
    s = run.summary
    if not s.provenance and not s.seconds:
        return section("Provenance", absent("The summary has no provenance."))
    spent = {
        name: duration(float(value)) if isinstance(value, int | float) else value
        for name, value in s.seconds.items()
    }
    parts = [tables.facts(s.provenance)]
    if spent:
        parts += [node("h3", "Time spent"), tables.facts(spent)]
    return section("Provenance", *parts)


def _score_caption(s: Summary) -> Markup:
    entries = [("model", f"{s.model}, test"), ("ring", f"{s.model}, validation")]
    entries += [] if s.geography is None else [("geography", "geography, test")]
    return legend(*entries)


def _connectome_panel(
    both: FoldConnectomes,
    scores: Markup,
    limit: float,
    ends: tuple[float, float],
    hover: bool,
) -> Markup:
    assert both.predicted is not None and both.measured is not None
    maps = [
        figure(
            connectomes.connectome_plot(
                values, both.labels, kind=kind, fold=both.fold, limit=limit, hover=hover
            ),
            f"{kind.capitalize()}, fold {both.fold}, {counted(len(both.labels), 'test region')}",
        )
        for kind, values in (("measured", both.measured), ("predicted", both.predicted))
    ]
    bar = figure(connectomes.colour_bar(limit), "The diagonal is no edge and stays empty.")
    edges = figure(
        connectomes.edge_plot(both, both.measured, both.predicted, ends),
        "Predicted against measured edges; on the dashed line they are equal. Axes are the same "
        "for all folds.",
    )
    beside = node("div", bar, node("h3", f"Scores of fold {both.fold}"), scores)
    return join([node("div", *maps, class_="pair"), node("div", edges, beside, class_="pair")])


def _selector(folds: Sequence[int], panels: Sequence[Markup]) -> Markup:
    """Show one panel at a time by radio buttons and style rules alone; no script is needed."""
    rules = "".join(
        f"#pick-{k}:checked~.panels>:nth-child({k + 1}){{display:block}}"
        f"#pick-{k}:checked~.tabs>:nth-child({k + 1}){{color:var(--paper);background:var(--ink)}}"
        f"#pick-{k}:focus-visible~.tabs>:nth-child({k + 1}){{outline:2px solid var(--model)}}"
        for k in range(len(folds))
    )
    radios = [
        node("input", type="radio", name="fold", id=f"pick-{k}", class_="pick", checked=k == 0,
             aria_label=f"Show fold {fold}")
        for k, fold in enumerate(folds)
    ]  # fmt: skip
    labels = [node("label", f"fold {fold}", for_=f"pick-{k}") for k, fold in enumerate(folds)]
    return node(
        "div",
        node("style", Markup(rules)),
        *radios,
        node("div", *labels, class_="tabs"),
        node("div", *[node("div", panel) for panel in panels], class_="panels"),
        class_="selector",
    )


def _null_facts(s: Summary) -> Markup:
    assert s.nulls is not None
    found = s.nulls
    adjusted = {True: "yes", False: "no: not adjusted for geography", None: "n/a"}
    null = found.pearson_r
    return tables.facts(
        {
            "nulls": f"{found.n:,}",
            "mean r of the nulls": f"{number(null.get('mean'))} (SD {number(null.get('sd'))})",
            "gain over the nulls": signed(found.gain.get(METRIC)),
            "descriptive p" if found.descriptive else "p": number(found.p_value, 4),
            "smallest possible p": number(found.p_floor, 4),
            "z": number(found.z, 2),
            "adjusted for geography": adjusted[found.adjusted_for_geography],
            "search": found.search or "n/a",
        }
    )
