"""A config between its proposal and its record."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sweeps.folder.records import ConfigRecord, State
from sweeps.search.fold_study import Suggestion


class Place(NamedTuple):
    """The machine of a trial, its share of a GPU, and the compute profile of the device."""

    node: str = ""
    gpu_share: float = 0.0
    profile: dict[str, Any] | None = None


NOWHERE = Place()


@dataclass
class OpenConfig:
    """A config that has been proposed and is not finished."""

    number: int
    suggestion: Suggestion
    seed: int
    curve: dict[int, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0
    started: bool = False
    losses: int = 0
    held_at: int | None = None
    started_at: float = 0.0
    ended_at: float = 0.0
    place: Place = NOWHERE

    @property
    def epochs(self) -> int:
        """Number of epochs reported so far."""
        return max(self.curve, default=0)

    def worked(self, seconds: float, until: float, place: Place) -> None:
        """Note how long the work took so far, when and where."""
        self.seconds = max(self.seconds, seconds)
        self.started_at = self.started_at or until - seconds
        self.ended_at = until
        self.place = place

    def record(
        self, model: str, fold: int, batch: int, state: State, cause: str = ""
    ) -> ConfigRecord:
        """Return what is known of it; of a closed form without a curve."""
        curve = [self.curve[p] for p in sorted(self.curve)]
        scored = [p for p in curve if p["score"] is not None]
        # the first of equal scores, with the fewest epochs
        best = max(scored, key=lambda p: (p["score"], -p["epochs"]), default=None)
        return ConfigRecord(
            model=model,
            fold=fold,
            number=self.number,
            batch=batch,
            params=self.suggestion.params,
            config=self.suggestion.config.to_dict(),
            seed=self.seed,
            state=state,
            score=best["score"] if best and state != "FAILED" else None,
            epochs=best["epochs"] if best else 0,
            validation=best["validation"] if best else {},
            curve=[p for p in curve if p["epochs"]],
            seconds=self.seconds,
            cause=cause,
            started=self.started_at,
            ended=self.ended_at,
            **self.place._asdict(),
        )
