"""The page of a run, read as a browser reads it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from report_fixtures import read_summary, write_summary

from sweeps.folder.paths import SweepPaths
from sweeps.report.build import write_report

VOID = {"br", "img", "input", "meta"}


class Page(HTMLParser):
    """Collects elements and text, and fails on elements that are not closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.tips: list[str] = []
        self.open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "title":
            self.tips.append(data)
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\xa0", " ").split())

    def count(self, tag: str, class_: str | None = None) -> int:
        return sum(t == tag and class_ in (None, a.get("class")) for t, a in self.elements)


def report(paths: SweepPaths) -> Page:
    return Page(write_report(paths))


def change(paths: SweepPaths, **values: Any) -> SweepPaths:
    write_summary(paths, read_summary(paths) | values)
    return paths
