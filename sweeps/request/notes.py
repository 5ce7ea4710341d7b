"""Notes on the data and the search of a planned sweep, printed and kept in its summary."""

import numpy as np

from gx2c.data.dataset import comes_from_allen
from gx2c.data.gene_starts import known_starts
from gx2c.data.row_order import row_order
from gx2c.data.two_brains import training_part
from gx2c.models.names import families_of, spec_of
from gx2c.nulls.spheres import PROJECTED, are_projected
from gx2c.saved.starting import mirrored_share
from gx2c.splits.transfer import transfer_note
from sweeps.request.contradictions import reads_genes
from sweeps.request.plan import SweepPlan
from sweeps.request.starting import starts_of


def search_notes(plan: SweepPlan) -> list[str]:
    """Return notes on omitted parts of the search space and on the label of the model."""
    model = plan.options.model
    label, notes = spec_of(model).label, []
    for name in families_of(model):
        space = plan.space(name)
        scales = [plan.scale(fold) for fold in range(len(plan.folds))]
        notes += [note for scale in scales for note in space.cap_notes(scale)]
    notes = list(dict.fromkeys(notes))
    if space.fixed and plan.options.samples > 1:
        notes.append(f"{model} has nothing to search: one config per outer fold")
    if label:
        notes.append(f"{model} {label}, which no other model sees: do not compare it with others")
    if plan.genes_of().order == "tss" and spec_of(model).trains_in_epochs and _lacks_starts(plan):
        known = sum(row[1] != "n/a" for row in known_starts(plan.brain.genes))
        notes.append(
            "--gene-order tss: the dataset has no transcription starts, so genes are in "
            f"alphabetical order; schaefer100 has the starts of {known} of "
            f"{plan.brain.n_genes} symbols: gx2c data starts FOLDER copies them"
        )
    return [*notes, *start_notes(plan), *plan.null_kinds.notes()]


def start_notes(plan: SweepPlan) -> list[str]:
    """Return notes on what starts from a model, what it fixes, and what it has seen."""
    options, brain, starts = plan.options, plan.brain, starts_of(plan.folds)
    if not starts:
        return []
    source, genes = options.init_from, starts[0].genes
    notes = [
        f"networks start from {source}: its architecture and its {len(genes)} genes are fixed, and "
        "learning rate, weight decay, schedule, block size and epochs are searched"
    ]
    if more := brain.n_genes - len(genes):
        notes.append(f"{more} of the {brain.n_genes} genes of {brain.name} are not among them")
    at_random = sum(not starts_of(fold.inner) for fold in plan.folds)
    if at_random:
        then = ", and weights after geography," * spec_of(options.model).contains_geography
        notes.append(
            f"in {at_random} of {len(plan.folds)} outer folds {source} has seen validation "
            f"regions: there configs and epochs{then} are chosen with networks that start at random"
        )
    if share := mirrored_share(starts, brain):
        notes.append(
            f"{source} was trained on the other hemisphere, at the mirror images of {share:.0%} of "
            "the regions; edges of homologues are alike, so its scores are optimistic"
        )
    return notes


def _lacks_starts(plan: SweepPlan) -> bool:
    tss = plan.brain.tss
    reads = reads_genes(plan.options.model, plan.options.features)
    return reads and (tss is None or not np.isfinite(tss).any())


def data_notes(plan: SweepPlan) -> list[str]:
    """Return notes on the dataset: its donors, regions left out, and the order of its rows."""
    brain, order, notes = plan.brain, row_order(training_part(plan.brain)), []
    if brain.tested is not None:
        notes.append(transfer_note(brain, plan.folds, buffer_mm=plan.options.buffer_mm))
    if comes_from_allen(plan.options.dataset):
        notes.append(
            "Expression from the Allen Human Brain Atlas comes from six donors, two of them "
            "also sampled in the right hemisphere."
        )
    if brain.excluded:
        names = ", ".join(brain.excluded)
        count = len(brain.excluded)
        notes.append(f"{count} region(s) without expression or connectivity dropped: {names}")
    if brain.shared_samples is not None and (shared := brain.shared_samples.any(axis=1)).any():
        notes.append(
            f"{shared.sum()} regions share tissue samples with others (filled or mirrored "
            "expression): a fold does not train on regions that share samples with its test "
            "regions"
        )
    if brain.divisor != 1:
        notes.append(
            f"{plan.options.target} reaches {brain.divisor:.4g}, by which its values are "
            "divided: correlations stay as they are, and errors are in these units"
        )
    sphere = brain.sphere_coords
    if sphere is not None and are_projected(sphere, brain.coords_mm, brain.hemisphere):
        notes.append(PROJECTED)
    notes += [*order.problems(), *order.warnings()]
    return [*notes, f"order of rows: {'; '.join(order.lines())}"]
