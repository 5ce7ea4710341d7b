"""The table of splitting rules with their facts."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.splits.fold import Sites
from gx2c.splits.groups import community_folds, leave_group_out
from gx2c.splits.spatial import bilateral_folds, bilateral_random_folds, random_folds, spatial_folds


@dataclass(frozen=True)
class Splitter:
    """A rule that holds regions out, with its properties.

    Attributes
    ----------
    hold_out
        (sites, n_folds, seed) -> for each fold the positions in `sites` held out, ascending.
    groups
        Returns the group name of each region of a brain, for rules that hold out whole groups; else
        None.
    connectome
        Returns the connectome of a brain in which the rule finds communities; None for other rules.
    needs
        Description, in error messages, of data that a brain may lack.
    deterministic
        Whether all seeds give the same folds, so that several seeds are not several samples.
    label
        Label of every output, for rules that use the target.
    homologues
        Whether homologues are held out together.
    """

    hold_out: Callable[[Sites, int, int], list[IntArray]]
    groups: Callable[[Brain], tuple[str, ...] | None] | None = None
    connectome: Callable[[Brain], FloatArray | None] | None = None
    needs: str = ""
    deterministic: bool = False
    label: str = ""
    homologues: bool = False

    @property
    def numbered(self) -> bool:
        """Whether it makes the requested number of folds; otherwise the data determine it."""
        return self.groups is None and self.connectome is None


SPLITTERS: dict[str, Splitter] = {
    "bilateral": Splitter(bilateral_folds, homologues=True),
    "bilateral-random": Splitter(bilateral_random_folds, homologues=True),
    "community": Splitter(
        community_folds, connectome=attrgetter("holdout_connectome"), needs="a holdout connectome"
    ),
    "community-structural": Splitter(
        community_folds,
        connectome=attrgetter("structural_connectome"),
        needs="a structural connectome",
    ),
    "community-target": Splitter(
        community_folds, connectome=attrgetter("connectome"), label="split uses the target"
    ),
    "lobe": Splitter(
        leave_group_out,
        groups=attrgetter("lobe"),
        needs="the lobe of every region (a column 'lobe' in its regions.tsv)",
        deterministic=True,
    ),
    "network": Splitter(leave_group_out, groups=attrgetter("network"), deterministic=True),
    "random": Splitter(random_folds),
    "spatial": Splitter(spatial_folds),
}
