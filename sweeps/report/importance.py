"""Pictures of importance: the first of a ranking with their nulls, and pairs of networks."""

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.explain.edges import ALL, BETWEEN
from gx2c.explain.importance import NOT_TESTED
from sweeps.report.connectomes import DIVERGING
from sweeps.report.picture import PALETTE, TICKS, Picture
from sweeps.report.wording import number

MOST_BARS = 25
# Of the matrix of units and pairs of networks
MOST_ROWS, MOST_PAIRS = 15, 36
ALPHA = 0.05


def ranking_figure(title: str, table: pd.DataFrame) -> Picture:
    """Draw the units that matter most over all edges, with mean and SD of their nulls.

    Parameters
    ----------
    title
        Model and kind of units.
    table
        One of `Importance.tables`.
    """
    top = table[table["group"] == ALL].head(MOST_BARS)
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
        texts.append(f"{unit}: {number(float(value), 4)}, {_said(float(p) if tested else np.nan)}")
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


def pairs_figure(title: str, table: pd.DataFrame) -> Picture | None:
    """Draw how much the most important units add to edges between networks.

    Parameters
    ----------
    title, table
        As `ranking_figure`. A dot marks p (max-T over the units of a pair) <= .05.
    """
    units = list(table[table["group"] == ALL]["unit"].head(MOST_ROWS))
    of_pairs = table[table["group"].str.contains(BETWEEN, regex=False)]
    pairs = list(dict.fromkeys(of_pairs["group"]))
    if not pairs:
        return None
    places = pd.MultiIndex.from_product([units, pairs])
    cells = of_pairs.set_index(["unit", "group"]).loc[places]
    values = cells["importance"].to_numpy(dtype=float).reshape(len(units), len(pairs))
    p = cells["p_max_t"].replace(NOT_TESTED, np.nan).to_numpy(dtype=float).reshape(values.shape)
    shown = np.sort(np.argsort(-np.abs(values).max(axis=0), kind="stable")[:MOST_PAIRS])
    names, values, p = [pairs[k] for k in shown.tolist()], values[:, shown], p[:, shown]
    room = 0.15 + 0.055 * max(map(len, names))
    picture = Picture(
        f"Importance of the first {len(units)} {title}, {len(names)} pairs.",
        size=(8.6, 0.5 + room + 0.2 * len(units)),
        margins=(2.0, 0.35, 0.1, room),
    )
    axes, limit = picture.axes, float(np.abs(values).max()) or 1.0
    axes.grid(visible=False)
    image = axes.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(units)), units, fontsize=7.5)
    axes.set_title(title, fontsize=9.5, loc="left")
    rows, columns = np.indices(values.shape).reshape(2, -1)
    squares = axes.scatter(columns, rows, s=60, marker="s", alpha=0.0)
    texts = [
        f"{units[i]}, {names[j]}: {number(float(values[i, j]), 4)}, {_said(float(p[i, j]))}"
        for i, j in np.ndindex(values.shape)
    ]
    picture.tip(squares, *texts)
    clear = np.argwhere(p <= ALPHA)
    axes.plot(clear[:, 1], clear[:, 0], "o", color=PALETTE["ink"], markersize=2.5)
    picture.figure.colorbar(image, ax=axes, shrink=0.8, format=TICKS)
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
    picture.figure.colorbar(
        image, ax=axes, shrink=0.8, format=TICKS, label="change of the prediction"
    )
    return picture


def _said(p: float) -> str:
    return f"p (max-T) {number(p)}" if np.isfinite(p) else NOT_TESTED
