from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gx2c.data import BrainView, load_dataset, make_synthetic_brain, write_dataset
from gx2c.errors import UserError


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=24, n_genes=5, seed=1)


def test_the_default_view_is_the_whole(brain):
    assert BrainView().of(brain) is brain
    assert BrainView.from_dict({}) == BrainView()


def test_a_view_comes_back_from_plain_values():
    view = BrainView(hemisphere="left", cortex_only=True, connectome="structural", threshold=0.2)
    assert BrainView.from_dict(dataclasses.asdict(view)) == view


def test_one_hemisphere(brain):
    part = BrainView(hemisphere="right").of(brain)
    rows = np.flatnonzero(brain.hemisphere == 1)
    assert part.labels == tuple(brain.labels[i] for i in rows)
    np.testing.assert_array_equal(
        part.structural_connectome, brain.structural_connectome[np.ix_(rows, rows)]
    )


def test_a_structural_target_leaves_nothing_that_tells_it(brain):
    part = BrainView(connectome="structural").of(brain)
    np.testing.assert_array_equal(part.connectome, brain.structural_connectome)
    assert part.structural_connectome is None and part.holdout_connectome is None


def test_any_measure_of_pairs_can_be_the_target(brain, tmp_path, caplog):
    times = np.abs(brain.connectome) * 40
    times = np.where(np.eye(24, dtype=bool), 1.0, times)
    both = dataclasses.replace(brain, measures={"MEG": times, "Similar": brain.connectome})
    loaded = load_dataset(write_dataset(tmp_path / "brain", both, {"Name": "both"}))
    np.testing.assert_allclose(loaded.measures["MEG"], times)
    assert (
        loaded.checksum
        != load_dataset(write_dataset(tmp_path / "b", brain, {"Name": "b"})).checksum
    )
    rows = np.flatnonzero(brain.hemisphere == 0)
    with caplog.at_level("INFO", logger="gx2c"):
        part = BrainView(connectome="MEG", hemisphere="left").of(loaded)
    largest = times[np.ix_(rows, rows)][~np.eye(len(rows), dtype=bool)].max()
    off = ~np.eye(len(rows), dtype=bool)
    np.testing.assert_allclose(part.connectome[off], (times[np.ix_(rows, rows)] / largest)[off])
    assert f"MEG reaches {largest:.4g}" in caplog.text and part.divisor == largest
    assert BrainView(connectome="MEG", threshold=0.1).of(loaded).divisor == 1
    assert part.holdout_connectome is None and part.measures is None
    assert part.structural_connectome is not None
    np.testing.assert_array_equal(
        BrainView(connectome="Similar").of(loaded).connectome, loaded.measures["Similar"]
    )
    assert BrainView().of(loaded).measures is None


def test_binarised_edges_are_above_the_threshold(brain):
    part = BrainView(threshold=0.1).of(brain)
    for i in range(24):
        for j in range(24):
            if i != j:
                assert part.connectome[i, j] == float(brain.connectome[i, j] > 0.1)
                assert part.holdout_connectome[i, j] == float(brain.holdout_connectome[i, j] > 0.1)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"hemisphere": "top"}, "no hemisphere 'top'"),
        ({"threshold": 1.5}, "between -1 and 1"),
        ({"threshold": float("nan")}, "between -1 and 1"),
    ],
)
def test_views_that_cannot_be_are_refused(keywords, words):
    with pytest.raises(UserError, match=words):
        BrainView(**keywords)


def test_a_brain_must_have_what_is_asked_for(brain):
    without = dataclasses.replace(brain, structural_connectome=None)
    with pytest.raises(UserError, match="has no structural connectome to predict"):
        BrainView(connectome="structural").of(without)
    with pytest.raises(UserError, match="no MEG connectome.*functional, structural.*--measure"):
        BrainView(connectome="MEG").of(brain)
    with pytest.raises(UserError, match="on one side of the threshold"):
        BrainView(threshold=0.99).of(brain)
    with pytest.raises(UserError, match="not a view"):
        BrainView.from_dict({"side": "left"})
