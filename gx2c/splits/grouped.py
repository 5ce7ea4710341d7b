"""Rules that hold out whole groups of regions: a network or a lobe at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gx2c.data.brain import IntArray
from gx2c.errors import UserError
from gx2c.splits.fold import MIN_TEST_REGIONS
from gx2c.splits.sites import Sites


def leave_group_out(sites: Sites, n_folds: int, seed: int) -> list[IntArray]:
    """Hold out one group at a time, in the order in which the groups first appear.

    Nothing is drawn and there are as many folds as groups: `n_folds` and `seed` do nothing.
    Groups too small to be scored are merged as in `merge_small_groups`.
    """
    assert sites.groups is not None, "a rule that leaves groups out needs their names"
    return merge_small_groups(sites.groups)


def merge_small_groups(
    groups: Sequence[str] | Sequence[int], *, least: int = MIN_TEST_REGIONS
) -> list[IntArray]:
    """Gather regions by group; a group that is too small joins the smallest of the others.

    While a group has fewer than `least` regions, the two smallest groups become one (of equally
    small ones, those that appear first): large groups are left as they are if that can be.

    Parameters
    ----------
    groups
        n_regions names.
    least
        Regions that a part needs.

    Returns
    -------
    list of IntArray
        Positions of each part's regions, ascending; parts in order of first appearance.

    Raises
    ------
    UserError
        If fewer than two parts are left: nothing could be trained on.
    """
    names = list(groups)
    parts = [
        np.flatnonzero([name == group for name in names]).astype(np.int64)
        for group in dict.fromkeys(names)
    ]
    n_groups = len(parts)
    while len(parts) > 1 and min(map(len, parts)) < least:
        parts.sort(key=lambda part: (len(part), part[0]))
        parts = [np.union1d(parts[0], parts[1]), *parts[2:]]
    if len(parts) < 2:
        raise UserError(
            f"{len(names)} regions form {n_groups} group(s), of which {len(parts)} can be held"
            f" out with {least} regions or more; leaving groups out needs 2, and 3 in the whole"
            " brain for inner folds: choose another split or finer groups"
        )
    return sorted(parts, key=lambda part: int(part[0]))
