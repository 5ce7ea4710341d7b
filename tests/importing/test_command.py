"""What an import asks, writes, says and repeats."""

from __future__ import annotations

import xml.etree.ElementTree
from pathlib import Path

import numpy as np
import pytest
from world import GENES, N, World, assert_same, imported, square, zero_diagonal

from gx2c.data import check_dataset, load_dataset
from gx2c.errors import DataError, UserError
from sweeps.cli.app import main


@pytest.fixture
def files(world: World, raw: Path) -> Path:
    """A folder whose files name everything."""
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")
    square(world.counts, world.labels).to_csv(raw / "sc_counts.csv")
    world.frame().to_csv(raw / "expression.csv")
    world.regions().to_csv(raw / "regions.csv", index=False)
    return raw


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["data", "import", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_the_command_says_what_it_understood_and_what_to_run_next(
    files: Path, tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my brain"
    assert run(files, "--out", out) == 0
    told = capsys.readouterr().out
    for sentence in (
        "regions: 32 of fc.csv; 32 have coordinates",
        "fc.csv: values from",
        "recognised as Pearson r",
        "sc_counts.csv: values from 0 to",
        "expression.csv: 12 genes, 32 of 32 regions",
        "same-named homologues after mirroring, mm: 0.00",
        "32 usable regions, 12 genes",
    ):
        assert sentence in told
    assert told.splitlines()[-1] == f"next: gx2c sweep kernel_ridge --dataset '{out}'"
    assert_same(load_dataset(out), world)
    assert check_dataset(out) == []


def test_another_measure_is_imported_as_a_target(
    files: Path, tmp_path: Path, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    order = list(range(N))[::-1]
    names = tuple(world.labels[i] for i in order)
    values = zero_diagonal(world.counts)
    square(values[np.ix_(order, order)], names).to_csv(tmp_path / "meg.csv")
    out, again = tmp_path / "brain", tmp_path / "again"
    assert run(files, "--measure", f"MEG={tmp_path / 'meg.csv'}", "--out", out) == 0
    assert "--target MEG predicts it" in capsys.readouterr().out
    assert run(out / "import.yaml", "--out", again) == 0
    off = ~np.eye(N, dtype=bool)
    for folder in (out, again):
        brain = load_dataset(folder)
        assert brain.measures is not None
        np.testing.assert_allclose(brain.measures["MEG"][off], values[off])
    assert run(files, "--measure", "meg.csv", "--out", tmp_path / "x") == 2
    assert "is no NAME=FILE" in capsys.readouterr().err


def test_a_dry_run_says_the_same_and_writes_nothing(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(files, "--out", tmp_path / "brain")
    told = capsys.readouterr().out.splitlines()
    assert run(files, "--out", tmp_path / "other", "--dry-run") == 0
    dry = capsys.readouterr().out.splitlines()
    assert dry[:-1] == told[:-2] and dry[-1] == "nothing was written (--dry-run)"
    assert not (tmp_path / "other").exists()


def test_the_recipe_repeats_the_import(files: Path, tmp_path: Path, world: World) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    assert run(files, "--out", first, "--expression", files / "expression.csv", "--scale", "r") == 0
    assert run(first / "import.yaml", "--out", again) == 0
    for path in first.iterdir():
        if path.name not in ("README.md", "dataset_description.json"):
            other = again / path.name.replace("first", "again")
            assert other.read_bytes() == path.read_bytes(), path.name
    (first / "import.yaml").write_text("scale: r\n")
    with pytest.raises(UserError, match="repeats no import"):
        imported(first / "import.yaml")


def test_the_readme_tells_sources_changes_and_the_labels_of_each_file(
    world: World, raw: Path
) -> None:
    square(world.connectome, world.full_labels).to_csv(raw / "fc.csv")
    frame = world.frame().rename(columns={"GENE3": "2-Sep"})
    frame.iloc[4:9] = np.nan
    frame.to_csv(raw / "genes.csv")
    world.regions().to_csv(raw / "regions.csv", index=False)
    brain, made = imported(raw, repair_genes=True)
    assert made.folder is not None
    text = (made.folder / "README.md").read_text()
    assert f"- {raw.resolve()}" in text
    assert "| 2-Sep | SEPTIN2 |" in text
    # a column for each file, and the names of all that is left out
    assert f"| {world.full_labels[0]} | {world.labels[0]} | {world.labels[0]} |" in text
    left_out = world.full_labels[4:9]
    said = "5 regions have no expression and are left out wherever it is read: "
    assert said + ", ".join(left_out) in text
    assert brain.excluded == left_out and "SEPTIN2" in brain.genes
    told = list(made.lines())
    assert f"  genes.csv: 32 regions, such as 'LH_Vis_1' for '{world.full_labels[0]}'" in told


def test_the_picture_shows_every_region_in_three_views(files: Path, world: World) -> None:
    _, made = imported(files)
    assert made.folder is not None
    root = xml.etree.ElementTree.parse(made.folder / "regions.svg").getroot()
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 3 * 32
    names = {title.text for circle in circles for title in circle}
    assert names == set(world.labels)
    assert len({circle.get("fill") for circle in circles}) == len(set(world.network))


def test_transcription_starts_come_with_every_dataset(world: World, raw: Path) -> None:
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")
    known = ["GFAP", "SST", *GENES[2:]]
    world.frame().set_axis(known, axis=1).to_csv(raw / "genes.csv")
    world.regions().to_csv(raw / "regions.csv", index=False)
    brain, _ = imported(raw)
    shipped = load_dataset("schaefer100")
    assert brain.tss is not None and shipped.tss is not None
    assert brain.tss[:2].tolist() == [shipped.tss[shipped.genes.index(g)] for g in known[:2]]
    assert np.isnan(brain.tss[2:]).all()


def test_expression_may_come_from_a_dataset(world: World, files: Path, raw: Path) -> None:
    _, made = imported(files)
    other = raw.parent / "other"
    other.mkdir()
    square(world.connectome[:20, :20], world.full_labels[:20]).to_csv(other / "fc.csv")
    brain, _ = imported(other, expression=str(made.folder))
    np.testing.assert_allclose(brain.expression, world.expression[:20])
    # the dataset also places its regions
    np.testing.assert_allclose(brain.coords_mm, world.coords_mm[:20])


def test_expression_with_genes_down_is_turned(world: World, files: Path) -> None:
    world.frame().T.to_csv(files / "expression.csv")
    assert_same(imported(files)[0], world)


def test_rows_without_names_need_the_word_of_the_user(world: World, raw: Path) -> None:
    np.savetxt(raw / "fc.csv", world.connectome, delimiter=",")
    world.regions().to_csv(raw / "regions.csv", index=False)
    with pytest.raises(UserError, match="nothing names the rows of 'fc.csv'; give --labels"):
        imported(raw)
    brain, made = imported(raw, by_position=True)
    assert_same(brain, world)
    assert "fc.csv: rows are in the order of regions.csv" in made.draft.notes


def test_places_without_names_need_it_too(world: World, raw: Path) -> None:
    np.savetxt(raw / "coords.txt", world.coords_mm)
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")
    (raw / "labels.csv").write_text(",".join(world.labels))
    assert_same(imported(raw)[0], world)


AMBIGUOUS = {
    "connectome": ("fc.csv", "fc_2.csv", "could each be the connectome; choose one with --conn"),
    "structural": ("sc_counts.csv", "sc_2.csv", "could each be the structural connectome; choose"),
    "expression": ("expression.csv", "expression_2.csv", "could each be the expression; choose"),
}


@pytest.mark.parametrize("role", AMBIGUOUS)
def test_of_several_candidates_one_is_asked_for(world: World, files: Path, role: str) -> None:
    name, other, words = AMBIGUOUS[role]
    (files / other).write_bytes((files / name).read_bytes())
    with pytest.raises(UserError, match=words):
        imported(files)
    brain, _ = imported(files, **{role: str(files / name)})
    assert_same(brain, world)


def test_one_file_of_people_is_chosen_by_its_option(files: Path, world: World) -> None:
    upper = world.connectome[np.triu_indices(N, 1)]
    for name, factor in (("first.npy", 0.5), ("second.npy", 0.25)):
        np.save(files / name, np.stack([upper, factor * upper]))
    with pytest.raises(UserError, match="choose one with --individuals FILE"):
        imported(files)
    brain, made = imported(files, individuals=str(files / "second.npy"))
    assert_same(brain, world)
    assert brain.individual_connectomes is not None and "second.npy: 2 people, Pearson r" in (
        made.draft.notes
    )
    np.testing.assert_allclose(brain.individual_connectomes[1], 0.25 * upper, atol=1e-6)


REFUSED = {
    "fc.csv": "no functional connectome was found",
    "regions.csv": "no file places the 32 regions of fc.csv, such as 'LH_Vis_1'",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_missing_is_named_with_the_remedy(files: Path, name: str) -> None:
    (files / name).unlink()
    with pytest.raises(UserError, match=REFUSED[name]):
        imported(files)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scale": "fisher"}, "no scale 'fisher'; choose from r, z"),
        ({"kind": "hcp"}, "no kind 'hcp'; choose from auto"),
        ({"surfaces": ("lh.gii",)}, "--surfaces takes two files"),
        ({"regions": "fc.csv"}, "fc.csv is not a table of regions"),
        ({"connectome": "expression.csv"}, "is not a square matrix"),
        ({"expression": "regions.csv"}, "has no column per gene"),
        ({"connectome": "nowhere.csv"}, "there is no .*nowhere.csv"),
    ],
)
def test_options_that_cannot_be_are_refused(
    files: Path, options: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    with pytest.raises(UserError, match=words):
        imported(files, **options)


def test_coordinates_in_another_order_are_refused_unless_trusted(world: World, raw: Path) -> None:
    """Rows of the table sorted otherwise than its labels: the most common silent mistake."""
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")
    table = world.regions()
    rng = np.random.default_rng(0)
    order = np.concatenate([rng.permutation(16), 16 + rng.permutation(16)])
    table[["x", "y", "z"]] = world.coords_mm[order]
    table.to_csv(raw / "regions.csv", index=False)
    with pytest.raises(
        DataError, match=r"homologues of one name lie \d+ mm apart .* 'LH_Vis_3 and"
    ):
        imported(raw)
    brain, made = imported(raw, trust_row_order=True)
    np.testing.assert_array_equal(brain.coords_mm, world.coords_mm[order])
    assert any("homologues of one name lie" in note for note in made.draft.notes)


def test_a_file_inside_a_folder_that_cannot_be_read_stops_nothing(
    files: Path, world: World
) -> None:
    (files / "broken.mat").write_bytes(b"nothing")
    brain, made = imported(files)
    assert_same(brain, world)
    assert any("broken.mat cannot be read" in note for note in made.draft.notes)
