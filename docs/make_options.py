"""Write docs/options.md from the table of options: `python docs/make_options.py`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from sweeps.request.option import Affects, Option
from sweeps.request.table import OPTIONS

PAGE = Path(__file__).parent / "options.md"
INTRODUCTION = """\
# Options of a sweep

All options of `gx2c sweep MODEL`. This page is written by `python docs/make_options.py` from
`sweeps/request/table.py`, which is also where an option is added.

`--preset` (standard if omitted, quick or paper) sets the defaults, and any option overrides it;
`quick` also restricts the search to narrow and shallow networks. `--out` is the run folder, and
`--resume` continues the sweep that it holds. `--notify` [posts](inspect.md#notification) how it
ends. `--from-geneex2conn FILE` takes model and options from an [experiment of
GeneEx2Conn](compared.md#a-published-experiment-here). An unknown value, or a contradiction between
options, ends in one sentence and exit code 2 before anything starts.
"""


def page() -> str:
    """Return the text of docs/options.md."""
    return "\n".join([INTRODUCTION, *_tables(), *_resuming()])


def _tables() -> Iterator[str]:
    flagged = sorted((one for one in OPTIONS.values() if one.flag), key=_group_number)
    for group, options in groupby(flagged, key=lambda one: one.group):
        yield f"## {group}\n"
        yield "| option | meaning | values | default |\n|---|---|---|---|"
        yield from map(_row, options)
        yield ""


def _group_number(one: Option) -> int:
    return list(dict.fromkeys(other.group for other in OPTIONS.values())).index(one.group)


def _row(one: Option) -> str:
    meaning = f"{one.help} {one.details}".strip()
    cells = (f"`{one.flag}`", meaning, _values(one), one.shown_default())
    return f"| {' | '.join(cells)} |"


def _values(one: Option) -> str:
    if one.value_type is bool:
        return "a switch"
    return ", ".join(one.allowed()) or one.wanted()


def _resuming() -> Iterator[str]:
    yield "## Options that may differ between runs\n"
    free, same = _that_affect(Affects.PLACEMENT), _that_affect(Affects.SCORE)
    yield (
        f"A resumed sweep may differ from its first session in {free}, which change no result. "
        "Nulls may be added to a sweep without any.\n"
    )
    yield (
        f"A run given to `--warm-start` must agree in {same}, which decide what a trial's score "
        "means. Its dataset and genes are compared by content.\n"
    )


def _that_affect(what: Affects) -> str:
    names = [f"`{one.flag}`" for one in OPTIONS.values() if one.flag and one.affects is what]
    return f"{', '.join(names[:-1])} and {names[-1]}"


if __name__ == "__main__":
    PAGE.write_text(page())
