from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gx2c.data import Brain
from gx2c.data.brain import FloatArray
from gx2c.errors import DataError


def changed(array: FloatArray, index: Any, value: float) -> FloatArray:
    copy = array.copy()
    copy[index] = value
    return copy


def symmetric_change(matrix: FloatArray, i: int, j: int, value: float) -> FloatArray:
    return changed(changed(matrix, (i, j), value), (j, i), value)


BROKEN: dict[str, tuple[Any, str]] = {
    "too few regions": (
        lambda b: {
            "labels": b.labels[:6],
            "expression": b.expression[:6],
            "connectome": b.connectome[:6, :6],
            "holdout_connectome": None,
            "structural_connectome": None,
            "coords_mm": b.coords_mm[:6],
            "hemisphere": b.hemisphere[:6],
            "network": b.network[:6],
            "sphere_coords": None,
        },
        "6 usable regions; at least 8",
    ),
    "labels repeat": (lambda b: {"labels": b.labels[:1] * 2 + b.labels[2:]}, "labels repeat"),
    "empty label": (lambda b: {"labels": (" ", *b.labels[1:])}, "label is empty"),
    "genes repeat": (lambda b: {"genes": b.genes[:1] * 2 + b.genes[2:]}, "symbols repeat: 'GENE1'"),
    "empty gene": (lambda b: {"genes": ("", *b.genes[1:])}, "symbol is empty"),
    "expression transposed": (lambda b: {"expression": b.expression.T}, "shape (6, 12)"),
    "expression flat": (lambda b: {"expression": b.expression.ravel()}, "shape (72,)"),
    "expression of text": (
        lambda b: {"expression": b.expression.astype(str).astype(object)},
        "type object",
    ),
    "expression a list": (lambda b: {"expression": b.expression.tolist()}, "is a list"),
    "expression NaN": (
        lambda b: {"expression": changed(b.expression, (2, 1), np.nan)},
        "'synthetic_LH_3'",
    ),
    "expression infinite": (
        lambda b: {"expression": changed(b.expression, (0, 0), np.inf)},
        "1 values that are not finite",
    ),
    "connectome asymmetric": (
        lambda b: {"connectome": changed(b.connectome, (0, 5), 0.9)},
        "not symmetric: 0.9",
    ),
    "connectome NaN": (
        lambda b: {"connectome": symmetric_change(b.connectome, 1, 2, np.nan)},
        "2 values off the diagonal",
    ),
    "connectome Fisher z": (
        lambda b: {"connectome": symmetric_change(b.connectome, 1, 2, 1.8)},
        "up to 1.8",
    ),
    "connectome constant": (lambda b: {"connectome": np.full((12, 12), 0.5)}, "nothing to predict"),
    "connectome not square": (lambda b: {"connectome": b.connectome[:, :5]}, "shape (12, 5)"),
    "holdout asymmetric": (
        lambda b: {"holdout_connectome": changed(b.connectome, (0, 5), 0.9)},
        "holdout connectome is not symmetric",
    ),
    "structural asymmetric": (
        lambda b: {"structural_connectome": changed(b.structural_connectome, (0, 5), 0.9)},
        "structural connectome is not symmetric",
    ),
    "structural counts": (
        lambda b: {"structural_connectome": 900 * b.structural_connectome},
        "weights within [0, 1] are needed",
    ),
    "structural negative": (
        lambda b: {"structural_connectome": symmetric_change(b.structural_connectome, 1, 2, -0.1)},
        "weights within [0, 1] are needed",
    ),
    "structural empty": (
        lambda b: {"structural_connectome": np.zeros((12, 12))},
        "0 for every pair; leave it out",
    ),
    "structural short": (
        lambda b: {"structural_connectome": b.structural_connectome[:5, :5]},
        "structural connectome has shape (5, 5)",
    ),
    "coordinates in metres": (lambda b: {"coords_mm": b.coords_mm / 1000}, "are these metres"),
    "coordinates in micrometres": (
        lambda b: {"coords_mm": b.coords_mm * 1000},
        "within 150 mm",
    ),
    "voxel indices": (
        lambda b: {"coords_mm": (b.coords_mm - b.coords_mm.min(axis=0)) / 2},
        "never negative",
    ),
    "coordinates NaN": (lambda b: {"coords_mm": changed(b.coords_mm, (3, 0), np.nan)}, "_LH_4'"),
    "coordinates two columns": (lambda b: {"coords_mm": b.coords_mm[:, :2]}, "shape (12, 2)"),
    "coordinates in another order": (
        lambda b: {"coords_mm": b.coords_mm[::-1].copy()},
        "other side of the midline",
    ),
    "hemisphere 2 and 3": (lambda b: {"hemisphere": b.hemisphere + 2}, "neither 0 (left) nor 1"),
    "hemisphere swapped": (lambda b: {"hemisphere": 1 - b.hemisphere}, "contradicts the label"),
    "hemisphere short": (lambda b: {"hemisphere": b.hemisphere[:-1]}, "hemisphere has shape (11,)"),
    "network short": (lambda b: {"network": b.network[:-1]}, "11 names; 12 labels"),
    "sphere radii": (
        lambda b: {"sphere_coords": b.sphere_coords * np.linspace(1, 2, 12)[:, None]},
        "project them to one radius",
    ),
    "sphere half known": (
        lambda b: {"sphere_coords": changed(b.sphere_coords, (0, 1), np.nan)},
        "incomplete in regions 'synthetic_LH_1'",
    ),
    "sphere short": (lambda b: {"sphere_coords": b.sphere_coords[1:]}, "shape (11, 3)"),
    "tss short": (lambda b: {"tss": b.tss[1:]}, "transcription starts has shape (5,)"),
    "tss negative": (lambda b: {"tss": -b.tss}, "negative or infinite"),
    "excluded and used": (lambda b: {"excluded": b.labels[:1]}, "both used and excluded"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_brain_that_cannot_be_is_refused(small_brain: Brain, what: str) -> None:
    change, expected = BROKEN[what]
    with pytest.raises(DataError) as refused:
        replace(small_brain, **change(small_brain))
    assert len(refused.value.problems) == 1, refused.value.problems
    assert expected in refused.value.problems[0]


def test_every_problem_is_listed_at_once(small_brain: Brain) -> None:
    with pytest.raises(DataError) as refused:
        replace(
            small_brain,
            expression=changed(small_brain.expression, (2, 1), np.nan),
            connectome=changed(small_brain.connectome, (0, 5), 0.9),
            coords_mm=small_brain.coords_mm / 1000,
            genes=small_brain.genes[:1] * 6,
        )
    assert len(refused.value.problems) == 4


def test_what_may_be_missing_is_accepted(small_brain: Brain) -> None:
    spheres = changed(np.array(small_brain.sphere_coords), np.s_[0], np.nan)
    brain = replace(
        small_brain,
        connectome=changed(small_brain.connectome, np.diag_indices(12), np.nan),
        sphere_coords=spheres,
        tss=np.full(6, np.nan),
        holdout_connectome=None,
    )
    assert brain.n_regions == 12


def test_arrays_of_a_brain_cannot_be_written(small_brain: Brain) -> None:
    with pytest.raises(ValueError, match="read-only"):
        small_brain.expression[0, 0] = 1.0
