"""Ray that cannot start, or a cluster that cannot be joined, is one sentence."""

from __future__ import annotations

import sys

import pytest
import ray

from sweeps.cli.app import main

SLOW_START = "The current node timed out during startup. Some processes failed.\nA second line."


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "Ray did not start on this machine (The current node timed out"),
        ("10.0.0.1:6379", "the Ray cluster at 10.0.0.1:6379 cannot be joined (The current node"),
    ],
)
def test_ray_that_does_not_start_is_a_sentence(tmp_path, monkeypatch, capsys, address, sentence):
    def fail(**_: object) -> None:
        raise Exception(SLOW_START)

    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.setattr(ray, "init", fail)
    monkeypatch.setattr("sweeps.workers.ray_session._refuse_if_silent", lambda cluster: None)
    out = str(tmp_path / "run")
    with pytest.raises(SystemExit) as stop:
        main(["sweep", "geography", "--preset", "quick", "--nulls", "0", "--out", out])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "second line" not in said and "Traceback" not in said
    assert not (tmp_path / "run").exists()
    assert "sweeps.phases.tuner" in sys.modules, "Tune is imported while Ray starts"
