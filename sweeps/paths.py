"""Every file of a run folder, named in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
        """Ray Tune's own files; removed when the sweep ends."""
        return self.root / "tune"

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
