"""A leaderboard as a table for people and as a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sweeps.leaderboard import SHOWN, make_leaderboard
from sweeps.options import GEOGRAPHY
from sweeps.records import write_bytes, write_json
from sweeps.report.axes import Frame, disc, line, padded, text, x_axis
from sweeps.report.markup import Markup, node

Row = Mapping[str, Any]

WIDTH, LEFT, ROW_HEIGHT = 760.0, 170.0, 20.0
STYLE = """
text { font: 12px sans-serif; fill: #1f2933 } .tick { font-size: 11px; fill: #52606d }
.middle { text-anchor: middle } .end { text-anchor: end } .grid { stroke: #e4e7eb }
.geography-line { stroke: #1d4ed8; stroke-dasharray: 4 3 } .fold { fill: #9fb3c8 }
.model-fill { fill: #c2410c } .geography-fill { fill: #1d4ed8 } .spread { stroke: #c2410c }
"""

COLUMNS: dict[str, Callable[[Row], str]] = {
    "model": lambda row: row["name"],
    "test r": lambda row: _number(row["test"][SHOWN]["mean"]),
    "SD": lambda row: _number(row["test"][SHOWN]["sd"]),
    "n": lambda row: str(row["test"][SHOWN]["n"]),
    "gain over geography": lambda row: _gain(row),
    "p": lambda row: _p_value(row),
    "p max-T": lambda row: _joint_p(row, "p_max_t"),
    "FDR": lambda row: _joint_p(row, "p_fdr"),
    "trials": lambda row: str(row["trials"]),
    "passes": lambda row: str(row["passes"]) if row["kind"] == "iterative" else "closed form",
    "seconds": lambda row: f"{row['seconds']:.0f}",
    "": lambda row: _remark(row),
}


def write_leaderboard(
    out: Path, runs: Sequence[Path], *, left_out: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Write leaderboard.json, .md and .svg.

    Parameters
    ----------
    out
        Folder to write into.
    runs
        Run folders, geography's among them or not: every run holds its scores.
    left_out
        Models without a run, and why.

    Returns
    -------
    dict
        What leaderboard.json holds.

    Raises
    ------
    UserError
        As `make_leaderboard`.
    """
    board = make_leaderboard(runs, left_out=left_out)
    write_json(out / "leaderboard.json", board)
    write_bytes(out / "leaderboard.md", (markdown_of(board) + "\n").encode())
    write_bytes(out / "leaderboard.svg", leaderboard_svg(board).encode())
    return board


def markdown_of(board: Mapping[str, Any]) -> str:
    """Return the table and what must be said of it as Markdown."""
    lines = [
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(c(row) for c in COLUMNS.values()) + " |" for row in board["rows"]),
        "",
        f"{board['dataset']}, {board['split']} split, seed {board['seed']}, {board['n_regions']} "
        "regions. Pearson r within each outer fold's test edges, mean and SD over n folds; gain "
        "over geography on the same folds, with its SE.",
        "p: one-sided, the score against nulls of the run's own --null-method, each retrained; "
        "* the config was tuned on the true data and kept in every null, else each null repeats "
        "the search; max-T and FDR: over all models of this table that were held against the same "
        "surrogates. Passes and seconds are those of all trials.",
    ]
    lines += [f"Left out: {model} ({why})." for model, why in board["left_out"].items()]
    return "\n".join(lines)


def leaderboard_svg(board: Mapping[str, Any]) -> str:
    """Draw each model's mean with its SD, its folds, and geography as a line."""
    rows = board["rows"]
    values = [v for row in rows for v in row["per_fold"] if v is not None and v == v]
    height = 60 + ROW_HEIGHT * len(rows)
    frame = Frame(
        x=padded(values), y=(0.0, float(len(rows))), height=height, width=WIDTH, left=LEFT
    )
    parts = [
        node("style", Markup(STYLE)),
        x_axis(frame, f"test r, {board['dataset']}, {board['split']} split"),
        *(part for place, row in enumerate(rows) for part in _drawn(frame, place, row)),
    ]
    geography = board["geography"][SHOWN]["mean"]
    if geography is not None:
        x = frame.at_x(geography)
        parts.append(line(x, frame.top, x, frame.floor, "geography-line"))
    best = rows[0]["name"]
    return node(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_label=f"{len(rows)} models by test r; best {best}; geography {_number(geography)}",
    )


def _drawn(frame: Frame, place: int, row: Row) -> list[Markup]:
    y = frame.top + ROW_HEIGHT * (place + 0.5)
    parts = [text(frame.left - 8, y + 4, row["name"], "end")]
    folds = [value for value in row["per_fold"] if value is not None and value == value]
    parts += [disc(frame.at_x(value), y, 2.5, "fold") for value in folds]
    mean, sd = row["test"][SHOWN]["mean"], row["test"][SHOWN]["sd"]
    if mean is None:
        return parts
    if sd is not None:
        low, high = (min(max(mean + sign * sd, frame.x[0]), frame.x[1]) for sign in (-1, 1))
        parts.append(line(frame.at_x(low), y, frame.at_x(high), y, "spread"))
    kind = "geography-fill" if row["model"] == GEOGRAPHY else "model-fill"
    return [*parts, disc(frame.at_x(mean), y, 4.5, kind)]


def _gain(row: Row) -> str:
    if row["gain"] is None:
        return "-"
    gain = row["gain"][SHOWN]
    return f"{_number(gain['mean'], '+.3f')} ({_number(gain['se'])})"


def _p_value(row: Row) -> str:
    if row["p_value"] is None:
        return "-"
    mark = "" if row["null_search"] == "full" else "*"
    return f"{row['p_value']:.3f}{mark}{_kind(row)}"


def _joint_p(row: Row, name: str) -> str:
    return "-" if row[name] is None else f"{_number(row[name])}{_kind(row)}"


def _kind(row: Row) -> str:
    return " (descriptive)" if row["descriptive"] else ""


def _remark(row: Row) -> str:
    if row["not_converged"]:
        return f"not converged ({len(row['not_converged'])} of {row['test'][SHOWN]['n']} folds)"
    return ""


def _number(value: float | None, form: str = ".3f") -> str:
    return "undefined" if value is None or value != value else format(value, form)
