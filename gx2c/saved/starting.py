"""Networks that start from saved ones: none may have seen what a fold holds out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Brain
from gx2c.data.two_brains import is_one_parcellation, is_tested, tested_part, training_part
from gx2c.errors import UserError
from gx2c.fit.features import EXPRESSION
from gx2c.fit.predictor import NetworkPredictor
from gx2c.fit.start import Seen, Start, StartedFold, is_network
from gx2c.models.names import split_name
from gx2c.saved import MODEL_FILE
from gx2c.saved.loading import load_model
from gx2c.saved.model import SavedModel
from gx2c.saved.pretrained import find_model
from gx2c.saved.run import SavedRun, load_run
from gx2c.saved.seen import may_touch, mirror_overlaps
from gx2c.splits.fold import Fold

N_NAMED = 3


@dataclass(frozen=True)
class Starts:
    """The models from which the networks of a sweep may start.

    Attributes
    ----------
    source
        Folder or name, for messages.
    models
        One, or those of a run: one for each of its seeds and outer folds.
    """

    source: str
    models: tuple[Start, ...]

    @classmethod
    def of(cls, source: str | Path, model: str) -> "Starts":
        """Load a saved model, or those of a run.

        An ensemble gives the networks of its first config, which the search ranked best.

        Parameters
        ----------
        source
            The folder of a saved model or of a run, or the name of a pretrained model.
        model
            Name of the model that is to start from it: the same network, after geography or not.

        Raises
        ------
        UserError
            If there is none, it is another model or no network, or reads other features.
        """
        folder = find_model(source)
        if (folder / MODEL_FILE).exists():
            saved = [load_model(folder)]
            _check_names(source, model, [saved[0].name])
        else:
            run = load_run(folder)
            saved = run.models_of(_name_in(run, source, model))
        return cls(f"{source}", tuple(_start(source, one) for one in saved))

    def begin(
        self,
        brain: Brain,
        folds: Sequence[Fold],
        *,
        buffer_mm: float = 0.0,
        homologues: bool = False,
    ) -> tuple[StartedFold, ...]:
        """Let the networks of each outer fold start from the first model that may not have seen it.

        No test region of the fold may have been in the model's training, by place and hemisphere.
        Inner folds start from it only if it has seen none of their validation regions either: what
        is chosen there would otherwise suit what it remembers. Else their networks start at random,
        and only those that are retrained start from the model.

        Parameters
        ----------
        brain
            The brain, possibly two that are joined.
        folds
            Outer folds, with inner folds or without.
        buffer_mm, homologues
            As in `may_touch`.

        Raises
        ------
        UserError
            If every model may have seen test regions of a fold, places are not known, or the brain
            lacks genes.
        """
        self._check_places(brain)
        self._check_genes(brain)
        rule = {"buffer_mm": buffer_mm, "homologues": homologues}
        unseen = [~_touched(one, brain, **rule) for one in self.models]
        return tuple(self._begin(brain, n, fold, unseen) for n, fold in enumerate(folds))

    def _begin(
        self, brain: Brain, number: int, fold: Fold, unseen: Sequence[NDArray[np.bool_]]
    ) -> StartedFold:
        usable = [k for k, free in enumerate(unseen) if free[fold.test_regions].all()]
        if not usable:
            raise UserError(self._why_not(brain, number, fold, unseen))
        fresh = [k for k in usable if all(unseen[k][f.test_regions].all() for f in fold.inner)]
        start = self.models[(fresh or usable)[0]]
        within = start if fresh else None
        inner = tuple(StartedFold(**vars(one), start=within) for one in fold.inner)
        return StartedFold(**vars(replace(fold, inner=inner)), start=start)

    def _check_places(self, brain: Brain) -> None:
        seen = [one for start in self.models for one in start.seen]
        unknown = [one.regions.name for one in seen if not _is_placed(one)]
        if brain.distances_mm is not None:
            unknown = [brain.name]
        if unknown:
            raise UserError(
                f"--init-from {self.source}: the regions of {unknown[0]} have no coordinates, so "
                "regions that are tested may have been in its training; give data with coordinates "
                "and a model of such, or omit --init-from"
            )

    def _check_genes(self, brain: Brain) -> None:
        genes, known = {gene for start in self.models for gene in start.genes}, set(brain.genes)
        if lost := sorted(genes - known):
            raise UserError(
                f"--init-from {self.source} reads {len(genes)} genes, and {brain.name} lacks "
                f"{len(lost)} of them ({_named(lost)}); give a dataset with all of them, or omit "
                "--init-from"
            )

    def _why_not(
        self, brain: Brain, number: int, fold: Fold, unseen: Sequence[NDArray[np.bool_]]
    ) -> str:
        seen = min((fold.test_regions[~free[fold.test_regions]] for free in unseen), key=len)
        several = ", whichever of its models is taken" if len(self.models) > 1 else ""
        return (
            f"--init-from {self.source} would leak: {len(seen)} of the {len(fold.test_regions)} "
            f"test regions of fold {number} were or may have been in its training{several} "
            f"({_named([brain.labels[i] for i in seen])}; by place and hemisphere, and within its "
            "--buffer or bilateral --split by mirror image); give a run of the same split, folds "
            "and seeds, whose models leave these regions out, or a model of other regions"
        )


def mirrored_share(starts: Sequence[Start], brain: Brain) -> float:
    """Return the share of regions whose mirror image may have trained one of some models."""
    own = training_part(brain)
    found = [mirror_overlaps(seen, own) for start in starts for seen in start.seen]
    return float(np.any(found, axis=0).mean())


def _touched(start: Start, brain: Brain, **rule: Any) -> NDArray[np.bool_]:
    """Apply `may_touch` to a brain, and to both of two that are joined."""

    def of(part: Brain) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.any([may_touch(s, part, **rule) for s in start.seen], axis=0)
        return found

    own = of(training_part(brain))
    if brain.tested is None:
        return own
    both = np.empty(brain.n_regions, dtype=bool)
    both[~is_tested(brain)] = own
    both[is_tested(brain)] = own if is_one_parcellation(brain) else of(tested_part(brain))
    return both


def _named(names: Sequence[str]) -> str:
    return ", ".join([*names[:N_NAMED], *["…"] * (len(names) > N_NAMED)])


def _is_placed(seen: Seen) -> bool:
    coords = seen.regions.coords_mm
    return bool(seen.placed and coords.shape[1] == 3 and np.isfinite(coords).all())


def _name_in(run: SavedRun, source: str | Path, model: str) -> str:
    """Return the model of a run that is the same network, preferably under the same name."""
    names = list(dict.fromkeys(entry.model for entry in run.index.models))
    _check_names(source, model, names)
    same = [name for name in names if split_name(name)[0] == split_name(model)[0]]
    return model if model in same else same[0]


def _check_names(source: str | Path, model: str, names: Sequence[str]) -> None:
    wanted = split_name(model)[0]
    if wanted not in {split_name(name)[0] for name in names}:
        raise UserError(
            f"--init-from {source} holds {', '.join(names)}, and {model} starts from {wanted} "
            "alone, whose weights fit it; give a saved model of it, or omit --init-from"
        )


def _start(source: str | Path, saved: SavedModel) -> Start:
    fitted = saved.fitted[0]
    if not is_network(fitted.config):
        raise UserError(
            f"--init-from {source} is {saved.name}, which is fitted in one step and has no weights "
            "to start from; give a network"
        )
    if fitted.config.task.features != (EXPRESSION,):
        raise UserError(
            f"--init-from {source} reads {'+'.join(fitted.config.task.features)}, which are "
            "learned again on other regions; give a network that reads expression"
        )
    networks = [group for group in fitted.groups if isinstance(group, NetworkPredictor)]
    weights = {name: values.cpu().numpy() for name, values in fitted.weights().items()}
    finite = np.all(
        [np.isfinite(w.reshape(len(w), -1)).all(axis=1) for w in weights.values()], axis=0
    )
    if not finite.any():
        raise UserError(f"every network of --init-from {source} diverged; give another")
    makers = [maker for group in networks for maker in group.input_makers]
    return Start(
        fitted.config,
        tuple(saved.genes[gene] for gene in fitted.views[0].features.read_genes().tolist()),
        {name: values[finite] for name, values in weights.items()},
        tuple(maker for maker, kept in zip(makers, finite, strict=True) if kept),
        networks[0].n_gene_dims,
        saved.seen,
    )
