"""Refresh everything in the README that comes from a run: numbers, printed lines and figure.

`python docs/make_figures.py runs/NAME` copies what the README needs from a finished run into
docs/quick_summary.json; then, and also without an argument, the figure and the README's block
are made anew from that file. Nothing about the run is written anywhere else.
"""

from __future__ import annotations

import html
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from gx2c.data import load_dataset
from gx2c.splits import make_folds
from sweeps.options import SweepOptions
from sweeps.paths import SweepPaths
from sweeps.progress import clock
from sweeps.table import print_reductions, print_summary

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
SUMMARY = DOCS / "quick_summary.json"
FIGURE = DOCS / "images" / "quick.svg"
BEGIN = "<!-- from docs/quick_summary.json by docs/make_figures.py: begin -->"
END = "<!-- from docs/quick_summary.json by docs/make_figures.py: end -->"

KEPT = (
    *("model", "dataset", "split", "split_label", "conditions", "seed", "n_regions", "n_genes"),
    *("folds", "test", "train_test"),
)
SHOWN = "pearson_r"
SHOWN_FOLD = 0
MAX_LINE = 118
INK, PALE, MODEL, GEOGRAPHY, NULL = "#1f2933", "#9fb3c8", "#c2410c", "#1d4ed8", "#6b7280"


def copy_run(run: Path) -> dict[str, Any]:
    """Take from a run folder what the README shows."""
    paths = SweepPaths(run)
    summary = json.loads(paths.summary.read_text())
    predicted = pd.read_csv(
        paths.predicted(summary["model"], SHOWN_FOLD, summary["dataset"]), sep="\t", index_col=0
    ).to_numpy()
    nulls = pd.read_csv(paths.null_scores(summary["model"]), sep="\t")
    provenance = summary["provenance"]
    return {
        **{name: summary[name] for name in KEPT},
        "geography": summary["geography"],
        "nulls": summary["nulls"],
        "seconds": {"total": summary["seconds"]["total"]},
        "provenance": {
            "versions": provenance["versions"],
            "cpus": provenance["host"]["cpus"],
            "options": provenance["options"],
            "dataset": provenance["dataset"],
        },
        "null_scores": nulls[SHOWN].round(4).tolist(),
        "predicted": predicted[np.triu_indices(len(predicted), 1)].round(3).tolist(),
    }


def readme_block(summary: dict[str, Any]) -> str:
    """Write what `make sweep` prints and what it means."""
    lines = [
        line if len(line) <= MAX_LINE else line[:MAX_LINE] + " …" for line in _printed(summary)
    ]
    printed = "\n".join(line.rstrip() for line in lines)
    return f"{BEGIN}\n```\n$ make sweep\n{printed}\n```\n\n{_meaning(summary)}\n{END}"


def _printed(summary: dict[str, Any]) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=MAX_LINE, highlight=False, color_system=None)
    name = f"{summary['model']}-{summary['dataset']}-{summary['split']}-TIME"
    stdout, sys.stdout = sys.stdout, stream
    try:
        print_reductions(_options(summary["provenance"]["options"]))
    finally:
        sys.stdout = stdout
    print_summary(summary, SweepPaths(Path("runs") / name), console)
    return stream.getvalue().splitlines()


def _options(recorded: dict[str, Any]) -> SweepOptions:
    known = SweepOptions.__dataclass_fields__
    return SweepOptions(**{name: value for name, value in recorded.items() if name in known})


def _meaning(summary: dict[str, Any]) -> str:
    gain, nulls = summary["geography"]["gain"][SHOWN], summary["nulls"]
    distance = abs(gain["mean"]) / gain["se"]
    verdict = (
        "less than two standard errors from none: these genes are not shown to say more than place"
        if distance < 2
        else "better than place alone"
        if gain["mean"] > 0
        else "worse than place alone"
    )
    versions, host = summary["provenance"]["versions"], summary["provenance"]
    text = (
        f"Read: on regions never seen, this small network's edges correlate with the measured "
        f"ones at r = {summary['test'][SHOWN]['mean']:.3f}; geography alone, which reads no gene, "
        f"reaches {summary['geography']['test'][SHOWN]['mean']:.3f}. The gain over geography is "
        f"{gain['mean']:+.3f} with a standard error of {gain['se']:.3f} over {gain['n']} folds, "
        f"{verdict}. The same network, retrained on expression of which all that does not follow "
        f"place is spun over the cortex, reaches {nulls[SHOWN]['mean']:.3f} on average, "
        f"p = {nulls['p_value']:.3f}; "
        f"{nulls['n']} nulls cannot give less than {nulls['p_floor']:.3f}. "
        f"(Seed {summary['seed']}, {host['cpus']} CPU cores, "
        f"{clock(summary['seconds']['total'])} minutes, torch {versions['torch'].split('+')[0]}, "
        f"ray {versions['ray']}; all numbers: [docs/quick_summary.json](docs/quick_summary.json).)"
    )
    return _wrap(text)


def _wrap(text: str, width: int = 110) -> str:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def draw(summary: dict[str, Any]) -> str:
    """Draw the figure as SVG: what is held out, what is predicted, what came of it."""
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


def _alternative(summary: dict[str, Any]) -> str:
    return (
        "Patches of regions are held out with their homologues; every edge among them is "
        f"predicted from gene expression; test r {summary['test'][SHOWN]['mean']:.2f}, geography "
        f"{summary['geography']['test'][SHOWN]['mean']:.2f}, spun genes "
        f"{summary['nulls'][SHOWN]['mean']:.2f}"
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


def _fold(summary: dict[str, Any]) -> tuple[Any, Any]:
    brain = load_dataset(summary["dataset"])
    folds = make_folds(
        brain.coords_mm,
        brain.hemisphere,
        split=summary["split"],
        n_folds=len(summary["folds"]),
        seed=summary["seed"],
    )
    return brain, folds[SHOWN_FOLD].test_regions


def _held_out(summary: dict[str, Any]) -> list[str]:
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
    parts.append(
        _text(36, 300, f"{len(test)} regions of one of {len(summary['folds'])} test folds")
    )
    parts.append(_text(20, 318, "●", fill=PALE))
    parts.append(_text(36, 318, f"{brain.n_regions - len(test)} that train (seen from above)"))
    return parts


def _edges(summary: dict[str, Any]) -> list[str]:
    brain, test = _fold(summary)
    n = len(test)
    matrix = np.array(brain.connectome_block(test))
    upper = np.triu_indices(n, 1)
    matrix[upper] = summary["predicted"]
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
    parts.append(_text(330, 300, f"above the diagonal: predicted ({summary['model']})"))
    parts.append(_text(330, 318, "below: measured (Pearson r, blue < 0 < red)"))
    return parts


def _colour(r: float) -> str:
    strength = min(1.0, abs(r) / 0.8)
    end = (185, 28, 28) if r > 0 else (29, 78, 216)
    return "#" + "".join(f"{round(255 + (channel - 255) * strength):02x}" for channel in end)


def _result(summary: dict[str, Any]) -> list[str]:
    geography = [fold["test"][SHOWN] for fold in summary["geography"]["folds"]]
    rows = [
        (f"{summary['model']}, {summary['n_genes']} genes", _folds(summary), MODEL),
        ("geography, no gene", geography, GEOGRAPHY),
        (f"{summary['model']} on spun genes", summary["null_scores"], NULL),
    ]
    scores = [score for _, row, _ in rows for score in row]
    low, high = min(0.0, *scores), max(0.8, *scores)

    def x(r: float) -> float:
        return 630 + 300 * (r - low) / (high - low)

    parts = [
        _text(620, 30, "3  Compare with geography alone", size=14, font_weight="600"),
        _text(638, 48, "and with spun genes", size=14, font_weight="600"),
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
    parts.append(_text(630, 300, "test r; a dot is a fold, of spun genes a null"))
    nulls = summary["nulls"]
    parts.append(
        _text(
            630,
            318,
            f"p = {nulls['p_value']:.3f} against {nulls['n']} nulls, seed {summary['seed']}",
        )
    )
    return parts


def _folds(summary: dict[str, Any]) -> list[float]:
    return [fold["test"][SHOWN] for fold in summary["folds"]]


def with_block(readme: str, block: str) -> str:
    """Return the README with its block replaced."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + block + after


def main(arguments: list[str]) -> None:
    """Refresh the summary from a run if one is given, then the figure and the README."""
    if arguments:
        SUMMARY.write_text(json.dumps(copy_run(Path(arguments[0])), indent=1) + "\n")
    summary = json.loads(SUMMARY.read_text())
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_text(draw(summary), encoding="utf-8")
    README.write_text(with_block(README.read_text(), readme_block(summary)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
