"""Folds of a brain: every rule finds in it what it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gx2c.data.brain import Brain
from gx2c.errors import UserError
from gx2c.splits.cutting import block_pair_folds, make_folds
from gx2c.splits.fold import Fold
from gx2c.splits.rules import COMMUNITY_SPLITS

# What is scored: edges inside each held-out fold, or between two held out together
FOLD_SCORES: dict[str, Callable[..., tuple[Fold, ...]]] = {
    "block-pairs": block_pair_folds,
    "folds": make_folds,
}

GROUPS_OF: dict[str, Callable[[Brain], Sequence[str] | None]] = {
    "lobe": lambda brain: brain.lobe,
    "network": lambda brain: brain.network,
}

WHERE_COMMUNITIES_ARE_FOUND = {
    "community": "a holdout connectome",
    "community-structural": "a structural connectome",
    "community-target": "a connectome",
}


def make_brain_folds(
    brain: Brain,
    *,
    split: str = "bilateral",
    score: str = "folds",
    n_folds: int = 4,
    n_inner_folds: int = 3,
    n_inner_repeats: int = 1,
    seed: int,
    resolution: float = 1.0,
    buffer_mm: float = 0.0,
) -> tuple[Fold, ...]:
    """Cut a brain into folds by any rule.

    Parameters
    ----------
    brain
        Gives coordinates, hemispheres, networks, lobes and, to find communities in, its holdout
        connectome (`community`), its structural connectome (`community-structural`) or the
        target itself (`community-target`).
    split, n_folds, n_inner_folds, n_inner_repeats, seed, resolution, buffer_mm
        As in `make_folds`.
    score
        A name in `FOLD_SCORES`.

    Raises
    ------
    UserError
        As `make_folds`, and if there is no such `score`.
    """
    if score not in FOLD_SCORES:
        raise UserError(f"no score {score!r}; choose from {sorted(FOLD_SCORES)}")
    connectomes = {
        "community": brain.holdout_connectome,
        "community-structural": brain.structural_connectome,
        "community-target": brain.connectome,
    }
    if split in COMMUNITY_SPLITS and connectomes[split] is None:
        raise UserError(
            f"the split {split!r} needs {WHERE_COMMUNITIES_ARE_FOUND[split]} and {brain.name} has"
            " none; add one or choose another split"
        )
    return FOLD_SCORES[score](
        brain.coords_mm,
        brain.hemisphere,
        split=split,
        n_folds=n_folds,
        n_inner_folds=n_inner_folds,
        n_inner_repeats=n_inner_repeats,
        seed=seed,
        groups=GROUPS_OF[split](brain) if split in GROUPS_OF else None,
        connectome=connectomes.get(split),
        resolution=resolution,
        buffer_mm=buffer_mm,
    )
