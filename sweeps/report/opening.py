"""The opening of the page: headline, how to read it, key numbers."""

from __future__ import annotations

import math

from sweeps.report.headline import (
    above_geography,
    at_floor,
    gain_over_geography,
    headline,
    is_geography,
    null_caveats,
    reading,
)
from sweeps.report.markup import Markup, node
from sweeps.report.reading import RunFiles
from sweeps.report.scores import METRIC
from sweeps.report.summary import Average, Summary
from sweeps.report.wording import counted, number, p_text, signed


def top(run: RunFiles) -> Markup:
    """Return the headline, what it is about, and how to read it."""
    s = run.summary
    about = [s.dataset, _split(s), counted(len(s.folds), "outer fold")]
    about += [] if s.n_regions is None else [counted(s.n_regions, "region")]
    about += [] if s.n_genes is None else [counted(s.n_genes, "gene")]
    about += [] if s.seed is None else [f"seed {s.seed}"]
    about += s.conditions
    return node(
        "header",
        node("p", f"gx2c · {run.name}", class_="over"),
        node("h1", headline(s)),
        node("p", " ".join(reading(s)), class_="lede"),
        node("p", " · ".join(about), class_="about"),
        _key_numbers(s),
    )


def _split(s: Summary) -> str:
    return f"{s.split} split" + (f" ({s.split_label})" if s.split_label else "")


def _key_numbers(s: Summary) -> Markup:
    score, gain = s.test.get(METRIC, Average()), gain_over_geography(s)
    cells = [(f"{s.model}, test r", number(score.mean), f"SD {number(score.sd)}", "model")]
    if s.geography is not None and not is_geography(s):
        geography = s.geography.test.get(METRIC, Average())
        above = f"SE {number(gain.se)}; above in {above_geography(s)}"
        cells += [
            (
                "geography, test r",
                number(geography.mean),
                f"SD {number(geography.sd)}",
                "geography",
            ),
            ("gain over geography", signed(gain.mean), above, ""),
        ]
    if s.nulls is not None:
        over = s.nulls.gain.get(METRIC, math.nan)
        floor = "at its floor" if at_floor(s.nulls) else f"floor {number(s.nulls.p_floor)}"
        p = (
            f"{p_text(s.nulls.p_value)}, {floor}"
            if math.isfinite(s.nulls.p_value)
            else "p undefined"
        )
        small = "; ".join([p, *null_caveats(s.nulls)])
        cells.append((f"gain over {counted(s.nulls.n, 'null')}", signed(over), small, ""))
    return node(
        "dl",
        *[
            node(
                "div",
                node("dt", name),
                node("dd", value, class_=kind or None),
                node("dd", small, class_="small"),
            )
            for name, value, small, kind in cells
        ],
        class_="keys",
    )  # fmt: skip
