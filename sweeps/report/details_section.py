"""Scores by kinds of edges, beyond geography and against noise."""

from __future__ import annotations

from collections.abc import Sequence

from sweeps.report import tables
from sweeps.report.headline import is_geography
from sweeps.report.markup import Markup, join, node
from sweeps.report.pieces import absent, section
from sweeps.report.reading import RunFiles
from sweeps.report.summary import Average, Details, Summary
from sweeps.report.wording import counted, number, words_of

KINDS = {
    "geodesic_distance": "geodesic distance (smaller is better)",
    "short_r": "short edges, up to 58 mm",
    "mid_r": "mid edges, up to 117 mm",
    "long_r": "long edges",
    "strong_negative_r": "strong negative edges, below \N{MINUS SIGN}.3",
    "weak_r": "weak edges",
    "strong_positive_r": "strong positive edges, above .3",
    "left_r": "within the left hemisphere",
    "right_r": "within the right hemisphere",
    "inter_hemisphere_r": "between the hemispheres",
    "top_tenth_precision": "precision of the strongest tenth of edges",
    "partial_r_given_geography": "partial r given geography's prediction",
    "noise_ceiling_r": "noise ceiling: measured against the holdout connectome",
    "holdout_r": "predicted against the holdout connectome",
}
OF_NETWORK = {"intra_network_": "within {}", "inter_network_": "between {} and the others"}


def details(run: RunFiles) -> Markup:
    """Return the table of detailed scores, and what is undefined and why."""
    s = run.summary
    own = s.details.get(s.model)
    if own is None:
        return section("Kinds of edges", absent("The summary has no detailed scores."))
    beside = None if is_geography(s) else s.details.get("geography")
    note = (
        "Pearson r over the test edges of each kind unless said otherwise, averaged over the "
        "folds in which there are enough of them; n counts those folds. Within a band of "
        "strength r is low by construction."
    )
    parts = [node("p", note, class_="note"), _table(s, own, beside)]
    if s.train_test is not None:
        parts += [node("h3", f"{s.train_test.label[0].upper()}{s.train_test.label[1:]}")]
        parts += [_train_test_table(s)]
    return section("Kinds of edges", *parts)


def kind_name(score: str) -> str:
    """Spell a detailed score's name out."""
    for before, words in OF_NETWORK.items():
        if score.startswith(before):
            return words.format(score.removeprefix(before).removesuffix("_r"))
    return KINDS.get(score, score)


def _table(s: Summary, own: Details, beside: Details | None) -> Markup:
    rows = []
    for score, mean in own.mean.items():
        rival = Average() if beside is None else beside.mean.get(score, Average())
        rows.append(
            [
                join([kind_name(score), node("small", f" {_reasons(own, score)}")]),
                node("b", number(mean.mean)),
                number(mean.sd),
                number(rival.mean),
                f"{mean.n}",
            ]
        )
    head = ("edges", s.model, "SD", "geography", "n")
    return tables.table(head, rows, label="Scores by kinds of edges")


def _reasons(own: Details, score: str) -> str:
    """Say in how many folds a score is undefined, and why in the first of them."""
    reasons = [fold.reasons[score] for fold in own.folds if score in fold.reasons]
    if not reasons:
        return ""
    return f"undefined in {counted(len(reasons), 'fold')}: {reasons[0]}"


def _train_test_table(s: Summary) -> Markup:
    assert s.train_test is not None
    models = s.train_test.models
    rows: list[Sequence[str]] = [
        [
            words_of(metric).name,
            *(number(m.mean.get(metric, Average()).mean) for m in models.values()),
        ]
        for metric in next(iter(models.values())).mean
    ]
    return tables.table(("metric", *models), rows, label=s.train_test.label)
