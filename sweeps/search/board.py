"""All searches of a sweep side by side, so that no worker idles at a fold's end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeps.records import ConfigRecord
from sweeps.search.fold_search import FoldSearch
from trainables.work import TrialWork


@dataclass(frozen=True)
class Progress:
    """How far the search is."""

    folds_done: int
    folds: int
    done: int
    total: int
    pruned: int
    failed: int
    passes: int
    best: float | None


class SearchBoard:
    """Hands out work from many searches in turn; they share workers and nothing else.

    Parameters
    ----------
    searches
        One per model and outer fold.
    """

    def __init__(self, searches: Sequence[FoldSearch]) -> None:
        self.searches = {(s.model, s.fold): s for s in searches}
        self._turn = 0

    @property
    def finished(self) -> bool:
        """Whether every search is finished."""
        return all(s.finished for s in self.searches.values())

    def search_of(self, config: Mapping[str, Any]) -> FoldSearch:
        """Return the search to which a trial's config belongs."""
        return self.searches[config["model"], config["fold"]]

    def next_work(self) -> TrialWork | None:
        """Ask the searches in turn."""
        searches = list(self.searches.values())
        for offset in range(len(searches)):
            index = (self._turn + offset) % len(searches)
            work = searches[index].next_work()
            if work is not None:
                self._turn = index + 1
                return work
        return None

    def records(self) -> dict[tuple[str, int], list[ConfigRecord]]:
        """Return the finished configs of every search in number order."""
        return {
            key: [search.records[n] for n in sorted(search.records)]
            for key, search in self.searches.items()
        }

    def progress(self, model: str) -> Progress:
        """Count what one model's searches have finished."""
        mine = [s for s in self.searches.values() if s.model == model]
        records = [r for s in mine for r in list(s.records.values())]
        scores = [r.score for r in records if r.state == "COMPLETE" and r.score is not None]
        return Progress(
            folds_done=sum(s.finished for s in mine),
            folds=len(mine),
            done=len(records),
            total=sum(s.n_configs for s in mine),
            pruned=sum(r.state == "PRUNED" for r in records),
            failed=sum(r.state == "FAILED" for r in records),
            passes=sum(s.n_passes() for s in mine),
            best=max(scores, default=None),
        )
