"""A sweep says how long it will take: planted costs times known counts of its work."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from serial_sweep import tiny_options, without_ray

from gx2c.models.names import GEOGRAPHY
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import RecordStore
from sweeps.request.plan import make_plan
from sweeps.run.estimate import Costs, Estimate, advice, duration, probes_of
from sweeps.run.sweep import run_sweep
from trainables.costs import Cost, cost_of

LINE = re.compile(
    r"^estimate: [\d hmins]+, [\d.e+-]+ GB \(search [^,]+, retrain [^,]+, nulls [^,]+\)$", re.M
)
# as many folds leave enough regions for geography to be taken out
ROOMY = {"folds": 4, "inner_folds": 4, "nulls": 2}


def test_closed_forms_cost_their_fits(tiny_dataset: Path) -> None:
    options = tiny_options("kernel_ridge", tiny_dataset, samples=3, nulls=2, ensemble="2")
    plan = make_plan(replace(options, null_method="hungarian"))
    # a fit takes a second: two outer folds, each with two inner ones
    costs = {"kernel_ridge": Cost(unit_s=1.0, null_s=5.0)}
    found = Estimate.of(plan, Costs(costs))
    assert found.search == 2 * 3 * 2
    assert found.nulls == 2 * 2 * 5
    fold = plan.folds[0]
    inner = [len(f.train_regions) for f in fold.inner]
    larger = math.comb(len(fold.train_regions), 2) / (sum(math.comb(n, 2) for n in inner) / 2)
    # an ensemble of two in each fold, and again on coordinates
    assert found.retrain == pytest.approx(2 * 2 * 2 * larger)
    shared = Estimate.of(plan, Costs(costs, workers=2))
    assert (shared.search, shared.nulls) == (found.search / 2, found.nulls / 2)


def test_a_network_trains_as_many_epochs_as_estimated(
    tiny_dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    without_ray(monkeypatch)
    options = tiny_options("mlp", tiny_dataset, samples=8, max_epochs=40, nulls=0)
    run_sweep(options, tmp_path / "run")
    assert LINE.search(capsys.readouterr().out)
    records = RecordStore(SweepPaths(tmp_path / "run"))
    trained = sum(len(r.curve) for f in range(2) for r in records.load("mlp", f).values())
    plan = make_plan(options)
    found = Estimate.of(plan, Costs({"mlp": Cost(unit_s=1.0)}))
    assert found.search / len(plan.folds[0].inner) == pytest.approx(trained, rel=0.5)


def test_members_and_the_weight_after_geography_are_counted(tiny_dataset: Path) -> None:
    def of(model: str, size: str) -> Estimate:
        options = tiny_options(model, tiny_dataset, ensemble=size, **ROOMY)
        costs = {model: Cost(unit_s=1.0), GEOGRAPHY: Cost()}
        return Estimate.of(make_plan(options), Costs(costs))

    one, six, after = of("mlp", "1x1"), of("mlp", "3x2"), of("geography+mlp", "3x2")
    assert six.retrain == pytest.approx(6 * one.retrain)
    assert six.nulls == pytest.approx(6 * one.nulls)
    assert after.nulls == six.nulls
    # inner folds twice for weights, and once more without geography
    assert after.retrain > 2 * six.retrain


@pytest.mark.parametrize("model", ["kernel_ridge", "geography+mlp"])
def test_every_part_is_timed(tiny_dataset: Path, model: str) -> None:
    plan = make_plan(tiny_options(model, tiny_dataset, **ROOMY))
    costs = {p.model: cost_of(plan.context(), p) for p in probes_of(plan)}
    assert set(costs) == set(plan.models)
    assert all(cost.unit_s > 0 and cost.n_bytes > 0 for cost in costs.values())
    timed = costs[model]
    # which of the two a few nulls cost is a matter of the machine's other work
    assert (timed.null_s + timed.null_group_s > 0) == (model == "kernel_ridge")


def test_a_long_sweep_on_cpus_is_told_how_to_be_short(tiny_dataset: Path) -> None:
    options = tiny_options("mlp", tiny_dataset, nulls=2)
    short, long = Estimate(10.0, 5.0, 3.0), Estimate(4_000.0, 5.0, 3.0)
    assert not advice(options, short) and not advice(replace(options, gpus_per_trial=1.0), long)
    assert "--budget 1h" in advice(options, long) and "--nulls 0 saves" in advice(options, long)
    assert "saves" not in advice(replace(options, nulls=0), long)


def test_durations_are_read_at_a_glance() -> None:
    seconds = (0.2, 8.2, 75.0, 3_600.0, 6_100.0)
    assert [duration(s) for s in seconds] == ["0 s", "8 s", "1 min 15 s", "1 h", "1 h 41 min"]
