"""Plain SVG axes: a frame maps values to the units of its view box."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sweeps.report.markup import Markup, join, node
from sweeps.report.wording import number

WIDTH = 460.0


@dataclass(frozen=True)
class Frame:
    """A plot's area and its ranges.

    Attributes
    ----------
    x, y
        Lowest and highest value of each axis.
    height, width
        Of the whole picture in view-box units.
    left, right, top, bottom
        Margins.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    height: float = 260.0
    width: float = WIDTH
    left: float = 52.0
    right: float = 14.0
    top: float = 12.0
    bottom: float = 44.0

    def at_x(self, value: float) -> float:
        """Return where a value lies, from the left edge."""
        share = (value - self.x[0]) / (self.x[1] - self.x[0])
        return round(self.left + share * (self.width - self.left - self.right), 2)

    def at_y(self, value: float) -> float:
        """Return where a value lies, from the top edge."""
        share = (value - self.y[0]) / (self.y[1] - self.y[0])
        return round(self.height - self.bottom - share * (self.height - self.top - self.bottom), 2)

    @property
    def floor(self) -> float:
        """The lower edge of the plot's area."""
        return self.height - self.bottom

    @property
    def wall(self) -> float:
        """The right edge of the plot's area."""
        return self.width - self.right


def drawing(frame: Frame, parts: Iterable[str], label: str) -> Markup:
    """Wrap parts into one picture that says in words what it shows."""
    box = f"0 0 {frame.width:g} {frame.height:g}"
    return node("svg", *parts, viewBox=box, role="img", aria_label=label)


def padded(
    values: Iterable[float], share: float = 0.08, least: float = 0.02
) -> tuple[float, float]:
    """Return a range around the finite values, (0, 1) if there are none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return (0.0, 1.0)
    low, high = min(finite), max(finite)
    margin = max((high - low) * share, least / 2, abs(high) * 1e-6, 1e-9)
    return (low - margin, high + margin)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round values inside a range, about as many as asked for."""
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if power * m >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def tick_texts(values: Sequence[float]) -> list[str]:
    """Print ticks with as many decimals as the longest needs: .40, .45, .50; zero stays 0."""
    digits = max((len(f"{v:.6g}".partition(".")[2].partition("e")[0]) for v in values), default=0)
    return ["0" if abs(v) < 1e-12 else number(v, digits) for v in values]


def x_axis(frame: Frame, label: str, values: Sequence[float] | None = None) -> Markup:
    """Draw ticks and a label under the plot, with faint lines upwards."""
    marks = ticks(*frame.x) if values is None else values
    lines = [
        join(
            [
                line(frame.at_x(v), frame.top, frame.at_x(v), frame.floor, "grid"),
                text(frame.at_x(v), frame.floor + 17, name, "tick middle"),
            ]
        )
        for v, name in zip(marks, tick_texts(marks), strict=True)
    ]
    middle = (frame.left + frame.wall) / 2
    return join([*lines, text(middle, frame.height - 6, label, "label middle")])


def y_axis(frame: Frame, label: str, values: Sequence[float] | None = None) -> Markup:
    """Draw ticks and a label at the left, with faint lines across."""
    marks = ticks(*frame.y, about=4) if values is None else values
    lines = [
        join(
            [
                line(frame.left, frame.at_y(v), frame.wall, frame.at_y(v), "grid"),
                text(frame.left - 7, frame.at_y(v) + 4, name, "tick end"),
            ]
        )
        for v, name in zip(marks, tick_texts(marks), strict=True)
    ]
    middle = (frame.top + frame.floor) / 2
    turned = node(
        "text",
        label,
        x=0,
        y=0,
        class_="label middle",
        transform=f"translate(12 {middle:g}) rotate(-90)",
    )
    return join([*lines, turned])


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Draw a straight line."""
    return node("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def text(x: float, y: float, content: str, class_: str) -> Markup:
    """Write at a place."""
    return node("text", content, x=x, y=y, class_=class_)


def disc(x: float, y: float, radius: float, class_: str, tip: str | None = None) -> Markup:
    """Draw a disc; `tip` is shown when it is pointed at."""
    return node("circle", cx=x, cy=y, r=radius, class_=class_, data_tip=tip)


def diamond(x: float, y: float, radius: float, class_: str, tip: str | None = None) -> Markup:
    """Draw a square on its corner."""
    r = radius
    path = f"M{x:g} {y - r:g}l{r:g} {r:g}l{-r:g} {r:g}l{-r:g} {-r:g}z"
    return node("path", d=path, class_=class_, data_tip=tip)


def cross(x: float, y: float, radius: float, class_: str, tip: str | None = None) -> Markup:
    """Draw an x."""
    r, d = radius, 2 * radius
    path = f"M{x - r:g} {y - r:g}l{d:g} {d:g}M{x - r:g} {y + r:g}l{d:g} {-d:g}"
    return node("path", d=path, class_=class_, data_tip=tip)


def polyline(points: Iterable[tuple[float, float]], class_: str, tip: str | None = None) -> Markup:
    """Draw a line through points."""
    course = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return node("polyline", points=course, class_=class_, data_tip=tip)
