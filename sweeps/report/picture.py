"""Figures by matplotlib: SVG in the colours of the page, with values as tooltips."""

import base64
import re
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from sweeps.folder.records import write_bytes
from sweeps.report.wording import number

SVG = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
PNG = "data:image/png;base64,"
# Colours of the light theme; on a page, each becomes a variable with a dark value too
PALETTE = {
    "paper": "#fcfbf8",
    "ink": "#1d1e22",
    "soft": "#565a64",
    "rule": "#dcd8ce",
    "grid": "#ebe8e0",
    "model": "#0a5ea8",
    "geography": "#b4520a",
    "null": "#a3a7b0",
    "failed": "#8a2f52",
}
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.labelsize": 9.5,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.edgecolor": PALETTE["soft"],
    "axes.labelcolor": PALETTE["soft"],
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": PALETTE["grid"],
    "text.color": PALETTE["ink"],
    "xtick.color": PALETTE["soft"],
    "ytick.color": PALETTE["soft"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
}
# Inches
WIDEST_COLUMN = 6.5
# Of pictures in a file, where they are no vectors
PRINTED_DPI = 300
TICKS = FuncFormatter(lambda value, _: number(value, 6).rstrip("0").rstrip(".") or "0")


class Picture:
    """One figure, its description, and a tooltip for each mark.

    Parameters
    ----------
    words
        Description of the figure for readers who cannot see it.
    size
        Width and height, inches.
    grid
        Rows and columns of axes.
    margins
        Left, top, right and bottom, inches; the last two may be missing.
    options
        Keywords of `Figure.subplots`.
    """

    def __init__(
        self,
        words: str,
        *,
        size: tuple[float, float] = (4.8, 2.9),
        grid: tuple[int, int] = (1, 1),
        margins: tuple[float, ...] = (0.75, 0.15),
        **options: Any,
    ) -> None:
        self.words = words
        self.tips: dict[str, Sequence[str]] = {}
        with mpl.rc_context(STYLE):
            # margins are given, since measuring every text would double the time of a page
            left, top, right, bottom = (*margins, *(0.12, 0.5)[len(margins) - 2 :])
            self.figure = Figure(figsize=size)
            self.figure.subplots_adjust(
                left=left / size[0],
                right=1 - right / size[0],
                bottom=bottom / size[1],
                top=1 - top / size[1],
                wspace=0.9 * grid[1] / size[0],
                hspace=0.7 * grid[0] / size[1],
            )
            self.all_axes: list[Axes] = list(
                self.figure.subplots(*grid, squeeze=False, **options).flat
            )
        self.axes = self.all_axes[0]
        for axes in self.all_axes:
            axes.xaxis.set_major_formatter(TICKS)
            axes.yaxis.set_major_formatter(TICKS)

    def tip(self, artist: Artist, *texts: str) -> None:
        """Give a mark a tooltip; for points drawn together, one each."""
        name = f"tip-{len(self.tips)}"
        artist.set_gid(name)
        self.tips[name] = texts

    @property
    def is_wide(self) -> bool:
        """Whether it takes the width of a page, and not of a column."""
        return bool(self.figure.get_figwidth() > WIDEST_COLUMN)

    def svg(self, *, on_page: bool = True) -> str:
        """Return the picture as SVG; on a page it takes the page's colours and fonts."""
        buffer = StringIO()
        # the same picture gets the same ids, and no two pictures of a page share them
        with mpl.rc_context(
            {**STYLE, "svg.hashsalt": f"{self.words} {self.figure.get_figwidth()}"}
        ):
            look = {"Date": None, "Creator": None}
            dpi = "figure" if on_page else PRINTED_DPI
            self.figure.savefig(buffer, format="svg", metadata=look, dpi=dpi)
        ElementTree.register_namespace("", SVG)
        root = ElementTree.fromstring(buffer.getvalue())
        for metadata in root.findall(f"{{{SVG}}}metadata"):
            root.remove(metadata)
        for element in root.iter():
            # a hundredth of a point is finer than any screen
            for name in {"d", "x", "y", "transform"} & element.attrib.keys():
                element.set(name, re.sub(r"(\.\d\d)\d+", r"\1", element.attrib[name]))
            if on_page and element.tag == f"{{{SVG}}}image":
                element.set(HREF, _lighter(element.attrib[HREF]))
        self._explain(root)
        root.set("role", "img")
        root.set("aria-label", self.words)
        text = ElementTree.tostring(root, encoding="unicode")
        return _for_page(text) if on_page else text

    def save(self, path: Path) -> None:
        """Write the picture; the format follows the file's ending."""
        buffer = BytesIO()
        if path.suffix == ".svg":
            buffer.write(self.svg(on_page=False).encode())
        else:
            with mpl.rc_context(STYLE):
                self.figure.savefig(buffer, format=path.suffix[1:], dpi=PRINTED_DPI)
        write_bytes(path, buffer.getvalue())

    def _explain(self, root: ElementTree.Element) -> None:
        for group in root.iter(f"{{{SVG}}}g"):
            texts = self.tips.get(group.get("id", ""), ())
            marks = [e for e in group.iter() if e.tag in (f"{{{SVG}}}use", f"{{{SVG}}}path")]
            marks = marks[-len(texts) :] if len(texts) > 1 else [group]
            # marks of one look say so once
            if len(texts) > 1 and len({mark.get("style") for mark in marks}) == 1:
                group.set("style", marks[0].get("style", ""))
                for mark in marks:
                    mark.attrib.pop("style", None)
            for mark, text in zip(marks, texts, strict=False):
                title = ElementTree.Element(f"{{{SVG}}}title")
                title.text = text
                mark.insert(0, title)
            # ids must be unique on a page of many pictures
            if texts:
                del group.attrib["id"]


def padded(
    values: Iterable[float], share: float = 0.08, least: float = 0.02
) -> tuple[float, float]:
    """Return a range around the finite values, (0, 1) if there are none."""
    finite = [value for value in values if np.isfinite(value)]
    if not finite:
        return (0.0, 1.0)
    low, high = min(finite), max(finite)
    margin = max((high - low) * share, least / 2, abs(high) * 1e-6, 1e-9)
    return (low - margin, high + margin)


def _lighter(image: str) -> str:
    """Return an embedded image with at most 256 colours, which are a quarter of the bytes."""
    whole = Image.open(BytesIO(base64.b64decode(image.removeprefix(PNG)))).convert("RGBA")
    buffer = BytesIO()
    whole.quantize(256, method=Image.Quantize.FASTOCTREE).save(buffer, format="png", optimize=True)
    return f"{PNG}{base64.b64encode(buffer.getvalue()).decode()}"


def _for_page(text: str) -> str:
    for name, colour in PALETTE.items():
        text = text.replace(colour, f"var(--{name})")
    text = text.replace("#000000", "var(--ink)")
    # HTML needs no namespaces, and ids of groups mean nothing there
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text).replace("ns1:href", "href")
    return re.sub(r'<g id="[^"]*"', "<g", text)
