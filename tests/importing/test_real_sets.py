"""Public files as their authors publish them; skipped where they are absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytest import approx

from gx2c.data import Brain, check_dataset, load_dataset
from gx2c.importing.labels import parse_label
from sweeps.cli.app import main

ROOT = Path(__file__).parents[2]
PLACES = [ROOT / "../shared/data/raw", ROOT / "../../shared/data/raw"]
RAW = next((place.resolve() for place in PLACES if place.exists()), None)
pytestmark = pytest.mark.skipif(RAW is None, reason="no public files at ../shared/data/raw")
SURFACES = ("--surfaces", "conte69_32k_lh.gii", "conte69_32k_rh.gii")
SPHERES = ("--sphere", "conte69_32k_lh_sphere.gii", "conte69_32k_rh_sphere.gii")


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert RAW is not None
    monkeypatch.chdir(RAW)

    def run(*arguments: str) -> Brain:
        out = tmp_path / "brain"
        with pytest.raises(SystemExit) as ended:
            main(["data", "import", *arguments, "--out", str(out)])
        assert ended.value.code == 0
        assert check_dataset(out) == []
        return load_dataset(out)

    return run


def test_enigma_desikan_killiany(imported) -> None:
    brain = imported("enigma_dk", *SURFACES, *SPHERES)
    assert (brain.n_regions, brain.n_genes) == (66, 1645)
    assert brain.excluded == ("R_frontalpole", "R_temporalpole")
    z = np.loadtxt("enigma_dk/funcMatrix_ctx.csv", delimiter=",")
    assert brain.connectome[0, 1] == approx(np.tanh(z[0, 1]), abs=1e-9)
    assert brain.sphere_coords is not None and brain.structural_connectome is not None
    assert brain.structural_connectome.max() == 1


def test_enigma_schaefer400(imported) -> None:
    brain = imported("enigma_schaefer400", *SURFACES, *SPHERES)
    assert (brain.n_regions, brain.n_genes, len(brain.excluded)) == (351, 282, 49)
    assert set(brain.network) == {
        "Vis", "SomMot", "DorsAttn", "SalVentAttn", "Limbic", "Cont", "Default"
    }  # fmt: skip


def test_4s156_with_the_expression_of_schaefer100(imported) -> None:
    brain = imported("4s156", "--expression", "schaefer100")
    other = load_dataset("schaefer100")
    assert (brain.n_regions, brain.n_genes, len(brain.excluded)) == (99, 15_633, 57)
    place = {parse_label(label).key: i for i, label in enumerate(other.labels)}
    rows = [place[parse_label(label).key] for label in brain.labels]
    np.testing.assert_array_equal(brain.expression, other.expression[rows])
    np.testing.assert_array_equal(brain.sphere_coords, other.sphere_coords[rows])
    edges = np.triu_indices(99, 1)
    alike = np.corrcoef(brain.connectome[edges], other.connectome[np.ix_(rows, rows)][edges])
    assert alike[0, 1] > 0.75


def test_4s156_without_expression_keeps_the_whole_brain(imported) -> None:
    brain = imported("4s156")
    assert np.bincount(brain.hemisphere).tolist() == [73, 73, 10]
    assert brain.structure is not None
    assert [brain.structure.count(s) for s in ("cortex", "subcortex", "cerebellum")] == [
        100,
        46,
        10,
    ]


def test_streamline_counts_of_another_parcellation_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert RAW is not None
    monkeypatch.chdir(RAW)
    counts = ["--structural", "4s156/4S456_DTI_count.mat"]
    with pytest.raises(SystemExit) as ended:
        main(["data", "import", "4s156", *counts, "--out", str(tmp_path / "x")])
    assert ended.value.code == 2
    assert "456 regions of another parcellation than the 156" in capsys.readouterr().err


def test_ipa183(imported) -> None:
    brain = imported("ipa183")
    assert np.bincount(brain.hemisphere).tolist() == [85, 87, 11]
    assert (brain.n_regions, brain.n_genes) == (183, 0)
