"""Pictures of attention: a map for each layer and head, and the attention that tokens receive."""

from typing import Any

import numpy as np

from gx2c.explain.attention import AttentionMaps
from gx2c.explain.tokens import UNKNOWN, Token
from sweeps.report.connectomes import DIVERGING
from sweeps.report.picture import PALETTE, TICKS, Picture

SCALE = "Blues"
# More names than this on an axis cannot be read
MOST_NAMES = 32
# And than this on the axis of a small map
MOST_ROWS = 16
# Colours of a map end here: one token that receives most would leave the rest white
BRIGHTEST = 99.0


def heads_figure(title: str, found: AttentionMaps) -> Picture:
    """Draw the mean map of each layer and head over all regions; rows attend to columns."""
    maps = found.maps[0]
    n_layers, n_heads, n_tokens, _ = maps.shape
    places, names = _names(found.tokens, MOST_ROWS)
    left = 0.25 + 0.055 * max(map(len, names), default=0)
    picture = Picture(
        f"Mean attention of {title} over {found.counts[0]} regions or pairs: {n_layers} layers, "
        f"{n_heads} heads, {n_tokens} tokens; rows attend to columns.",
        size=(left + 0.3 + 2.0 * n_heads, 1.0 + 2.0 * n_layers),
        grid=(n_layers, n_heads),
        margins=(left, 0.5),
    )
    for (layer, head), axes in zip(np.ndindex(n_layers, n_heads), picture.all_axes, strict=True):
        image = axes.imshow(
            maps[layer, head], vmin=0, vmax=_brightest(maps), cmap=SCALE, interpolation="nearest"
        )
        axes.grid(visible=False)
        axes.set_title(f"layer {layer + 1}, head {head + 1}", fontsize=8)
        axes.set_xticks([])
        apart = slice(None, None, 1 + len(places) // MOST_ROWS)
        shown = names[apart] if head == 0 else [""] * len(places[apart])
        axes.set_yticks(places[apart], shown, fontsize=6)
    picture.figure.colorbar(image, ax=picture.all_axes, shrink=0.5, format=TICKS, label="attention")
    picture.figure.suptitle(title, x=0.02, ha="left", fontsize=9.5)
    return picture


def groups_figure(title: str, found: AttentionMaps) -> Picture:
    """Draw the attention that each token receives, relative to an equal share, by group."""
    shares = found.received * len(found.tokens)
    places, names = _names(found.tokens)
    room = 0.25 + 0.06 * max(map(len, names), default=0)
    height = 0.6 + room + 0.24 * len(found.groups)
    n_groups, away = len(found.groups), _brightest(np.abs(shares - 1))
    picture = Picture(
        f"Attention that each of {len(found.tokens)} tokens of {title} receives, by group "
        f"({', '.join(found.groups)}); 1 is an equal share.",
        size=(8.6, height),
        margins=(1.9, 0.4),
    )
    axes, look = picture.axes, dict[str, Any](vmin=1 - away, vmax=1 + away)
    image = axes.imshow(shares, aspect="auto", cmap=DIVERGING, interpolation="nearest", **look)
    axes.grid(visible=False)
    axes.set_yticks(range(n_groups), found.groups, fontsize=7)
    axes.set_xticks(places, names, rotation=90, fontsize=6.5)
    axes.set_title(f"{title}: attention received", fontsize=9.5, loc="left")
    picture.figure.subplots_adjust(bottom=room / height)
    bar = picture.figure.colorbar(image, ax=axes, format=TICKS, label="share × tokens")
    bar.outline.set_edgecolor(PALETTE["rule"])
    return picture


def _brightest(values: Any) -> float:
    return float(np.percentile(values, BRIGHTEST)) or 1.0


def _names(tokens: tuple[Token, ...], most: int = MOST_NAMES) -> tuple[list[int], list[str]]:
    """Name every token, or the first of each chromosome, or none of too many."""
    if len(tokens) <= MOST_NAMES:
        return list(range(len(tokens))), [token.name for token in tokens]
    starts: list[int] = []
    for k, token in enumerate(tokens):
        new = k == 0 or _first(token) != _first(tokens[k - 1])
        if new and (not starts or k - starts[-1] >= len(tokens) / most):
            starts.append(k)
    named = [_first(tokens[k]) for k in starts]
    return starts, [f"chr {name}" if name != UNKNOWN else "" for name in named]


def _first(token: Token) -> str:
    return token.chromosome.split("-")[0]
