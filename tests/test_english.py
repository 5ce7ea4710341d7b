"""Words that pages, docstrings, comments and messages avoid."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Rooms whose words have been revised
ROOMS = ("gx2c", "search_spaces", "trainables", "sweeps", "cluster", "benchmarks", "docs")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md"), *(ROOT / "cluster").glob("*.md")]
)
FILES = sorted({path for room in ROOMS for path in (ROOT / room).glob("**/*.py")})

# A pattern, and the words to use
BANNED = {
    r"\banew\b": "again, from scratch",
    r"\bbeside\b": "compared with, next to, in addition to",
    r"\bheld against\b": "tested against",
    r"\b(tell|tells|told|telling)\b": "return whether, distinguish, inform",
    r"(?m)^\s*Say\b|\b[Ss]ays? (what|which|why|whether|how|that|who|where)\b": "state, report",
    r"(?m)(^|[.;:] )What (?![^.]*\?)": "a sentence whose subject is a noun",
    r"\b(un)?spun\b": "spin-permuted",
    r"\b(a|each|every|per|one) pass\b|\bmax_passes\b|\bpasses (of|over|that|found)\b": "epoch",
    r"\bin the place of\b": "in place of, instead of",
    r"\b[Oo]ne (\w+ )?an? (brain|config|epoch|family|fold|gene|line|model|node|null|pair)\b": "per",
    r"\b[Oo]ne (\w+ )?an? (problem|region|seed|step|trial)\b": "per",
    r"\b(nearly|almost) all of it\b|\ball that\b": "everything that",
}
# Words that a pattern finds and that are right here
ALLOWED: dict[str, tuple[str, ...]] = {}


def prose_of(page: Path) -> Iterator[tuple[int, str]]:
    """Give the lines of a page that are no code."""
    fenced = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, re.sub(r"`[^`]*`", "", line)


def words_of(path: Path) -> Iterator[tuple[int, str]]:
    """Give docstrings, other strings of several words, and comments of a file."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if len(node.value.split()) > 1:
                yield node.lineno, re.sub(r"`[^`]*`", "", node.value)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def found_in(path: Path, texts: Iterator[tuple[int, str]]) -> list[str]:
    name = str(path.relative_to(ROOT))
    allowed = ALLOWED.get(name, ())
    return [
        f"{name}:{number}: {match[0].strip()!r}; write: {better}"
        for number, text in texts
        for pattern, better in BANNED.items()
        for match in re.finditer(pattern, text)
        if not any(words in text for words in allowed)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_have_none_of_the_banned_words(page: Path) -> None:
    assert found_in(page, prose_of(page)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_has_none_of_the_banned_words(path: Path) -> None:
    assert found_in(path, words_of(path)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_parameter_is_described_by_of(path: Path) -> None:
    assert re.findall(r"(?m)^ +Of .*$", path.read_text(encoding="utf-8")) == []
