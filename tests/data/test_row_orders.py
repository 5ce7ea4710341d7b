"""Rows of a dataset in different orders are refused, trusted on demand, and reported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_editing import Rows, rewrite_table, run, without_checksums

from gx2c.data import Brain, check_dataset, load_dataset, make_synthetic_brain, write_dataset
from gx2c.data.row_order import row_order
from gx2c.errors import DataError
from sweeps.request.notes import data_notes
from sweeps.request.options import make_options
from sweeps.request.plan import make_plan


@pytest.fixture(scope="module")
def brain() -> Brain:
    return make_synthetic_brain(n_regions=40, n_genes=12, seed=2)


@pytest.fixture
def folder(brain: Brain, tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "lying", brain, {"Name": "lying"})


def shuffled(brain: Brain, *, seed: int = 1) -> np.ndarray:
    """Return an order that mixes the regions of each hemisphere."""
    rng = np.random.default_rng(seed)
    order = np.arange(brain.n_regions)
    for side in (0, 1):
        members = np.flatnonzero(brain.hemisphere == side)
        order[members] = rng.permutation(members)
    return order


def shuffle_columns(brain: Brain, folder: Path, ending: str) -> None:
    """Put the cells of some columns of regions.tsv into another order."""
    order = shuffled(brain).tolist()

    def edit(rows: Rows) -> Rows:
        moved = [i for i, name in enumerate(rows[0]) if name.endswith(ending)]
        body = [list(row) for row in rows[1:]]
        for to, come_from in enumerate(order):
            for column in moved:
                body[to][column] = rows[1 + come_from][column]
        return [rows[0], *body]

    rewrite_table(folder / "regions.tsv", edit)


@pytest.mark.parametrize(
    ("ending", "words"),
    [("_mm", "homologues of one name lie"), ("_sphere_mm", "hardly agree")],
)
def test_coordinates_in_another_order_are_refused_unless_trusted(
    brain: Brain, folder: Path, ending: str, words: str
) -> None:
    shuffle_columns(brain, folder, ending)
    without_checksums(folder)
    assert any(words in problem for problem in check_dataset(folder))
    with pytest.raises(DataError, match="--trust-row-order"):
        load_dataset(folder)
    assert load_dataset(folder, trust_row_order=True).n_regions == 40


def test_a_sweep_states_that_the_row_order_was_trusted(brain: Brain, folder: Path) -> None:
    shuffle_columns(brain, folder, "_mm")
    without_checksums(folder)
    options: dict[str, Any] = {"dataset": str(folder), "preset": "quick"}
    options |= {"folds": 2, "inner_folds": 2}
    with pytest.raises(DataError, match="--trust-row-order"):
        make_plan(make_options("geography", **options))
    trusted = make_options("geography", **options, trust_row_order=True)
    assert "row order trusted" in trusted.conditions
    assert any("mm apart after mirroring" in note for note in data_notes(make_plan(trusted)))


@pytest.mark.parametrize(
    "command",
    [
        "data check",
        "nulls make --out OUT.npy --n 2",
        "nulls check --surrogate random --n 2",
        pytest.param("nulls evaluate --out OUT --n 1", marks=pytest.mark.slow),
        pytest.param(
            "nulls calibrate --out OUT.tsv --brains 1 --power-brains 0 --nulls 19 "
            "--surrogate random",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_every_command_on_datasets_takes_the_option(
    brain: Brain,
    folder: Path,
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shuffle_columns(brain, folder, "_mm")
    without_checksums(folder)
    words = command.replace("OUT", str(tmp_path / "out")).split()
    words += [str(folder)] if words[0] == "data" else ["--dataset", str(folder)]
    assert run(*words) == 2
    assert "--trust-row-order" in capsys.readouterr().err
    assert run(*words, "--trust-row-order") == 0


def test_an_import_that_trusted_the_order_is_loaded(brain: Brain, folder: Path) -> None:
    shuffle_columns(brain, folder, "_mm")
    with pytest.raises(DataError, match="--trust-row-order"):
        load_dataset(without_checksums(folder))
    description = {"Name": "lying", "RowOrderTrusted": True}
    (folder / "dataset_description.json").write_text(json.dumps(description))
    assert load_dataset(folder).n_regions == 40
    assert check_dataset(folder) == []


def test_a_brain_of_arrays_in_different_orders_is_refused(brain: Brain) -> None:
    order = shuffled(brain)
    with pytest.raises(DataError, match="hardly agree"):
        replace(brain, coords_mm=brain.coords_mm[order])


def test_numbered_names_of_a_clustering_only_warn(brain: Brain) -> None:
    labels = tuple(f"{'LR'[side]}_{i % 20}" for i, side in enumerate(brain.hemisphere.tolist()))
    order = shuffled(brain)
    mixed = replace(brain, labels=labels, coords_mm=brain.coords_mm[order], sphere_coords=None)
    found = row_order(mixed)
    assert list(found.problems()) == []
    assert any("L_0" in warning for warning in found.warnings())


def test_a_connectome_in_another_order_is_noticed(brain: Brain) -> None:
    order = shuffled(brain)
    mixed = replace(brain, connectome=brain.connectome[np.ix_(order, order)])
    assert not any("connectome" in warning for warning in row_order(brain).warnings())
    assert any("the connectome" in warning for warning in row_order(mixed).warnings())


def test_data_show_and_check_report_the_order_of_rows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("show", "check"):
        assert run("data", command, str(folder)) == 0
        assert "MNI against sphere distances" in capsys.readouterr().out


def test_the_synthetic_brain_is_not_suspicious(brain: Brain) -> None:
    found = row_order(brain)
    assert list(found.problems()) == [] and list(found.warnings()) == []
