"""Load, check and describe a dataset folder; every problem is listed at once."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.brain import Brain, leave_out
from gx2c.data.layout import (
    DESCRIPTION,
    GENES,
    REGIONS,
    TRUSTED,
    DatasetFolder,
    dataset_folders,
    find_dataset,
)
from gx2c.data.notices import notices
from gx2c.data.problems import brain_problems
from gx2c.data.reading import read_folder
from gx2c.data.row_order import row_order
from gx2c.data.tables import read_json
from gx2c.data.writing import checksums
from gx2c.errors import DataError, logger
from gx2c.files import ordinary


def list_datasets() -> list[tuple[str, Path, str]]:
    """List the datasets that can be named: name, folder and one line about each."""
    return [(name, folder.root, _summary(folder)) for name, folder in dataset_folders().items()]


def load_dataset(name_or_path: str | Path, *, trust_row_order: bool = False) -> Brain:
    """Load a dataset.

    Regions whose expression or connectivity is missing throughout are dropped and named in
    `Brain.excluded`; that, suspicious data (`gx2c.data.notices`) and files that differ from their
    recorded checksums are logged under "gx2c".

    Parameters
    ----------
    name_or_path
        A dataset's name (see `list_datasets`) or the path of a folder.
    trust_row_order
        Whether rows that seem to be in different orders are accepted (see `gx2c.data.row_order`).

    Raises
    ------
    DataError
        If the folder is not a dataset that can be used; every problem is listed.
    UserError
        If there is no such dataset.
    """
    folder = DatasetFolder(find_dataset(name_or_path))
    brain, problems = _read_brain(folder, trust_row_order)
    if brain is None:
        raise DataError(str(folder.root), problems)
    _log_notices(brain, folder)
    return brain


def check_dataset(name_or_path: str | Path, *, trust_row_order: bool = False) -> list[str]:
    """List every problem of a dataset, one sentence each; an empty list means that it is good.

    In addition to everything that `load_dataset` refuses, files that differ from the checksums in
    dataset_description.json are problems here.

    Parameters
    ----------
    name_or_path, trust_row_order
        As in `load_dataset`.

    Raises
    ------
    UserError
        If there is no such dataset.
    """
    folder = DatasetFolder(find_dataset(name_or_path))
    return _read_brain(folder, trust_row_order)[1] + checksum_problems(folder)


def describe_dataset(name_or_path: str | Path, *, trust_row_order: bool = False) -> dict[str, Any]:
    """Summarise a dataset for people: sizes, networks, licences, citations.

    Parameters
    ----------
    name_or_path, trust_row_order
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
    brain = load_dataset(name_or_path, trust_row_order=trust_row_order)
    description = _description(folder)
    return {
        "name": brain.name,
        "path": str(folder.root),
        "summary": _summary(folder),
        "n_regions": brain.n_regions,
        "n_left": int(np.count_nonzero(brain.hemisphere == 0)),
        "n_right": int(np.count_nonzero(brain.hemisphere == 1)),
        "n_both_sides": int(np.count_nonzero(brain.hemisphere == 2)),
        "excluded": list(brain.excluded),
        "structures": dict(Counter(brain.structure or ())),
        "expression_from": dict(Counter(brain.expression_from or ())),
        "measures": sorted(brain.measures or ()),
        "networks": dict(sorted(Counter(brain.network).items())),
        "n_genes": brain.n_genes,
        "n_genes_with_tss": 0 if brain.tss is None else int(np.isfinite(brain.tss).sum()),
        "holdout_connectome": brain.holdout_connectome is not None,
        "structural_connectome": brain.structural_connectome is not None,
        "n_individuals": 0
        if brain.individual_connectomes is None
        else len(brain.individual_connectomes),
        "sphere_coordinates": brain.sphere_coords is not None,
        "row_order": list(row_order(brain).lines()),
        "license": description.get("License", "not stated"),
        "licences": description.get("Licences", {}),
        "references": description.get("ReferencesAndLinks", []),
        "size_mb": round(sum(path.stat().st_size for path in folder.root.glob("*")) / 1e6, 2),
        "sha256": brain.checksum,
    }


def comes_from_allen(name_or_path: str | Path) -> bool:
    """Return whether a dataset's description names the Allen Human Brain Atlas."""
    text = json.dumps(_description(DatasetFolder(find_dataset(name_or_path))))
    return "Allen Human Brain Atlas" in text or "AHBA" in text


def references_of(name_or_path: str | Path) -> list[str]:
    """Return the publications that a dataset's description names, as it spells them."""
    found = _description(DatasetFolder(find_dataset(name_or_path))).get("ReferencesAndLinks")
    return [str(one) for one in found] if isinstance(found, list) else []


def dataset_sizes(root: Path) -> str:
    """Describe the regions, genes, size and licence of a folder without loading it."""
    folder = DatasetFolder(root)
    rows = []
    for name in (REGIONS, GENES):
        path = root / name
        rows.append(max(ordinary(path).read_bytes().count(b"\n") - 1, 0) if path.exists() else 0)
    size = sum(path.stat().st_size for path in folder.files()) / 1e6
    terms = str(_description(folder).get("License", "licence not stated")).split(":")[0]
    return f"{rows[0]} regions, {rows[1]:,} genes, {size:.1f} MB, {terms}"


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


def _read_brain(folder: DatasetFolder, trust_row_order: bool) -> tuple[Brain | None, list[str]]:
    parts, problems = read_folder(folder)
    if problems:
        # Parts that could be read are checked too, so that one run shows everything
        return None, problems + list(brain_problems(leave_out(parts)))
    try:
        trusted = trust_row_order or bool(_description(folder).get(TRUSTED))
        found = checksums(folder)
        lines = (f"{path.name} {found[path.name]}\n" for path in sorted(folder.data_files()))
        checksum = hashlib.sha256("".join(lines).encode()).hexdigest()
        return Brain(name=folder.name, checksum=checksum, trust_row_order=trusted, **parts), []
    except DataError as error:
        return None, list(error.problems)


def _log_notices(brain: Brain, folder: DatasetFolder) -> None:
    order = row_order(brain)
    for sentence in (*order.problems(), *order.warnings()):
        logger.warning("%s: %s", brain.name, sentence)
    for notice in notices(brain):
        logger.info("%s: %s", brain.name, notice)
    for problem in checksum_problems(folder):
        logger.warning("%s: %s", brain.name, problem)


def _description(folder: DatasetFolder) -> dict[str, Any]:
    try:
        return read_json(folder.root / DESCRIPTION)
    except DataError:
        return {}


def _summary(folder: DatasetFolder) -> str:
    return str(_description(folder).get("Summary", ""))
