"""Importance, attention, embeddings and knock-outs of a run, as its report reads them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.sealed import DamagedError
from sweeps.folder.explained import digest_of, read_facts, read_ranking
from sweeps.folder.paths import SweepPaths
from sweeps.folder.results import read_connectome


class KnockedOut(NamedTuple):
    """The change of the predicted connectome, (n_regions, n_regions), of the regions `labels`."""

    title: str
    labels: tuple[str, ...]
    change: FloatArray


@dataclass(frozen=True)
class Explained:
    """Results by the saved models that the run has now.

    Attributes
    ----------
    rankings
        By kind of units, as `Importance.tables`.
    asked
        How units were ranked: method, nulls, surrogate.
    attention, embeddings
        The start of the names of each member's files, by its title.
    plane
        Plane of the embeddings' pictures.
    knock_outs
        By the name of their folder.
    problems
        Why results are not shown, by the name of their folder.
    """

    rankings: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    attention: Mapping[str, Path] = field(default_factory=dict)
    embeddings: Mapping[str, Path] = field(default_factory=dict)
    plane: str = ""
    knock_outs: Mapping[str, KnockedOut] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


def read_explained(paths: SweepPaths) -> Explained:
    """Read the results that a run holds; those of other models are named and left out."""
    problems: dict[str, str] = {}
    facts = _reader(paths, problems)
    ranked = facts(paths.explained)
    attended, embedded = facts(paths.attention), facts(paths.embedding)
    return Explained(
        rankings={kind: read_ranking(paths.explained, kind) for kind in ranked.get("kinds", ())},
        asked=ranked,
        attention=_stems(paths.attention, attended),
        embeddings=_stems(paths.embedding, embedded),
        plane=embedded.get("plane", ""),
        knock_outs={
            folder.name: _knocked_out(folder, found)
            for folder in sorted(paths.knock_outs.glob("[!.]*/"))
            if (found := facts(folder))
        },
        problems=problems,
    )


def _reader(paths: SweepPaths, problems: dict[str, str]) -> Callable[[Path], dict[str, Any]]:
    """Return a reader of a folder's facts; one that cannot be shown has none, but a problem."""

    def read(folder: Path) -> dict[str, Any]:
        if not folder.is_dir():
            if folder.is_symlink() or folder.exists():
                problems[folder.name] = f"{folder.name} is no folder; delete it."
            return {}
        try:
            return read_facts(folder, digest_of(paths.root))
        except DamagedError:
            raise
        except UserError as error:
            problems[folder.name] = f"{error}."
            return {}

    return read


def _stems(folder: Path, facts: Mapping[str, Any]) -> dict[str, Path]:
    return {title: folder / Path(name).name for name, title in facts.get("titles", {}).items()}


def _knocked_out(folder: Path, facts: Mapping[str, Any]) -> KnockedOut:
    # others may have put tables there
    (name,) = (name for name in facts["tables"] if "KnockOutMean_" in name)
    return KnockedOut(facts["title"], *read_connectome(folder / name))
