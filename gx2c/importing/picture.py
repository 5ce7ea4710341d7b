"""A picture of a dataset's regions: three views, coloured by network."""

from html import escape

import numpy as np

from gx2c.data.brain import Brain, FloatArray

PICTURE = "regions.svg"
VIEW, MARGIN, LINE = 260, 24, 16
# Okabe and Ito's colours, which colour-blind people can distinguish, and some between
COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#b8a800", "#7f7f7f",
    "#4b3f8f", "#8c564b", "#17becf", "#a6761d",
)  # fmt: skip
# Title, axis to the right and axis upwards
VIEWS = (("from above", 0, 1), ("from behind", 0, 2), ("from the right", 1, 2))
# Places made of distances have axes of their own, the first from left to right
AXES = (("axes 1 and 2", 0, 1), ("axes 1 and 3", 0, 2), ("axes 2 and 3", 1, 2))


def brain_picture(brain: Brain) -> str:
    """Draw each region at its centroid in three views, as SVG."""
    networks = list(dict.fromkeys(brain.network))
    colour = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(networks)}
    width = len(VIEWS) * (VIEW + MARGIN) + MARGIN
    height = VIEW + 2 * MARGIN + LINE * (1 + len(networks))
    shapes = []
    for place, (title, right, up) in enumerate(VIEWS if brain.distances_mm is None else AXES):
        left = MARGIN + place * (VIEW + MARGIN)
        shapes.append(f'<text x="{left}" y="{MARGIN - 8}">{title}</text>')
        points = _scaled(brain.coords_mm, right, up)
        for i in np.argsort(brain.coords_mm[:, 3 - right - up], kind="stable").tolist():
            x, y = points[i]
            shapes.append(
                f'<circle cx="{left + x:.1f}" cy="{MARGIN + y:.1f}" r="5" '
                f'fill="{colour[brain.network[i]]}"><title>{escape(brain.labels[i])}</title></circle>'
            )
    for row, name in enumerate(networks):
        y = VIEW + 2 * MARGIN + LINE * row
        shapes.append(
            f'<rect x="{MARGIN}" y="{y - 9}" width="10" height="10" fill="{colour[name]}"/>'
        )
        count = brain.network.count(name)
        shapes.append(f'<text x="{MARGIN + 16}" y="{y}">{escape(name)} ({count})</text>')
    style = "<style>text{font:12px sans-serif}circle{fill-opacity:.85;stroke:#fff}</style>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{style}{"".join(shapes)}</svg>\n'
    )


def _scaled(coords_mm: FloatArray, right: int, up: int) -> FloatArray:
    """Put two axes into a square of `VIEW` pixels, one scale for both."""
    places = coords_mm[:, [right, up]] * np.array([1.0, -1.0])
    low, span = places.min(axis=0), np.ptp(places, axis=0)
    scale = VIEW / max(float(span.max()), 1.0)
    scaled: FloatArray = (places - low) * scale + (VIEW - span * scale) / 2
    return scaled
