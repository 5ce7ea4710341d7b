"""The grade of a sweep's result, from 0 to 4, and its meaning in one sentence.

Four steps are taken in order and the first that fails ends the grading, so no correction over
grades is needed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

ALPHA = 0.05
# Surrogates that break the pairing of genes with regions, and the one that keeps smooth gradients
SPECIFIC = ("hungarian", "random_field")
LOCAL = "residual_spin"
LADDER = (*SPECIFIC, LOCAL)
# For readers of the headline alone
IN_WORDS = {
    "hungarian": "of spin-permuted genes",
    "random_field": "of smooth random maps",
    LOCAL: "that keep smooth gradients",
}

MEANINGS = (
    "Not shown to predict better than distance decay",
    "Better than distance decay, not shown to be better than geography",
    "Better than geography, not shown to be due to these genes",
    "The gain is specific to the measured gene maps; their smooth gradients may still stand for "
    "location that the baselines miss",
    "The gain is specific to the measured gene maps, also beyond smooth spatial gradients",
)
ONE_BRAIN = "One group-average brain: regions were held out, not people."
TWO_BRAINS = (
    "Trained on one group-average connectome and tested on another ({}), among regions held out of "
    "training: two groups do not show how people differ."
)
BOUNDS = "Bounds are one-sided 95 % limits when regions are resampled, with models as fitted."
AVERAGED = "The grade is that of the mean of {} models, not of any of them."
KEPT = "configs and epochs"
TUNED = "Nulls keep the {} that were found with the true genes."
STARTED = (
    "Networks start from a model that learned from other data, which the baselines did not see: a "
    "gain over them may come from these data."
)


@dataclass(frozen=True)
class Comparison:
    """A model against a rival on the same test regions, averaged over folds and seeds.

    Attributes
    ----------
    r
        The rival's Pearson r; None if undefined.
    gain
        The model's r minus the rival's.
    bound
        One-sided 95 % lower limit of the gain when regions are resampled.
    r_per_fold
        The rival's r on each fold; empty in results of earlier versions.
    """

    r: float | None
    gain: float | None
    bound: float | None
    r_per_fold: Sequence[float | None] = ()


@dataclass(frozen=True)
class NullTest:
    """The gain over geography against nulls of one surrogate.

    Attributes
    ----------
    p_value
        One-sided.
    n
        Number of nulls used.
    stopped
        Whether the test ended early, because enough nulls were as good (Besag & Clifford).
    """

    p_value: float
    n: int
    stopped: bool = False

    @property
    def too_few(self) -> bool:
        """Whether no result could have been significant."""
        return not self.stopped and (self.n + 1) * ALPHA < 1


@dataclass(frozen=True)
class Evidence:
    """Everything that a grade depends on.

    Attributes
    ----------
    r
        The model's Pearson r on test regions, averaged over folds and seeds; None if undefined.
    decay, geography
        The model against exponential decay with distance, and against the geography ensemble.
    coordinates
        The model against itself, reading coordinates in place of genes; None if not run.
    nulls
        Tests by surrogate; those that were not run are missing.
    impossible
        Surrogates that the data do not allow, each with the reason.
    reads_genes
        Whether anything that the model reads is made from genes.
    tuned, kept
        Whether nulls kept what was found on the true data, and what that is.
    tested_on
        Name of the data that was tested on, if it is not that of training.
    averages
        The models whose mean is graded, if there are several.
    started
        Whether networks started from a saved model. It was trained with measured genes, which is
        no start for surrogate genes, so no null is exchangeable with the result.
    """

    r: float | None
    decay: Comparison
    geography: Comparison
    coordinates: Comparison | None = None
    nulls: Mapping[str, NullTest] = field(default_factory=dict)
    impossible: Mapping[str, str] = field(default_factory=dict)
    reads_genes: bool = True
    tuned: bool = False
    kept: str = KEPT
    tested_on: str = ""
    averages: Sequence[str] = ()
    started: bool = False


@dataclass(frozen=True)
class Verdict:
    """A grade and its meaning.

    Attributes
    ----------
    grade
        0 to 4, an index of `MEANINGS`.
    tested_up_to
        The highest grade that was tested for, reached or not.
    sentence
        The meaning, with the numbers that decided.
    evidence
        All numbers.
    caveat
        The limits of every grade.
    """

    grade: int
    tested_up_to: int
    sentence: str
    evidence: Evidence
    caveat: str


class Step(NamedTuple):
    """Whether a step succeeded, None if there is no evidence, and the numbers in words."""

    passed: bool | None
    words: str


def verdict(evidence: Evidence) -> Verdict:
    """Grade a model by its evidence.

    Grade 1 needs a gain over distance decay, 2 a gain over geography, both with a bound above 0; 3
    needs `p_specific` <= .05 and a bound above 0 over the model that reads coordinates; 4 needs
    p <= .05 against `LOCAL` nulls. Grading stops at the first step that fails or lacks evidence.
    """
    grade, tested, steps = 0, 0, []
    for number, step in enumerate(STEPS, start=1):
        found = step(evidence)
        steps.append(found)
        if found.passed is None:
            break
        tested = number
        if not found.passed:
            break
        grade = number
    # geography contains distance decay
    stated = "; ".join(step.words for step in steps[min(grade, 1) :])
    return Verdict(grade, tested, f"{MEANINGS[grade]}: {stated}.", evidence, _caveat(evidence))


def p_specific(evidence: Evidence) -> float | None:
    """Return the largest p against `SPECIFIC` nulls that the data allow; None if one is missing."""
    needed = _needed(evidence)
    if not needed or any(name not in evidence.nulls for name in needed):
        return None
    return max(evidence.nulls[name].p_value for name in needed)


def failed_before(evidence: Evidence, surrogate: str) -> bool:
    """Return whether a step before the one that needs a surrogate has failed, or cannot be taken.

    Nulls of that surrogate can then change no grade.
    """
    earlier: Sequence[Callable[[Evidence], Step]] = STEPS[: 3 if surrogate == LOCAL else 2]
    found = [step(evidence).passed for step in (*earlier, _genes_matter)]
    return evidence.started or False in found


def _beats_decay(evidence: Evidence) -> Step:
    if evidence.decay.r is None:
        return Step(None, "distance decay has no defined r on these folds")
    return _beats(evidence.r, evidence.decay, "distance decay")


def _beats_geography(evidence: Evidence) -> Step:
    return _beats(evidence.r, evidence.geography, "geography")


def _genes_matter(evidence: Evidence) -> Step:
    """Take the step to grade 3; failures are stated first, then missing evidence."""
    if not evidence.reads_genes:
        return Step(None, "it reads no genes")
    if evidence.started:
        why = "networks start from a model of measured genes, which nulls cannot match"
        return Step(None, f"not tested further, because {why}")
    needed, control = _needed(evidence), evidence.coordinates
    tests = {name: evidence.nulls[name] for name in needed if name in evidence.nulls}
    failures = [
        _p_words(name, test)
        for name, test in tests.items()
        if test.p_value > ALPHA and not test.too_few
    ]
    if control is not None and not _above_zero(control):
        failures.append(_control_words(control))
    if failures:
        return Step(False, "; ".join(failures))
    if not needed:
        reasons = "; ".join(f"{name}: {evidence.impossible[name]}" for name in SPECIFIC)
        return Step(None, f"no nulls can be made of these data ({reasons})")
    lacking = [why for name in needed if (why := _lacking(evidence, name))]
    if control is None:
        lacking.append("the model was not run on coordinates in place of genes")
    if lacking or control is None:
        return Step(None, f"not tested further, because {' and '.join(lacking)}")
    tested = [_p_words(name, test) for name, test in tests.items()]
    return Step(True, "; ".join([*tested, _control_words(control)]))


def _beyond_gradients(evidence: Evidence) -> Step:
    if LOCAL in evidence.impossible:
        words = f"{LOCAL} nulls cannot be made ({evidence.impossible[LOCAL]})"
        return Step(None, f"not tested further, because {words}")
    if words := _lacking(evidence, LOCAL):
        return Step(None, f"not tested further, because {words}")
    test = evidence.nulls[LOCAL]
    return Step(test.p_value <= ALPHA, _p_words(LOCAL, test))


STEPS = (_beats_decay, _beats_geography, _genes_matter, _beyond_gradients)


def _needed(evidence: Evidence) -> list[str]:
    return [name for name in SPECIFIC if name not in evidence.impossible]


def _lacking(evidence: Evidence, surrogate: str) -> str:
    """Return why nulls of a surrogate decide nothing; empty if they do."""
    if surrogate not in evidence.nulls:
        return f"no {surrogate} nulls of genes were run"
    test = evidence.nulls[surrogate]
    if not test.too_few:
        return ""
    least = round(1 / ALPHA) - 1
    return f"{test.n} {surrogate} nulls are too few for p <= {ALPHA:g} ({least} are needed)"


def _beats(r: float | None, rival: Comparison, name: str) -> Step:
    if r is None or rival.gain is None:
        return Step(False, "its r is undefined in at least one fold")
    words = f"r {r:.3f} against {rival.r:.3f} of {name}, {_gain_words(rival)}"
    return Step(_above_zero(rival), words)


def _above_zero(rival: Comparison) -> bool:
    return rival.bound is not None and rival.bound > 0


def _gain_words(rival: Comparison) -> str:
    if rival.gain is None:
        return "gain undefined"
    bound = "undefined" if rival.bound is None else f"{rival.bound:+.3f}"
    return f"gain {rival.gain:+.3f} (lower bound {bound})"


def _control_words(control: Comparison) -> str:
    return f"over the same model on coordinates, {_gain_words(control)}"


def _p_words(surrogate: str, test: NullTest) -> str:
    return f"p = {test.p_value:.3f} against {test.n} nulls {IN_WORDS[surrogate]} ({surrogate})"


def _caveat(evidence: Evidence) -> str:
    early = [name for name, test in evidence.nulls.items() if test.stopped]
    brains = TWO_BRAINS.format(evidence.tested_on) if evidence.tested_on else ONE_BRAIN
    sentences = [brains, BOUNDS]
    if evidence.averages:
        sentences.append(AVERAGED.format(len(evidence.averages)))
    if evidence.tuned and evidence.nulls:
        sentences.append(TUNED.format(evidence.kept))
    if evidence.started:
        sentences.append(STARTED)
    if early:
        names = " and ".join(early)
        sentences.append(f"Nulls of {names} ended early, when enough were as good: p = h / l.")
    return " ".join(sentences)
