"""A saved model meets new brains, and refuses what does not fit it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from small_models import TEST, TRAIN, make_brain, saved

import gx2c
from gx2c.data import BrainView, write_dataset
from gx2c.data.unmeasured import Unmeasured
from gx2c.errors import UserError
from gx2c.explain import knock_out
from gx2c.files import file_digest
from gx2c.fit import Task
from gx2c.saved.loading import load_model
from gx2c.saved.origin import measured_checksum
from gx2c.saved.run import load_run
from gx2c.saved.schema import FORMAT
from gx2c.saved.seen import may_have_seen
from gx2c.saved.writing import write_model
from gx2c.sealed import sealed
from sweeps.cli.app import main
from sweeps.folder.results import read_connectome


@pytest.fixture(scope="module")
def brain():
    return make_brain()


@pytest.fixture
def ridge(brain, tmp_path):
    model, _ = saved(tmp_path / "ridge", brain, "kernel_ridge", mean="constant")
    return model


def unmeasured(brain, **changes):
    places = (brain.coords_mm, brain.hemisphere)
    return replace(
        Unmeasured("new", brain.labels, brain.genes, brain.expression, *places), **changes
    )


def test_it_says_what_it_is(ridge, brain):
    assert repr(ridge) == (
        "SavedModel(kernel_ridge; synthetic-3, fold 0: 24 training regions, 12 genes)"
    )
    assert max(len(repr(one)) for one in (ridge.about, ridge.fitted, ridge.regions)) < 400
    about = ridge.about
    assert about.training_regions == [brain.labels[i] for i in TRAIN]
    assert about.test_regions == [brain.labels[i] for i in TEST]
    assert (about.reads, about.split, about.seed) == (["expression"], "spatial", 1)
    columns = [brain.genes.index(gene) for gene in about.genes]
    shown = brain.expression[np.ix_(TRAIN, columns)]
    np.testing.assert_allclose(ridge.arrays["gene_means"], shown.mean(axis=0))
    np.testing.assert_allclose(ridge.arrays["gene_deviations"], shown.std(axis=0))


def test_regions_of_another_parcellation_are_predicted_by_their_genes(ridge, brain):
    """A coarser parcellation, of which every region has the genes of one that was seen."""
    rows = [3, 30, 7]
    other = unmeasured(
        brain,
        labels=("a", "b", "c"),
        genes=brain.genes[::-1],
        expression=brain.expression[rows][:, ::-1],
        coords_mm=np.zeros((3, 3)),
        hemisphere=np.array([0, 0, 1]),
    )
    np.testing.assert_allclose(ridge.predict(other), ridge.predict(brain, rows), atol=1e-12)


def test_missing_genes_stand_at_their_training_mean_or_are_refused(ridge, brain, caplog):
    gene = ridge.genes[4]
    column = brain.genes.index(gene)
    means = brain.expression.copy()
    means[:, column] = brain.expression[TRAIN, column].mean()
    expected = ridge.predict(unmeasured(brain, expression=means))
    caplog.clear()
    fewer = unmeasured(
        brain,
        genes=tuple(g for g in brain.genes if g != gene),
        expression=np.delete(brain.expression, column, axis=1),
    )
    np.testing.assert_allclose(ridge.predict(fewer), expected, atol=1e-12)
    assert f"1 of the 12 genes that kernel_ridge reads are not in new ({gene})" in caplog.text
    with pytest.raises(UserError, match="lacks 1 of the 12 genes.*at most 5% may be missing"):
        ridge.predict(fewer, most_missing=0.05)


def test_an_estimator_is_saved(brain, tmp_path):
    fibres = BrainView(connectome="structural").of(brain)
    network = gx2c.models.MLP(genes="12_var", n_epochs=1, hidden_dims=(8,))
    network.fit(fibres, TRAIN, seed=5).save(tmp_path / "mlp")
    loaded = gx2c.load_model(tmp_path / "mlp")
    np.testing.assert_array_equal(loaded.predict(brain, TEST), network.predict(brain, TEST))
    assert "synthetic-3, some regions: 24 training regions" in repr(loaded)
    about = loaded.about
    assert about.training_regions == [brain.labels[i] for i in TRAIN] and not about.test_regions
    assert (about.dataset.measure, about.seed) == ("StructuralConnectivity", 5)
    assert about.dataset.measured == measured_checksum(fibres) != measured_checksum(brain)
    with pytest.raises(UserError, match="exists already"):
        network.save(tmp_path / "mlp")


def test_predictions_of_a_measure_are_written_in_its_own_range(brain, tmp_path, capsys):
    off = ~np.eye(32, dtype=bool)
    times = np.where(off, 40 * np.abs(brain.connectome), 1.0)
    view = BrainView(connectome="MEG").of(replace(brain, measures={"MEG": times}))
    ridge = gx2c.models.KernelRidge().fit(view, TRAIN)
    ridge.save(tmp_path / "ridge")
    assert gx2c.load_model(tmp_path / "ridge").about.dataset.divisor == times[off].max()
    folder = write_dataset(tmp_path / "brain", brain, {"Name": "brain"})
    model = load_model(tmp_path / "ridge")
    genes = model.genes[:3]
    for command, given, found in (
        ("predict", ("--expression", folder), model.predict(brain)),
        (
            "explain",
            ("--dataset", folder, "--knock-out", ",".join(genes)),
            knock_out([model], brain, genes).change,
        ),
    ):
        out = tmp_path / command
        with pytest.raises(SystemExit) as ended:
            main([command, *map(str, (tmp_path / "ridge", *given, "--out", out))])
        assert ended.value.code == 0 and "scale    that of MEG" in capsys.readouterr().out
        (written,) = out.glob("*_meas-MEG_relmat.tsv")
        expected = found * times[off].max()
        np.testing.assert_allclose(read_connectome(written)[1][off], expected[off], atol=1e-5)


def test_regions_that_it_may_have_seen_are_found_by_place(ridge, brain):
    seen = may_have_seen(ridge, brain)
    np.testing.assert_array_equal(np.flatnonzero(seen), TRAIN)
    nameless = tuple(f"r{k}" for k in range(brain.n_regions))
    by_place = may_have_seen(ridge, unmeasured(brain, labels=nameless))
    assert by_place[TRAIN].all()
    # another parcellation of the held-out places, and of none that is known
    far = unmeasured(brain, labels=nameless, coords_mm=brain.coords_mm + [0.0, 500.0, 0.0])
    assert not may_have_seen(ridge, far).any()
    lost = np.full((brain.n_regions, 3), np.nan)
    np.testing.assert_array_equal(may_have_seen(ridge, unmeasured(brain, coords_mm=lost)), seen)


def test_another_scale_is_noticed(ridge, brain, caplog):
    ridge.predict(brain)
    assert not caplog.text
    ridge.predict(unmeasured(brain, expression=1000 * brain.expression))
    assert "another scale" in caplog.text


def test_a_model_of_place_reads_no_genes(brain, tmp_path):
    model, fitted = saved(tmp_path / "geography", brain, "geography")
    bare = unmeasured(brain, genes=(), expression=np.empty((brain.n_regions, 0)))
    np.testing.assert_allclose(
        model.predict(bare, TEST), fitted.predict([brain], TEST)[0], atol=1e-12
    )
    assert model.about.reads == ["coordinates"] and model.genes == ()


@pytest.mark.parametrize(
    ("model", "features"),
    [
        ("mlp", ("expression-pca:3", "coordinates", "structural")),
        ("kernel_ridge", ("structural-laplacian:3", "structural-adjacency:2")),
    ],
)
def test_features_are_saved(model, features, brain, tmp_path):
    task = Task(features, "geography-residual", weight=0.5)
    keywords = {"mean": "none"} if model == "kernel_ridge" else {}
    loaded, fitted = saved(tmp_path / model, brain, model, task=task, **keywords)
    expected = fitted.predict([brain], TEST)[0]
    np.testing.assert_allclose(loaded.predict(brain, TEST), expected, atol=1e-12)
    assert loaded.name == f"geography+{model}"
    with pytest.raises(UserError, match="reads structural connectivity, and new has none"):
        loaded.predict(unmeasured(brain))
    fibres = brain.structural_connectome[:31, :31]
    parts = {n: getattr(brain, n)[:31] for n in ("labels", "expression", "coords_mm", "hemisphere")}
    with pytest.raises(UserError, match="all regions of synthetic-3"):
        loaded.predict(unmeasured(brain, structural_connectome=fibres, **parts))


def test_edges_that_only_test_regions_have_bind_a_model_to_them(brain, tmp_path):
    model, fitted = saved(tmp_path / "pls", brain, "pls_twostep_published")
    np.testing.assert_allclose(
        model.predict(brain, TEST), fitted.predict([brain], TEST)[0], atol=1e-12
    )
    with pytest.raises(UserError, match="predicts these alone"):
        model.predict(brain, TRAIN[: len(TEST)])


def rewritten(folder, **changes):
    """Change model.json as someone who can write checksums."""
    content = json.loads((folder / "model.json").read_text())
    del content["sha256"]
    (folder / "model.json").write_text(json.dumps(sealed(content | changes)))


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def grow(folder):
    """Append a row to an array, with its checksum."""
    path = folder / "arrays.safetensors"
    arrays = load_file(path)
    arrays["gene_means"] = np.append(arrays["gene_means"], 0.0)
    save_file(arrays, path)
    rewritten(folder, files={path.name: file_digest(path)})


def edit(folder):
    path = folder / "model.json"
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))


def other_config(folder):
    content = json.loads((folder / "model.json").read_text())
    (members,) = content["members"]
    members["config"]["hyperparameters"] = {"combine": "best"}
    rewritten(folder, members=[members])


def less_learned(folder):
    content = json.loads((folder / "model.json").read_text())
    (members,) = content["members"]
    del members["groups"][0]["model"]["learned"]["_smoothers"]
    rewritten(folder, members=[members])


DAMAGES = {
    "a flipped bit": (lambda f: flip(f / "arrays.safetensors"), "damaged .its checksum differs"),
    "an edit": (edit, "damaged or was edited"),
    "another shape": (grow, r"gene_means is \[13\], not \[12\]"),
    "a newer version": (
        lambda f: rewritten(f, format=FORMAT + 1, gx2c="9.0"),
        "by gx2c 9.0.*update gx2c",
    ),
    "no arrays": (lambda f: (f / "arrays.safetensors").unlink(), "No such file"),
    "no JSON": (lambda f: (f / "model.json").write_text("{"), "cannot be read"),
    "no model": (lambda f: (f / "model.json").unlink(), "holds no saved model"),
    "another kind": (lambda f: rewritten(f, genes=1), "genes: Input should be a valid list"),
    "an impossible config": (other_config, "combine is 'best'"),
    "a part that is missing": (less_learned, "does not fit its model .'_smoothers'"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_one_sentence(name, ridge, tmp_path):
    damage, said = DAMAGES[name]
    damage(tmp_path / "ridge")
    with pytest.raises(UserError, match=said) as caught:
        load_model(tmp_path / "ridge")
    assert "\n" not in str(caught.value) and "ridge" in str(caught.value)


def test_a_folder_that_is_taken_and_a_run_without_models_are_refused(ridge, tmp_path):
    with pytest.raises(UserError, match="exists already"):
        write_model(tmp_path / "ridge", {})
    with pytest.raises(UserError, match="no run with saved models"):
        load_run(tmp_path)
