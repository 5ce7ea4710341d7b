"""Tables on the terminal, from rows of plain values."""

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from shlex import quote
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sweeps.run.progress import clock

# Columns whose numbers are bad news
FAILURES = ("failed",)
FAILED = "red"
# Left and right of a cell, and the line between two
PADDING = 3


def terminal() -> Console:
    """Return what prints to standard output: a terminal, or a file without boxes and colours."""
    return Console(highlight=False)


def print_table(
    rows: Iterable[Mapping[str, Any]],
    notes: Iterable[str] = (),
    *,
    title: str = "",
    left: Iterable[str] = (),
    drop: Sequence[str] = (),
    hint: str = "",
    console: Console | None = None,
) -> None:
    """Print one line per row under the names of the first row; nothing is ever cut.

    A table that is too wide loses the columns of `drop`, wraps the text of `left`, or else is
    printed as one line per cell. Into a file it is tab-separated, with title and notes on standard
    error.

    Parameters
    ----------
    rows
        At least one; numbers that are not whole get three decimals.
    notes
        Lines below the table.
    title
        Line above it.
    left
        Columns of text, which are not aligned to the right and may be wrapped.
    drop
        Columns that may be left out on a narrow terminal, the first of them first.
    hint
        Where they can be read.
    console
        Where to print; standard output if omitted.
    """
    console = console or terminal()
    cells = [
        {name: f"{v:.3f}" if isinstance(v, float) else str(v) for name, v in row.items()}
        for row in rows
    ]
    if not console.is_terminal:
        _print_tsv(cells, console)
        for note in (*filter(None, [title]), *notes):
            print_note(note, console)
        return
    names, left = list(cells[0]), set(left)
    missing = []
    for name in drop:
        if _narrowest(cells, names, left) > console.width:
            names.remove(name)
            missing.append(name)
    if title:
        print_line(title, console)
    if _narrowest(cells, names, left) <= console.width:
        console.print(_table(cells, names, left))
    else:
        _print_vertically(cells, console)
    if missing:
        print_line(f"left out at this width: {', '.join(missing)}{hint and '; ' + hint}", console)
    for note in notes:
        print_line(note, console, style=FAILED if note.startswith(FAILURES) else "")


def print_leaderboard(
    rows: Sequence[Mapping[str, str]], notes: Iterable[str], console: Console | None = None
) -> None:
    """Print ranked models."""
    drop = ("seconds", "epochs", "trials", "SD", "n")
    hint = "they are in leaderboard.md"
    print_table(rows, notes, left=("model", ""), drop=drop, hint=hint, console=console)


def print_line(text: str, console: Console, *, style: str = "") -> None:
    """Print a line as it is: no markup, no wrapping by us."""
    console.print(Text(text, style=style), soft_wrap=True)


def print_note(text: str, console: Console) -> None:
    """Print a line about a table: on standard error if the table goes into a file."""
    if console.is_terminal:
        print_line(text, console)
    else:
        print(text, file=sys.stderr)


def print_error(text: str) -> None:
    """Print a mistake on standard error, red on a terminal."""
    print_line(text, Console(stderr=True, highlight=False), style=FAILED)


def _print_tsv(cells: Sequence[Mapping[str, str]], console: Console) -> None:
    for line in (list(cells[0]), *(row.values() for row in cells)):
        # a tab or a new line within a cell would be another cell
        console.file.write("\t".join(" ".join(cell.split()) for cell in line) + "\n")
    console.file.flush()


def _narrowest(
    cells: Sequence[Mapping[str, str]], names: Sequence[str], left: Collection[str]
) -> int:
    """Return the width below which a word or a number would be cut."""
    return 1 + sum(_least(cells, name, name in left) + PADDING for name in names)


def _least(cells: Sequence[Mapping[str, str]], name: str, is_text: bool) -> int:
    whole = [name, *(row[name] for row in cells)]
    parts = [word for cell in whole for word in cell.split()] if is_text else whole
    return max(map(cell_len, parts), default=0)


def _table(
    cells: Sequence[Mapping[str, str]], names: Sequence[str], left: Collection[str]
) -> Table:
    table = Table()
    for name in names:
        text = name in left
        table.add_column(
            name,
            justify="left" if text else "right",
            no_wrap=not text,
            min_width=_least(cells, name, text),
        )
    for row in cells:
        table.add_row(*(Text(row[name], style=_style(name, row[name])) for name in names))
    return table


def _print_vertically(cells: Sequence[Mapping[str, str]], console: Console) -> None:
    width = max(map(cell_len, cells[0]))
    for row in cells:
        for name, cell in row.items():
            print_line(f"{name:<{width}}  {cell}", console, style=_style(name, cell))
        print_line("", console)


def _style(name: str, cell: str) -> str:
    return FAILED if name in FAILURES and cell not in ("0", "-") else ""


def print_status(status: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a table of the searches, and a few lines below it."""
    several = len({fold["seed"] for fold in status["folds"]}) > 1
    rows = [
        {
            "model": fold["model"],
            **({"seed": fold["seed"]} if several else {}),
            "fold": fold["fold"],
            "configs": f"{fold['done']}/{fold['total']}",
            "full": fold["complete"],
            "pruned": fold["pruned"],
            "failed": fold["failed"],
            "score": "-" if fold["best"] is None else f"{fold['best']:.4f}",
            "config": "-" if fold["best_config"] is None else fold["best_config"],
        }
        for fold in status["folds"]
    ]
    title = (
        f"{status['model']} on {status['dataset']}, {status['split']} split: {quote(status['run'])}"
    )
    print_table(
        rows,
        _status_lines(status),
        title=title,
        left=("model",),
        drop=("config", "full", "pruned"),
        hint="--json has them",
        console=console,
    )


def _status_lines(status: Mapping[str, Any]) -> list[str]:
    process = f" (process {status['process']})" if status["process"] else ""
    eta = "" if status["eta_s"] is None else f", ETA of this phase {clock(status['eta_s'])}"
    gpu = f", {clock(status['gpu_s'])} GPU" if status["gpu_s"] else ""
    done = {name: "{done}/{total}".format(**status[name]) for name in ("retrained", "nulls")}
    return [
        f"state    {status['state']}{process}, phase {status['phase']}{eta}",
        f"done     retrained {done['retrained']}, nulls on folds {done['nulls']}",
        f"work     {clock(status['cpu_s'])} CPU{gpu}; disk {status['disk_bytes'] / 1e6:.1f} MB",
        *(f"failed   {number} x {cause}" for cause, number in status["causes"].items()),
        *([f"ray      {status['ray_dashboard']}"] if status["ray_dashboard"] else []),
    ]


def print_comparison(
    result: Mapping[str, Any], metric: str, console: Console | None = None
) -> None:
    """Print a table per split, and what the numbers may be taken for."""
    console = console or terminal()
    for split in result["splits"]:
        label = f" ({split['split_label']})" if split["split_label"] else ""
        title = (
            f"{metric} minus that of {result['against']} on {split['dataset']}, "
            f"{split['split']} split{label}, seeds {', '.join(map(str, split['seeds']))}"
        )
        row_of = _tested if split["test"] else _listed
        rows = [row_of(c) for c in split["comparisons"] if c["metric"] == metric]
        of_test = (
            f"{split['test']} test, two-sided; q: false discovery rate over the models of this "
            "table"
        )
        notes = [split["note"] or of_test]
        print_table(rows, notes, title=title, left=("model",), console=console)
    print_note(f"positive is better; {result['scope']}", console)


def _tested(c: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model": c["model"],
        "difference": f"{c['mean']:+.3f}",
        "95 % interval": f"[{c['low']:+.3f}, {c['high']:+.3f}]",
        "t": f"{c['t']:.2f}",
        "df": c["df"],
        "p": c["p_value"],
        "q": c["q_value"],
        "folds": c["n"],
    }


def _listed(c: Mapping[str, Any]) -> dict[str, Any]:
    folds = {f"seed {f['seed']} fold {f['fold']}": f["difference"] for f in c["differences"]}
    return {"model": c["model"], **{name: f"{value:+.3f}" for name, value in folds.items()}}
