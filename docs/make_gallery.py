"""Make the gallery of figures: `python docs/make_gallery.py RUN`, of a run of `make sweep`.

The pictures are those that the commands on docs/gallery.md write, as small files.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from PIL import Image

from sweeps.cli.app import main as gx2c
from sweeps.folder.paths import SweepPaths
from sweeps.report.catalogue import figures_of
from sweeps.report.picture import Picture
from sweeps.report.reading import read_run

DOCS = Path(__file__).parent
PAGE, FOLDER = DOCS / "gallery.md", DOCS / "images" / "gallery"
DPI = 150
COLOURS = 128
PAPER = "#ffffff"

# Pictures of `gx2c figures RUN --out FOLDER`, and what each is for
OF_A_RUN = {
    "verdict": "Every r that the verdict weighs",
    "folds": "Test r in each outer fold",
    "gain": "Gain over geography in each outer fold",
    "brain_folds": "The regions that were tested together",
    "connectomes_fold_0": "Measured, predicted, geography's and residual connectome of a fold",
    "scatter": "Predicted against measured edges, and their calibration",
    "kinds": "Gain by kind of edges",
    "networks": "Error and gain by pair of networks",
    "brain_error": "Error of each region",
    "nulls": "Null scores of each surrogate",
    "search": "Every config of the search",
    "curves": "Learning curves",
    "parallel": "Hyperparameters and score of every config",
    "importance": "Importance of hyperparameters",
}
# Pictures of other commands: name, heading, command, the module that writes, and the file's ending
AFTER = (
    (
        "embedding",
        "Embeddings of regions",
        "gx2c embed RUN --out embedding",
        "sweeps.cli.embed",
        "fold_00_member_00.svg",
    ),
    (
        "attention",
        "Attention to tokens of genes",
        "gx2c attention RUN --out attention",
        "sweeps.cli.embed",
        "fold_00_member_00_groups.svg",
    ),
    (
        "knock_out",
        "A virtual knock-out",
        "gx2c explain RUN --knock-out neuron --out knock_out",
        "sweeps.cli.explain",
        "change.svg",
    ),
)
INTRODUCTION = """\
Figures of the run that `make sweep` makes, of one group-average brain, and the commands that write
them. `RUN` is its folder. The commands write them with vector text, for print; the same pictures
are in the report, and [reading a report](reading.md) explains them. `python docs/make_gallery.py
RUN` makes this page.
"""
# Pictures that other pages have
ELSEWHERE = """\
## Several runs

| picture | page, with its command |
|---|---|
| test r of every model against geography | [leaderboard](leaderboard.md) |
| false positives of every surrogate | [nulls](nulls.md#false-positives-of-the-whole-pipeline) |
| dashboards of a search, curves, workers and tasks | [inspecting a run](inspect.md) |
"""


def page(words: dict[str, str]) -> str:
    """Return the gallery as Markdown, given each picture's description."""
    return "\n".join([*_lines(words), ELSEWHERE])


def _lines(words: dict[str, str]) -> Iterator[str]:
    yield "# Gallery\n"
    yield INTRODUCTION
    yield "## A run\n"
    yield "```bash\ngx2c figures RUN --format svg --out FOLDER\n```\n"
    for name, heading in OF_A_RUN.items():
        yield f"### {heading}\n\n`FOLDER/{name}.svg`\n"
        yield f"![{words[name]}](images/gallery/{name}.png)\n"
    yield "## After the sweep\n"
    for name, heading, command, _, _ in AFTER:
        yield f"### {heading}\n\n```bash\n{command}\n```\n"
        yield f"![{words[name]}](images/gallery/{name}.png)\n"


def written_by(command: str, module: str, run: Path, ending: str) -> Picture:
    """Run a command and return the first of its pictures with this ending."""
    found: dict[str, Picture] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(SystemExit):
        *words, _ = command.replace("RUN", str(run)).split()[1:]
        with mock.patch(
            f"{module}.write_picture", lambda path, one: found.setdefault(path.name, one)
        ):
            gx2c([*words, f"{folder}/out"])
    return next(picture for name, picture in sorted(found.items()) if name.endswith(ending))


def save(picture: Picture, name: str) -> None:
    """Save a picture on white paper, in few colours."""
    buffer = io.BytesIO()
    picture.figure.savefig(buffer, format="png", dpi=DPI, facecolor=PAPER)
    few = Image.open(buffer).convert("RGB").quantize(COLOURS)
    few.save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """Write pictures and page."""
    run = Path(sys.argv[1]).absolute()
    FOLDER.mkdir(exist_ok=True)
    drawn = figures_of(read_run(SweepPaths(run)))
    found = {name: drawn[name] for name in OF_A_RUN}
    for name, _, command, module, ending in AFTER:
        found[name] = written_by(command, module, run, ending)
    for name, picture in found.items():
        save(picture, name)
    PAGE.write_text(page({name: one.words for name, one in found.items()}), encoding="utf-8")


if __name__ == "__main__":
    main()
