"""Trials of earlier runs: which may be told to which fold, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sweep_fixtures import make_brain, make_plan, run_board_serially, with_garbage

from gx2c.data import write_dataset
from gx2c.errors import UserError
from gx2c.fit.start import StartedFold
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json, write_json
from sweeps.phases.search import best_record
from sweeps.request.files import check_inputs, read_options, write_request
from sweeps.request.options import make_options
from sweeps.request.plan import SweepPlan
from sweeps.request.warm_start import warm_start_of
from sweeps.run.summary import _notes
from sweeps.run.sweep import run_sweep

# closed forms search in one batch: many small batches are what a network has
MODEL = "bilinear_lowrank"
SAMPLES = 3


def plan_of(brain: Any = None, **options: Any) -> SweepPlan:
    return make_plan(MODEL, brain=brain, **{"samples": SAMPLES, "nulls": 0} | options)


def finish(plan: SweepPlan, root: Path) -> SweepPaths:
    """Run a plan's searches and leave what a sweep leaves of them."""
    paths = SweepPaths(root)
    write_request(paths, plan)
    run_board_serially(plan, plan.board(paths))
    return paths


def warmed(plan: SweepPlan, *runs: SweepPaths, into: Path) -> SweepPlan:
    options = dataclasses.replace(plan.options, warm_start=tuple(str(r.root) for r in runs))
    plan = dataclasses.replace(plan, options=options)
    return dataclasses.replace(plan, warm=warm_start_of(plan, SweepPaths(into)))


def in_order_of(paths: SweepPaths, model: str, fold: int) -> list[dict[str, Any]]:
    files = sorted(paths.records_dir(model, fold).glob("config_*.json"))
    return [json.loads(file.read_text())["params"] for file in files]


def told(plan: SweepPlan, fold: int, model: str = MODEL) -> list[dict[str, Any]]:
    """Return the values that a fold's study starts with."""
    board = plan.board(SweepPaths(Path("nowhere")))
    return [trial.params for trial in board.searches[model, fold].study.study.trials]


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    return finish(plan_of(), tmp_path_factory.mktemp("earlier") / "run")


class TestAccepted:
    def test_each_fold_is_told_its_own_trials_and_no_others(self, earlier, tmp_path):
        plan = warmed(plan_of(seeds="1"), earlier, into=tmp_path)
        for fold in range(2):
            assert told(plan, fold) == in_order_of(earlier, MODEL, fold)
            assert told(plan, fold, "geography") == in_order_of(earlier, "geography", fold)
        assert plan.warm.sources[0]["trials"][MODEL] == [SAMPLES, SAMPLES]

    def test_regions_count_and_not_the_number_of_the_fold(self, tmp_path):
        plan = plan_of()
        turned = dataclasses.replace(plan, folds=plan.folds[::-1])
        run = finish(turned, tmp_path / "turned")
        warm = warmed(plan, run, into=tmp_path)
        assert told(warm, 0) == in_order_of(run, MODEL, 1)
        assert told(warm, 1) == in_order_of(run, MODEL, 0)
        assert warm.warm.sources[0]["from_folds"] == [[1], [0]]

    def test_the_best_of_them_is_tried_first(self, earlier, tmp_path):
        plan = warmed(plan_of(), earlier, into=tmp_path)
        records = plan.warm.of(MODEL, 1)
        best = best_record(list(records), model=MODEL, fold=1)
        suggestions = plan.board(SweepPaths(tmp_path)).searches[MODEL, 1].study.ask(0, 2)
        assert suggestions[0].params == best.params
        assert suggestions[1].params not in [r.params for r in records]

    def test_several_runs_are_told_in_the_order_given(self, earlier, tmp_path):
        second = finish(plan_of(samples=1), tmp_path / "second")
        plan = warmed(plan_of(), second, earlier, into=tmp_path)
        expected = in_order_of(second, MODEL, 0) + in_order_of(earlier, MODEL, 0)
        assert told(plan, 0) == expected

    def test_of_a_run_cut_otherwise_only_the_folds_that_fit_are_told(self, earlier, tmp_path):
        run = SweepPaths(shutil.copytree(earlier.root, tmp_path / "edited"))
        content = read_json(run.folds)
        # one test region of our fold 0 validated there
        content["folds"][0]["inner"][0]["validation"].append(content["folds"][0]["test"][0])
        write_json(run.folds, content)
        plan = warmed(plan_of(), run, into=tmp_path)
        assert told(plan, 0) == []
        assert told(plan, 1) == in_order_of(run, MODEL, 1)

    def test_values_outside_the_search_space_are_left_out(self, earlier, tmp_path):
        run = SweepPaths(shutil.copytree(earlier.root, tmp_path / "edited"))
        record = read_json(run.record(MODEL, 0, 1))
        record["params"]["rank"] = 10**6
        write_json(run.record(MODEL, 0, 1), record)
        plan = warmed(plan_of(), run, into=tmp_path)
        kept = in_order_of(earlier, MODEL, 0)
        assert told(plan, 0) == [kept[0], kept[2]]

    def test_a_run_may_differ_in_what_changes_no_score(self, earlier, tmp_path):
        elsewhere = {"max_disk_gb": 5.0, "time_budget_min": 60.0, "keep_checkpoints": True}
        plan = warmed(plan_of(**elsewhere), earlier, into=tmp_path)
        assert told(plan, 0) == in_order_of(earlier, MODEL, 0)

    def test_what_was_told_is_recorded_and_said(self, earlier, tmp_path):
        plan = warmed(plan_of(), earlier, into=tmp_path / "run")
        paths = SweepPaths(tmp_path / "run")
        write_request(paths, plan)
        (source,) = read_json(paths.inputs)["warm_start"]
        assert (source["run"], source["from_folds"]) == (str(earlier.root), [[0], [1]])
        assert f"started from {2 * SAMPLES} earlier trials of {earlier.root}" in " ".join(
            _notes(plan)
        )


class TestRefused:
    def refuse(self, plan: SweepPlan, run: SweepPaths, into: Path) -> str:
        with pytest.raises(UserError) as caught:
            warmed(plan, run, into=into)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_trials_that_saw_test_regions(self, tmp_path, earlier):
        assert "would leak" in self.refuse(plan_of(seeds="2"), earlier, tmp_path)
        assert "would leak" in self.refuse(plan_of(split="random"), earlier, tmp_path)

    def test_another_parcellation_of_the_same_brains(self, earlier, tmp_path):
        brain = dataclasses.replace(make_brain(), checksum="another parcellation")
        message = self.refuse(plan_of(brain), earlier, tmp_path)
        assert "even of the same brains" in message

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"metric": "val_pearson_r"}, "metric was 'val_mse' and is now 'val_pearson_r'"),
            ({"max_epochs": 7}, "max_epochs was 6 and is now 7"),
            ({"genes": "11_var"}, "used different genes"),
        ],
    )
    def test_scores_that_mean_something_else(self, earlier, tmp_path, given, words):
        assert words in self.refuse(plan_of(**given), earlier, tmp_path)

    def test_networks_that_start_from_another_model(self, earlier, tmp_path):
        run = SweepPaths(shutil.copytree(earlier.root, tmp_path / "started"))
        write_json(run.inputs, read_json(run.inputs) | {"init_from": ["a", "b"]})
        plan = plan_of()
        assert "from another start" in self.refuse(plan, run, tmp_path)
        # the one of our fold 1 may have seen test regions of fold 0
        folds = tuple(
            StartedFold(**vars(fold), start=SimpleNamespace(digest=digest))
            for fold, digest in zip(plan.folds, "ba", strict=True)
        )
        plan = dataclasses.replace(plan, folds=folds)
        assert "would leak" in self.refuse(plan, run, tmp_path)

    def test_another_model(self, earlier, tmp_path):
        plan = make_plan("mlp", nulls=0)
        assert "no finished trial of mlp" in self.refuse(plan, earlier, tmp_path)

    def test_a_run_that_does_not_say_its_regions(self, earlier, tmp_path):
        run = SweepPaths(shutil.copytree(earlier.root, tmp_path / "old"))
        run.folds.write_text("{}")
        assert "not a file written by gx2c" in self.refuse(plan_of(), run, tmp_path)
        run.folds.unlink()
        assert "folds' regions" in self.refuse(plan_of(), run, tmp_path)

    def test_a_folder_without_a_sweep(self, tmp_path):
        assert "contains no sweep" in self.refuse(plan_of(), SweepPaths(tmp_path / "no"), tmp_path)

    def test_nothing_is_left_behind(self, earlier, tmp_path):
        dataset = write_dataset(tmp_path / "data", make_brain(), {"Name": "tiny"})
        options = make_options(
            MODEL,
            preset="quick",
            dataset=str(dataset),
            genes="12_var",
            folds=2,
            inner_folds=2,
            nulls=0,
            warm_start=(str(earlier.root),),
        )
        with pytest.raises(UserError, match="even of the same brains"):
            run_sweep(options, tmp_path / "run")
        assert not (tmp_path / "run").exists()


class TestResume:
    def test_a_sweep_goes_on_with_what_it_accepted_though_the_run_is_gone(self, earlier, tmp_path):
        run = SweepPaths(shutil.copytree(earlier.root, tmp_path / "gone"))
        plan = warmed(plan_of(), run, into=tmp_path / "run")
        paths = SweepPaths(tmp_path / "run")
        write_request(paths, plan)
        shutil.rmtree(run.root)
        again = dataclasses.replace(plan, warm=warm_start_of(plan, paths))
        assert again.warm == plan.warm
        check_inputs(paths, again)
        assert read_options(paths) == plan.options

    def test_the_same_start_gives_the_same_search_stopped_or_not(self, earlier, tmp_path):
        plan = warmed(plan_of(samples=10), earlier, into=tmp_path)
        whole = finish(plan, tmp_path / "whole")
        half = SweepPaths(tmp_path / "half")
        shutil.copytree(whole.root, half.root)
        for number in (2, 8, 9):
            half.record(MODEL, 0, number).unlink()
        run_board_serially(plan, plan.board(half))
        assert in_order_of(half, MODEL, 0) == in_order_of(whole, MODEL, 0)


def test_garbage_in_the_test_regions_changes_no_config_of_a_warm_search(tmp_path):
    plan = make_plan("geography", samples=6, nulls=0)
    found = []
    for number, brain in enumerate(
        (plan.brain, with_garbage(plan.brain, plan.folds[0].test_regions))
    ):
        mine = dataclasses.replace(plan, brain=brain)
        run = finish(mine, tmp_path / f"first{number}")
        again = finish(warmed(mine, run, into=tmp_path), tmp_path / f"second{number}")
        found.append([in_order_of(again, "geography", fold) for fold in range(2)])
    assert found[0][0] == found[1][0]
    assert found[0][1] != found[1][1], "the garbage should have changed the other fold"
