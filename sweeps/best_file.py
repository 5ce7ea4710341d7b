"""The exported configs of a sweep, read back and checked: anyone may have edited the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gx2c.data import BrainView
from gx2c.data.checks import duplicates
from gx2c.errors import UserError
from gx2c.fit import FitConfig
from gx2c.models import MODELS
from gx2c.splits import SPLITTERS
from gx2c.splits.fold import MIN_TEST_REGIONS, MIN_TRAIN_REGIONS


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _FoldFile(_Strict):
    fold: int
    train_regions: list[str] = Field(min_length=MIN_TRAIN_REGIONS)
    test_regions: list[str] = Field(min_length=MIN_TEST_REGIONS)
    blocks: list[int] | None = None


class _JobFile(_Strict):
    model: str
    fold: int = Field(ge=0)
    config: dict[str, Any]
    learning_rates: list[Annotated[float, Field(ge=0, allow_inf_nan=False)]]
    seed: int = Field(ge=0)


class _ProfileFile(_Strict):
    device: Literal["cpu", "cuda"]
    threads: int = Field(ge=1)
    dtype: Literal["float32", "bfloat16"]
    attention: Literal["sdpa", "flash"]


class BestFile(_Strict):
    """What best.yaml holds."""

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


def read_best(path: Path) -> BestFile:
    """Read and check an exported file.

    Raises
    ------
    UserError
        If it is not one, with every problem.
    """
    try:
        best = BestFile.model_validate(yaml.safe_load(path.read_text()))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); give a best.yaml") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not YAML ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in e['loc']) or 'file'}: {e['msg']}"
            for e in error.errors()[:10]
        )
        raise UserError(f"{path} is not a best.yaml that gx2c wrote ({wrong})") from None
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
            yield f"fold {number} in order is called {fold.fold}"
        if repeated := duplicates([*fold.train_regions, *fold.test_regions]):
            yield f"fold {number} names regions more than once: {repeated[:3]}"
        if fold.blocks is not None and len(fold.blocks) != len(fold.test_regions):
            yield f"fold {number} has {len(fold.blocks)} blocks for its test regions"


def _job_problems(best: BestFile) -> Iterator[str]:
    n_folds = len(best.folds)
    for number, job in enumerate(best.jobs):
        if job.fold >= n_folds:
            yield f"job {number} asks for fold {job.fold}, there are {n_folds}"
        try:
            config = FitConfig.from_dict(job.config)
        except UserError as error:
            yield f"job {number}: {error}"
            continue
        if config.model != job.model:
            yield f"job {number} is of {job.model} with a config of {config.model}"
        if bool(job.learning_rates) is not (MODELS[config.model].kind == "iterative"):
            yield f"job {number} has {len(job.learning_rates)} learning rates for {config.model}"
        if why_not := _why_not_built(config):
            yield f"job {number}: {config.model} cannot be made ({why_not})"


def _why_not_built(config: FitConfig) -> str:
    spec = MODELS[config.model]
    n_genes = (2,) if spec.kind == "iterative" else ()
    try:
        spec.build(*n_genes, **config.hyperparameters)
    # whatever a constructor makes of values that someone wrote by hand
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
    if best.model not in folds:
        yield f"it is of {best.model} and has no job of it"
