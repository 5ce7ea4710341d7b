"""Write the results of `make chaos` into docs/faults.md: `python docs/make_chaos_table.py`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

DOCS = Path(__file__).parent
BEGIN, END = "<!-- chaos: begin -->\n", "<!-- chaos: end -->"
PHASES = ("search", "retrain", "nulls", "export")


def table(found: dict) -> str:
    """Return the kills by target and phase, and the checks, as markdown."""
    counts = Counter((kill["what"], kill["phase"]) for kill in found["kills"])
    lines = ["| killed | " + " | ".join(PHASES) + " | all |", "|---" * 6 + "|"]
    for what in ("worker", "node", "driver", "head"):
        row = [counts[what, phase] for phase in PHASES]
        lines.append(f"| {what} | " + " | ".join(map(str, [*row, sum(row)])) + " |")
    long, machine = found["long_trials"], found["machine"]
    ages = ", ".join(f"{kill['checkpoint_age_s']} s ({kill['what']})" for kill in long["kills"])
    lines += [
        "",
        f"Seed {found['seed']}: {found['n_kills']} kills in {found['sweeps']} sweeps, "
        f"{found['seconds'] // 60} minutes on {machine['cpus']} cores of {machine['processor']}. "
        f"Completed: {found['completed']} of {found['sweeps']}. Summaries equal to the "
        f"undisturbed run's: {found['equal_to_undisturbed']}. Finished files written again: "
        f"{len(found['finished_files_rewritten'])}. [chaos.json](chaos.json) lists every kill with "
        "the process, its task and the processor time it had just used.",
        "",
        "Two further kills hit trials that take minutes. The resumed trials "
        f"{'equalled' if long['equal'] else 'differed from'} undisturbed ones; the newest "
        f"checkpoint, and hence the repeated training, was {ages} old.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Replace the part of docs/faults.md between its markers."""
    page = DOCS / "faults.md"
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    text = table(json.loads((DOCS / "chaos.json").read_text()))
    page.write_text(before + BEGIN + text + END + after)


if __name__ == "__main__":
    main()
