"""Load, check and describe a dataset folder; all that is wrong is listed at once."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.brain import Brain
from gx2c.data.checks import brain_problems
from gx2c.data.layout import DESCRIPTION, DatasetFolder, dataset_folders, find_dataset
from gx2c.data.reading import read_folder
from gx2c.data.tables import read_json
from gx2c.data.writing import checksums
from gx2c.errors import DataError

logger = logging.getLogger("gx2c")


def list_datasets() -> list[tuple[str, Path, str]]:
    """List the datasets that come with gx2c: name, folder and one line about each."""
    return [(name, folder.root, _summary(folder)) for name, folder in dataset_folders().items()]


def load_dataset(name_or_path: str | Path) -> Brain:
    """Load a dataset.

    Regions whose expression is all NaN are dropped and named in `Brain.excluded`; that, genes
    without variance and files that differ from their recorded checksums are logged under "gx2c".

    Parameters
    ----------
    name_or_path
        A dataset's name (see `list_datasets`) or the path of a folder.

    Raises
    ------
    DataError
        If the folder is not a dataset that can be used; every problem is listed.
    UserError
        If there is no such dataset.
    """
    folder = DatasetFolder(find_dataset(name_or_path))
    brain, problems = _read_brain(folder)
    if brain is None:
        raise DataError(str(folder.root), problems)
    _log_notices(brain, folder)
    return brain


def check_dataset(name_or_path: str | Path) -> list[str]:
    """List every problem of a dataset, one sentence each; an empty list means that it is good.

    Beside all that `load_dataset` refuses, files that differ from the checksums in
    dataset_description.json are problems here.

    Parameters
    ----------
    name_or_path
        As in `load_dataset`.

    Raises
    ------
    UserError
        If there is no such dataset.
    """
    folder = DatasetFolder(find_dataset(name_or_path))
    return _read_brain(folder)[1] + checksum_problems(folder)


def describe_dataset(name_or_path: str | Path) -> dict[str, Any]:
    """Summarise a dataset for people: sizes, networks, licences, citations.

    Parameters
    ----------
    name_or_path
        As in `load_dataset`.

    Returns
    -------
    dict
        Plain values only (text, numbers, lists, dicts), ready for JSON.

    Raises
    ------
    DataError
        If the folder is not a dataset that can be used; every problem is listed.
    UserError
        If there is no such dataset.
    """
    folder = DatasetFolder(find_dataset(name_or_path))
    brain = load_dataset(name_or_path)
    description = _description(folder)
    return {
        "name": brain.name,
        "path": str(folder.root),
        "summary": _summary(folder),
        "n_regions": brain.n_regions,
        "n_left": int(np.count_nonzero(brain.hemisphere == 0)),
        "n_right": int(np.count_nonzero(brain.hemisphere == 1)),
        "excluded": list(brain.excluded),
        "networks": dict(sorted(Counter(brain.network).items())),
        "n_genes": brain.n_genes,
        "n_genes_with_tss": 0 if brain.tss is None else int(np.isfinite(brain.tss).sum()),
        "holdout_connectome": brain.holdout_connectome is not None,
        "structural_connectome": brain.structural_connectome is not None,
        "n_individuals": 0
        if brain.individual_connectomes is None
        else len(brain.individual_connectomes),
        "sphere_coordinates": brain.sphere_coords is not None,
        "license": description.get("License", "not stated"),
        "licences": description.get("Licences", {}),
        "references": description.get("ReferencesAndLinks", []),
        "size_mb": round(sum(path.stat().st_size for path in folder.root.glob("*")) / 1e6, 2),
        "sha256": brain.checksum,
    }


def checksum_problems(folder: DatasetFolder) -> list[str]:
    """List the files that differ from the checksums in the description, one sentence each."""
    recorded = _description(folder).get("SHA256", {})
    found = checksums(folder)
    if not isinstance(recorded, dict):
        return [f"{DESCRIPTION}: SHA256 must map file names to checksums"]
    missing = [
        f"{name} has a checksum in {DESCRIPTION} but is missing; restore it or drop the checksum"
        for name in recorded
        if name not in found
    ]
    differing = [
        f"{name} differs from its SHA-256 in {DESCRIPTION}; restore the file, or correct the "
        "checksum if the change was meant"
        for name, value in found.items()
        if name in recorded and recorded[name] != value
    ]
    return missing + differing


def _read_brain(folder: DatasetFolder) -> tuple[Brain | None, list[str]]:
    parts, problems = read_folder(folder)
    if problems:
        # Parts that could be read are checked too, so that one run shows everything
        return None, problems + list(brain_problems(**parts))
    try:
        return Brain(name=folder.name, checksum=_checksum(folder), **parts), []
    except DataError as error:
        return None, list(error.problems)


def _checksum(folder: DatasetFolder) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.data_files()):
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _log_notices(brain: Brain, folder: DatasetFolder) -> None:
    if brain.excluded:
        logger.info(
            "%s: %d region(s) without expression left out: %s",
            brain.name,
            len(brain.excluded),
            ", ".join(brain.excluded),
        )
    n_constant = int(np.count_nonzero(np.ptp(brain.expression, axis=0) == 0))
    if n_constant:
        logger.info("%s: %d gene(s) have the same value everywhere", brain.name, n_constant)
    for problem in checksum_problems(folder):
        logger.warning("%s: %s", brain.name, problem)


def _description(folder: DatasetFolder) -> dict[str, Any]:
    """Read the description; empty if it cannot be read, which reading the folder names."""
    return read_json(folder.description, []) or {}


def _summary(folder: DatasetFolder) -> str:
    return str(_description(folder).get("Summary", ""))
