"""A saved model: it predicts without a sweep, its dataset or Ray."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.unmeasured import Unmeasured, region_indices
from gx2c.errors import UserError
from gx2c.files import file_digest, load_json, ordinary, user_path
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import GEOGRAPHY_RESIDUAL, FitConfig
from gx2c.fit.fitted import ClosedForm, FittedModels
from gx2c.fit.predictor import NetworkPredictor, build_network
from gx2c.fit.prepare import View
from gx2c.fit.residual import GeographyEnsemble
from gx2c.fit.scoring import mean_prediction
from gx2c.models import MODELS
from gx2c.models.layers.transformer import flash_attention_is_available
from gx2c.models.spec import TRAIN_TEST_EDGES
from gx2c.saved import ARRAYS_FILE, MODEL_FILE
from gx2c.saved.matching import MOST_MISSING, match
from gx2c.saved.parts import Arrays, put_together
from gx2c.saved.schema import FORMAT, MembersPart, ModelFile
from gx2c.sealed import DamagedError, checked, unsealed

_HINT = "copy the model again, or retrain it"


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
        fold = "all regions" if about.fold is None else f"fold {about.fold}"
        return (
            f"SavedModel({about.model}{members}; {about.dataset.name}, {fold}: "
            f"{len(about.training_regions)} training regions, {n_genes:,} genes)"
        )

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
        labels, places = tuple(self.about.dataset.regions), self.arrays
        return Unmeasured(
            self.about.dataset.name,
            labels,
            (),
            np.empty((len(labels), 0)),
            places["coords_mm"],
            places["hemisphere"],
        )

    @property
    def n_members(self) -> int:
        """How many models the prediction averages."""
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

        A member that diverged in training predicts no numbers (NaN).
        """
        chosen = region_indices(brain, regions)
        self._check_edges(brain, chosen)
        shown = match(self.about, self.arrays, brain, most_missing=most_missing)
        with profile_of(self.about).active():
            return np.stack(
                [p for one in self.fitted for p in one.predict([shown] * len(one.views), chosen)]
            )

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


def load_model(path: str | Path) -> SavedModel:
    """Load a model that gx2c saved; neither Ray nor the dataset is needed.

    Parameters
    ----------
    path
        Its folder, such as ``RUN/models/smt/seed_1/fold_00``.

    Raises
    ------
    UserError
        If there is none, it is damaged, or a newer version of gx2c wrote it.
    """
    folder = user_path(path)
    about = _read_about(folder)
    try:
        arrays = _read_arrays(folder, about)
        fitted = tuple(_put_members(members, about, arrays) for members in about.members)
    except UserError as error:
        if isinstance(error, DamagedError):
            raise
        raise UserError(f"{folder}: {error}") from None
    # whatever a constructor says of values that no gx2c wrote
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        why = " ".join(str(error).split())[:200]
        raise DamagedError(
            f"{folder / MODEL_FILE} does not fit its model ({why}); {_HINT}"
        ) from None
    return SavedModel(about, fitted, arrays.arrays)


def profile_of(about: ModelFile) -> ComputeProfile:
    """Return the profile with which a model was computed, or the nearest that this machine has."""
    profile = ComputeProfile(**about.profile)
    if profile.device == "cuda" and not torch.cuda.is_available():
        return ComputeProfile(threads=profile.threads)
    if profile.attention == "flash" and not flash_attention_is_available():
        return replace(profile, attention="sdpa")
    return profile


def refuse_newer(plain: Any, path: Path) -> None:
    """Refuse a file whose format is newer than those that this version reads."""
    number = plain.get("format") if isinstance(plain, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise UserError(
            f"{path} was written by gx2c {plain.get('gx2c', '')} in format {number}, and this "
            f"version reads formats up to {FORMAT}; update gx2c"
        )


def _read_about(folder: Path) -> ModelFile:
    path = folder / MODEL_FILE
    try:
        plain = load_json(path)
    except FileNotFoundError:
        raise UserError(
            f"{folder} holds no saved model (no {MODEL_FILE}); give a folder that gx2c wrote, such "
            "as RUN/models/MODEL/seed_1/fold_00"
        ) from None
    except (OSError, ValueError) as error:
        raise DamagedError(f"{path} cannot be read ({error}); {_HINT}") from None
    refuse_newer(plain, path)
    return checked(ModelFile, unsealed(plain, path, hint=_HINT), path, hint=_HINT)


def _read_arrays(folder: Path, about: ModelFile) -> Arrays:
    found = Arrays()
    for name, digest in about.files.items():
        path = folder / Path(name).name
        try:
            if file_digest(path) != digest:
                raise DamagedError(f"{path} is damaged (its checksum differs); {_HINT}")
            found.files[name] = ordinary(path).read_bytes()
        except OSError as error:
            raise DamagedError(f"{path} cannot be read ({error.strerror}); {_HINT}") from None
    path = folder / ARRAYS_FILE
    try:
        found.arrays = load(found.files.pop(ARRAYS_FILE))
    except (KeyError, SafetensorError) as error:
        raise DamagedError(f"{path} cannot be read ({error}); {_HINT}") from None
    for name, shape in about.arrays.items():
        if name not in found.arrays or list(found.arrays[name].shape) != shape:
            here = list(found.arrays[name].shape) if name in found.arrays else "missing"
            raise DamagedError(
                f"{path} does not fit {MODEL_FILE}: {name} is {here}, not {shape}; {_HINT}"
            )
    return found


def _put_members(members: MembersPart, about: ModelFile, arrays: Arrays) -> FittedModels:
    config = FitConfig.from_dict(members.config)
    views = [_put_view(view, config, arrays) for view in members.views]
    groups = [_put_group(group, config, about, arrays) for group in members.groups]
    if len(views) != sum(map(len, groups)) or len(views) != len(members.seeds):
        raise ValueError(f"{len(members.seeds)} seeds have {len(views)} views")
    return FittedModels(config, views, groups)


def _put_view(plain: dict[str, Any], config: FitConfig, arrays: Arrays) -> View:
    geography = None
    if config.task.learned == GEOGRAPHY_RESIDUAL:
        built = GeographyEnsemble(config.task.geography)
        geography = put_together(plain["geography"], arrays, built)
    features = put_together(plain["features"], arrays)
    return View(features=features, geography=geography, weight=config.task.weight)


def _put_group(
    plain: dict[str, Any], config: FitConfig, about: ModelFile, arrays: Arrays
) -> NetworkPredictor | ClosedForm:
    if not MODELS[config.model].trains_in_epochs:
        built = MODELS[config.model].build(**config.hyperparameters)
        return ClosedForm(put_together(plain["model"], arrays, built))
    makers, profile = put_together(plain["inputs"], arrays), profile_of(about)
    network = build_network(
        config,
        len(makers[0].expression.mean),
        n_members=len(makers),
        n_gene_dims=plain["n_gene_dims"],
        profile=profile,
    )
    weights = put_together(plain["weights"], arrays)
    network.load_state_dict({name: torch.tensor(values) for name, values in weights.items()})
    network.to(profile.device).eval()
    return NetworkPredictor(network, makers, profile, plain["n_gene_dims"])
