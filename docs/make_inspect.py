"""Draw what the terminal shows of a run: `python docs/make_inspect.py RUN`.

Writes docs/images/status.svg from the files of RUN, as `gx2c status RUN` prints them.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from sweeps.paths import SweepPaths
from sweeps.status import read_status
from sweeps.status_table import print_status

IMAGES = Path(__file__).parent / "images"
WIDTH = 88


def main() -> None:
    """Draw the status of one run."""
    run = Path(sys.argv[1])
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    print_status(read_status(SweepPaths(run)), console)
    svg = console.export_svg(title=f"gx2c status {run}", unique_id="status")
    path = IMAGES / "status.svg"
    path.write_text(svg)
    print(path)


if __name__ == "__main__":
    main()
