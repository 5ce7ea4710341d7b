"""Pieces that several parts of the page are made of."""

from __future__ import annotations

from sweeps.report.markup import Markup, node


def section(title: str, *parts: str) -> Markup:
    """Return a part of the page under its title."""
    return node("section", node("h2", title), *parts)


def absent(words: str) -> Markup:
    """Return a sentence in place of what is missing."""
    return node("p", words, class_="absent")


def figure(picture: Markup, caption: str, *, wide: bool = False) -> Markup:
    """Return a picture with its caption."""
    return node("figure", picture, node("figcaption", caption), class_="wide" if wide else None)


def legend(*entries: tuple[str, str]) -> Markup:
    """Return what the marks of a figure mean: (class of the swatch, words) each."""
    return node(
        "p",
        *[node("span", node("span", class_=f"swatch {kind}"), words) for kind, words in entries],
        class_="legend",
    )
