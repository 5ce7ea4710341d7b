"""Every file of a run folder, named in one place."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path

from gx2c.errors import UserError
from gx2c.saved import INDEX_FILE

# Exists while a sweep runs; one that was killed at its start leaves nothing else
LOCK_FILE = ".lock"
# Where runs without --out are made
RUNS = Path("runs")


def check_new_folder(folder: Path, *, hint: str) -> None:
    """Refuse a folder that holds something or cannot be made; `hint` ends the message."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give a folder that does not exist")
    if folder.is_dir() and any(entry.name != LOCK_FILE for entry in folder.iterdir()):
        raise UserError(f"{folder} exists already; {hint}")
    parent = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise UserError(f"{folder} cannot be made, because {parent} is not a writable folder")


class _File:
    """A file or folder at the top of a run folder, by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, paths: SweepPaths, owner: type[SweepPaths]) -> Path:
        return paths.root / self.name


@dataclass(frozen=True)
class SweepPaths:
    """The files of one sweep.

    A `fold` is the place of an outer fold among those of all seeds, except in `model_dir`.
    """

    root: Path

    # The options of the sweep
    sweep = _File("sweep.yaml")
    # The data with which the sweep was started
    inputs = _File("inputs.json")
    # Names of the regions of every outer and inner fold
    folds = _File("folds.json")
    # Network, hemisphere and centroid of every region
    regions = _File("regions.tsv")
    # Copies of the trials of earlier runs that the searches learned from
    warm_start = _File("warm_start.json")
    # Scores, gains, p-values and provenance
    summary = _File("summary.json")
    # The saved models, one per model and outer fold, for `gx2c.load_run`
    models = _File(INDEX_FILE)
    # The exported configs, one per outer fold
    best = _File("best.yaml")
    # Every config with its values and state, for other tools
    trials = _File("trials.parquet")
    # Their learning curves, a row per epoch
    curves = _File("curves.parquet")
    # Results of `gx2c explain`, `attention` and `embed`, and a folder per knock-out
    explained = _File("explain")
    attention = _File("attention")
    embedding = _File("embedding")
    knock_outs = _File("knock_outs")
    # The page to read
    report = _File("report.html")
    # A copy of the search for optuna-dashboard, never read back
    study = _File("study.db")
    # Time spent in each phase by the sessions so far
    seconds = _File("seconds.json")
    # Ray Tune's own files; removed when the search ends
    tune = _File("tune")
    # How many nulls of each surrogate the sweep runs, as far as it has been decided
    nulls = _File("nulls.json")
    # The control of a gain: the model retrained on coordinates in place of genes
    coordinates = _File("coordinates")
    # The model of `geography+MODEL`, retrained without geography
    alone = _File("alone")
    # Address of the dashboard of the latest session's cluster
    cluster = _File("cluster.json")
    # Learning curves of networks for TensorBoard
    tensorboard = _File("tensorboard")
    # Configs that are training now, for dashboards
    running = _File("running.json")
    # Names of Ray Tune's folders, one per session of the sweep
    sessions = _File("sessions.json")

    def records_dir(self, model: str, fold: int) -> Path:
        """Folder of the finished configs of one search."""
        return self.root / "records" / model / f"fold_{fold:02d}"

    def record(self, model: str, fold: int, number: int) -> Path:
        """One finished config."""
        return self.records_dir(model, fold) / f"config_{number:05d}.json"

    def retrained_dir(self, model: str, fold: int) -> Path:
        """Folder of one retrained model."""
        return self.root / "retrained" / model / f"fold_{fold:02d}"

    def retrained(self, model: str, fold: int) -> Path:
        """Scores of one retrained model."""
        return self.retrained_dir(model, fold) / "result.json"

    def model_dir(self, model: str, seed: int, fold: int) -> Path:
        """Folder of the model saved for a fold of a seed, as `gx2c.load_model` reads it."""
        return self.root / "models" / model / f"seed_{seed}" / f"fold_{fold:02d}"

    def retrained_files(self, model: str, fold: int, saved: Path) -> list[Path]:
        """All files of one retrained model with those of a `model_dir`, its scores last."""
        scores = self.retrained(model, fold)
        others = sorted(p for p in scores.parent.glob("[!.]*") if p != scores)
        return [*others, *sorted(saved.glob("[!.]*")), scores]

    def predicted(self, model: str, fold: int, dataset: str, measure: str = "") -> Path:
        """Predicted connectome of the fold's test regions (BIDS BEP017 relmat).

        It is named after `measure`; without one, it is the file that is there.
        """
        return self._relmat(model, model, fold, dataset, measure)

    def measured(self, model: str, fold: int, dataset: str, measure: str = "") -> Path:
        """Measured connectome of the fold's test regions, next to the predicted one."""
        return self._relmat("measured", model, fold, dataset, measure)

    def null_group(self, model: str, fold: int, group: int) -> Path:
        """Scores of one group of nulls on one fold."""
        return self.root / "nulls" / model / f"fold_{fold:02d}" / f"group_{group:04d}.json"

    def null_scores(self, model: str) -> Path:
        """Each null's scores, averaged over folds."""
        return self.root / "nulls" / model / "scores.tsv"

    def _relmat(self, kind: str, model: str, fold: int, dataset: str, measure: str) -> Path:
        folder = self.retrained_dir(model, fold)
        start = f"atlas-{dataset}_desc-{kind}Fold{fold}_meas-"
        # earlier versions named every measure alike
        there = () if measure else sorted(folder.glob(f"{glob.escape(start)}*_relmat.tsv"))
        return there[0] if there else folder / f"{start}{measure or '*'}_relmat.tsv"


def newest_run() -> Path:
    """Return the run below runs/ that was started last.

    Raises
    ------
    UserError
        If there is none.
    """
    started = {path.stat().st_mtime: path.parent for path in RUNS.glob("*/sweep.yaml")}
    if not started:
        raise UserError(f"no run below {RUNS}/; give a run folder")
    return started[max(started)]
