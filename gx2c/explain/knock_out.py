"""Virtual knock-outs: the predicted connectome when some genes are set to one value everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gx2c.data.brain import Brain, FloatArray
from gx2c.errors import UserError
from gx2c.fit.scoring import mean_prediction
from gx2c.models.spec import EXPRESSION
from gx2c.saved.matching import MOST_MISSING, match
from gx2c.saved.model import SavedModel


@dataclass(frozen=True, repr=False)
class KnockOut:
    """Change of the predicted connectome.

    Attributes
    ----------
    genes
        The genes that were set, of those that any model reads.
    change, deviation
        (n_regions, n_regions) each: prediction with these genes set, less the prediction without;
        mean and standard deviation over members and models. The deviation is NaN of one member.
    n_members
        Number of members that did not diverge.
    """

    genes: tuple[str, ...]
    change: FloatArray
    deviation: FloatArray
    n_members: int

    def __repr__(self) -> str:
        edges = self.change[np.triu_indices(len(self.change), 1)]
        return (
            f"KnockOut({len(self.genes)} genes, {self.n_members} members: mean absolute change of "
            f"{len(edges):,} edges {np.abs(edges).mean():.3g})"
        )


def knock_out(
    models: Sequence[SavedModel],
    brain: Brain,
    genes: Sequence[str],
    *,
    quantile: float | None = None,
    most_missing: float = MOST_MISSING,
) -> KnockOut:
    """Set genes to their training mean, or a quantile, in every region and predict again.

    Parameters
    ----------
    models
        Such as those of a run, one for each fold.
    brain
        Any regions.
    genes
        Symbols; those that no model reads are left out.
    quantile
        Quantile over the training regions, from 0 to 1; the training mean if None.
    most_missing
        As in `SavedModel.predict`.

    Raises
    ------
    UserError
        If no model reads any of the genes, the quantile cannot be, or the brain lacks training
        regions from which to take it; and as for `SavedModel.predict`.
    """
    if quantile is not None and not 0 <= quantile <= 1:
        raise UserError(f"the quantile is {quantile}; give a number from 0 to 1")
    known = {gene for model in models for gene in model.genes}
    chosen = tuple(dict.fromkeys(gene for gene in genes if gene in known))
    if not chosen:
        raise UserError(
            f"{models[0].name} reads none of the {len(genes)} genes ({', '.join(genes[:3])}); "
            "gx2c explain without --knock-out lists those that it reads"
        )
    changes = [_change(model, brain, set(chosen), quantile, most_missing) for model in models]
    members = np.concatenate(changes)
    finite = members[np.isfinite(members).all(axis=(1, 2))]
    several = len(finite) > 1
    spread = finite.std(axis=0, ddof=1) if several else np.full(members.shape[1:], np.nan)
    return KnockOut(chosen, mean_prediction(members), spread, len(finite))


def _change(
    model: SavedModel,
    brain: Brain,
    genes: set[str],
    quantile: float | None,
    most_missing: float,
) -> FloatArray:
    """Return each member's change, (n_members, n_regions, n_regions)."""
    shown = match(model.about, model.arrays, brain, most_missing=most_missing)
    columns = [number for number, gene in enumerate(model.genes) if gene in genes]
    if EXPRESSION not in model.about.reads or not columns:
        return np.zeros((model.n_members, brain.n_regions, brain.n_regions))
    values = model.arrays["gene_means"][columns]
    if quantile is not None:
        place = {label: row for row, label in enumerate(shown.labels)}
        rows = [place[label] for label in model.about.training_regions if label in place]
        if len(rows) < len(model.about.training_regions):
            raise UserError(
                f"{brain.name} lacks training regions of {model!r}, over which the quantile is "
                "taken; leave the quantile out, or give the dataset of the run"
            )
        values = np.quantile(shown.expression[np.ix_(rows, columns)], quantile, axis=0)
    expression = shown.expression.copy()
    expression[:, columns] = values
    after = model.predict_members(replace(shown, expression=expression))
    return after - model.predict_members(shown)
