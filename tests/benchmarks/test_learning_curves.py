"""The recorded file is what the benchmark needs, and recording goes on where it stopped."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from benchmarks import record_curves
from benchmarks.curves import FILE, load_pools
from benchmarks.record_curves import Recording, draw_configs, record

TINY = Recording("tiny", 0, 3, 1, {"bilinear_lowrank": 2}, n_best=1, n_repeats=1)


def test_file_holds_complete_curves_of_at_least_60_configs():
    table = pd.read_parquet(FILE)
    first = table[table["repeat"] == 0]
    assert set(first["model"]) == {"smt", "mlp", "bilinear_lowrank"}
    assert len(first) >= 60
    assert (table["score"].map(len) == table["passes"]).all()
    diverged = np.isneginf(table["score"].map(lambda curve: curve[-1]))
    assert ((table["passes"] == table["max_passes"]) | diverged).all()
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


def test_recording_ignores_patience_and_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(record_curves, "RECORDINGS", (TINY,))
    table = record(tmp_path / "curves.parquet")
    assert table[["number", "repeat"]].to_numpy()[:2].tolist() == [[0, 0], [1, 0]]
    assert table["passes"].tolist() == [3, 3, 3]
    best = int(np.argmax([max(s) for s in table["score"][:2]]))
    assert (table["number"][2], table["repeat"][2]) == (best, 1)
    assert list(table["score"][2]) != list(table["score"][best])

    parts = tmp_path / "again.parts"
    parts.mkdir()
    kept = table.iloc[0].to_dict() | {"score": [-9.0] * 3, "pearson_r": [0.5] * 3}
    plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in kept.items()}
    (parts / "tiny_bilinear_lowrank_000_0.json").write_text(json.dumps(plain))
    again = record(tmp_path / "again.parquet")
    assert list(again["score"][0]) == [-9.0] * 3
    assert list(again["score"][1]) == list(table["score"][1])
    assert not parts.exists()
