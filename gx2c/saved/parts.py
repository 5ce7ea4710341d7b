"""Fitted parts as plain values and arrays, and back: one mechanism for every model.

A part is either one of `PARTS`, which is made from what it holds, or it is built from its
config and then given the attributes that its class declares in `LEARNED`. Only classes named here
are ever made, so a file cannot run code.
"""

import hashlib
import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gx2c.fit.feature_kinds import (
    ShowAll,
    ShowComponents,
    ShowCoordinates,
    ShowEigenvectors,
    ShowGenes,
    ShowProfiles,
)
from gx2c.fit.prepare import InputMaker
from gx2c.models.closed_form.kronecker import KroneckerRidge
from gx2c.models.closed_form.pls_twostep import PLSRegressor
from gx2c.models.features import Standardiser
from gx2c.models.reduction import Reduction

PARTS: dict[str, type] = {
    part.__name__: part
    for part in (
        InputMaker,
        KroneckerRidge,
        PLSRegressor,
        Reduction,
        ShowAll,
        ShowComponents,
        ShowCoordinates,
        ShowEigenvectors,
        ShowGenes,
        ShowProfiles,
        Standardiser,
    )
}
ARRAY, FILE, PART, LEARNED = "array", "file", "part", "learned"


class Arrays:
    """Arrays and other contents by name; equal ones are held once."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self.files: dict[str, bytes] = {}
        self._names: dict[Any, str] = {}

    def add(self, name: str, values: NDArray[Any] | Tensor) -> str:
        """Hold an array; return the name under which it is held."""
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
        array = np.ascontiguousarray(array).reshape(array.shape)
        content = hashlib.sha256(array.tobytes()).hexdigest()
        held = self._names.setdefault((array.shape, array.dtype.str, content), name)
        self.arrays.setdefault(held, array)
        return held

    def add_file(self, content: bytes) -> str:
        """Hold the content of a JSON file of another package; return the file's name."""
        name = f"part_{len(self.files):02d}.json"
        self.files[name] = content
        return name


def take_apart(value: Any, arrays: Arrays, name: str) -> Any:
    """Return a fitted part as values that JSON has; its arrays are added under names below `name`.

    Raises
    ------
    TypeError
        If a class is neither in `PARTS` nor declares what it learned.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has none of these
        value = np.array(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray | Tensor):
        return {ARRAY: arrays.add(name, value)}
    if isinstance(value, bytes):
        return {FILE: arrays.add_file(value)}
    if isinstance(value, list | tuple):
        return [take_apart(one, arrays, f"{name}.{k}") for k, one in enumerate(value)]
    if isinstance(value, dict):
        return {key: take_apart(one, arrays, f"{name}.{key}") for key, one in value.items()}
    kind = type(value).__name__
    parts = {
        attribute: take_apart(
            getattr(value, attribute, None), arrays, f"{name}.{attribute.lstrip('_')}"
        )
        for attribute in declared(type(value))
    }
    return {PART: kind, **parts} if PARTS.get(kind) is type(value) else {LEARNED: parts}


def put_together(plain: Any, arrays: Arrays, built: Any = None) -> Any:
    """Return the part that `take_apart` took apart.

    Parameters
    ----------
    plain, arrays
        Its result, and the arrays that it added.
    built
        For a part with `LEARNED`, the same part before it was fitted.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the values are not those of a part.
    """
    if isinstance(plain, list):
        befores = built if isinstance(built, list | tuple) else [None] * len(plain)
        pairs = zip(plain, befores, strict=True)
        return [put_together(one, arrays, before) for one, before in pairs]
    if not isinstance(plain, dict):
        return plain
    if ARRAY in plain:
        return arrays.arrays[plain[ARRAY]]
    if FILE in plain:
        return arrays.files[plain[FILE]]
    if PART in plain:
        return _made(PARTS[plain[PART]], plain, arrays)
    if LEARNED not in plain:
        return {key: put_together(one, arrays) for key, one in plain.items()}
    for name in declared(type(built)):
        value = put_together(plain[LEARNED][name], arrays, getattr(built, name, None))
        if value is not None:
            setattr(built, name, value)
    return built


def declared(kind: type) -> tuple[str, ...]:
    """Return the names of the attributes that hold what a part learned."""
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind))
    if not hasattr(kind, "LEARNED"):
        raise TypeError(f"{kind.__name__} does not declare what it learned (LEARNED)")
    return tuple(kind.LEARNED)


def _made(kind: type, plain: dict[str, Any], arrays: Arrays) -> Any:
    values = {name: put_together(plain[name], arrays) for name in declared(kind)}
    if is_dataclass(kind):
        return kind(**values)
    # its own __init__ would fit it again
    part: Any = object.__new__(kind)
    vars(part).update(values)
    return part
