"""Checks of a closed-form model's keywords; each refusal says what came and what is needed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gx2c.errors import UserError


def require_choice(keyword: str, value: str, choices: Iterable[str]) -> None:
    """Refuse a value that is not among the choices."""
    if value not in (allowed := sorted(choices)):
        raise UserError(f"{keyword} is {value!r}; choose from {allowed}")


def require_positive(keyword: str, value: float) -> None:
    """Refuse a value that is not a positive, finite number."""
    if not (np.isfinite(value) and value > 0):
        raise UserError(f"{keyword} is {value}; it must be a finite number above 0")


def require_fraction(keyword: str, value: float) -> None:
    """Refuse a value outside 0 to 1."""
    if not 0 <= value <= 1:
        raise UserError(f"{keyword} is {value}; it must lie between 0 and 1")
