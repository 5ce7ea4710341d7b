from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from dataset_editing import rewrite_expression, rewrite_table

from gx2c.data import (
    Brain,
    check_dataset,
    describe_dataset,
    find_dataset,
    list_datasets,
    load_dataset,
    write_dataset,
)
from gx2c.errors import DataError, UserError


def test_a_written_brain_is_read_back_exactly(small_brain: Brain, small_folder: Path) -> None:
    loaded = load_dataset(small_folder)
    for field in fields(Brain):
        if field.name not in ("name", "checksum"):
            np.testing.assert_array_equal(
                getattr(loaded, field.name), getattr(small_brain, field.name), err_msg=field.name
            )
    assert loaded.name == "small"
    assert check_dataset(small_folder) == []


def test_writing_twice_gives_the_same_bytes(small_brain: Brain, tmp_path: Path) -> None:
    folders = [write_dataset(tmp_path / n, small_brain, {"Name": "small"}) for n in "ab"]
    contents = [{p.name: p.read_bytes() for p in folder.iterdir()} for folder in folders]
    assert contents[0] == contents[1]
    write_dataset(folders[0], small_brain, {"Name": "small"})
    assert {p.name: p.read_bytes() for p in folders[0].iterdir()} == contents[1]


def test_a_brain_with_the_least_is_written_and_read(small_brain: Brain, tmp_path: Path) -> None:
    least = replace(small_brain, holdout_connectome=None, sphere_coords=None, tss=None)
    loaded = load_dataset(write_dataset(tmp_path / "least", least, {"Name": "least"}))
    assert loaded.holdout_connectome is None and loaded.sphere_coords is None
    assert loaded.tss is not None and np.isnan(loaded.tss).all()


def test_rows_in_another_order_are_aligned_by_label(
    small_brain: Brain, small_folder: Path, rng: np.random.Generator
) -> None:
    rewrite_table(small_folder / "genes.tsv", lambda rows: [rows[0], *rows[:0:-1]])
    rewrite_expression(small_folder, lambda frame: frame.iloc[rng.permutation(12)])
    path = next(small_folder.glob("*cohort-main*.tsv"))
    order = rng.permutation(12).tolist()
    rewrite_table(
        path,
        lambda rows: [
            [rows[0][i] for i in order],
            *([rows[1 + i][j] for j in order] for i in order),
        ],
    )
    loaded = load_dataset(small_folder)
    np.testing.assert_array_equal(loaded.expression, small_brain.expression)
    np.testing.assert_array_equal(loaded.connectome, small_brain.connectome)
    np.testing.assert_array_equal(loaded.tss, small_brain.tss)


def test_regions_without_expression_are_excluded_everywhere(
    small_brain: Brain, small_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rewrite_expression(
        small_folder, lambda frame: frame.drop("synthetic_LH_2").reindex(frame.index)
    )
    with caplog.at_level(logging.INFO, logger="gx2c"):
        loaded = load_dataset(small_folder)
    assert loaded.excluded == ("synthetic_LH_2",)
    assert "synthetic_LH_2" in caplog.text
    keep = np.delete(np.arange(12), 1)
    np.testing.assert_array_equal(loaded.connectome, small_brain.connectome[np.ix_(keep, keep)])
    np.testing.assert_array_equal(loaded.coords_mm, small_brain.coords_mm[keep])
    np.testing.assert_array_equal(loaded.hemisphere, small_brain.hemisphere[keep])
    np.testing.assert_array_equal(loaded.expression, small_brain.expression[keep])


def test_a_changed_file_is_noticed(small_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = load_dataset(small_folder).checksum
    path = small_folder / "regions.tsv"
    path.write_text(path.read_text().replace("band1", "other"))
    assert any("regions.tsv differs from its SHA-256" in p for p in check_dataset(small_folder))
    with caplog.at_level(logging.WARNING, logger="gx2c"):
        assert load_dataset(small_folder).checksum != before
    assert "regions.tsv differs" in caplog.text


def test_genes_that_do_not_vary_are_noticed(
    small_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rewrite_expression(small_folder, lambda frame: frame.assign(GENE1=0.5))
    with caplog.at_level(logging.INFO, logger="gx2c"):
        load_dataset(small_folder)
    assert "1 gene(s), 'GENE1', have the same value everywhere" in caplog.text


def test_an_undefined_diagonal_becomes_one(small_folder: Path) -> None:
    path = next(small_folder.glob("*cohort-main*.tsv"))
    rewrite_table(
        path,
        lambda rows: [
            rows[0],
            *(
                ["n/a" if i == j else c for j, c in enumerate(row)]
                for i, row in enumerate(rows[1:])
            ),
        ],
    )
    assert np.diagonal(load_dataset(small_folder).connectome).tolist() == [1.0] * 12


def test_writing_spares_a_folder_of_other_files(small_brain: Brain, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="give a new or empty folder"):
        write_dataset(tmp_path, small_brain, {"Name": "small"})
    with pytest.raises(UserError, match="name the dataset"):
        write_dataset(tmp_path / "new", small_brain, {})


def test_datasets_are_found_by_name_and_path(small_folder: Path) -> None:
    names = [name for name, _, _ in list_datasets()]
    assert "schaefer100" in names
    assert find_dataset("schaefer100").name == "schaefer100"
    assert find_dataset(str(small_folder)) == small_folder
    with pytest.raises(UserError, match=r"no dataset named 'schaefer99'.*schaefer100"):
        find_dataset("schaefer99")
    with pytest.raises(DataError, match="a dataset is a folder"):
        find_dataset(small_folder / "regions.tsv")


def test_a_description_is_plain_json(small_folder: Path) -> None:
    facts = describe_dataset(small_folder)
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["n_regions"], facts["n_genes"], facts["n_left"]) == (12, 6, 6)
    assert facts["summary"] == "a test"


def test_importing_the_data_layer_imports_nothing_heavy() -> None:
    code = "import sys, gx2c.data; print(sorted({'torch', 'pandas', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
