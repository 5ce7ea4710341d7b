"""The exported configs of a sweep, checked when read, because users may edit the file."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gx2c.data import BrainView
from gx2c.data.checks import duplicates
from gx2c.errors import UserError
from gx2c.files import load_yaml
from gx2c.fit import FitConfig
from gx2c.models import MODELS
from gx2c.models.names import BEST
from gx2c.sealed import DamagedError, sealed, unsealed
from gx2c.splits import SPLITTERS
from gx2c.splits.fold import MIN_TEST_REGIONS, MIN_TRAIN_REGIONS
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import present_names, write_bytes
from sweeps.phases.combine import read_weights
from sweeps.phases.retrain import profile_of
from sweeps.phases.retrain_job import RetrainJob
from sweeps.request.plan import SweepPlan
from sweeps.request.starting import starts_of

# Limits of NumPy's generators, of indices and of thread libraries
MAX_SEED, MAX_BLOCK, MAX_THREADS = 2**64 - 1, 2**31 - 1, 1_024
_EDITED = "give the file that gx2c wrote; to rerun an edited one, remove its line sha256"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _FoldFile(_Strict):
    fold: int
    # of its split; that of the file in files of earlier versions
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    train_regions: list[str] = Field(min_length=MIN_TRAIN_REGIONS)
    test_regions: list[str] = Field(min_length=MIN_TEST_REGIONS)
    blocks: list[Annotated[int, Field(ge=0, le=MAX_BLOCK)]] | None = None


class _ProfileFile(_Strict):
    device: Literal["cpu", "cuda"]
    threads: int = Field(ge=1, le=MAX_THREADS)
    dtype: Literal["float32", "bfloat16"]
    attention: Literal["sdpa", "flash"]


class _MemberFile(_Strict):
    config: dict[str, Any]
    learning_rates: list[Annotated[float, Field(ge=0, allow_inf_nan=False)]]
    seed: int = Field(ge=0, le=MAX_SEED)


class _JobFile(_MemberFile):
    model: str
    fold: int = Field(ge=0)
    # the other members of an ensemble
    others: list[_MemberFile] = []
    n_seeds: int = Field(default=1, ge=1)
    # where it differs from that of the file: GPUs of several generations
    profile: _ProfileFile | None = None


class BestFile(_Strict):
    """The contents of best.yaml."""

    gx2c: str
    dataset: str
    checksum: str
    model: str
    split: str
    conditions: list[str] = []
    seed: int
    view: dict[str, Any] = {}
    train_test_edges: bool = False
    profile: _ProfileFile
    folds: list[_FoldFile] = Field(min_length=1)
    jobs: list[_JobFile] = Field(min_length=1)
    # the model from which networks start, and by outer fold a hash of its content
    init_from: str = ""
    starts: list[str] = []
    # by outer fold, the share of each model that `best` averages
    weights: list[dict[str, Annotated[float, Field(ge=0, le=1)]]] = []


def write_best(paths: SweepPaths, plan: SweepPlan, jobs: Sequence[RetrainJob]) -> None:
    """Write everything that a rerun of the retrained models needs, as plain values."""
    labels, options = plan.brain.labels, plan.options
    more: dict[str, Any] = {}
    if options.model == BEST:
        more["weights"] = read_weights(plan, paths)
    if options.init_from:
        starts = [start.digest for start in starts_of(plan.folds)]
        more |= {"init_from": options.init_from, "starts": starts}
    profiles = [profile_of(paths, plan, job.model, job.fold) for job in jobs]
    best = BestFile(
        gx2c="best configs, one per model and outer fold; `gx2c rerun` retrains them",
        dataset=options.dataset,
        checksum=plan.brain.checksum,
        model=options.model,
        split=options.split,
        conditions=options.conditions,
        seed=options.seed,
        view=asdict(options.view),
        train_test_edges=options.train_test_edges,
        profile=_ProfileFile(**profiles[0]),
        folds=[
            _FoldFile(
                fold=number,
                seed=fold.seed,
                train_regions=[labels[i] for i in fold.train_regions],
                test_regions=[labels[i] for i in fold.test_regions],
                blocks=None if fold.blocks is None else fold.blocks.tolist(),
            )
            for number, fold in enumerate(plan.folds)
        ],
        jobs=[
            _JobFile.model_validate(
                job.to_dict() | ({} if used == profiles[0] else {"profile": used})
            )
            for job, used in zip(jobs, profiles, strict=True)
        ],
        **more,
    )
    content = sealed(best.model_dump(exclude_unset=True))
    text = yaml.safe_dump(content, sort_keys=False, width=100)
    write_bytes(paths.best, text.encode())


def jobs_of(best: BestFile) -> list[RetrainJob]:
    """Return the retrainings."""
    return [RetrainJob.from_dict(job.model_dump()) for job in best.jobs]


def read_best(path: Path) -> BestFile:
    """Read and check an exported file.

    Raises
    ------
    UserError
        If it is invalid; the message lists every problem.
    """
    try:
        plain = unsealed(load_yaml(path), path, hint=_EDITED)
        best = BestFile.model_validate(present_names(plain))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); give a best.yaml") from None
    except DamagedError:
        raise
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in e['loc']) or 'file'}: {e['msg']}"
            for e in error.errors()[:10]
        )
        raise UserError(f"{path} is not a best.yaml written by gx2c ({wrong})") from None
    except ValueError as error:
        raise UserError(f"{path} is not YAML ({error})") from None
    problems = [
        *_head_problems(best),
        *_fold_problems(best),
        *_job_problems(best),
        *_set_problems(best),
    ]
    if problems:
        raise UserError(f"{path}: {'; '.join(problems)}")
    return best


def _head_problems(best: BestFile) -> Iterator[str]:
    if best.split not in SPLITTERS:
        yield f"there is no split {best.split!r}"
    try:
        BrainView.from_dict(best.view)
    except UserError as error:
        yield str(error)


def _fold_problems(best: BestFile) -> Iterator[str]:
    for number, fold in enumerate(best.folds):
        if fold.fold != number:
            yield f"fold {number} is numbered {fold.fold}"
        if repeated := duplicates([*fold.train_regions, *fold.test_regions]):
            yield f"fold {number} names regions more than once: {repeated[:3]}"
        if fold.blocks is not None and len(fold.blocks) != len(fold.test_regions):
            yield f"fold {number} has {len(fold.blocks)} blocks for its test regions"


def _job_problems(best: BestFile) -> Iterator[str]:
    n_folds = len(best.folds)
    for number, job in enumerate(best.jobs):
        if job.fold >= n_folds:
            yield f"job {number} refers to fold {job.fold}, but there are {n_folds} folds"
        if (1 + len(job.others)) % job.n_seeds:
            n_members = 1 + len(job.others)
            yield f"job {number} has {n_members} members, which {job.n_seeds} seeds do not divide"
        for member in (job, *job.others):
            for problem in _member_problems(job.model, member):
                yield f"job {number}{problem}"


def _member_problems(model: str, member: _MemberFile) -> Iterator[str]:
    try:
        config = FitConfig.from_dict(member.config)
    except UserError as error:
        yield f": {error}"
        return
    if config.name != model:
        yield f" of {model} has a config of {config.name}"
    if bool(member.learning_rates) is not MODELS[config.model].trains_in_epochs:
        yield f" has {len(member.learning_rates)} learning rates for {config.name}"
    if why_not := _why_not_built(config):
        yield f": {config.model} cannot be built ({why_not})"


def _why_not_built(config: FitConfig) -> str:
    spec = MODELS[config.model]
    n_genes = (2,) if spec.trains_in_epochs else ()
    try:
        spec.build(*n_genes, **config.hyperparameters)
    # any error of a constructor, given hand-written values
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        return " ".join(str(error).split())
    return ""


def _set_problems(best: BestFile) -> Iterator[str]:
    folds: dict[str, list[int]] = {}
    for job in best.jobs:
        folds.setdefault(job.model, []).append(job.fold)
    wanted = list(range(len(best.folds)))
    for model, found in folds.items():
        if found != wanted:
            yield f"{model} has jobs for folds {found}, not one for each of {wanted} in order"
    n_started = len(best.folds) if best.init_from else 0
    if len(best.starts) != n_started:
        yield f"it names the start of {len(best.starts)} folds, not of {n_started}"
    n_weighed = len(best.folds) if best.model == BEST else 0
    if len(best.weights) != n_weighed:
        yield f"it has weights for {len(best.weights)} folds, not for {n_weighed}"
    wanted_models = {m for of in best.weights for m in of} or {best.model}
    if lacking := sorted(wanted_models - set(folds)):
        yield f"it has no job of its model {lacking[0]}"
