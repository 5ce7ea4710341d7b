"""Make the gallery of figures: `python docs/make_gallery.py RUN`, of a run of `make sweep`.

The pictures are those that the command on docs/gallery.md writes, as small files.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

from sweeps.folder.paths import SweepPaths
from sweeps.report.catalogue import figures_of
from sweeps.report.picture import Picture
from sweeps.report.reading import read_run

DOCS = Path(__file__).parent
PAGE, FOLDER = DOCS / "gallery.md", DOCS / "images" / "gallery"
DPI = 150
COLOURS = 128

SHOWN = {
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
TEXT = """\
# Gallery

Figures of the run that `make sweep` makes, of one group-average brain, with the commands that write
them. `RUN` is its folder. [Reading a report](reading.md) explains them; the report shows the same
pictures. `python docs/make_gallery.py RUN` makes this page.

## A run

```bash
gx2c figures RUN --format svg --out FOLDER
```

{pictures}
## Elsewhere

| picture | page, with its command |
|---|---|
| embeddings, a knock-out, attention | [after the sweep](after.md#what-the-models-look-at) |
| test r of every model against geography | [leaderboard](leaderboard.md) |
| false positives of every surrogate | [nulls](nulls.md#false-positives-of-the-whole-pipeline) |
| dashboards of a search, curves, workers and tasks | [inspecting a run](inspect.md) |
"""


def save(picture: Picture, name: str) -> None:
    """Save a picture on white paper, in few colours."""
    buffer = io.BytesIO()
    picture.figure.savefig(buffer, format="png", dpi=DPI, facecolor="white")
    few = Image.open(buffer).convert("RGB").quantize(COLOURS)
    few.save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """Write pictures and page."""
    FOLDER.mkdir(exist_ok=True)
    words = {}
    for name, picture in figures_of(read_run(SweepPaths(Path(sys.argv[1])))):
        if name in SHOWN:
            save(picture, name)
            words[name] = picture.words
    pictures = "\n".join(
        f"### {heading}\n\n`FOLDER/{name}.svg`\n\n![{words[name]}](images/gallery/{name}.png)\n"
        for name, heading in SHOWN.items()
    )
    PAGE.write_text(TEXT.format(pictures=pictures), encoding="utf-8")


if __name__ == "__main__":
    main()
