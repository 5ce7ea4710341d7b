"""Networks start from a saved model, which must not have seen what is tested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy
from small_models import make_brain

from gx2c.data import BrainView
from gx2c.data.brain import take_regions
from gx2c.data.two_brains import join_brains, overlap_mm
from gx2c.errors import UserError
from gx2c.fit import ComputeProfile, FitConfig, FittedModels, GeneOptions, NestedFit, retrain
from gx2c.fit.config import Task, TrainingSettings
from gx2c.saved.loading import load_model
from gx2c.saved.seen import may_have_seen
from gx2c.saved.starting import Starts
from gx2c.saved.writing import Training, model_files, write_model
from gx2c.splits import Fold, make_folds
from sweeps.cli.app import main

PROFILE = ComputeProfile()
SETTINGS = TrainingSettings(learning_rate=1e-2, block_regions=8, max_epochs=40)
MLP = FitConfig("mlp", {"hidden_dims": (16,)}, SETTINGS, GeneOptions("12_var", "random", 4))
NOTHING = np.arange(0)


def keep(folder, brain, train, *, config=MLP, n_epochs=1, seeds=(1, 2), start=None):
    """Fit networks on some regions and save them as one model."""
    rates = [1e-2] * n_epochs if config.model == "mlp" else []
    with PROFILE.active():
        fitted = FittedModels.fit(
            config,
            [brain] * len(seeds),
            train,
            learning_rates=rates,
            seeds=seeds,
            profile=PROFILE,
            start=start,
        )
    training = Training(train, NOTHING, [rates], [list(seeds)], PROFILE, start=start)
    write_model(folder, model_files([fitted], brain, training))
    return load_model(folder)


def as_saved(start, **training):
    """Return the config of networks that start from these."""
    genes = GeneOptions(start.genes, order="listed")
    return replace(start.config, genes=genes, training=replace(SETTINGS, **training))


@pytest.fixture(scope="module")
def brain():
    return make_brain(n_regions=48)


@pytest.fixture(scope="module")
def folds(brain):
    return make_folds(brain, split="bilateral", n_folds=4, n_inner_folds=2, seed=1)


def test_a_few_epochs_from_a_good_model_beat_as_many_from_random_weights(tmp_path):
    """The model learned from other people's connectome of each fold's training regions."""
    brain = make_brain(
        n_regions=80, n_genes=12, noise_weight=0.1, geography_weight=0.2, n_latents=3
    )
    others = replace(brain, connectome=brain.holdout_connectome, holdout_connectome=None)
    gains = []
    for number, fold in enumerate(make_folds(brain, n_folds=4, seed=1)):
        keep(tmp_path / f"{number}", others, fold.train_regions, n_epochs=40)
        (started,) = Starts.of(tmp_path / f"{number}", "mlp").begin(brain, [fold])
        config, given = as_saved(started.start), {"learning_rates": [1e-3] * 2, "seeds": [5]}
        scores = [
            retrain(config, [brain], one, **given, profile=PROFILE)[0].scores["pearson_r"]
            for one in (started, fold)
        ]
        gains.append(scores[0] - scores[1])
    assert min(gains) > 0.1, gains


def test_each_network_starts_from_one_that_its_seed_draws(brain, folds, tmp_path):
    saved = keep(tmp_path / "pair", brain, folds[0].train_regions, seeds=(1, 2, 3))
    (fold,) = Starts.of(tmp_path / "pair", "geography+mlp").begin(brain, folds[:1])
    members = saved.predict_members(brain, fold.test_regions)

    def drawn(seeds, brains):
        found = retrain(
            as_saved(fold.start), brains, fold, learning_rates=[], seeds=seeds, profile=PROFILE
        )
        apart = [np.abs(members - one.predicted).max(axis=(1, 2)) for one in found]
        assert max(one.min() for one in apart) < 1e-6
        return [int(one.argmin()) for one in apart]

    together = drawn(range(12), [brain] * 12)
    assert set(together) == {0, 1, 2}
    assert together == [drawn([seed], [brain])[0] for seed in range(12)]


def test_a_network_that_diverged_is_no_start(brain, folds, tmp_path):
    config = replace(MLP, training=replace(SETTINGS, weight_decay=1e200))
    keep(tmp_path / "lost", brain, folds[0].train_regions, config=config, n_epochs=3)
    with pytest.raises(UserError, match="every network of .* diverged"):
        Starts.of(tmp_path / "lost", "mlp")


def test_inner_folds_start_from_it_only_if_it_has_not_seen_them(brain, folds, tmp_path):
    """Else what is chosen there would suit what the model remembers."""
    saved = keep(tmp_path / "own", brain, folds[0].train_regions)
    (fold,) = Starts.of(tmp_path / "own", "mlp").begin(brain, folds[:1])
    assert fold.start is not None and {inner.start for inner in fold.inner} == {None}
    here = np.flatnonzero(brain.hemisphere == 0)
    keep(tmp_path / "right", brain, np.flatnonzero(brain.hemisphere == 1))
    left = take_regions(brain, here)
    (fold,) = Starts.of(tmp_path / "right", "mlp").begin(
        left, make_folds(left, split="spatial", n_inner_folds=2, seed=1)[:1]
    )
    assert all(inner.start is fold.start for inner in fold.inner)
    assert saved.digest != fold.start.digest
    nested = NestedFit(left, fold, as_saved(fold.start), metric="val_mse", seed=3, profile=PROFILE)
    for name, values in nested.fit.weights().items():
        for one in values.numpy():
            assert any(np.array_equal(one, other) for other in fold.start.weights[name])


@pytest.mark.parametrize("labels", ["its own", "others"])
def test_regions_of_its_training_are_not_tested(labels, brain, tmp_path):
    """By label and place in the same parcellation; by distance and hemisphere in another."""
    train = np.flatnonzero(brain.coords_mm[:, 1] < -40)
    keep(tmp_path / "model", brain, train)
    starts = Starts.of(tmp_path / "model", "mlp")
    shown = brain
    if labels == "others":
        moved = brain.coords_mm + np.array([0.0, 6.0, 0.0])
        named = tuple(f"new-{label}" for label in brain.labels)
        shown = replace(brain, labels=named, coords_mm=moved, trust_row_order=True)
    side = brain.hemisphere[:, None] == brain.hemisphere[None, train]
    apart = scipy.spatial.distance.cdist(shown.coords_mm, brain.coords_mm[train])
    least = np.where(side, apart, np.inf).min(axis=1)
    seen = (
        np.isin(np.arange(48), train) if labels == "its own" else least < overlap_mm(brain, shown)
    )
    assert 3 <= np.count_nonzero(~seen) < 48
    for region in range(48):
        rest = np.setdiff1d(np.arange(48), [region])
        fold = Fold(rest, np.array([region]))
        if seen[region]:
            with pytest.raises(UserError, match="1 of the 1 test regions of fold 0 were or may"):
                starts.begin(shown, [fold])
        else:
            starts.begin(shown, [fold])


def test_buffers_and_mirror_images_hold_for_it_too(brain, tmp_path):
    right = np.flatnonzero(brain.hemisphere == 1)
    keep(tmp_path / "right", brain, right)
    starts, left = Starts.of(tmp_path / "right", "mlp"), take_regions(brain, np.arange(24))
    assert (left.hemisphere == 0).all()
    folds = make_folds(left, split="spatial", seed=1)
    starts.begin(left, folds)
    for rule in ({"homologues": True}, {"buffer_mm": 5.0}):
        with pytest.raises(UserError, match="would leak"):
            starts.begin(left, folds, **rule)


def test_what_its_own_start_had_seen_counts_as_seen(brain, tmp_path):
    first, second, third = np.array_split(np.arange(48), 3)
    keep(tmp_path / "a", brain, first)
    (fold,) = Starts.of(tmp_path / "a", "mlp").begin(brain, [Fold(second, third)])
    keep(tmp_path / "b", brain, second, config=as_saved(fold.start), start=fold.start)
    (fold,) = Starts.of(tmp_path / "b", "mlp").begin(brain, [Fold(third[:8], third[8:])])
    last = keep(tmp_path / "c", brain, third[:8], config=as_saved(fold.start), start=fold.start)
    assert [len(origin.training_regions) for origin in last.about.origins] == [16, 16]
    np.testing.assert_array_equal(may_have_seen(last, brain), np.arange(48) < 40)
    with pytest.raises(UserError, match="would leak"):
        Starts.of(tmp_path / "c", "mlp").begin(brain, [Fold(third, first)])


def test_two_brains_are_tested_where_neither_was_seen(brain, folds, tmp_path):
    keep(tmp_path / "model", brain, folds[0].train_regions)
    starts, joined = Starts.of(tmp_path / "model", "mlp"), join_brains(brain, brain, name="twin")
    cut = make_folds(joined, split="bilateral", n_folds=4, n_inner_folds=2, seed=1)
    assert starts.begin(joined, cut[:1])[0].test_regions.min() >= 48
    with pytest.raises(UserError, match="would leak"):
        starts.begin(joined, cut)


def test_a_run_offers_each_fold_the_model_that_left_it_out(brain, folds, tmp_path):
    models = []
    for number, fold in enumerate(folds):
        keep(tmp_path / f"{number}", brain, fold.train_regions)
        models += Starts.of(tmp_path / f"{number}", "mlp").models
    begun = Starts("run", tuple(models[::-1])).begin(brain, folds)
    assert [fold.start for fold in begun] == models


def test_what_cannot_start_says_why(brain, folds, tmp_path):
    keep(tmp_path / "model", brain, folds[0].train_regions)
    keep(
        tmp_path / "ridge",
        brain,
        folds[0].train_regions,
        config=FitConfig("kernel_ridge"),
        seeds=[1],
    )
    pca = replace(MLP, task=Task(features=("expression-pca:4",)))
    keep(tmp_path / "pca", brain, folds[0].train_regions, config=pca)
    starts = Starts.of(tmp_path / "model", "mlp")
    with pytest.raises(UserError, match="holds mlp, and smt starts from smt alone"):
        Starts.of(tmp_path / "model", "smt")
    with pytest.raises(UserError, match="kernel_ridge, which is fitted in one step"):
        Starts.of(tmp_path / "ridge", "kernel_ridge")
    with pytest.raises(UserError, match="reads expression-pca:4, which are learned again"):
        Starts.of(tmp_path / "pca", "mlp")
    fewer = BrainView().of(brain)
    fewer = replace(
        fewer, genes=fewer.genes[:9], expression=fewer.expression[:, :9], tss=fewer.tss[:9]
    )
    with pytest.raises(UserError, match="reads 12 genes, and synthetic-3 lacks . of them"):
        starts.begin(fewer, folds[:1])
    unplaced = replace(starts.models[0].seen[0], placed=False)
    unknown = replace(starts, models=(replace(starts.models[0], seen=(unplaced,)),))
    with pytest.raises(UserError, match="have no coordinates, so regions that are tested may have"):
        unknown.begin(brain, folds[:1])


def test_a_pretrained_model_is_refused_on_its_own_brain(tmp_path, capsys):
    arguments = ["sweep", "smt", "--preset", "quick", "--init-from", "smt"]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--out", str(tmp_path / "run")])
    printed = capsys.readouterr().err
    assert ended.value.code == 2 and not (tmp_path / "run" / "sweep.yaml").exists()
    assert "--init-from smt would leak: 24 of the 24 test regions of fold 0" in printed
