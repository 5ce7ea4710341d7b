"""The calibration of nulls as a picture: are p-values uniform, and how often are they small."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sweeps.nulls.calibrate import ALPHA, random_p_values, rates
from sweeps.report.picture import PALETTE, STYLE, Picture
from sweeps.report.wording import number

NESTED, ALONE = "gain over geography", "score of genes and mean"
COLOURS = {NESTED: PALETTE["geography"], ALONE: PALETTE["model"]}
COLUMNS = 4
HIGHEST_RATE = 0.6


def calibration_picture(table: pd.DataFrame) -> Picture:
    """Draw what `run_calibration` measured on brains without signal.

    Above, the empirical distribution of randomised p-values of each surrogate over all four kinds
    of genes; the dashed line is the uniform one. Below, the share of p <= .05 of each kind with its
    95 % interval.
    """
    null = table[~table["signal"].astype(bool)]
    found = pd.DataFrame(rates(null))
    worst = found[found["statistic"] == NESTED].groupby("surrogate")["rate"].max()
    names = worst.sort_values(kind="stable").index.tolist()
    lines = -(-len(names) // COLUMNS)
    picture = Picture(
        "; ".join(f"{name}: worst rate {number(worst[name], 2)}" for name in names),
        size=(7.9, 2.2 * lines + 0.6 * len(names)),
        grid=(lines + 1, COLUMNS),
        margins=(1.3, 0.8, 0.12, 0.7),
        height_ratios=[1.7] * lines + [0.6 * len(names)],
    )
    for axes, name in zip(picture.all_axes, names, strict=False):
        _distribution(axes, null[null["surrogate"] == name], name)
    for axes in picture.all_axes[len(names) :]:
        axes.remove()
    grid = picture.axes.get_gridspec()
    assert grid is not None
    picture.figure.subplots_adjust(hspace=0.3)
    with mpl.rc_context(STYLE):
        _rates(picture.figure.add_subplot(grid[lines, :]), found, names)
    picture.figure.legend(
        *picture.axes.get_legend_handles_labels(), loc="upper left", frameon=False
    )
    return picture


def _distribution(axes: Axes, cells: pd.DataFrame, name: str) -> None:
    axes.plot([0, 1], [0, 1], "--", color=PALETTE["soft"], linewidth=1)
    for statistic, colour in COLOURS.items():
        p_values = random_p_values(cells[cells["statistic"] == statistic])
        axes.ecdf(p_values, color=colour, linewidth=1.4, label=statistic)
    axes.set_title(name, loc="left", fontsize=9)
    axes.set(xlabel="p, randomised", ylabel="share of brains", xticks=(0, 0.5, 1), xlim=(0, 1))


def _rates(axes: Axes, found: pd.DataFrame, names: list[str]) -> None:
    for place, name in enumerate(names):
        for at, (statistic, colour) in enumerate(COLOURS.items()):
            cells = found[(found["surrogate"] == name) & (found["statistic"] == statistic)]
            y = place - 0.35 + 0.4 * at + 0.09 * np.arange(len(cells))
            rate, low, high = (cells[k].to_numpy(dtype=float) for k in ("rate", "low", "high"))
            axes.errorbar(
                rate, y, xerr=(rate - low, high - rate), fmt="o", markersize=3, color=colour
            )
    axes.axvline(ALPHA, linestyle="--", color=PALETTE["soft"], linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.set(
        xlim=(-0.005, HIGHEST_RATE),
        ylim=(len(names) - 0.4, -0.6),
        xlabel=f"share of p at most {ALPHA}, 95 % interval\nin each row from above: MNI all genes, "
        "MNI leading, sphere all, sphere leading",
    )
    axes.grid(visible=False, axis="y")
