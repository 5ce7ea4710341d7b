"""Sentences of the page, which claim no more than its numbers do."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from gx2c.metrics import HEADLINE
from gx2c.models.names import NAMES, spec_of, split_name
from gx2c.verdict import MEANINGS, Verdict
from sweeps.folder.summary_file import Summary
from sweeps.folder.summary_parts import UNDEFINED, Average, Nulls, OverGeography
from sweeps.report.scores import fold_scores, is_sample, single_score
from sweeps.report.wording import (
    ABSENT,
    NO_BREAK,
    counted,
    fold_name,
    number,
    p_text,
    signed,
)

NOT_ADJUSTED = "not adjusted for geography"
TUNED = "tuned on the true data"
# Share of the longest training after which a best epoch is a late one
LATE = 0.95
CAVEATS = {
    NOT_ADJUSTED: "The p-value is not adjusted for geography: location information carried by "
    "expression is lost in the nulls too.",
    TUNED: "The nulls reuse the config tuned on the true data, which favours the true data.",
}


def headline(summary: Summary) -> str:
    """Return the first sentence: the verdict, or the scores of a run without one."""
    return scores_sentence(summary) if summary.verdict is None else summary.verdict.sentence


def scores_sentence(summary: Summary) -> str:
    """Return the model's score, geography's, and their difference in a sentence."""
    score = summary.score(HEADLINE)
    if not math.isfinite(score.mean):
        return (
            f"{summary.model} has no defined score: in at least one fold its predictions "
            "do not vary or are missing."
        )
    r = f"r = {number(score.mean)}".replace(" ", NO_BREAK)
    words = f"{summary.model} predicts held-out connectivity at {r}{_spread(score)}"
    geography = summary.rival(HEADLINE).mean
    if summary.is_geography:
        return f"{words}; geography is itself the baseline."
    if not math.isfinite(geography):
        return f"{words}; the run has no geography baseline to compare with."
    gain = summary.gain(HEADLINE)
    return f"{words}; geography alone reaches {number(geography)}, gain {signed(gain.mean)}."


def reading(summary: Summary) -> list[str]:
    """Return how to read the headline, one sentence each; it is not repeated."""
    verdict = summary.verdict
    sentences = [] if verdict is None else [verdict.caveat, scores_sentence(summary)]
    names = dict.fromkeys((split_name(summary.model)[0], summary.model))
    sentences += [f"{name}: {spec_of(name).summary}." for name in names if name in NAMES]
    if summary.nulls is None:
        return [*sentences, "No nulls were run, so there is no p-value."]
    nested = summary.nulls.over_geography
    if nested is not None:
        sentences.append(nested_sentence(nested, descriptive=summary.nulls.descriptive))
    return [*sentences, null_sentence(summary.nulls)]


def nested_sentence(nested: OverGeography, *, descriptive: bool = False) -> str:
    """Compare the gain over geography with that of surrogates, the headline of a test."""
    found = nested.by_metric[HEADLINE]
    words = (
        f"Adding genes to geography gains {signed(found.gain)}; adding surrogate genes gains "
        f"{signed(found.null_mean)} on average (SD{NO_BREAK}{number(found.null_sd)}, "
        f"{counted(nested.n, 'null')})"
    )
    if not math.isfinite(found.p_value):
        return f"{words}; p is not defined."
    others = (
        f"two-sided {p_text(found.p_two_sided)}, over all metrics by max-T {p_text(found.p_max_t)}"
    )
    kind = "descriptive " if descriptive else ""
    return f"{words}: {kind}{p_text(found.p_value)} ({others})."


def null_sentence(nulls: Nulls) -> str:
    """Compare the score with the nulls, with the caveats of the p-value."""
    gain = nulls.gain.get(HEADLINE, math.nan)
    words = f"The gain over {counted(nulls.n, 'null')} ({nulls.method}) is {signed(gain)}"
    if not math.isfinite(nulls.p_value):
        return f"{words}; p is not defined."
    words += f", {'descriptive ' if nulls.descriptive else ''}{p_text(nulls.p_value)}"
    if at_floor(nulls):
        words += f", the smallest possible with {counted(nulls.n, 'null')}"
    caveats = null_caveats(nulls)
    return f"{words} ({'; '.join(caveats)})." if caveats else f"{words}."


def null_caveats(nulls: Nulls) -> list[str]:
    """Return the labels that belong to the p-value wherever it is printed."""
    adjusted = [] if nulls.adjusted_for_geography in (True, None) else [NOT_ADJUSTED]
    tuned = [TUNED] if TUNED in nulls.search else []
    return adjusted + tuned + ([nulls.caution] if nulls.caution else [])


def at_floor(nulls: Nulls) -> bool:
    """Return whether no p-value could be smaller with this many nulls."""
    return nulls.p_value <= nulls.p_floor * (1 + 1e-9)


def above_geography(summary: Summary) -> str:
    """Return in how many folds the model is above geography: `1 of 4 folds`."""
    gains = [row.gain for row in fold_scores(summary) if math.isfinite(row.gain)]
    return f"{sum(gain > 0 for gain in gains)} of {counted(len(gains), 'fold')}"


def about(s: Summary) -> str:
    """Return dataset, split, sizes, seed and conditions in one line."""
    label = f" ({s.split_label})" if s.split_label else ""
    parts = [s.dataset, f"{s.split} split{label}", counted(len(s.folds), "outer fold")]
    parts += [counted(s.n_regions, "region")]
    parts += [] if s.n_genes is None else [counted(s.n_genes, "gene")]
    return " · ".join([*parts, s.seeds_named, *s.conditions])


def key_numbers(s: Summary) -> list[tuple[str, str, str, str]]:
    """Return (name, value, remark, colour) of the numbers that open the page."""
    score, gain = s.score(HEADLINE), s.gain(HEADLINE)
    cells = [(f"{s.model}, test r", number(score.mean), f"SD {number(score.sd)}", "model")]
    if s.verdict is not None:
        cells.insert(0, ("grade", f"{s.verdict.grade} of 4", _tested(s.verdict), ""))
    if s.single:
        cells.append(("best config alone, test r", number(single_score(s)), _members(s), ""))
    if s.alone:
        name, alone = split_name(s.model)[0], s.alone[HEADLINE]
        cells.append((f"{name} alone, test r", number(alone.mean), "the same configs", ""))
    if s.geography is not None and not s.is_geography:
        rival = s.rival(HEADLINE)
        above = f"SE {number(gain.se)}; above in {above_geography(s)}"
        cells += [
            ("geography, test r", number(rival.mean), f"SD {number(rival.sd)}", "geography"),
            ("gain over geography", signed(gain.mean), above, ""),
        ]
    if s.nulls is not None:
        cells.append(_null_number(s.nulls))
    return cells


def _null_number(nulls: Nulls) -> tuple[str, str, str, str]:
    """Return the gain that surrogate genes give too, else the distance from the nulls."""
    nested = nulls.over_geography and nulls.over_geography.by_metric.get(HEADLINE)
    kind = "descriptive " if nulls.descriptive else ""
    if nested and math.isfinite(nested.p_value):
        words = f"SD {number(nested.null_sd)}; {kind}{p_text(nested.p_value)} for the real ones"
        return ("gain with surrogate genes", signed(nested.null_mean), words, "")
    over = signed(nulls.gain.get(HEADLINE, math.nan))
    floor = "at its floor" if at_floor(nulls) else f"floor {number(nulls.p_floor)}"
    defined = math.isfinite(nulls.p_value)
    p = f"{kind}{p_text(nulls.p_value)}, {floor}" if defined else "p undefined"
    return (f"gain over {counted(nulls.n, 'null')}", over, "; ".join([p, *null_caveats(nulls)]), "")


def _tested(verdict: Verdict) -> str:
    return f"tested up to {verdict.tested_up_to}"


def _members(s: Summary) -> str:
    """Describe an ensemble: how many models are averaged, and how far they differ."""
    spread = sum(fold.spread.get(HEADLINE, UNDEFINED) for fold in s.folds) / len(s.folds)
    words = f"mean of {s.members} above; SD over them {number(spread)}"
    diverged = sum(fold.n_diverged for fold in s.folds)
    return f"{words}; {diverged} diverged" if diverged else words


def null_facts(found: Nulls) -> dict[str, str]:
    """Return the null distribution in names and values."""
    adjusted = {True: "yes", False: "no: not adjusted for geography", None: ABSENT}
    null = found.spread(HEADLINE)
    return {
        "nulls": f"{found.n:,}",
        "mean r of the nulls": f"{number(null.mean)} (SD {number(null.sd)})",
        "gain over the nulls": signed(found.gain.get(HEADLINE)),
        "descriptive p" if found.descriptive else "p": number(found.p_value, 4),
        "smallest possible p": number(found.p_floor, 4),
        "z": number(found.z, 2),
        "adjusted for geography": adjusted[found.adjusted_for_geography],
        "search": found.search or ABSENT,
        "models averaged in each": found.ensemble or "1",
    }


def ranking_note(asked: Mapping[str, Any]) -> str:
    """Return how genes were ranked, and whether that was tested."""
    words = (
        "Importance is the share of each unit in cov(predicted, measured) / SD(measured) of "
        f"held-out edges, by {asked['method']}, mean over members and folds."
    )
    if not asked["nulls"]:
        return (
            f"{words} Not tested: smooth genes seem important even where they have nothing to do "
            "with the connectome. gx2c explain with --nulls 99 compares them with surrogates."
        )
    n = counted(asked["nulls"], f"{asked['surrogate']} surrogate")
    return (
        f"{words} Tested against models retrained on {n} of the genes; p is one-sided, and bold "
        f"where p by max-T over all units is at most .05."
    )


def limits(s: Summary) -> list[str]:
    """Return the limits that follow from this run, and its notes."""
    labels = [] if s.nulls is None else null_caveats(s.nulls)
    caveats = [CAVEATS.get(label, f"Interpret p with care: {label}.") for label in labels]
    notes = [f"{note[:1].upper()}{note[1:]}" for note in s.notes]
    return [*_limits_of_design(s), *_limits_of_search(s), *caveats, *notes]


def _limits_of_design(s: Summary) -> Iterator[str]:
    folds = counted(len(s.folds), "fold")
    elsewhere = "" if s.verdict is None else s.verdict.evidence.tested_on
    whose = f"tested on those of {elsewhere}" if elsewhere else "not people"
    yield (
        f"The {s.n_regions:,} regions of one connectome were held out in {folds}, {whose}: the "
        "numbers say nothing about differences between people, or about a new person's connectome."
    )
    if s.n_genes is not None:
        yield (
            "The dataset's expression is taken as it comes: if it was normalised over all regions, "
            "it saw test regions."
        )
    if is_sample(s):
        yield (
            f"{folds[0].upper()}{folds[1:]} of one brain share training regions; their SD is no "
            "interval, and the corrected intervals are wide."
        )
    else:
        yield "A mean over these folds has no interval: they are no sample of possible folds."
    if s.geography is None:
        yield "Without a geography baseline, nothing here separates genes from location."
    elif not s.is_geography:
        yield (
            "Nearby regions are alike in expression and in connectivity: only the gain over "
            "geography is evidence about genes, and only as far as geography was modelled well."
        )
    if s.verdict is not None and s.verdict.grade == s.verdict.tested_up_to < len(MEANINGS) - 1:
        yield f"The grade was tested up to {s.verdict.tested_up_to} only, so it may be too low."
    if s.nulls is not None:
        yield (
            f"With {counted(s.nulls.n, 'null')}, no p can be smaller than "
            f"{number(s.nulls.p_floor)}."
        )


def _limits_of_search(s: Summary) -> Iterator[str]:
    most = s.provenance.options.get("max_epochs")
    late = [fold_name(f) for f in s.folds if most and (f.epochs or 0) >= LATE * int(most)]
    if late:
        yield (
            f"The chosen config was best at the end of training in {counted(len(late), 'fold')} "
            f"({', '.join(late)}): more epochs may do better."
        )
    failed = sum(fold.trials.failed for fold in s.folds if fold.trials)
    if failed:
        total = sum(fold.trials.total for fold in s.folds if fold.trials)
        yield f"{failed} of {total} configs failed, and count nothing."


def _spread(score: Average) -> str:
    if score.n == 1:
        return " (one fold)"
    sd = f"SD{NO_BREAK}{number(score.sd)} " if math.isfinite(score.sd) else ""
    return f" ({sd}over {counted(score.n, 'fold')})"
