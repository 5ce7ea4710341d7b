"""HTML and SVG as nested calls; text is escaped unless a call of `node` made it."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

VOID = frozenset({"br", "img", "input", "meta"})


class Markup(str):
    """Text that is safe to put into a page as it stands."""

    __slots__ = ()


Attribute: TypeAlias = str | float | bool | None


def node(name: str, /, *children: str, **attributes: Attribute) -> Markup:
    """Return one element.

    Parameters
    ----------
    name
        Of the element; never taken from a file.
    children
        `Markup` is kept, any other text is escaped.
    attributes
        Values are escaped; None and False leave the attribute out, True gives it no value.
        Underscores in names become hyphens, and one at the end is dropped (`class_`).
    """
    opening = f"<{name}{''.join(_attribute(*pair) for pair in attributes.items())}>"
    if name in VOID:
        return Markup(opening)
    return Markup(f"{opening}{join(children)}</{name}>")


def join(parts: Iterable[str]) -> Markup:
    """Put parts one after another, escaping those that are not `Markup`."""
    return Markup("".join(p if isinstance(p, Markup) else html.escape(p) for p in parts))


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    spelled = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {spelled}"
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {spelled}="{html.escape(text, quote=True)}"'
