"""Figures of single test edges of all folds: predicted against measured, and by network."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, LogNorm

from gx2c.data.brain import FloatArray
from sweeps.report.connectomes import DIVERGING
from sweeps.report.picture import PALETTE, TICKS, Picture, padded
from sweeps.report.reading import PAIR, RunFiles
from sweeps.report.scores import GainOf, kind_gains
from sweeps.report.wording import counted, kind_name, number, signed

MOST_POINTS = 2000
N_BINS = 56
# Bins of equal numbers of edges in the curve of calibration
N_LEVELS = 10
MOST_CELLS = 12


def scatter_figure(run: RunFiles) -> Picture | None:
    """Draw predicted against measured edges, and the mean measured value of equal predictions."""
    edges = run.edges
    if edges.empty:
        return None
    values = edges[["measured", "predicted"]].to_numpy(dtype=np.float64)
    ends = padded([0.0, *values.ravel().tolist()], share=0.03)
    picture = Picture(
        f"Predicted against measured values of {counted(len(edges), 'test edge')} of all folds, "
        "and their calibration.",
        size=(8.6, 4.3),
        grid=(1, 2),
        margins=(0.7, 0.3, 0.3),
    )
    left, right = picture.all_axes
    for axes in (left, right):
        axes.plot(ends, ends, "--", color=PALETTE["soft"], linewidth=1)
        axes.set(xlim=ends, ylim=ends, aspect="equal")
    left.set_title("edges of all folds", loc="left", fontsize=9.5)
    left.set(xlabel=f"measured edge ({run.measure})", ylabel=f"predicted edge ({run.measure})")
    if len(edges) <= MOST_POINTS:
        points = left.scatter(
            values[:, 0], values[:, 1], s=12, color=PALETTE["model"], alpha=0.45, linewidths=0
        )
        picture.tip(
            points,
            *(
                f"{a} – {b}: measured {number(x)}, predicted {number(y)}"
                for a, b, x, y in edges[["a", "b", "measured", "predicted"]].itertuples(
                    index=False, name=None
                )
            ),
        )
    else:
        one_hue = LinearSegmentedColormap.from_list("counts", ["#cfe0ef", PALETTE["model"]])
        look: dict[str, Any] = {"norm": LogNorm(), "cmap": one_hue, "cmin": 1}
        *_, image = left.hist2d(values[:, 0], values[:, 1], bins=N_BINS, range=(ends, ends), **look)
        picture.figure.colorbar(image, ax=left, shrink=0.7, label="edges")
    for name, column, colour in (
        (run.summary.model, "predicted", PALETTE["model"]),
        ("geography", "geography", PALETTE["geography"]),
    ):
        found = calibration(edges[column], edges["measured"])
        if len(found):
            line: dict[str, Any] = {
                "marker": "o",
                "markersize": 4,
                "linewidth": 1.3,
                "color": colour,
            }
            right.plot(found["predicted"], found["measured"], label=name, **line)
            points = right.scatter(found["predicted"], found["measured"], s=40, alpha=0.0)
            picture.tip(
                points,
                *(
                    f"{name}: {counted(n, 'edge')} predicted near {number(x)} measure "
                    f"{number(y)} on average"
                    for x, y, n in found.itertuples(index=False, name=None)
                ),
            )
    right.set_title("calibration: tenths of edges by prediction", loc="left", fontsize=9.5)
    right.set(xlabel="mean predicted edge", ylabel="mean measured edge")
    right.legend(loc="upper left", frameon=False)
    return picture


def calibration(predicted: pd.Series, measured: pd.Series) -> pd.DataFrame:
    """Return mean prediction and mean measured value of equally many edges, by prediction.

    Returns
    -------
    DataFrame
        (n_bins, 3): predicted, measured, and n, the number of edges; empty without predictions.
    """
    there = np.flatnonzero(np.isfinite(predicted))
    order = there[np.argsort(predicted.to_numpy()[there], kind="stable")]
    bins = [rows for rows in np.array_split(order, N_LEVELS) if len(rows)]
    return pd.DataFrame(
        {
            "predicted": [float(predicted.iloc[rows].mean()) for rows in bins],
            "measured": [float(measured.iloc[rows].mean()) for rows in bins],
            "n": [len(rows) for rows in bins],
        }
    )


class NetworkPairs(NamedTuple):
    """Errors of test edges by the networks of their ends, (n_networks, n_networks), NaN if none.

    `error` is the model's mean absolute error, `gain` that of geography minus it, and `n` the
    number of edges.
    """

    names: list[str]
    error: FloatArray
    gain: FloatArray
    n: FloatArray


def network_pairs(run: RunFiles) -> NetworkPairs | None:
    """Average the errors of all test edges by network pair; None without networks."""
    if "pair" not in run.edges or run.edges.empty:
        return None
    edges = run.edges
    names = sorted({name for pair in edges["pair"] for name in pair.split(PAIR)})
    errors = pd.DataFrame(
        {
            "own": (edges["predicted"] - edges["measured"]).abs(),
            "rival": (edges["geography"] - edges["measured"]).abs(),
        }
    )
    found = errors.groupby(edges["pair"]).agg(["mean", "count"])
    shape = (len(names), len(names))
    error, gain, n = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape)
    for pair, row in found.iterrows():
        i, j = (names.index(name) for name in str(pair).split(PAIR))
        for place in ((i, j), (j, i)):
            error[place] = row["own", "mean"]
            gain[place] = row["rival", "mean"] - row["own", "mean"]
            n[place] = row["own", "count"]
    return NetworkPairs(names, error, gain, n)


def network_figure(run: RunFiles) -> Picture | None:
    """Draw the error, and what it gains over geography's, for every pair of networks."""
    found = network_pairs(run)
    if found is None:
        return None
    n = len(found.names)
    room = 0.3 + 0.075 * max(map(len, found.names))
    picture = Picture(
        f"Mean absolute error of test edges between {n} networks, and its gain over geography.",
        size=(8.6, 2.75 + room),
        grid=(1, 2),
        margins=(room, 0.3, 0.2, room),
    )
    picture.figure.subplots_adjust(wspace=(room - 0.1) / 3)
    error = LinearSegmentedColormap.from_list("error", ["#f7f5f0", "#6d5f86", "#2d2145"])
    most = float(np.nanmax(np.abs(found.gain))) if np.isfinite(found.gain).any() else 1.0
    panels: tuple[tuple[str, FloatArray, dict[str, Any], Callable[[float], str]], ...] = (
        ("mean absolute error", found.error, {"cmap": error, "vmin": 0.0}, number),
        (
            "gain: geography's error minus the model's",
            found.gain,
            {"cmap": DIVERGING, "vmin": -most, "vmax": most},
            signed,
        ),
    )
    for axes, (title, values, look, words) in zip(picture.all_axes, panels, strict=True):
        axes.grid(visible=False)
        axes.set_facecolor(PALETTE["rule"])
        image = axes.imshow(values, **look)
        bar = picture.figure.colorbar(image, ax=axes, shrink=0.9, format=TICKS)
        bar.outline.set_visible(False)
        axes.set_title(title, loc="left", fontsize=9.5)
        axes.set_xticks(range(n), found.names, rotation=90, fontsize=8)
        axes.set_yticks(range(n), found.names, fontsize=8)
        rows, columns = np.nonzero(np.isfinite(values))
        cells = axes.scatter(columns, rows, s=300, marker="s", alpha=0.0)
        picture.tip(
            cells,
            *(
                f"{found.names[i]} – {found.names[j]}: {words(float(values[i, j]))}, "
                f"{counted(int(found.n[i, j]), 'edge')}"
                for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
            ),
        )
    return picture


def kinds_figure(run: RunFiles) -> Picture | None:
    """Draw the gain over geography in every kind of edges, with its interval."""
    rows = [row for row in kind_gains(run.summary) if np.isfinite(row.gain.mean)]
    if not rows:
        return None
    words = "; ".join(f"{kind_name(row.score)}: {signed(row.gain.mean)}" for row in rows)
    picture = Picture(
        f"Gain over geography by kind of edges. {words}.",
        size=(7.8, 0.8 + 0.24 * len(rows)),
        margins=(3.0, 0.1, 0.2),
    )
    axes = picture.axes
    axes.axvline(0.0, color=PALETTE["soft"], linewidth=1)
    for y, row in enumerate(rows):
        colour = PALETTE["model"] if row.clear else PALETTE["null"]
        bar = axes.errorbar(
            [row.gain.mean], [y], xerr=row.gain.ends, fmt="o", color=colour, markersize=5
        )
        picture.tip(bar[0], _gain_words(row))
    axes.set_yticks(range(len(rows)), [kind_name(row.score) for row in rows], fontsize=8.5)
    # intervals over two folds may reach anywhere
    ends = padded([v for row in rows for v in (row.gain.mean, row.gain.low, row.gain.high)])
    axes.set(
        xlabel="gain over geography (difference of Pearson r)",
        xlim=np.clip(ends, -1.0, 1.0),
        ylim=(len(rows) - 0.5, -0.5),
    )
    return picture


def _gain_words(row: GainOf) -> str:
    n = counted(row.n, "fold")
    return f"{kind_name(row.score)}: gain {signed(row.gain.mean)}, SE {number(row.gain.se)}, {n}"
