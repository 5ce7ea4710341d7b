"""A saved model is read: file by file, checked, and put together."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.numpy import load

from gx2c.errors import UserError
from gx2c.files import file_digest, load_json, ordinary
from gx2c.fit.config import GEOGRAPHY_RESIDUAL, FitConfig
from gx2c.fit.fitted import ClosedForm, FittedModels
from gx2c.fit.predictor import NetworkPredictor, build_network
from gx2c.fit.prepare import View
from gx2c.fit.residual import GeographyEnsemble
from gx2c.models import MODELS
from gx2c.saved import ARRAYS_FILE, MODEL_FILE
from gx2c.saved.model import SavedModel, profile_of
from gx2c.saved.parts import Arrays, put_together
from gx2c.saved.pretrained import find_model
from gx2c.saved.schema import FORMAT, MembersPart, ModelFile
from gx2c.sealed import DamagedError, checked, unsealed

_HINT = "copy the model again, or retrain it"


def load_model(path: str | Path) -> SavedModel:
    """Load a model that gx2c saved; neither Ray nor the dataset is needed.

    Parameters
    ----------
    path
        Its folder, such as ``RUN/models/smt/seed_1/fold_00``, or the name of one that comes with
        gx2c (``gx2c models --pretrained``).

    Raises
    ------
    UserError
        If there is none, it is damaged, or a newer version of gx2c wrote it.
    """
    folder = find_model(path)
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
