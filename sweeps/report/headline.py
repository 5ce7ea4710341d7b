"""What the run found, in sentences that claim no more than the numbers do."""

from __future__ import annotations

import math

from sweeps.report.scores import METRIC, fold_scores
from sweeps.report.summary import Average, Gain, Nulls, OverGeography, Summary
from sweeps.report.wording import NO_BREAK, counted, number, p_text, signed

NOT_ADJUSTED = "not adjusted for geography"
TUNED = "tuned on the true data"


def headline(summary: Summary) -> str:
    """Return the first sentence: the model's score, geography's, and their difference."""
    score = summary.test.get(METRIC, Average())
    if not math.isfinite(score.mean):
        return (
            f"{summary.model} has no defined score: in at least one fold its predictions "
            "do not vary or are missing."
        )
    r = f"r = {number(score.mean)}".replace(" ", NO_BREAK)
    words = f"{summary.model} predicts held-out connectivity at {r}{_spread(score)}"
    geography = geography_mean(summary)
    if is_geography(summary):
        return f"{words}; geography is the baseline itself."
    if not math.isfinite(geography):
        return f"{words}; the run has no geography to compare it with."
    gain = gain_over_geography(summary)
    return f"{words}; geography alone reaches {number(geography)}, gain {signed(gain.mean)}."


def reading(summary: Summary) -> list[str]:
    """Return how to read the headline, one sentence each."""
    sentences = [] if is_geography(summary) else _beside_geography(summary)
    if summary.nulls is None:
        return [*sentences, "No nulls were run, so chance is not quantified here."]
    nested = summary.nulls.over_geography
    descriptive = summary.nulls.descriptive
    tested = [] if nested is None else [nested_sentence(nested, descriptive=descriptive)]
    return [*sentences, *tested, null_sentence(summary.nulls)]


def nested_sentence(nested: OverGeography, *, descriptive: bool = False) -> str:
    """Say how the gain over geography stands to that of nulls, the headline of a test."""
    found = nested.pearson_r
    words = (
        f"Geography with genes gains {signed(found.gain)} over geography, with surrogates of them "
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
    """Say how the score stands to the nulls, with what qualifies the p-value."""
    gain = nulls.gain.get(METRIC, math.nan)
    words = f"Over {counted(nulls.n, 'null')} ({nulls.method}) the gain is {signed(gain)}"
    if not math.isfinite(nulls.p_value):
        return f"{words}; p is not defined."
    words += f", {'descriptive ' if nulls.descriptive else ''}{p_text(nulls.p_value)}"
    if at_floor(nulls):
        words += f", the smallest that {counted(nulls.n, 'null')} can give"
    caveats = null_caveats(nulls)
    return f"{words} ({'; '.join(caveats)})." if caveats else f"{words}."


def null_caveats(nulls: Nulls) -> list[str]:
    """Return the labels that belong to the p-value wherever it is printed."""
    adjusted = [] if nulls.adjusted_for_geography in (True, None) else [NOT_ADJUSTED]
    tuned = [TUNED] if TUNED in nulls.search else []
    return adjusted + tuned + ([nulls.caution] if nulls.caution else [])


def at_floor(nulls: Nulls) -> bool:
    """Tell whether no p-value could be smaller with this many nulls."""
    return nulls.p_value <= nulls.p_floor * (1 + 1e-9)


def is_geography(summary: Summary) -> bool:
    """Tell whether the run's model is the baseline itself."""
    return summary.geography is not None and summary.geography.model == summary.model


def geography_mean(summary: Summary) -> float:
    """Return geography's mean test score, NaN where there is none."""
    if summary.geography is None:
        return math.nan
    return summary.geography.test.get(METRIC, Average()).mean


def gain_over_geography(summary: Summary, metric: str = METRIC) -> Gain:
    """Return the gain as the summary gives it, undefined where there is none."""
    return Gain() if summary.geography is None else summary.geography.gain.get(metric, Gain())


def above_geography(summary: Summary) -> str:
    """Return in how many folds the model is above geography: `1 of 4 folds`."""
    gains = [row.gain for row in fold_scores(summary) if math.isfinite(row.gain)]
    return f"{sum(gain > 0 for gain in gains)} of {counted(len(gains), 'fold')}"


def _spread(score: Average) -> str:
    if score.n == 1:
        return " (one fold)"
    sd = f"SD{NO_BREAK}{number(score.sd)} " if math.isfinite(score.sd) else ""
    return f" ({sd}over {counted(score.n, 'fold')})"


def _beside_geography(summary: Summary) -> list[str]:
    gain = gain_over_geography(summary)
    if not math.isfinite(gain.mean):
        return []
    if gain.mean <= 0:
        verdict = "Knowing only where regions lie predicts as well or better"
    else:
        verdict = "On average the model does better than geography"
    return [f"{verdict}: {summary.model} is above geography in {above_geography(summary)}."]
