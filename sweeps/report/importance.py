"""Pictures of importance: the first of a ranking with their nulls, and pairs of networks."""

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.explain.importance import NOT_TESTED
from sweeps.report.connectomes import DIVERGING
from sweeps.report.picture import PALETTE, Picture
from sweeps.report.wording import number

MOST_BARS = 25


def ranking_figure(title: str, table: pd.DataFrame) -> Picture:
    """Draw the units that matter most over all edges, with mean and SD of their nulls.

    Parameters
    ----------
    title
        Model and kind of units.
    table
        One of `Importance.tables`.
    """
    top = table[table["group"] == "all"].head(MOST_BARS)
    tested = NOT_TESTED not in set(top["p"])
    height = 1.1 + 0.2 * len(top)
    nulls = ", mean and SD of their nulls" if tested else ", not tested against nulls"
    picture = Picture(
        f"The {len(top)} most important of {title}{nulls}.", size=(6.2, height), margins=(2.0, 0.4)
    )
    axes, rows = picture.axes, np.arange(len(top))
    bars = axes.barh(rows, top["importance"], height=0.7, color=PALETTE["model"])
    texts = []
    for unit, value, p in zip(top["unit"], top["importance"], top["p_max_t"], strict=True):
        said = f"p (max-T) {number(float(p))}" if tested else str(p)
        texts.append(f"{unit}: {number(float(value))}, {said}")
    for bar, text in zip(bars, texts, strict=True):
        picture.tip(bar, text)
    if tested:
        mean, spread = (top[c].to_numpy(dtype=float) for c in ("null_mean", "null_sd"))
        axes.errorbar(mean, rows, xerr=spread, fmt="o", markersize=3, color=PALETTE["null"])
    axes.set_yticks(rows, list(top["unit"]), fontsize=7.5)
    axes.invert_yaxis()
    axes.set_title(f"{title}{'' if tested else ' (not tested)'}", fontsize=9.5, loc="left")
    axes.set_xlabel("adds to cov(predicted, measured) / SD(measured)")
    picture.figure.subplots_adjust(bottom=0.5 / height, top=1 - 0.35 / height)
    return picture


def change_figure(title: str, change: FloatArray, names: list[str]) -> Picture:
    """Draw the change of a predicted connectome, regions in the order of their networks.

    Parameters
    ----------
    title
        Model and genes.
    change
        (n_regions, n_regions).
    names
        Network of each region.
    """
    order = np.argsort(np.array(names), kind="stable")
    shown = change[np.ix_(order, order)].copy()
    np.fill_diagonal(shown, np.nan)
    limit = float(np.nanmax(np.abs(shown))) or 1.0
    picture = Picture(
        f"Change of the connectome predicted by {title}: {len(change)} regions by network.",
        size=(5.6, 4.6),
        margins=(1.25, 0.4),
    )
    axes = picture.axes
    axes.grid(visible=False)
    image = axes.imshow(shown, cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest")
    of_row = [names[k] for k in order.tolist()]
    starts = [k for k, name in enumerate(of_row) if k == 0 or name != of_row[k - 1]]
    axes.set_yticks(starts, [of_row[k] for k in starts], fontsize=7.5)
    axes.set_xticks([])
    axes.set_title(title, fontsize=9.5, loc="left")
    picture.figure.subplots_adjust(right=0.88)
    picture.figure.colorbar(image, ax=axes, shrink=0.8, label="change of predicted r")
    return picture
