"""Fitted models as the files of one folder: model.json, safetensors, and the JSON of trees."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from gx2c import __version__
from gx2c.data.brain import Brain, IntArray
from gx2c.errors import UserError
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.fitted import ClosedForm, FittedModels
from gx2c.fit.predictor import NetworkPredictor
from gx2c.fit.prepare import View
from gx2c.fit.start import Seen, Start
from gx2c.models.names import BEST
from gx2c.saved import ARRAYS_FILE, MODEL_FILE
from gx2c.saved.matching import reads_of
from gx2c.saved.origin import measured_checksum, processor_name, versions
from gx2c.saved.parts import Arrays, take_apart
from gx2c.saved.schema import (
    FORMAT,
    DatasetPart,
    MembersPart,
    ModelFile,
    OriginPart,
    Scores,
)
from gx2c.sealed import sealed


@dataclass(frozen=True)
class Training:
    """How fitted models came to be.

    Attributes
    ----------
    train_regions, test_regions
        Indices into the brain.
    learning_rates, seeds
        By config: the rate of each epoch, and the seed of each member.
    profile
        Compute profile of the fit.
    split, fold, seed
        The split and its fold, or None; and the seed of the sweep.
    scores, member_scores
        Those of the mean prediction, and of each member, config by config.
    expected, conditions, weights
        See `ModelFile`.
    start
        The networks from which these started, or None.
    """

    train_regions: IntArray
    test_regions: IntArray
    learning_rates: Sequence[Sequence[float]]
    seeds: Sequence[Sequence[int]]
    profile: ComputeProfile
    split: str = ""
    fold: int | None = None
    seed: int = 0
    scores: Mapping[str, float] | None = None
    member_scores: Sequence[Mapping[str, float] | None] = ()
    expected: Mapping[str, float] | None = None
    conditions: Sequence[str] = ()
    weights: Mapping[str, float] | None = None
    start: Start | None = None


def model_files(
    fitted: Sequence[FittedModels], brain: Brain, training: Training
) -> dict[str, bytes]:
    """Return the files of a saved model by name.

    Parameters
    ----------
    fitted
        The members, one `FittedModels` for each config, all fitted on `brain`.
    brain
        The brain; of its expression only the training regions are read.
    training
        How they were fitted.
    """
    arrays = Arrays()
    read = [int(g) for one in fitted for v in one.views for g in v.features.read_genes()]
    kept = list(dict.fromkeys(read))
    place = {gene: number for number, gene in enumerate(kept)}
    expression = brain.expression[np.ix_(training.train_regions, np.array(kept, dtype=np.int64))]
    arrays.arrays |= {
        "gene_means": expression.mean(axis=0),
        "gene_deviations": expression.std(axis=0),
        "coords_mm": np.array(brain.coords_mm, dtype=np.float64),
        "hemisphere": np.array(brain.hemisphere, dtype=np.int64),
    }
    origins = () if training.start is None else training.start.seen
    for k, origin in enumerate(origins):
        arrays.arrays |= {
            f"origin_{k}.coords_mm": origin.regions.coords_mm,
            f"origin_{k}.hemisphere": origin.regions.hemisphere,
        }
    scores = iter(training.member_scores or [None] * sum(map(len, training.seeds)))
    members = [
        MembersPart(
            config=one.config.to_dict(),
            learning_rates=list(rates),
            seeds=list(seeds),
            scores=[_plain(next(scores)) for _ in seeds],
            views=[_view(v, place, arrays, f"{k}.view_{i}") for i, v in enumerate(one.views)],
            groups=[_group(g, arrays, f"{k}.group_{i}") for i, g in enumerate(one.groups)],
        )
        for k, (one, rates, seeds) in enumerate(
            zip(fitted, training.learning_rates, training.seeds, strict=True)
        )
    ]
    files = {ARRAYS_FILE: save(arrays.arrays), **arrays.files}
    content = ModelFile(
        format=FORMAT,
        gx2c=__version__,
        model=BEST if training.weights else fitted[0].config.name,
        reads=reads_of(one.config for one in fitted),
        dataset=DatasetPart(
            name=brain.name,
            checksum=brain.checksum,
            regions=list(brain.labels),
            measure=brain.measure,
            measured=measured_checksum(brain),
            divisor=brain.divisor,
            placed=brain.distances_mm is None,
        ),
        split=training.split,
        fold=training.fold,
        seed=training.seed,
        training_regions=[brain.labels[i] for i in training.train_regions],
        test_regions=[brain.labels[i] for i in training.test_regions],
        genes=[brain.genes[gene] for gene in kept],
        members=members,
        weights=dict(training.weights or {}),
        scores=_plain(training.scores) or {},
        expected=_plain(training.expected) or {},
        conditions=list(training.conditions),
        origins=[_origin(one) for one in origins],
        profile=asdict(training.profile),
        versions=versions(),
        processor=processor_name(),
        arrays={name: list(array.shape) for name, array in arrays.arrays.items()},
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    )
    text = json.dumps(sealed(content.model_dump()), indent=1, allow_nan=False)
    return {**files, MODEL_FILE: f"{text}\n".encode()}


def write_model(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of `model_files` into a new folder, model.json last.

    Raises
    ------
    UserError
        If the folder exists and is not empty, or cannot be written.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{folder} exists already; give a folder that does not")
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror}); make room, or give another folder"
        ) from None


def _origin(seen: Seen) -> OriginPart:
    return OriginPart(
        model=seen.model,
        digest=seen.digest,
        dataset=seen.regions.name,
        regions=list(seen.regions.labels),
        placed=seen.placed,
        training_regions=list(seen.training_regions),
    )


def _view(view: View, place: Mapping[int, int], arrays: Arrays, name: str) -> dict[str, Any]:
    return {
        "features": take_apart(view.features.renumbered(place), arrays, f"{name}.features"),
        "geography": take_apart(view.geography, arrays, f"{name}.geography"),
    }


def _group(group: NetworkPredictor | ClosedForm, arrays: Arrays, name: str) -> dict[str, Any]:
    if isinstance(group, ClosedForm):
        return {"model": take_apart(group.model, arrays, name)}
    return {
        "n_gene_dims": group.n_gene_dims,
        "inputs": take_apart(list(group.input_makers), arrays, f"{name}.inputs"),
        "weights": take_apart(dict(group.network.state_dict()), arrays, f"{name}.weights"),
    }


def _plain(scores: Mapping[str, float] | None) -> Scores | None:
    """Return scores without numbers that JSON does not have."""
    if scores is None:
        return None
    return {name: float(s) if math.isfinite(s) else None for name, s in scores.items()}
