"""A comparison of runs as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from gx2c.errors import UserError
from gx2c.metrics import METRICS

TESTED = ("model", "difference", "95 % interval", "t", "df", "p", "q", "folds")


def check_metric(metric: str) -> None:
    """Refuse a metric that is not there.

    Raises
    ------
    UserError
        Naming those there are.
    """
    if metric not in METRICS:
        raise UserError(f"no metric {metric!r}; choose from {list(METRICS)}")


def print_comparison(
    result: Mapping[str, Any], metric: str, console: Console | None = None
) -> None:
    """Print a table per split, and what the numbers may be taken for."""
    console = console or Console(highlight=False)
    for split in result["splits"]:
        shown = [c for c in split["comparisons"] if c["metric"] == metric]
        label = f" ({split['split_label']})" if split["split_label"] else ""
        title = (
            f"{metric} less that of {result['against']} on {split['dataset']}, "
            f"{split['split']} split{label}, seeds {', '.join(map(str, split['seeds']))}"
        )
        draw = _tested if split["test"] else _listed
        table = Table(title=title, title_justify="left")
        draw(table, shown)
        console.print(table)
        if split["note"]:
            console.print(split["note"], soft_wrap=True)
        else:
            console.print(
                f"{split['test']} test, two-sided; q: false discovery rate over the models of "
                "this table",
                soft_wrap=True,
            )
    console.print(f"positive is better; {result['scope']}", soft_wrap=True)


def _tested(table: Table, comparisons: list[dict[str, Any]]) -> None:
    for name in TESTED:
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True)
    for c in comparisons:
        table.add_row(
            c["model"],
            f"{c['mean']:+.3f}",
            f"[{c['low']:+.3f}, {c['high']:+.3f}]".replace("[", r"\["),
            f"{c['t']:.2f}",
            str(c["df"]),
            f"{c['p_value']:.3f}",
            f"{c['q_value']:.3f}",
            str(c["n"]),
        )


def _listed(table: Table, comparisons: list[dict[str, Any]]) -> None:
    table.add_column("model", no_wrap=True)
    for fold in comparisons[0]["differences"]:
        table.add_column(f"seed {fold['seed']} fold {fold['fold']}", justify="right")
    for c in comparisons:
        table.add_row(c["model"], *(f"{fold['difference']:+.3f}" for fold in c["differences"]))
