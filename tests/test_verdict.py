"""Every grade and every way in which grading stops, from planted evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gx2c.verdict import (
    LADDER,
    MEANINGS,
    Comparison,
    Evidence,
    NullTest,
    failed_before,
    p_specific,
    verdict,
)

GOOD, BAD, FEW = NullTest(0.01, 199), NullTest(0.06, 199), NullTest(1 / 19, 18)
# the smallest number of nulls that can reach p = .05, and the largest p that is small enough
LEAST = NullTest(0.05, 19)
UP, DOWN = Comparison(0.5, 0.1, 0.001), Comparison(0.5, 0.1, 0.0)

ALL = Evidence(
    r=0.6, decay=UP, geography=UP, coordinates=UP, nulls=dict.fromkeys(LADDER, LEAST)
)  # fmt: skip


def nulls(**changed: NullTest | None) -> dict[str, NullTest]:
    found = dict(ALL.nulls) | changed
    return {name: test for name, test in found.items() if test is not None}


SPHERES = {"hungarian": "no spheres", "residual_spin": "no spheres"}
CASES = {
    "everything": ({}, 4, 4, "beyond smooth spatial gradients"),
    "below decay": ({"decay": DOWN}, 0, 1, "against 0.500 of distance decay, gain +0.100"),
    "no decay": ({"decay": Comparison(None, None, None)}, 0, 0, "no defined r"),
    "no score": ({"r": None, "decay": Comparison(0.5, None, None)}, 0, 1, "r is undefined"),
    "below geography": ({"geography": DOWN}, 1, 2, "gain +0.100 (lower bound +0.000)"),
    "no bound": ({"geography": Comparison(0.5, 0.1, None)}, 1, 2, "(lower bound undefined)"),
    # both fail, and the first ends the grading
    "below both": ({"decay": DOWN, "geography": DOWN}, 0, 1, MEANINGS[0]),
    "like spins": ({"nulls": nulls(hungarian=BAD)}, 2, 3, "p = 0.060 against 199 nulls of spin"),
    "like fields": ({"nulls": nulls(random_field=BAD)}, 2, 3, "nulls of smooth random maps"),
    "like coordinates": ({"coordinates": DOWN}, 2, 3, "over the same model on coordinates"),
    # a failure is one whatever else is missing
    "fails early": ({"nulls": {"hungarian": BAD}, "coordinates": None}, 2, 3, "p = 0.060"),
    "no nulls": ({"nulls": {}}, 2, 2, "no hungarian nulls of genes were run and no random_field"),
    "one kind": ({"nulls": {"hungarian": GOOD}}, 2, 2, "no random_field nulls of genes were run"),
    "no control": ({"coordinates": None}, 2, 2, "not run on coordinates"),
    "too few": ({"nulls": nulls(hungarian=FEW)}, 2, 2, "18 hungarian nulls are too few"),
    "few but hopeless": ({"nulls": nulls(hungarian=NullTest(0.9, 11, True))}, 2, 3, "p = 0.900"),
    "no genes": ({"reads_genes": False, "nulls": {}}, 2, 2, "reads no genes"),
    "no spheres": ({"impossible": SPHERES, "nulls": {"random_field": GOOD}}, 3, 3, "no spheres"),
    "no spheres, like fields": ({"impossible": SPHERES, "nulls": {"random_field": BAD}}, 2, 3, ""),
    "no fields": (
        {"impossible": {"random_field": "flat"}, "nulls": nulls(random_field=None)}, 4, 4, "",
    ),
    "neither": ({"impossible": SPHERES | {"random_field": "flat"}, "nulls": {}}, 2, 2, "flat"),
    "gradients": ({"nulls": nulls(residual_spin=BAD)}, 3, 4, "199 nulls that keep smooth"),
    "no gradients tested": ({"nulls": nulls(residual_spin=None)}, 3, 3, "no residual_spin nulls"),
    "too few for gradients": ({"nulls": nulls(residual_spin=FEW)}, 3, 3, "too few"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_grades_and_stops(name: str) -> None:
    changes, grade, tested, words = CASES[name]
    found = verdict(replace(ALL, **changes))
    assert (found.grade, found.tested_up_to) == (grade, tested)
    assert found.sentence.startswith(MEANINGS[grade] + ": ")
    assert words in found.sentence
    assert found.evidence == replace(ALL, **changes)
    assert found.caveat.startswith("One group-average brain")


def test_p_is_the_larger_of_the_two() -> None:
    assert p_specific(replace(ALL, nulls=nulls(hungarian=GOOD))) == 0.05
    assert p_specific(replace(ALL, nulls={"random_field": GOOD}, impossible=SPHERES)) == 0.01
    assert p_specific(replace(ALL, nulls={"hungarian": GOOD})) is None


def test_a_failure_makes_later_nulls_pointless() -> None:
    few = replace(ALL, nulls={"hungarian": GOOD})
    assert not any(failed_before(few, kind) for kind in LADDER)
    assert all(failed_before(replace(few, geography=DOWN), kind) for kind in LADDER)
    for fails in ({"nulls": {"hungarian": BAD}}, {"coordinates": DOWN}):
        assert failed_before(replace(few, **fails), "residual_spin")
        assert failed_before(replace(few, **fails), "random_field")


def test_the_caveat_tells_of_early_ends_and_kept_configs() -> None:
    early = replace(ALL, nulls=nulls(residual_spin=NullTest(0.5, 20, True)), tuned=True)
    assert "Nulls of residual_spin ended early" in verdict(early).caveat
    assert "configs and epochs" in verdict(early).caveat
    assert "ended early" not in verdict(ALL).caveat


def test_the_caveat_names_what_was_tested_and_averaged() -> None:
    other = replace(ALL, tested_on="holdout", averages=("a", "b"), tuned=True, kept="weights")
    caveat = verdict(other).caveat
    assert "tested on another (holdout)" in caveat and "One group-average brain" not in caveat
    assert "mean of 2 models" in caveat and "keep the weights that" in caveat


def test_a_start_from_measured_genes_ends_the_grading():
    """No null is exchangeable with such a result, however small its p."""
    started = verdict(replace(ALL, started=True))
    assert verdict(ALL).grade == 4 and (started.grade, started.tested_up_to) == (2, 2)
    assert "nulls cannot match" in started.sentence and "other data" in started.caveat
    assert all(failed_before(replace(ALL, started=True), kind) for kind in LADDER)
