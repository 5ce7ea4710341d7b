"""Networks, lobes and communities are held out whole; buffers remove; block pairs cover all."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gx2c.data import load_dataset, make_synthetic_brain
from gx2c.errors import UserError
from gx2c.splits import (
    SPLITTERS,
    find_communities,
    make_folds,
    match_homologues,
)
from gx2c.splits.groups import merge_small_groups

COMMUNITY_SPLITS = {name for name, splitter in SPLITTERS.items() if splitter.connectome}
NETWORKS = ("Vis", "SomMot", "Limbic", "Cont", "Default")


@pytest.fixture(scope="module")
def brain():
    """100 regions in networks of 30, 26, 2, 20 and 22 regions, mixed up."""
    made = make_synthetic_brain(n_regions=100, n_genes=5, seed=1)
    names = np.repeat(NETWORKS, [30, 26, 2, 20, 22])
    order = np.random.default_rng(0).permutation(100)
    # the first regions fix the order of appearance
    order = np.concatenate([[0, 30, 56, 58, 78], np.setdiff1d(order, [0, 30, 56, 58, 78])])
    lobes = np.where(made.coords_mm[:, 1] > 20, "frontal", "other")
    lobes = np.where(made.coords_mm[:, 1] < -50, "occipital", lobes)
    return replace(made, network=tuple(names[order].tolist()), lobe=tuple(lobes.tolist()))


def planted_modules(sizes, seed=0):
    """Strong edges inside modules and weak or negative ones between, in a random order."""
    rng = np.random.default_rng(seed)
    modules = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    inside = modules[:, None] == modules
    connectome = np.where(inside, 0.6, -0.1) + 0.05 * rng.normal(size=inside.shape)
    return modules, (connectome + connectome.T) / 2


def same_partition(a, b):
    return np.array_equal(np.equal.outer(a, a), np.equal.outer(b, b))


def every_fold(folds):
    return [*folds, *(inner for fold in folds for inner in fold.inner)]


def test_networks_are_held_out_whole_in_order_of_appearance(brain):
    folds = make_folds(brain, split="network", seed=1)
    # two regions cannot be scored: they go with the smallest of the others
    assert [fold.name for fold in folds] == ["Vis", "SomMot", "Limbic + Cont", "Default"]
    network = np.array(brain.network)
    for fold in folds:
        wanted = np.flatnonzero(np.isin(network, fold.name.split(" + ")))
        np.testing.assert_array_equal(fold.test_regions, wanted)
        np.testing.assert_array_equal(fold.train_regions, np.setdiff1d(np.arange(100), wanted))


def test_inner_folds_leave_one_remaining_network_out(brain):
    for fold in make_folds(brain, split="network", seed=1):
        remaining = [name for name in NETWORKS if name not in fold.name.split(" + ")]
        assert len(fold.inner) == len(remaining) - ("Limbic" in remaining)
        assert sorted(" + ".join(i.name for i in fold.inner).split(" + ")) == sorted(remaining)
        assert all(len(inner.test_regions) >= 3 for inner in fold.inner)
        validated = np.concatenate([inner.test_regions for inner in fold.inner])
        np.testing.assert_array_equal(np.sort(validated), fold.train_regions)


def test_real_networks_are_the_published_folds():
    brain = load_dataset("schaefer100")
    folds = make_folds(brain, split="network", seed=1)
    assert [fold.name for fold in folds] == list(dict.fromkeys(brain.network))
    assert len(folds) == 7 and all(len(fold.inner) == 6 for fold in folds)


def test_lobes_are_held_out_whole(brain):
    folds = make_folds(brain, split="lobe", seed=1)
    assert sorted(fold.name for fold in folds) == ["frontal", "occipital", "other"]
    for fold in folds:
        assert {brain.lobe[i] for i in fold.test_regions} == {fold.name}


@pytest.mark.parametrize(
    "split", [name for name, splitter in SPLITTERS.items() if splitter.deterministic]
)
def test_deterministic_splits_do_not_know_the_seed(brain, split):
    def tested(seed):
        folds = every_fold(make_folds(brain, split=split, seed=seed))
        return [fold.test_regions.tolist() for fold in folds]

    assert tested(1) == tested(2)


@given(st.lists(st.integers(0, 6), min_size=6, max_size=60))
def test_merging_leaves_no_small_group_and_splits_none(groups):
    sizes = np.bincount(groups)
    try:
        parts = merge_small_groups(groups)
    except UserError:
        # nothing to hold out beside the largest group, or all of them tiny
        assert sizes.sum() - sizes.max() < 3 or sizes.max() < 3
        return
    assert len(parts) >= 2
    assert all(len(part) >= 3 for part in parts)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(groups)))
    for first, second in combinations(parts, 2):
        assert not {groups[i] for i in first} & {groups[i] for i in second}
    assert [part[0] for part in parts] == sorted(part[0] for part in parts)


def test_only_small_groups_are_merged():
    groups = list("aaaaabbbbbbccccdde")
    assert ["".join(sorted({groups[i] for i in p})) for p in merge_small_groups(groups)] == [
        "a",
        "b",
        "c",
        "de",
    ]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_communities_are_found(seed):
    modules, connectome = planted_modules([20, 15, 12, 9], seed)
    assert same_partition(find_communities(connectome, seed=seed), modules)
    np.fill_diagonal(connectome, np.nan)
    assert same_partition(find_communities(connectome, seed=seed), modules)


def test_resolution_gives_more_communities(brain):
    counts = [
        len(set(find_communities(brain.connectome, resolution=r, seed=0).tolist()))
        for r in (0.5, 1.0, 2.0)
    ]
    assert counts[0] < counts[-1] and counts == sorted(counts)


def test_a_region_without_positive_edges_is_alone():
    _, connectome = planted_modules([10, 10])
    connectome[4] = connectome[:, 4] = -0.5
    numbers = find_communities(connectome, seed=0)
    assert np.count_nonzero(numbers == numbers[4]) == 1


@pytest.mark.parametrize("split", sorted(COMMUNITY_SPLITS))
def test_each_community_split_reads_its_own_connectome(brain, split):
    planted, others = planted_modules([40, 35, 25], 5), planted_modules([50, 50], 6)[1]
    given = {name: others for name in COMMUNITY_SPLITS} | {split: planted[1]}
    changed = replace(
        brain,
        connectome=given["community-target"],
        holdout_connectome=given["community"],
        structural_connectome=np.clip(given["community-structural"], 0.0, 1.0),
    )
    folds = make_folds(changed, split=split, seed=3)
    numbers = np.full(100, -1)
    for number, fold in enumerate(folds):
        numbers[fold.test_regions] = number
        assert len(fold.inner) == 2
    assert same_partition(numbers, planted[0])


def test_inner_communities_ignore_test_regions(brain):
    _, connectome = planted_modules([40, 35, 25], 5)
    arguments = {"split": "community", "seed": 3}
    outer = make_folds(replace(brain, holdout_connectome=connectome), **arguments)[0]
    changed = connectome.copy()
    # the community stays what it is; its edges to the others change
    rows = np.ix_(outer.test_regions, outer.train_regions)
    changed[rows] -= 0.1 * np.random.default_rng(0).random(changed[rows].shape)
    changed.T[rows] = changed[rows]
    again = make_folds(replace(brain, holdout_connectome=changed), **arguments)[0]
    for inner, other in zip(outer.inner, again.inner, strict=True):
        np.testing.assert_array_equal(inner.test_regions, other.test_regions)


def test_only_one_split_reads_the_target_and_says_so(brain):
    labels = {name: splitter.label for name, splitter in SPLITTERS.items() if splitter.label}
    assert labels == {"community-target": "split uses the target"}
    garbage = planted_modules([50, 50], 9)[1]
    brain = replace(brain, structural_connectome=np.clip(brain.connectome, 0.0, 1.0))
    for split in sorted(set(SPLITTERS) - set(labels)):
        folds = [
            make_folds(b, split=split, seed=1) for b in (brain, replace(brain, connectome=garbage))
        ]
        for true, other in zip(*map(every_fold, folds), strict=True):
            np.testing.assert_array_equal(true.test_regions, other.test_regions)


@pytest.mark.parametrize("split", ["bilateral-random", "community", "network", "random"])
@given(seed=st.integers(0, 1000), buffer_mm=st.floats(0, 18))
@settings(max_examples=4)
def test_the_buffer_removes_what_is_near_and_nothing_else(brain, split, seed, buffer_mm):
    plain = make_folds(brain, split=split, seed=seed)
    try:
        folds = make_folds(brain, split=split, seed=seed, buffer_mm=buffer_mm)
    except UserError:
        # inner folds may not stand the belt; that the message is right is tested below
        return
    for fold, without in zip(folds, plain, strict=True):
        np.testing.assert_array_equal(fold.test_regions, without.test_regions)
        for cut, regions in [(fold, without.train_regions)] + [
            (inner, np.setdiff1d(fold.train_regions, inner.test_regions)) for inner in fold.inner
        ]:
            near = {
                int(i)
                for i in regions
                for j in cut.test_regions
                for sign in (1, -1)
                if np.linalg.norm(brain.coords_mm[i] - brain.coords_mm[j] * [sign, 1, 1])
                < buffer_mm
            }
            assert set(cut.train_regions.tolist()) == set(regions.tolist()) - near


def test_a_buffer_drops_homologues_and_neighbours(brain):
    units = match_homologues(brain.coords_mm, brain.hemisphere)
    folds = make_folds(brain, split="spatial", seed=1, buffer_mm=20.0)
    for fold in every_fold(folds):
        assert len(fold.train_regions) < 100 - len(fold.test_regions)
        assert not np.intersect1d(units[fold.train_regions], units[fold.test_regions]).size


@pytest.mark.parametrize("split", ["bilateral", "network"])
def test_block_pairs_score_each_edge_between_blocks_once(brain, split):
    plain = make_folds(brain, split=split, seed=2)
    blocks = np.empty(100, dtype=int)
    for number, fold in enumerate(plain):
        blocks[fold.test_regions] = number
    pairs = make_folds(brain, split=split, seed=2, score="block-pairs")
    assert len(pairs) == len(plain) * (len(plain) - 1) // 2
    seen = []
    for fold in pairs:
        held_out = set(blocks[fold.test_regions].tolist())
        assert len(held_out) == 2 and not held_out & set(blocks[fold.train_regions].tolist())
        first, second = fold.scored_edges()
        seen += zip(fold.test_regions[first], fold.test_regions[second], strict=True)
        assert fold.inner and all(inner.blocks is None for inner in fold.inner)
    expected = [(i, j) for i, j in combinations(range(100), 2) if blocks[i] != blocks[j]]
    assert sorted(seen) == expected
    names = {"network": "Vis x SomMot", "bilateral": "block 1 x block 2"}
    assert pairs[0].name == names[split]


def test_ordinary_folds_score_every_pair(brain):
    fold = make_folds(brain, seed=1)[0]
    first, second = fold.scored_edges()
    np.testing.assert_array_equal(
        np.stack([first, second]), np.triu_indices(len(fold.test_regions), 1)
    )


def test_block_pairs_keep_the_promises_of_their_rule(brain):
    units = match_homologues(brain.coords_mm, brain.hemisphere)
    for fold in every_fold(make_folds(brain, score="block-pairs", seed=1, buffer_mm=10.0)):
        assert not np.intersect1d(units[fold.train_regions], units[fold.test_regions]).size


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"split": "lobe", "lobe": None},
            r"needs the lobe of every region \(a column .* which synthetic.* lacks; add",
        ),
        (
            {"split": "community", "holdout_connectome": None},
            "needs a holdout connectome, which synthetic.* lacks",
        ),
        (
            {"split": "community-structural", "structural_connectome": None},
            "needs a structural conn",
        ),
        ({"split": "network", "network": ("all",) * 100}, r"form 1 group\(s\), of which 1 can be"),
        ({"split": "lobe", "lobe": ("a", "b") * 50}, r"50 regions form 1 group\(s\)"),
        ({"split": "random", "buffer_mm": 500.0}, "4 outer folds with a buffer of 500 mm leave as"),
        ({"buffer_mm": -1.0}, "buffer_mm is -1.0; give a number of at least 0"),
        ({"buffer_mm": float("nan")}, "buffer_mm is nan"),
        ({"split": "community", "resolution": 0.0}, "resolution is 0.0; give a number above 0"),
        ({"score": "pairs"}, "no score 'pairs'; did you mean 'block-pairs'"),
        ({"score": "block-pairs", "n_folds": 2}, "2 folds requested; a split needs at least 3"),
    ],
)
def test_mistakes_give_one_clear_sentence(brain, changes, message):
    own = {k: v for k, v in changes.items() if hasattr(brain, k)}
    rest = {k: v for k, v in changes.items() if not hasattr(brain, k)}
    with pytest.raises(UserError, match=message):
        make_folds(replace(brain, **own), seed=1, **rest)
