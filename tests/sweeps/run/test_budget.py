"""A sweep is lowered until it is estimated to keep its budget; what was chosen is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from serial_sweep import exit_code_of, tiny_options, without_ray

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.request.budget import LEVELS, lowered, parse_budget
from sweeps.request.files import read_options
from sweeps.request.options import make_options
from sweeps.request.plan import SweepPlan, make_plan
from sweeps.run import budget as budget_module
from sweeps.run.budget import fit_to_budget
from sweeps.run.estimate import Costs
from sweeps.run.sweep import SweepRun, run_sweep
from trainables.costs import Cost


def test_times_are_read_and_others_refused() -> None:
    texts = ("30m", "2h", "1h30m", "90s", "1.5h", "none")
    assert [parse_budget(t) for t in texts] == [1_800, 7_200, 5_400, 90, 5_400, None]
    for wrong in ("", "soon", "30", "-1h", "0m", "1h 30m"):
        with pytest.raises(UserError, match="such as 30m"):
            parse_budget(wrong)


def test_standard_has_a_budget_on_cpus_alone() -> None:
    assert make_options("smt", preset="standard").budget == "2h"
    assert make_options("smt", preset="standard", gpus_per_trial=0.5).budget == "none"
    assert make_options("smt", preset="paper").budget == "none"


def test_levels_descend_and_keep_what_was_given() -> None:
    asked = make_options("smt", preset="standard", samples=20)
    levels = [lowered(asked, level) for level in LEVELS]
    assert levels[0] == asked
    assert {one.samples for one in levels} == {20}
    sizes = [(one.nulls, one.max_epochs, one.patience) for one in levels[2:]]
    assert sizes == sorted(sizes, reverse=True)
    assert levels[-1].small and levels[-1].genes == "500_var" and levels[-1].ensemble == "1x1"
    assert [one.seeds for one in levels] == ["1,2,3"] * 4 + ["1"] * (len(LEVELS) - 4)
    # a preset that is lower already is not raised
    quick = make_options("smt", preset="quick")
    assert all(lowered(quick, level).nulls <= quick.nulls for level in LEVELS)
    kernel = make_options("kernel_ridge", preset="standard")
    assert {lowered(kernel, level).genes for level in LEVELS} == {"all"}
    least = lowered(kernel, LEVELS[-1])
    assert (least.samples, least.ensemble) == (4, "2"), "no more than a third is averaged"


@pytest.mark.parametrize("hours", [1, 4, 24, 3_000])
def test_the_first_level_that_takes_half_the_budget_is_chosen(hours: int) -> None:
    plan = make_plan(make_options("mlp", preset="standard", budget=f"{hours}h"))
    measured: list[bool] = []

    def measure(candidate: SweepPlan) -> Costs:
        measured.append(candidate.options.small)
        unit_s = 0.1 if candidate.options.small else 2.0
        return Costs({"mlp": Cost(unit_s=unit_s)}, workers=2)

    chosen, estimate = fit_to_budget(plan, measure)
    assert estimate.total <= hours * 3_600 / 2
    number = next(n for n, lv in enumerate(LEVELS) if lowered(plan.options, lv) == chosen.options)
    assert chosen.genes.which == chosen.options.genes
    assert [fold.seed for fold in chosen.folds[::4]] == list(chosen.options.all_seeds)
    assert measured == [False, True][: 1 + chosen.options.small]
    assert (number == 0) == (hours == 3_000)


def test_what_was_chosen_is_written_and_never_measured_again(
    tiny_dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    without_ray(monkeypatch)
    monkeypatch.setattr(budget_module, "LEVELS", ({}, {"samples": 2, "max_epochs": 2}))
    slow = Costs({"mlp": Cost(unit_s=60.0)})
    monkeypatch.setattr(SweepRun, "_costs", lambda *_: slow)
    asked = replace(tiny_options("mlp", tiny_dataset, nulls=0, budget="2s"), budgeted=("samples",))
    paths = SweepPaths(tmp_path / "run")
    run_sweep(asked, paths.root)
    said = capsys.readouterr().out
    assert "samples 4 -> 2" in said and "exceed the budget" in said
    chosen = read_options(paths)
    assert (chosen.samples, chosen.max_epochs) == (2, asked.max_epochs)

    def measures(*_: Any) -> None:
        raise AssertionError("a resumed sweep was measured again")

    monkeypatch.setattr(SweepRun, "_costs", measures)
    paths.summary.unlink()
    run_sweep(asked, paths.root, resume=True)
    assert read_options(paths) == chosen
    with pytest.raises(UserError, match="budget was '2s'"):
        run_sweep(replace(asked, budget="1h"), paths.root, resume=True)
    with pytest.raises(UserError, match="samples was 2 and is now 3"):
        run_sweep(replace(asked, samples=3, budgeted=()), paths.root, resume=True)


def test_several_models_have_no_budget(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of("sweep", "mlp,smt", "--budget", "1h") == 2
    assert "--budget is for a sweep of one model" in capsys.readouterr().err
