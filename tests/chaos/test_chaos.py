"""A shorter chaos than `make chaos`: kills and pauses in two sweeps, two kills of long trials."""

from __future__ import annotations

import gc
import warnings

import pytest
from chaos import CLUSTER, LOCAL, run_chaos
from long_trials import KILLS, LONGEST_S, run_long_trials

pytestmark = pytest.mark.slow


@pytest.mark.timeout(900)
def test_sweeps_survive_the_death_of_any_part_of_them(tmp_path):
    with warnings.catch_warnings():
        # of sockets that Ray's cluster in this process leaves to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        found = run_chaos(tmp_path, rounds=1, seed=7)
        gc.collect()
    assert found["n_kills"] == len(LOCAL) + len(CLUSTER)
    assert set(found["kills_by"]["what"]) == {what for what, _ in LOCAL + CLUSTER}
    assert set(found["kills_by"]["phase"]) == {"search", "retrain", "nulls", "export"}
    assert found["equal_to_undisturbed"] == found["sweeps"] == 2
    assert found["finished_files_rewritten"] == []
    for kill in found["kills"]:
        assert kill["used_s"] > 0, f"an idle process was killed: {kill}"


@pytest.mark.timeout(1200)
def test_a_long_trial_repeats_one_checkpoint_interval_at_most(tmp_path):
    kills = []
    equal = run_long_trials(tmp_path, seed=1, log=kills.append)
    assert equal, "the trials ended otherwise than undisturbed"
    assert [kill["what"] for kill in kills] == list(KILLS)
    for kill in kills:
        assert kill["checkpoint_age_s"] < LONGEST_S, kill
        assert kill["epochs_at_first_report"] >= kill["checkpoint_epochs"] > 5, kill
