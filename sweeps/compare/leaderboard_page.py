"""A leaderboard as a table for people, as a picture and as a page."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gx2c.metrics import HEADLINE
from gx2c.models.names import GEOGRAPHY
from sweeps.compare.leaderboard import Leaderboard, Row, make_leaderboard
from sweeps.folder.records import write_bytes, write_json
from sweeps.report.build import render
from sweeps.report.picture import PALETTE, Picture
from sweeps.report.wording import counted

# Its row where no run is one of geography
BASELINE = "geography (baseline)"
COLUMNS: dict[str, Callable[[Row], str]] = {
    "model": lambda row: row.name,
    "test r": lambda row: _number(row.shown.mean),
    "SD": lambda row: _number(row.shown.sd),
    "n": lambda row: str(row.shown.n),
    "best alone": lambda row: _number(row.single[HEADLINE].mean) if row.single else "-",
    "members": lambda row: row.members,
    "gain over geography": lambda row: _gain(row),
    "grade": lambda row: "-" if row.grade is None else f"{row.grade} ({row.tested_up_to})",
    "p": lambda row: _p_value(row),
    "p max-T": lambda row: _joint_p(row, row.p_max_t),
    "FDR": lambda row: _joint_p(row, row.p_fdr),
    "trials": lambda row: str(row.trials),
    "epochs": lambda row: str(row.epochs) if row.epochs else row.kind.replace("_", " "),
    "seconds": lambda row: f"{row.seconds:.0f}",
    "": lambda row: _remark(row),
}


def write_leaderboard(
    out: Path, runs: Sequence[Path], *, left_out: Mapping[str, str] | None = None
) -> Leaderboard:
    """Write leaderboard.json, .md, .html and .svg of `make_leaderboard`.

    A run of geography is not needed, because every run has its scores.
    """
    board = make_leaderboard(runs, left_out=left_out)
    write_json(out / "leaderboard.json", board.model_dump(exclude_unset=True))
    write_bytes(out / "leaderboard.md", (markdown_of(board) + "\n").encode())
    leaderboard_picture(board).save(out / "leaderboard.svg")
    write_bytes(out / "leaderboard.html", page_of(board).encode())
    return board


def page_of(board: Leaderboard) -> str:
    """Return the page of a leaderboard."""
    return render(
        "leaderboard.html.j2",
        board=board,
        heading=heading_of(board),
        picture=leaderboard_picture(board),
        head=[*COLUMNS],
        rows=[[*row.values()] for row in table_of(board)],
        notes=notes_of(board),
    )


def heading_of(board: Leaderboard) -> str:
    """Return the best model's name, and its verdict."""
    best = board.rows[0]
    found = best.sentence or f"r {_number(best.shown.mean)}, without a verdict."
    n = counted(len(board.rows), "model")
    return f"{best.name} ranks first of {n} on {board.dataset}. {found}"


def table_of(board: Leaderboard) -> list[dict[str, str]]:
    """Return the rows of the table, by the names of its columns; geography is always one."""
    ranked = [
        (row.shown.mean, {name: cell(row) for name, cell in COLUMNS.items()}) for row in board.rows
    ]
    if all(row.model != GEOGRAPHY for row in board.rows):
        mean = board.geography[HEADLINE]
        found = {
            "model": BASELINE,
            "test r": _number(mean.mean),
            "SD": _number(mean.sd),
            "n": str(mean.n),
        }
        # below equals, and above runs without a score
        place = sum(score >= mean.mean for score, _ in ranked)
        ranked.insert(place, (mean.mean, dict.fromkeys(COLUMNS, "-") | found | {"": ""}))
    return [cells for _, cells in ranked]


def notes_of(board: Leaderboard) -> list[str]:
    """Return the explanations below the table."""
    several = len(board.seeds) > 1
    seeds = f"seed{'s' * several} {', '.join(map(str, board.seeds))}"
    spread = "its 95 % interval (Nadeau-Bengio: seeds are no replicates)" if several else "its SE"
    return [
        f"{board.dataset}, {board.split} split, {seeds}, {board.n_regions} "
        "regions. Pearson r within each outer fold's test edges, mean and SD over n folds, of the "
        "mean prediction of the members (configs times seeds); of the best config alone; gain over "
        f"geography on the same folds, with {spread}.",
        "Grade: 0 not better than distance decay, 1 not better than geography, 2 not shown to be "
        "due to these genes, 3 specific to them, 4 also beyond smooth gradients; in brackets, the "
        "grade up to which the run was tested. Every p of it is over the models of this table that "
        "were tested on the same surrogates: by max-T, or by Holm's method where a surrogate ended "
        "early or did not run for each of them.",
        "p: one-sided, against nulls of the run's own --null-method, each fully retrained; * the "
        "config was tuned on the true data and kept in every null, otherwise each null repeats the "
        "search. Max-T and FDR adjust over the models of this table tested on the same surrogates. "
        "Epochs and seconds are totals over all trials.",
        *(f"Left out: {model} ({why})." for model, why in board.left_out.items()),
    ]


def markdown_of(board: Leaderboard) -> str:
    """Return the table with its explanations as Markdown."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(row.values() for row in table_of(board))]
    table = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([*table, "", *notes_of(board)])


def leaderboard_picture(board: Leaderboard) -> Picture:
    """Draw each model's mean with its SD, its folds, and geography as a line."""
    rows, geography = board.rows, board.geography[HEADLINE].mean
    picture = Picture(
        f"{len(rows)} models by test r; best {rows[0].name}; geography {_number(geography)}",
        size=(7.9, 0.9 + 0.21 * len(rows)),
        margins=(1.9, 0.15),
    )
    axes = picture.axes
    for y, row in enumerate(rows):
        axes.plot(row.per_fold, [y] * len(row.per_fold), "o", color=PALETTE["null"], markersize=4)
        colour = PALETTE["geography" if row.model == GEOGRAPHY else "model"]
        sd = row.shown.sd if math.isfinite(row.shown.sd) else 0.0
        axes.errorbar(row.shown.mean, y, xerr=sd, fmt="o", color=colour, markersize=6)
    axes.axvline(geography, color=PALETTE["geography"], linestyle="--", linewidth=1)
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.set(xlabel=f"test r, {board.dataset}, {board.split} split", ylim=(len(rows) - 0.5, -0.5))
    axes.grid(visible=False, axis="y")
    return picture


def _gain(row: Row) -> str:
    if row.gain is None:
        return "-"
    gain = row.gain[HEADLINE]
    if math.isfinite(gain.low):
        return f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
    return f"{_number(gain.mean, '+.3f')} ({_number(gain.se)})"


def _p_value(row: Row) -> str:
    if row.p_value is None:
        return "-"
    mark = "" if row.null_search == "full" else "*"
    return f"{row.p_value:.3f}{mark}{_kind(row)}"


def _joint_p(row: Row, p_value: float | None) -> str:
    return "-" if p_value is None else f"{_number(p_value)}{_kind(row)}"


def _kind(row: Row) -> str:
    return " (descriptive)" if row.descriptive else ""


def _remark(row: Row) -> str:
    if row.not_converged:
        return f"not converged ({len(row.not_converged)} of {row.shown.n} folds)"
    return ""


def _number(value: float, form: str = ".3f") -> str:
    return format(value, form) if math.isfinite(value) else "undefined"
