"""Data that are wrong or suspicious without being malformed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dataset_editing import Rows, rewrite_expression, rewrite_table, run, without_checksums

from gx2c.data import (
    Brain,
    BrainView,
    check_dataset,
    load_dataset,
    make_synthetic_brain,
    write_dataset,
)
from gx2c.errors import DataError, UserError
from sweeps.request.notes import data_notes, search_notes
from sweeps.request.options import make_options
from sweeps.request.plan import make_plan, plan_sweep


@pytest.fixture(scope="module")
def brain() -> Brain:
    return make_synthetic_brain(n_regions=40, n_genes=12, seed=2)


@pytest.fixture
def folder(brain: Brain, tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "lying", brain, {"Name": "lying"})


@pytest.mark.parametrize(
    ("word", "structure"),
    [("Isocortex", "cortex"), ("subcortex/brainstem", "subcortex"), ("Cerebellar", "cerebellum")],
)
def test_words_for_structures_are_those_of_abagen_and_4s(
    brain: Brain, folder: Path, word: str, structure: str
) -> None:
    def edit(rows: Rows) -> Rows:
        return [[*rows[0], "structure"], [*rows[1], word], *([*row, "cortex"] for row in rows[2:])]

    rewrite_table(folder / "regions.tsv", edit)
    loaded = load_dataset(without_checksums(folder))
    assert loaded.structure is not None and loaded.structure[0] == structure


def test_regions_outside_the_cortex_are_named_when_left_out(
    brain: Brain, caplog: pytest.LogCaptureFixture
) -> None:
    structure = ("subcortex", *["cortex"] * 39)
    with caplog.at_level(logging.INFO, logger="gx2c"):
        kept = BrainView(cortex_only=True).of(replace(brain, structure=structure))
    assert kept.n_regions == 39
    assert brain.labels[0] in caplog.text


@pytest.mark.parametrize(
    "form", ["lh_{}", "L_{}", "ctx-lh-{}", "LH-{}", "Left-{}", "{}_L", "{}-lh"]
)
def test_a_side_in_a_label_must_agree_with_the_hemisphere(brain: Brain, form: str) -> None:
    mirror = str.maketrans({"l": "r", "L": "R"})
    right = form.replace("Left", "Right").translate(mirror) if "Left" not in form else "Right-{}"
    labels = [(form if i < 20 else right).format(f"area{i % 20}x") for i in range(40)]
    assert replace(brain, labels=tuple(labels)).n_regions == 40
    labels[0], labels[20] = labels[20], labels[0]
    with pytest.raises(DataError, match="hemisphere contradicts the label"):
        replace(brain, labels=tuple(labels))


def test_a_brain_leaves_regions_without_expression_out_as_a_folder_does(brain: Brain) -> None:
    expression = brain.expression.copy()
    expression[3] = np.nan
    made = replace(brain, expression=expression)
    assert made.n_regions == 39 and made.excluded == (brain.labels[3],)
    assert made.connectome.shape == (39, 39)


def test_a_region_without_connectivity_is_left_out_with_a_notice(
    brain: Brain, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def edit(rows: Rows) -> Rows:
        rows[5] = ["n/a"] * 40
        return [rows[0], *([*row[:4], "n/a", *row[5:]] for row in rows[1:])]

    rewrite_table(next(folder.glob("*cohort-main*_relmat.tsv")), edit)
    with caplog.at_level(logging.INFO, logger="gx2c"):
        loaded = load_dataset(without_checksums(folder))
    assert loaded.n_regions == 39 and brain.labels[4] in loaded.excluded
    assert f"without connectivity left out: {brain.labels[4]}" in caplog.text


def test_a_gene_without_any_value_is_named_as_such(folder: Path) -> None:
    rewrite_expression(folder, lambda frame: frame.assign(GENE3=np.nan))
    with pytest.raises(DataError) as refused:
        load_dataset(folder)
    (problem,) = [p for p in refused.value.problems if "expression" in p]
    assert "gene 'GENE3' has no value in any region" in problem
    assert "synthetic_LH_1" not in problem


def test_only_the_row_that_is_missing_is_named(brain: Brain) -> None:
    holdout = np.array(brain.holdout_connectome)
    holdout[7, :] = holdout[:, 7] = np.nan
    with pytest.raises(DataError) as refused:
        replace(brain, holdout_connectome=holdout)
    (problem,) = refused.value.problems
    assert f"no value in the row of {brain.labels[7]!r}" in problem
    assert brain.labels[0] not in problem


def with_gene(name: str, values: Callable[[Brain], np.ndarray]) -> Callable[[Brain], Brain]:
    def change(brain: Brain) -> Brain:
        expression = np.column_stack([brain.expression, values(brain)])
        return replace(brain, genes=(*brain.genes, name), expression=expression, tss=None)

    return change


def with_rows(edit: Callable[[np.ndarray], None]) -> Callable[[Brain], Brain]:
    def change(brain: Brain) -> Brain:
        expression = brain.expression.copy()
        edit(expression)
        return replace(brain, expression=expression)

    return change


def set_rows(value: float) -> Callable[[np.ndarray], None]:
    return lambda expression: expression.__setitem__(2, value)


def noise(brain: Brain) -> np.ndarray:
    return np.random.default_rng(5).normal(size=brain.n_regions)


SUSPICIOUS: dict[str, tuple[Callable[[Brain], Brain], str]] = {
    "index": (with_gene("Unnamed: 0", noise), "'Unnamed: 0' is no gene"),
    "coordinate": (with_gene("X", lambda b: b.coords_mm[:, 1]), "'X' equals a coordinate"),
    "counting": (with_gene("N", lambda b: np.arange(40.0)), "'N' rises by one"),
    "constant": (with_gene("ONE", lambda b: np.ones(40)), "'ONE', have the same value everywhere"),
    "identical": (with_gene("TWIN", lambda b: b.expression[:, 0]), "'GENE1' and 'TWIN' are equal"),
    "zero row": (with_rows(set_rows(0.0)), "expression is 0 throughout in region"),
    "equal rows": (
        with_rows(lambda expression: expression.__setitem__(2, expression[1])),
        "have equal expression",
    ),
    "huge": (with_rows(lambda expression: expression.__imul__(1e101)), "beyond 1e100"),
    "whole numbers": (
        lambda b: replace(b, connectome=np.round(b.connectome)),
        "connectome holds whole numbers only",
    ),
    "equal connectivity": (
        lambda b: replace(b, connectome=_equal_connectivity(b.connectome)),
        "have equal connectivity",
    ),
}


def _equal_connectivity(connectome: np.ndarray) -> np.ndarray:
    changed = connectome.copy()
    changed[2, :], changed[:, 2] = changed[1, :], changed[:, 1]
    changed[2, 2] = changed[1, 1]
    return changed


@pytest.mark.parametrize("what", SUSPICIOUS)
def test_legal_and_suspicious_data_are_noticed(brain: Brain, what: str) -> None:
    from gx2c.data.notices import notices

    change, words = SUSPICIOUS[what]
    assert not any(words in notice for notice in notices(brain))
    assert any(words in notice for notice in notices(change(brain))), list(notices(change(brain)))


def test_spins_of_zeros_fail_their_check(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "spins.npy", np.zeros((40, 5), dtype=np.int64))
    code = run("nulls", "check", str(tmp_path / "spins.npy"), "--dataset", str(folder))
    assert code == 2
    assert "one region" in capsys.readouterr().err


def test_tanh_is_advised_only_for_what_can_be_fisher_z(brain: Brain) -> None:
    for factor, there, absent in ((2.0, "tanh", "percent"), (50.0, "percent, counts", "tanh")):
        with pytest.raises(DataError) as refused:
            replace(brain, connectome=factor * brain.connectome)
        assert there in str(refused.value) and absent not in str(refused.value)


def test_labels_that_repeat_across_sides_ask_for_a_label_of_each_side(folder: Path) -> None:
    def edit(rows: Rows) -> Rows:
        return [rows[0], *([row[0].replace("_RH_", "_LH_"), *row[1:]] for row in rows[1:])]

    rewrite_table(folder / "regions.tsv", edit)
    with pytest.raises(DataError, match="give each side its own label"):
        load_dataset(folder)


def test_a_half_filled_matrix_is_said_to_be_one(brain: Brain) -> None:
    with pytest.raises(DataError, match="only the upper half of connectome is filled"):
        replace(brain, connectome=np.triu(brain.connectome))


def test_logged_counts_are_not_to_be_logged_again(brain: Brain) -> None:
    counts = 12.3 * np.array(brain.structural_connectome)
    with pytest.raises(DataError) as refused:
        replace(brain, structural_connectome=counts)
    assert "look like logged counts: divide them by their largest value" in str(refused.value)


def test_empty_cells_are_missing_values(brain: Brain, folder: Path) -> None:
    rewrite_table(
        folder / "genes.tsv", lambda rows: [rows[0], [rows[1][0], "", "", "", ""], *rows[2:]]
    )
    loaded = load_dataset(without_checksums(folder))
    assert loaded.tss is not None and np.isnan(loaded.tss[0])


def test_a_small_asymmetry_is_averaged_with_a_notice(
    brain: Brain, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def edit(rows: Rows) -> Rows:
        rows[1][3] = str(float(rows[1][3]) + 4e-4)
        return rows

    rewrite_table(next(folder.glob("*cohort-main*_relmat.tsv")), edit)
    with caplog.at_level(logging.INFO, logger="gx2c"):
        loaded = load_dataset(without_checksums(folder))
    assert loaded.connectome[0, 3] == pytest.approx(brain.connectome[0, 3] + 2e-4, abs=1e-9)
    assert "halves differ by up to 0.0004 and are averaged" in caplog.text


def test_files_of_macos_beside_the_real_ones_are_ignored(folder: Path) -> None:
    real = next(folder.glob("*cohort-main*_relmat.tsv"))
    real.with_name(f"._{real.name}").write_bytes(b"\0\5\x16\7")
    assert check_dataset(folder) == []


def test_data_check_lists_the_nulls_that_a_dataset_allows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("data", "check", str(folder)) == 0
    assert "nulls: alexander_bloch, hungarian" in capsys.readouterr().out


def test_data_check_tests_the_handedness_of_the_spheres(
    brain: Brain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sphere = np.array(brain.sphere_coords)
    sphere[brain.hemisphere == 1, 0] *= -1
    wrong = replace(brain, sphere_coords=sphere)
    folder = write_dataset(tmp_path / "wrong", wrong, {"Name": "wrong"})
    assert run("data", "check", str(folder)) == 0
    said = capsys.readouterr()
    assert "change the sign of the right sphere's x" in said.out + said.err


def test_refused_spins_name_what_to_use_instead(brain: Brain) -> None:
    from gx2c.nulls import make_surrogate

    sphere = np.array(brain.sphere_coords)
    sphere[5] = np.nan
    for changed in (replace(brain, sphere_coords=sphere), replace(brain, sphere_coords=None)):
        with pytest.raises(UserError) as refused:
            make_surrogate("hungarian", changed, seed=0)
        assert "moran" in str(refused.value)
    with pytest.raises(UserError, match=r"stitched.*--cortex-only|--cortex-only.*stitched"):
        make_surrogate("hungarian", replace(brain, sphere_coords=sphere), seed=0)


def test_an_order_along_the_genome_without_starts_is_a_warning_with_an_offer(
    brain: Brain, tmp_path: Path
) -> None:
    without = replace(brain, tss=None, genes=("A1BG", "A2M", *brain.genes[2:]))
    folder = write_dataset(tmp_path / "no-starts", without, {"Name": "no-starts"})
    options = {"dataset": str(folder), "preset": "quick", "folds": 2, "inner_folds": 2}
    notes = search_notes(make_plan(make_options("smt", **options)))
    (note,) = [note for note in notes if "--gene-order tss" in note]
    assert "alphabetical" in note and "2 of 12" in note and "schaefer100" in note


def test_the_offered_command_copies_the_starts(
    brain: Brain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without = replace(brain, tss=None, genes=("A1BG", "A2M", *brain.genes[2:]))
    folder = write_dataset(tmp_path / "no-starts", without, {"Name": "no-starts"})
    assert run("data", "starts", str(folder)) == 0
    assert "2 of 12 genes" in capsys.readouterr().out
    loaded, source = load_dataset(folder), load_dataset("schaefer100")
    assert loaded.tss is not None and source.tss is not None
    for gene in ("A1BG", "A2M"):
        assert loaded.tss[loaded.genes.index(gene)] == source.tss[source.genes.index(gene)]
    assert np.isnan(loaded.tss).sum() == 10
    assert check_dataset(folder) == []


def test_the_donors_are_named_for_data_of_the_allen_atlas_alone(folder: Path) -> None:
    options = {"preset": "quick", "folds": 2, "inner_folds": 2}
    known = make_plan(make_options("geography", dataset="schaefer100", **options))
    other = make_plan(make_options("geography", dataset=str(folder), **options))
    assert any("six donors" in note for note in data_notes(known))
    assert not any("donors" in note for note in data_notes(other))


def test_a_sweep_states_by_what_a_measure_is_divided(brain: Brain) -> None:
    times = np.where(np.eye(brain.n_regions, dtype=bool), 1.0, 7.5 * brain.connectome)
    largest = np.abs(times[~np.eye(len(times), dtype=bool)]).max()
    measured = replace(brain, measures={"MEG": times, "Similar": brain.connectome})
    options = {"preset": "quick", "folds": 2, "inner_folds": 2}
    said = f"MEG reaches {largest:.4g}, by which its values are divided"
    for target in ("MEG", "Similar", "functional"):
        plan = plan_sweep(make_options("geography", target=target, **options), measured)
        assert any(said in note for note in data_notes(plan)) == (target == "MEG")
        assert not any("divided" in note for note in data_notes(plan) if target != "MEG")
