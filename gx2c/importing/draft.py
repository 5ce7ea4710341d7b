"""A dataset in the making, and its README with everything that was understood and changed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gx2c.data.brain import Brain
from gx2c.data.checks import shown
from gx2c.data.row_order import RowOrder
from gx2c.importing.options import RECIPE, ImportOptions


@dataclass
class Draft:
    """A dataset in the making."""

    parts: dict[str, Any]  # Attributes of `Brain` by name
    notes: list[str] = field(default_factory=list)  # One sentence per thing understood
    # One sentence per thing changed or left out
    changed: list[str] = field(default_factory=list)
    # For each region: its label, and the label of each file that names it otherwise
    mapping: dict[str, dict[str, str]] = field(default_factory=dict)
    repaired: dict[str, str] = field(default_factory=dict)  # New gene symbol by the name that came
    atlas_sha256: str = ""  # Of an image that was downloaded by name
    made_of_ahba: bool = False  # Whether the expression is a folder of `gx2c data ahba`
    # For a sentence of `changed` that names a few regions, the one that names all of them
    whole: dict[str, str] = field(default_factory=dict)

    def leave_out(self, said: str, names: Sequence[str]) -> None:
        """Add what was left out: a few names for the terminal, all of them for the README."""
        few = f"{said}: {shown(names)}"
        self.changed.append(few)
        self.whole[few] = f"{said}: {', '.join(names)}"

    def name_regions(self, source: str, names: Sequence[str], places: Sequence[int | None]) -> None:
        """Add the label that a file gives each region, at its place in the file."""
        for label, place in zip(self.parts["labels"], places, strict=True):
            if place is not None:
                self.mapping.setdefault(label, {})[source] = names[place]

    def matched(self) -> Iterator[str]:
        """Yield what each file calls the regions, by an example where it differs."""
        for source in self.sources():
            pairs = [(one, of[source]) for one, of in self.mapping.items() if source in of]
            other = [f", such as {name!r} for {label!r}" for label, name in pairs if name != label]
            yield f"{source}: {len(pairs)} regions{''.join(other[:1])}"

    def sources(self) -> list[str]:
        """Return the files that name regions."""
        return sorted({source for names in self.mapping.values() for source in names})


def make_readme(
    name: str, brain: Brain, draft: Draft, order: RowOrder, options: ImportOptions
) -> str:
    """Return README.md."""
    genes = f"{brain.n_genes:,} genes" if brain.n_genes else "no gene expression"
    sources = draft.sources()
    header = ["region", *sources]
    rows = [
        [label, *(draft.mapping.get(label, {}).get(source, "") for source in sources)]
        for label in draft.parts["labels"]
    ]
    repaired = [[old, new] for old, new in draft.repaired.items()]
    sections = [
        f"# {name}",
        f"{brain.n_regions} usable regions, {genes}. Made by `gx2c data import`; `{RECIPE}` "
        "repeats it. Licence and citation are those of the files below; add them to "
        "dataset_description.json.",
        "## Sources\n\n" + _bullets(options.to_plain()["paths"]),
        "## What was understood\n\n" + _bullets(draft.notes),
    ]
    if draft.changed:
        sections.append(
            "## What was changed or left out\n\n"
            + _bullets(draft.whole.get(line, line) for line in draft.changed)
        )
    sections.append("## Order of rows\n\n" + _bullets(order.lines()))
    if repaired:
        sections.append("## Repaired gene names\n\n" + _table(["came", "now"], repaired))
    if sources:
        sections.append("## Labels\n\n" + _table(header, rows))
    return "\n\n".join(sections) + "\n"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {' '.join(line.split())}" for line in lines)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "/") for c in line) + " |" for line in lines)
