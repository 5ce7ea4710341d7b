"""The table of splitting rules, and what one should know of each."""

from __future__ import annotations

from gx2c.errors import UserError
from gx2c.splits.bilateral import bilateral_folds, bilateral_random_folds
from gx2c.splits.community import community_folds
from gx2c.splits.grouped import leave_group_out
from gx2c.splits.random import random_folds
from gx2c.splits.sites import Splitter
from gx2c.splits.spatial import spatial_folds

SPLITTERS: dict[str, Splitter] = {
    "bilateral": bilateral_folds,
    "bilateral-random": bilateral_random_folds,
    "community": community_folds,
    "community-structural": community_folds,
    "community-target": community_folds,
    "lobe": leave_group_out,
    "network": leave_group_out,
    "random": random_folds,
    "spatial": spatial_folds,
}

# Rules that need names of groups, and rules that need a connectome to find communities in.
# The data decide how many folds these two kinds give; numbers of folds asked for do nothing
GROUP_SPLITS = frozenset({"lobe", "network"})
COMMUNITY_SPLITS = frozenset({"community", "community-structural", "community-target"})

# The same folds for every seed: several seeds are not several samples
DETERMINISTIC_SPLITS = frozenset({"lobe", "network"})

# Rules that read what is to be predicted, with the label that every output must carry
SPLITS_USING_TARGET = {"community-target": "split uses the target"}


def find_splitter(split: str) -> Splitter:
    """Look a rule up by name.

    Raises
    ------
    UserError
        If there is none of that name.
    """
    try:
        return SPLITTERS[split]
    except KeyError:
        raise UserError(f"no split named {split!r}; choose from {sorted(SPLITTERS)}") from None
