"""The pages of the documentation and their fenced blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
    + [*ROOT.glob("docs/**/*.md"), *ROOT.glob("cluster/*.md"), *ROOT.glob("data/**/*.md")]
    + [ROOT / "benchmarks/README.md"]
)
FENCED = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?```(?P<language>\S*)\n(?P<code>.*?)^```$",
    flags=re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes
    ----------
    reason
        Why no test runs it: a comment `<!-- not run: REASON -->` above it.
    printed
        Its expected output: the next block, where the text between them starts with "It prints".
    """

    page: Path
    line: int
    language: str
    code: str
    reason: str | None
    printed: str | None

    @property
    def commands(self) -> str:
        """What a shell is given: a block of bash, or lines after `$ ` or a notebook's `!`."""
        if self.language == "bash":
            return self.code
        return "\n".join(re.findall(r"^(?:\$ |!)(.*)$", self.code, re.MULTILINE))


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def without_blocks(text: str) -> str:
    return FENCED.sub("", text)


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = list(FENCED.finditer(text))
    blocks = []
    for block, after in zip_longest(found, found[1:]):
        words = text[block.end() : after.start()].strip() if after else ""
        printed = after["code"] if after and words.startswith("It prints") else None
        line = text.count("\n", 0, block.start("code"))
        blocks.append(Block(page, line, block["language"], block["code"], block["reason"], printed))
    return blocks
