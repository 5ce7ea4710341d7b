"""Regenerate the parts of the README that come from a run: numbers, printed lines and figure.

`python docs/make_figures.py runs/NAME` copies the results that the README shows from a finished run
into docs/quick_summary.json. With or without an argument it then regenerates the figure and the
README's block from that file. No other file holds numbers of that run.
"""

from __future__ import annotations

import html
import io
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from gx2c.data import load_dataset
from gx2c.splits import make_folds
from sweeps.cli.summary_text import print_reductions, print_summary
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import finite_or_none
from sweeps.folder.results import read_connectome, read_null_scores
from sweeps.folder.summary_file import Summary, read_summary
from sweeps.request.options import SweepOptions
from sweeps.request.table import OPTIONS
from sweeps.run.progress import clock

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
SUMMARY = DOCS / "quick_summary.json"
FIGURE = DOCS / "images" / "quick.svg"
BEGIN = "<!-- from docs/quick_summary.json by docs/make_figures.py: begin -->"
END = "<!-- from docs/quick_summary.json by docs/make_figures.py: end -->"

KEPT: Any = {
    **dict.fromkeys(
        "model dataset split split_label conditions seed n_regions n_genes folds test single "
        "train_test geography nulls more_nulls verdict alone".split(),
        True,
    ),
    "seconds": {"total"},
    "provenance": {"versions": True, "host": {"cpus"}, "options": True, "dataset": True},
}
SHOWN = "pearson_r"
SHOWN_FOLD = 0
MAX_LINE = 100
INK, PALE, MODEL, GEOGRAPHY, NULL = "#1f2933", "#9fb3c8", "#c2410c", "#1d4ed8", "#6b7280"


class Recorded(Summary):
    """The contents of docs/quick_summary.json.

    Attributes
    ----------
    null_scores
        (n_nulls,) Pearson r.
    predicted
        (n_test_edges,) of the fold that is shown, above the diagonal, row by row.
    """

    null_scores: list[float]
    predicted: list[float]


def copy_run(run: Path) -> Recorded:
    """Return the results of a run folder that the README shows."""
    paths = SweepPaths(run)
    summary = read_summary(paths)
    path = paths.predicted(summary.model, SHOWN_FOLD, summary.dataset)
    _, predicted = read_connectome(path)
    kept = summary.model_dump(exclude_unset=True, include=KEPT)
    return Recorded(
        **kept,
        null_scores=read_null_scores(paths, summary.model)[SHOWN].round(4).tolist(),
        predicted=predicted[np.triu_indices(len(predicted), 1)].round(3).tolist(),
    )


def read_recorded() -> Recorded:
    """Return what is shown."""
    return Recorded.model_validate(json.loads(SUMMARY.read_text()))


def readme_block(summary: Recorded) -> str:
    """Return the output of `make sweep` and its interpretation, as markdown."""
    printed = "\n".join(
        textwrap.fill(line, MAX_LINE, break_on_hyphens=False) for line in _printed(summary)
    )
    shown = f"<!-- not run: CI runs it -->\n```\n$ make sweep\n{printed}\n```"
    return f"{BEGIN}\n{shown}\n\n{_meaning(summary)}\n{END}"


def _printed(summary: Recorded) -> list[str]:
    stream = io.StringIO()
    console = Console(
        file=stream, width=MAX_LINE, highlight=False, color_system=None, force_terminal=True
    )
    name = f"{summary.model}-{summary.dataset}-{summary.split}-TIME"
    stdout, sys.stdout = sys.stdout, stream
    try:
        print_reductions(_options(summary.provenance.options))
    finally:
        sys.stdout = stdout
    print_summary(summary, SweepPaths(Path("runs") / name), console)
    return stream.getvalue().splitlines()


def _options(recorded: dict[str, Any]) -> SweepOptions:
    return SweepOptions.from_dict({n: value for n, value in recorded.items() if n in OPTIONS})


def _meaning(summary: Recorded) -> str:
    gain, nulls, provenance = summary.gain(SHOWN), summary.nulls, summary.provenance
    versions, found = provenance.versions, summary.verdict
    assert nulls is not None
    grade = "" if found is None else f"Grade {found.grade} of 4. "
    text = (
        f"Interpretation: {grade}On unseen regions, this small network's predicted edges correlate "
        f"with the measured edges at r = {summary.score(SHOWN).mean:.3f}; the spatial baseline, "
        f"which reads no genes, reaches {summary.rival(SHOWN).mean:.3f}, so the gain over "
        f"geography is {gain.mean:+.3f}. The same network, retrained on {nulls.method} surrogates "
        f"of the genes, reaches {nulls.spread(SHOWN).mean:.3f} on average (p = "
        f"{nulls.p_value:.3f}; the smallest p that {nulls.n} nulls can give is "
        f"{nulls.p_floor:.3f}). (Seed {summary.seed}, {provenance.host.cpus} CPU cores, "
        f"{clock(summary.seconds['total'])} minutes, torch {versions['torch'].split('+')[0]}, "
        f"ray {versions['ray']}; all numbers: [docs/quick_summary.json](docs/quick_summary.json).)"
    )
    return textwrap.fill(text, 110, break_long_words=False, break_on_hyphens=False)


def draw(summary: Recorded) -> str:
    """Draw the figure as SVG: held-out regions, predicted edges, scores."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 330" role="img" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
        f"<title>{html.escape(_alternative(summary))}</title>",
        '<rect width="960" height="330" rx="8" fill="#ffffff"/>',
        *_held_out(summary),
        *_edges(summary),
        *_result(summary),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _alternative(summary: Recorded) -> str:
    return (
        "Patches of regions are held out with their homologues; every edge among them is "
        f"predicted from gene expression; test r {summary.score(SHOWN).mean:.2f}, geography "
        f"{summary.rival(SHOWN).mean:.2f}, spin-permuted genes "
        f"{summary.nulls.spread(SHOWN).mean:.2f}"
    )


def _text(
    x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", **more: str
) -> str:
    style = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    fill = "" if "fill" in more else f' fill="{INK}"'
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}"{fill}{style}>'
        f"{html.escape(text)}</text>"
    )


def _dot(x: float, y: float, radius: float, fill: str, opacity: float = 1.0) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" fill-opacity="{opacity}"/>'
    )


def _fold(summary: Recorded) -> tuple[Any, Any]:
    brain = load_dataset(summary.dataset)
    folds = make_folds(
        brain,
        split=summary.split,
        n_folds=len(summary.folds),
        seed=summary.seed,
    )
    return brain, folds[SHOWN_FOLD].test_regions


def _held_out(summary: Recorded) -> list[str]:
    brain, test = _fold(summary)
    held_out = set(test.tolist())
    parts = [
        _text(20, 30, "1  Hold out regions, with their", size=14, font_weight="600"),
        _text(38, 48, "homologues across the midline", size=14, font_weight="600"),
    ]
    for region, (x, y, _) in enumerate(brain.coords_mm.tolist()):
        fill = MODEL if region in held_out else PALE
        parts.append(_dot(155 + 1.35 * x, 165 - 1.15 * y, 5.5, fill))
    parts.append(_text(20, 300, "●", fill=MODEL))
    parts.append(_text(36, 300, f"{len(test)} regions of one of {len(summary.folds)} test folds"))
    parts.append(_text(20, 318, "●", fill=PALE))
    parts.append(
        _text(36, 318, f"{brain.n_regions - len(test)} training regions (seen from above)")
    )
    return parts


def _edges(summary: Recorded) -> list[str]:
    brain, test = _fold(summary)
    n = len(test)
    matrix = np.array(brain.connectome_block(test))
    upper = np.triu_indices(n, 1)
    matrix[upper] = summary.predicted
    left, top, cell = 330, 66, 212 / n
    parts = [
        _text(320, 30, "2  Predict every edge among", size=14, font_weight="600"),
        _text(338, 48, "them from gene expression", size=14, font_weight="600"),
    ]
    for i in range(n):
        for j in range(n):
            fill = "#e5e7eb" if i == j else _colour(matrix[i, j])
            parts.append(
                f'<rect x="{left + j * cell:.1f}" y="{top + i * cell:.1f}" '
                f'width="{cell + 0.3:.1f}" height="{cell + 0.3:.1f}" fill="{fill}"/>'
            )
    parts.append(_text(330, 300, "above the diagonal: predicted"))
    parts.append(_text(330, 318, "below: measured (Pearson r, blue < 0 < red)"))
    return parts


def _colour(r: float) -> str:
    strength = min(1.0, abs(r) / 0.8)
    end = (185, 28, 28) if r > 0 else (29, 78, 216)
    return "#" + "".join(f"{round(255 + (channel - 255) * strength):02x}" for channel in end)


def _result(summary: Recorded) -> list[str]:
    geography = [fold.test[SHOWN] for fold in summary.rival_folds]
    rows = [
        (f"{summary.model}, {summary.n_genes} genes", _folds(summary), MODEL),
        ("geography, no genes", geography, GEOGRAPHY),
        (f"{summary.model} on permuted genes", summary.null_scores, NULL),
    ]
    scores = [score for _, row, _ in rows for score in row]
    low, high = min(0.0, *scores), max(0.8, *scores)

    def x(r: float) -> float:
        return 630 + 300 * (r - low) / (high - low)

    parts = [
        _text(620, 30, "3  Compare with the spatial", size=14, font_weight="600"),
        _text(638, 48, "baseline and permuted genes", size=14, font_weight="600"),
    ]
    for tick in np.arange(np.ceil(low * 5) / 5, high + 1e-9, 0.2):
        parts.append(
            f'<line x1="{x(tick):.1f}" y1="66" x2="{x(tick):.1f}" y2="262" stroke="#e5e7eb"/>'
        )
        parts.append(_text(x(tick), 278, f"{tick:.1f}", anchor="middle"))
    for row, (label, values, fill) in enumerate(rows):
        y = 106 + 66 * row
        mean = float(np.mean(values))
        parts.append(_text(630, y - 20, f"{label}: mean {mean:.3f}", size=13, fill=fill))
        parts.append(
            f'<line x1="{x(mean):.1f}" y1="{y - 13}" x2="{x(mean):.1f}" y2="{y + 13}" '
            f'stroke="{fill}" stroke-width="3"/>'
        )
        parts += [_dot(x(value), y, 5, fill, 0.5) for value in values]
    parts.append(_text(630, 300, "test r; dots are folds, or nulls in the last row"))
    nulls = summary.nulls
    assert nulls is not None
    parts.append(
        _text(
            630,
            318,
            f"p = {nulls.p_value:.3f} against {nulls.n} nulls, seed {summary.seed}",
        )
    )
    return parts


def _folds(summary: Recorded) -> list[float]:
    return [fold.test[SHOWN] for fold in summary.folds]


def with_block(readme: str, block: str) -> str:
    """Return the README with its block replaced."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + block + after


def main(arguments: list[str]) -> None:
    """Update the summary from a run if one is given, then the figure and the README."""
    if arguments:
        recorded = copy_run(Path(arguments[0])).model_dump(exclude_unset=True)
        SUMMARY.write_text(json.dumps(finite_or_none(recorded), indent=1) + "\n")
    summary = read_recorded()
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_text(draw(summary), encoding="utf-8")
    README.write_text(with_block(README.read_text(), readme_block(summary)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
