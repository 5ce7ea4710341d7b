"""The comparison of several runs as a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.metrics import HEADLINE
from sweeps.folder.records import write_bytes
from sweeps.report.build import render
from sweeps.report.picture import PALETTE, Picture
from sweeps.report.tables import Bold
from sweeps.report.wording import counted, p_text, signed, words_of

ALPHA = 0.05
TESTED = ["model", "difference", "95 % interval", "p", "q (FDR)", "folds"]
LISTED = ["model", "difference", "folds"]
OF_TEST = (
    "Paired over folds and seeds; corrected resampled t-test, two-sided; q is the false discovery "
    "rate over the models of a table, and differences with q <= .05 are bold."
)


def write_comparison(out: Path, result: Mapping[str, Any]) -> Path:
    """Write comparison.html of the result of `compare_runs`."""
    page = render(
        "comparison.html.j2",
        against=result["against"],
        scope=result["scope"],
        heading=heading_of(result),
        splits=[_split(split, result["against"]) for split in result["splits"]],
    )
    path = out / "comparison.html"
    write_bytes(path, page.encode())
    return path


def heading_of(result: Mapping[str, Any]) -> str:
    """Return how many models differ from the rival by Pearson r, of those tested."""
    rows = [c for s in result["splits"] for c in s["comparisons"] if c["metric"] == HEADLINE]
    tested = [c for c in rows if np.isfinite(c.get("q_value", np.nan))]
    if not tested:
        return f"{counted(len(rows), 'model')} against {result['against']}; the folds allow no test"
    sides = {
        side: sum(c["q_value"] <= ALPHA and sign * c["mean"] > 0 for c in tested)
        for side, sign in (("better", 1), ("worse", -1))
    }
    words = " and ".join(f"{n} {side}" for side, n in sides.items())
    return (
        f"Of {counted(len(tested), 'comparison')} with {result['against']}, {words} by more than "
        "chance (Pearson r, q <= .05)"
    )


def _split(split: Mapping[str, Any], against: str) -> dict[str, Any]:
    label = f" ({split['split_label']})" if split["split_label"] else ""
    seeds = f"seed{'s' * (len(split['seeds']) > 1)} {', '.join(map(str, split['seeds']))}"
    by_metric: dict[str, list[Mapping[str, Any]]] = {}
    for comparison in split["comparisons"]:
        by_metric.setdefault(comparison["metric"], []).append(comparison)
    tested = bool(split["test"])
    return {
        "title": f"{split['dataset']}, {split['split']} split{label}, {seeds}",
        "test": tested,
        "note": split["note"] or OF_TEST,
        "head": TESTED if tested else LISTED,
        "tables": {
            words_of(metric).name: [_row(c, tested=tested) for c in found]
            for metric, found in by_metric.items()
        },
        "picture": _picture(by_metric[HEADLINE], against),
    }


def _row(c: Mapping[str, Any], *, tested: bool) -> list[str]:
    digits, folds = words_of(c["metric"]).digits, f"{len(c['differences'])}"
    mean = signed(c["mean"], digits)
    if not tested:
        return [c["model"], mean, folds]
    interval = f"[{signed(c['low'], digits)}, {signed(c['high'], digits)}]"
    p, q = (p_text(c[key]) if np.isfinite(c[key]) else "n/a" for key in ("p_value", "q_value"))
    shown = Bold(mean) if c["q_value"] <= ALPHA else mean
    return [c["model"], shown, interval, p, q.replace("p", "q"), folds]


def _picture(found: Sequence[Mapping[str, Any]], against: str) -> Picture:
    words = "; ".join(f"{c['model']}: {signed(c['mean'])}" for c in found)
    picture = Picture(
        f"Difference of test r from {against}. {words}.",
        size=(7.8, 0.8 + 0.34 * len(found)),
        margins=(2.3, 0.15, 0.3),
    )
    axes = picture.axes
    axes.axvline(0.0, color=PALETTE["soft"], linewidth=1)
    for y, c in enumerate(found):
        values = [d["difference"] for d in c["differences"]]
        dots = axes.scatter(values, [y + 0.22] * len(values), s=9, color=PALETTE["null"])
        picture.tip(
            dots,
            *(
                f"{c['model']}, seed {d['seed']} fold {d['fold']}: {signed(d['difference'])}"
                for d in c["differences"]
            ),
        )
        ends = [[c["mean"] - c["low"]], [c["high"] - c["mean"]]] if "low" in c else None
        blue = PALETTE["model"]
        bar = axes.errorbar([c["mean"]], [y], xerr=ends, fmt="o", color=blue, markersize=6)
        picture.tip(bar[0], f"{c['model']}: {signed(c['mean'])}")
    axes.set_yticks(range(len(found)), [c["model"] for c in found], color=PALETTE["ink"])
    axes.set(xlabel=f"test r minus that of {against}", ylim=(len(found) - 0.4, -0.6))
    axes.grid(visible=False, axis="y")
    return picture
