"""The recorded file is complete, and the command still makes it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from benchmarks import record_curves
from benchmarks.record_curves import Recording, draw_configs, record
from benchmarks.replay import FILE, load_pools

TINY = Recording("tiny", 0, 3, 1, {"bilinear_lowrank": 2}, n_best=1, n_repeats=1)


def test_file_holds_complete_curves_of_at_least_60_configs():
    table = pd.read_parquet(FILE)
    first = table[table["repeat"] == 0]
    assert set(first["model"]) == {"smt", "mlp", "bilinear_lowrank"}
    assert len(first) >= 60
    assert (table["score"].map(len) == table["epochs"]).all()
    diverged = np.isneginf(table["score"].map(lambda curve: curve[-1]))
    assert ((table["epochs"] == table["max_epochs"]) | diverged).all()
    assert FILE.stat().st_size < 1.5e6


def test_file_holds_the_configs_that_the_command_draws():
    table = pd.read_parquet(FILE)
    for recording in record_curves.RECORDINGS:
        mine = table[(table["recording"] == recording.name) & (table["repeat"] == 0)]
        for model in recording.n_configs:
            written = [json.loads(p) for p in mine.loc[mine["model"] == model, "params"]]
            assert written == [params for params, _ in draw_configs(recording, model)]


def test_pools_know_the_noise_of_seeds():
    alike = []
    for pool in load_pools().values():
        assert pool.seed_sd > 0
        assert np.isfinite(pool.curves.best[:, -1]).any()
        if pool.seed_sd > pool.curves.best[:, -1].std():
            alike.append(pool.name)
    # where seeds differ more than configs any choice is about as good, and docs say where that is
    assert alike == ["short/bilinear_lowrank"]


def test_recording_ignores_patience_and_repeats_the_best():
    first, second, again = record(TINY, "bilinear_lowrank")
    assert [row["epochs"] for row in (first, second, again)] == [3, 3, 3]
    best = max((first, second), key=lambda row: max(row["score"]))
    assert (again["number"], again["repeat"]) == (best["number"], 1)
    assert list(again["score"]) != list(best["score"])
