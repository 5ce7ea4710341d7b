"""The calibration of nulls as a picture: are p-values uniform, and how often are they small."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from sweeps.calibrate import ALPHA, random_p_values, rates
from sweeps.report.axes import Frame, disc, line, polyline, text, x_axis, y_axis
from sweeps.report.markup import Markup, join, node
from sweeps.report.wording import number

NESTED, ALONE = "gain over geography", "score of genes and mean"
CLASSES = {NESTED: "nested", ALONE: "alone"}
COLUMNS, PANEL = 4, 190.0
WIDTH = COLUMNS * PANEL
ROW_HEIGHT = 52.0
STYLE = """
text { font: 12px sans-serif; fill: #1f2933 } .tick { font-size: 11px; fill: #52606d }
.label { font-size: 11px; fill: #52606d } .middle { text-anchor: middle } .end { text-anchor: end }
.grid { stroke: #e4e7eb } .even { stroke: #52606d; stroke-dasharray: 4 3 } polyline { fill: none }
.nested { stroke: #c2410c; stroke-width: 1.8 } .alone { stroke: #1d4ed8; stroke-width: 1.2 }
circle.nested { fill: #c2410c } circle.alone { fill: #1d4ed8 }
"""


def calibration_svg(table: pd.DataFrame) -> str:
    """Draw what `run_calibration` measured on brains without signal.

    Above, the empirical distribution of randomised p-values of each surrogate over all four kinds
    of genes; the dashed line is the uniform one. Below, the share of p <= .05 of each kind with its
    95 % interval.
    """
    null = table[~table["signal"].astype(bool)]
    found = pd.DataFrame(rates(null))
    worst = found[found["statistic"] == NESTED].groupby("surrogate")["rate"].max()
    names = worst.sort_values(kind="stable").index.tolist()
    panels = [_distribution(null, name, place) for place, name in enumerate(names)]
    top = PANEL * -(-len(names) // COLUMNS) + 28
    below = _moved(_rates(found, names), 0.0, top)
    height = top + ROW_HEIGHT * len(names) + 60
    return node(
        "svg",
        node("style", Markup(STYLE)),
        _legend(),
        *panels,
        below,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_label="; ".join(f"{n}: worst rate {number(worst[n], 2)}" for n in names),
    )


def ecdf(values: FloatArray) -> list[tuple[float, float]]:
    """Return the corners of an empirical distribution function from (0, 0) to (1, 1)."""
    ordered = np.sort(values)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    corners = [(0.0, 0.0)]
    for value, before, after in zip(ordered, steps[:-1], steps[1:], strict=True):
        corners += [(float(value), float(before)), (float(value), float(after))]
    return [*corners, (1.0, 1.0)]


def _distribution(null: pd.DataFrame, name: str, place: int) -> Markup:
    frame = Frame(x=(0.0, 1.0), y=(0.0, 1.0), height=PANEL, width=PANEL, left=44, top=20, bottom=38)
    marks = (0.0, 0.5, 1.0)
    parts = [
        x_axis(frame, "p, randomised", marks),
        y_axis(frame, "share of brains", marks),
        text(frame.left, 13, name, "panel"),
        line(frame.at_x(0), frame.at_y(0), frame.at_x(1), frame.at_y(1), "even"),
    ]
    for statistic, class_ in CLASSES.items():
        cell = null[(null["surrogate"] == name) & (null["statistic"] == statistic)]
        corners = ecdf(random_p_values(cell))
        parts.append(polyline([(frame.at_x(x), frame.at_y(y)) for x, y in corners], class_))
    return _moved(join(parts), PANEL * (place % COLUMNS), 28 + PANEL * (place // COLUMNS))


def _rates(found: pd.DataFrame, names: Sequence[str]) -> Markup:
    height = ROW_HEIGHT * len(names) + 60
    frame = Frame(x=(0.0, 0.6), y=(0.0, float(len(names))), height=height, width=WIDTH, left=120)
    marks = (0.0, ALPHA, 0.1, 0.2, 0.3, 0.4, 0.5)
    label = (
        "share of p at most .05, 95 % interval; from above: MNI all genes, MNI leading, "
        "sphere all, sphere leading"
    )
    parts = [x_axis(frame, label, marks), _upright(frame, ALPHA)]
    for place, name in enumerate(names):
        top = frame.top + place * (frame.floor - frame.top) / len(names)
        parts.append(text(frame.left - 8, top + ROW_HEIGHT / 2, name, "end"))
        for at, statistic in enumerate(CLASSES):
            cells = found[(found["surrogate"] == name) & (found["statistic"] == statistic)]
            for row, (_, cell) in enumerate(cells.iterrows()):
                y = top + 5 + 22 * at + 5 * row
                parts += _interval(frame, y, cell, CLASSES[statistic])
    return join(parts)


def _interval(frame: Frame, y: float, cell: pd.Series[float], class_: str) -> list[Markup]:
    low, high = (frame.at_x(min(float(cell[side]), frame.x[1])) for side in ("low", "high"))
    return [line(low, y, high, y, class_), disc(frame.at_x(cell["rate"]), y, 2.4, class_)]


def _upright(frame: Frame, x: float) -> Markup:
    return line(frame.at_x(x), frame.top, frame.at_x(x), frame.floor, "even")


def _legend() -> Markup:
    parts = [
        join([line(44 + 200 * k, 12, 66 + 200 * k, 12, class_), text(72 + 200 * k, 16, name, "")])
        for k, (name, class_) in enumerate(CLASSES.items())
    ]
    return join(parts)


def _moved(part: Markup, x: float, y: float) -> Markup:
    return node("g", part, transform=f"translate({x:g} {y:g})")
