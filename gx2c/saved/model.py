"""A saved model: it predicts without a sweep, its dataset or Ray."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.unmeasured import Unmeasured, region_indices
from gx2c.errors import UserError
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.fitted import FittedModels
from gx2c.fit.scoring import mean_prediction
from gx2c.fit.start import Seen
from gx2c.models import MODELS
from gx2c.models.layers.transformer import flash_attention_is_available
from gx2c.models.spec import TRAIN_TEST_EDGES
from gx2c.saved.matching import MOST_MISSING, match
from gx2c.saved.schema import ModelFile


@dataclass(frozen=True, repr=False)
class SavedModel:
    """A fitted model, or an ensemble as one model, as `load_model` reads it.

    Attributes
    ----------
    about
        Everything that is known of it: config, genes, training and test regions, scores, versions.
    fitted
        Its members, one `FittedModels` for each config.
    arrays
        Statistics of its genes, and the places of the regions of its dataset.
    """

    about: ModelFile
    fitted: tuple[FittedModels, ...]
    arrays: dict[str, NDArray[Any]]

    def __repr__(self) -> str:
        about, n_genes = self.about, len(self.about.genes)
        members = f", mean of {self.n_members}" if self.n_members > 1 else ""
        return (
            f"SavedModel({about.model}{members}; {about.dataset.name}, {self.trained_on}: "
            f"{len(about.training_regions)} training regions, {n_genes:,} genes)"
        )

    @property
    def trained_on(self) -> str:
        """Its training regions in words: those of a fold, all of its dataset, or some."""
        about = self.about
        if about.fold is not None:
            return f"fold {about.fold}"
        whole = len(about.training_regions) == len(about.dataset.regions)
        return "all regions" if whole else "some regions"

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.about.model

    @property
    def genes(self) -> tuple[str, ...]:
        """Symbols of the genes that it reads, in order."""
        return tuple(self.about.genes)

    @property
    def regions(self) -> Unmeasured:
        """The regions of its dataset: their labels and places, without expression."""
        return self._placed(self.about.dataset.name, self.about.dataset.regions)

    def _placed(self, name: str, labels: Sequence[str], of: str = "") -> Unmeasured:
        places = self.arrays[f"{of}coords_mm"], self.arrays[f"{of}hemisphere"]
        return Unmeasured(name, tuple(labels), (), np.empty((len(labels), 0)), *places)

    @property
    def digest(self) -> str:
        """Hash of its arrays, genes, training regions and first config."""
        about = self.about
        parts = [about.files, about.genes, about.training_regions, about.members[0].config]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def seen(self) -> tuple[Seen, ...]:
        """Regions that trained it, and those of each model from which its networks started."""
        about, data = self.about, self.about.dataset
        trained = tuple(about.training_regions)
        return (
            Seen(self.name, self.digest, self.regions, trained, data.placed),
            *(
                Seen(
                    one.model,
                    one.digest,
                    self._placed(one.dataset, one.regions, f"origin_{number}."),
                    tuple(one.training_regions),
                    one.placed,
                )
                for number, one in enumerate(about.origins)
            ),
        )

    @property
    def n_members(self) -> int:
        """How many models the prediction averages; 1 for `best`, which weighs several means."""
        if self.about.weights:
            return 1
        return sum(len(members.seeds) for members in self.about.members)

    def predict(
        self,
        brain: Brain | Unmeasured,
        regions: Sequence[int] | IntArray | None = None,
        *,
        most_missing: float = MOST_MISSING,
    ) -> FloatArray:
        """Predict the connectome among some regions; the mean over members of an ensemble.

        Parameters
        ----------
        brain
            Any regions, of any parcellation. Genes are matched by symbol.
        regions
            (n_regions,) indices; all if None.
        most_missing
            Largest share of the model's genes that may be missing; each missing gene stands at its
            training mean, and a notice says so.

        Returns
        -------
        FloatArray
            (n_regions, n_regions), symmetric, in the order of `regions`; the diagonal is
            meaningless.

        Raises
        ------
        UserError
            If the brain lacks what the model reads, or the regions cannot be used.
        """
        return mean_prediction(self.predict_members(brain, regions, most_missing=most_missing))

    def predict_members(
        self,
        brain: Brain | Unmeasured,
        regions: Sequence[int] | IntArray | None = None,
        *,
        most_missing: float = MOST_MISSING,
    ) -> FloatArray:
        """Return each member's prediction, (n_members, n_regions, n_regions); see `predict`.

        A member that diverged in training predicts no numbers (NaN). The one member of `best` is
        its weighted mean.
        """
        chosen = region_indices(brain, regions)
        self._check_edges(brain, chosen)
        shown = match(self.about, self.arrays, brain, most_missing=most_missing)
        with profile_of(self.about).active():
            found = [
                (one.config.name, p)
                for one in self.fitted
                for p in one.predict([shown] * len(one.views), chosen)
            ]
        if weights := self.about.weights:
            means = [mean_prediction([p for name, p in found if name == one]) for one in weights]
            return mean_prediction(means, list(weights.values()))[np.newaxis]
        return np.stack([p for _, p in found])

    def embed(
        self,
        brain: Brain | Unmeasured,
        regions: Sequence[int] | IntArray | None = None,
        *,
        most_missing: float = MOST_MISSING,
    ) -> list[FloatArray]:
        """Return each member's embedding of some regions, after the encoder and before the head.

        Networks that attend across a pair embed the tokens of each region.

        Parameters
        ----------
        brain, regions, most_missing
            As for `predict`.

        Returns
        -------
        list of (n_regions, n_dims) arrays
            One per member; configs may differ in width.

        Raises
        ------
        UserError
            If the model is no network, and as for `predict`.
        """
        if self.about.weights:
            raise UserError(
                f"{self.name} averages {', '.join(self.about.weights)}, of which each network "
                "encodes regions in its own way; embed one of them: RUN/models/smt/…"
            )
        if not MODELS[self.fitted[0].config.model].trains_in_epochs:
            raise UserError(
                f"{self.name} is fitted in closed form and encodes no region; embed a network"
            )
        chosen = region_indices(brain, regions)
        shown = match(self.about, self.arrays, brain, most_missing=most_missing)
        with profile_of(self.about).active():
            return [e for one in self.fitted for e in one.embed([shown] * len(one.views), chosen)]

    def _check_edges(self, brain: Brain | Unmeasured, chosen: IntArray) -> None:
        about = self.about
        asked = [brain.labels[i] for i in chosen.tolist()]
        if TRAIN_TEST_EDGES in about.reads and asked != about.test_regions:
            raise UserError(
                f"{about.model} learned from edges of its {len(about.test_regions)} test regions "
                "and predicts these alone; pls_twostep needs no such edges"
            )


def profile_of(about: ModelFile) -> ComputeProfile:
    """Return the profile with which a model was computed, or the nearest that this machine has."""
    profile = ComputeProfile(**about.profile)
    if profile.device == "cuda" and not torch.cuda.is_available():
        return ComputeProfile(threads=profile.threads)
    if profile.attention == "flash" and not flash_attention_is_available():
        return replace(profile, attention="sdpa")
    return profile
