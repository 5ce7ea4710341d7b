"""Every file of a run folder, named in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gx2c.errors import UserError

# Of a running sweep; one that was killed as it began leaves nothing else
LOCK_FILE = ".lock"


def check_new_folder(folder: Path, *, hint: str) -> None:
    """Refuse a folder that holds something or cannot be made.

    Parameters
    ----------
    folder
        Where results are to go.
    hint
        What to do instead, the end of the message.

    Raises
    ------
    UserError
        If the folder is a file, is not empty, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give a folder that does not exist")
    if folder.is_dir() and any(entry.name != LOCK_FILE for entry in folder.iterdir()):
        raise UserError(f"{folder} exists already; {hint}")
    parent = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise UserError(
            f"{folder} cannot be made, for {parent} is not a folder that can be written"
        )


@dataclass(frozen=True)
class SweepPaths:
    """The files of one sweep.

    Parameters
    ----------
    root
        The run folder.
    """

    root: Path

    @property
    def sweep(self) -> Path:
        """The options of the sweep."""
        return self.root / "sweep.yaml"

    @property
    def inputs(self) -> Path:
        """Which data the sweep was started with."""
        return self.root / "inputs.json"

    @property
    def folds(self) -> Path:
        """Names of the regions of every outer and inner fold."""
        return self.root / "folds.json"

    @property
    def warm_start(self) -> Path:
        """Trials of earlier runs that the searches were told of, as they were then."""
        return self.root / "warm_start.json"

    @property
    def summary(self) -> Path:
        """Scores, gains, p-values and provenance."""
        return self.root / "summary.json"

    @property
    def best(self) -> Path:
        """The exported configs, one per outer fold."""
        return self.root / "best.yaml"

    @property
    def trials(self) -> Path:
        """Every config with its values, curve and state."""
        return self.root / "trials.parquet"

    @property
    def report(self) -> Path:
        """The page to read."""
        return self.root / "report.html"

    @property
    def study(self) -> Path:
        """A copy of the search for optuna-dashboard, never read back."""
        return self.root / "study.db"

    @property
    def seconds(self) -> Path:
        """Time spent in each phase by the sessions so far."""
        return self.root / "seconds.json"

    @property
    def tune(self) -> Path:
        """Ray Tune's own files; removed when the search ends."""
        return self.root / "tune"

    @property
    def cluster(self) -> Path:
        """Where the latest session's cluster can be looked at."""
        return self.root / "cluster.json"

    @property
    def tensorboard(self) -> Path:
        """Learning curves of networks for TensorBoard."""
        return self.root / "tensorboard"

    @property
    def sessions(self) -> Path:
        """Names of Ray Tune's folders, one per session of the sweep."""
        return self.root / "sessions.json"

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

    def retrained_files(self, model: str, fold: int) -> list[Path]:
        """All files of one retrained model, its scores last."""
        scores = self.retrained(model, fold)
        others = sorted(p for p in scores.parent.glob("[!.]*") if p != scores)
        return [*others, scores]

    def predicted(self, model: str, fold: int, dataset: str) -> Path:
        """Predicted connectome of the fold's test regions (BIDS BEP017 relmat)."""
        name = f"desc-{model}Fold{fold}_meas-PearsonCorrelation_relmat.tsv"
        return self.retrained_dir(model, fold) / f"atlas-{dataset}_{name}"

    def measured(self, model: str, fold: int, dataset: str) -> Path:
        """Measured connectome of the fold's test regions, beside the predicted one."""
        name = f"desc-measuredFold{fold}_meas-PearsonCorrelation_relmat.tsv"
        return self.retrained_dir(model, fold) / f"atlas-{dataset}_{name}"

    def weights(self, model: str, fold: int) -> Path:
        """Weights of one retrained network."""
        return self.retrained_dir(model, fold) / "weights.safetensors"

    def null_group(self, model: str, fold: int, group: int) -> Path:
        """Scores of one group of nulls on one fold."""
        return self.root / "nulls" / model / f"fold_{fold:02d}" / f"group_{group:04d}.json"

    def null_scores(self, model: str) -> Path:
        """Each null's scores, averaged over folds."""
        return self.root / "nulls" / model / "scores.tsv"
