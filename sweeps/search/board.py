"""All searches of a sweep together, so that no worker idles at the end of a fold."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeps.folder.records import ConfigRecord
from sweeps.search.fold_search import FoldSearch
from trainables.work import TrialWork


@dataclass(frozen=True)
class Progress:
    """Progress of the search."""

    folds_done: int
    folds: int
    done: int
    total: int
    pruned: int
    failed: int
    epochs: int
    best: float | None

    def __str__(self) -> str:
        best = "-" if self.best is None else f"{self.best:.4f}"
        return (
            f"folds {self.folds_done}/{self.folds} configs {self.done}/{self.total} "
            f"({self.pruned} pruned, {self.failed} failed) best {best} epochs {self.epochs}"
        )

    @property
    def share(self) -> float:
        """Finished share of the search, 0 to 1."""
        return self.done / self.total


class SearchBoard:
    """Hands out work from searches in turn, one per model and fold; they share only workers."""

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
        """Return work of the next search that has any."""
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

    def running(self) -> list[ConfigRecord]:
        """Return the configs that are being trained now."""
        return [record for search in self.searches.values() for record in search.running()]

    def progress(self, models: Collection[str]) -> Progress:
        """Return the progress of some models' searches."""
        mine = [s for s in self.searches.values() if s.model in models]
        records = [r for s in mine for r in list(s.records.values())]
        scores = [r.score for r in records if r.state == "COMPLETE" and r.score is not None]
        return Progress(
            folds_done=sum(s.finished for s in mine),
            folds=len(mine),
            done=len(records),
            total=sum(s.n_configs for s in mine),
            pruned=sum(r.state == "PRUNED" for r in records),
            failed=sum(r.state == "FAILED" for r in records),
            epochs=sum(s.n_epochs() for s in mine),
            best=max(scores, default=None),
        )
