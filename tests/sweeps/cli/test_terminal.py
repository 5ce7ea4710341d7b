"""What a terminal shows: tables of 80 columns, files without boxes, names, paths and colours."""

from __future__ import annotations

import io
import json
import re
import shlex
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from rich.console import Console
from sweep_fixtures import finish, make_brain, make_plan, run_board_serially

from gx2c import __version__
from gx2c.data import load_dataset, write_dataset
from gx2c.models import MODELS
from sweeps.cli import app as cli
from sweeps.cli.models import describe_models, print_models
from sweeps.cli.tables import print_comparison, print_status, print_table
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json
from sweeps.nulls.group import run_null_group
from sweeps.nulls.jobs import SplitNulls
from sweeps.phases.retrain_job import job_of
from sweeps.phases.search import best_record
from sweeps.request.files import write_request
from sweeps.run.progress import Phase, ProgressLine
from sweeps.run.status import read_status

BOXES = re.compile("[\u2500-\u257f]")
LONG = {
    "model": "expression_pls_twostep_published",
    "difference": "+0.123",
    "95 % interval": "[-0.170, +0.370]",
    "t": "12.34",
    "df": 3,
    "p": "0.0123",
    "q": "0.0246",
    "folds": 12,
    "another": "0.98765",
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("datasets") / "tiny"
    return write_dataset(folder, make_brain(), {"Name": "tiny", "Summary": "synthetic"})


@pytest.fixture(scope="module")
def run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> SweepPaths:
    """A finished run in a folder whose name a terminal may take for markup."""
    paths = SweepPaths(tmp_path_factory.mktemp("runs") / "a run [red]")
    plan = make_plan("cge", brain=load_dataset(dataset), dataset=str(dataset), nulls=0)
    write_request(paths, plan)
    finish(plan, paths)
    return paths


@pytest.fixture
def gx2c(capfd, monkeypatch, tmp_path):
    """Call `gx2c` in an empty folder with its output in files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: object):
        code = 0
        try:
            cli.main([str(a) for a in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call


def screen(width: int = 80) -> Console:
    return Console(
        width=width, force_terminal=True, file=io.StringIO(), record=True, highlight=False
    )


def shown(console: Console) -> str:
    text = console.export_text()
    # the terminal itself wraps what is no table
    tables = [line for line in text.splitlines() if BOXES.search(line)]
    assert all(len(line) <= console.width for line in tables)
    assert "\u2026" not in text
    return text


# --- tables


def test_a_wide_table_is_not_cut_at_80_columns():
    console = screen()
    print_table([LONG, LONG], left=("model",), console=console)
    words = shown(console)
    assert all(str(value) in words for value in LONG.values())


def test_every_model_is_whole_at_80_columns():
    console = screen()
    print_models(describe_models(), console)
    text = shown(console)
    assert all(re.search(rf"{re.escape(name)} ", text) for name in MODELS)
    assert "54,464,401" in text
    assert "gx2c models NAME" in text, "what is left out is said"


def test_comparisons_and_status_are_whole_at_80_columns(run):
    console = screen()
    numbers = {"mean": 0.1, "low": -0.17, "high": 0.37, "t": 1.0, "df": 3, "n": 4}
    one = {"model": "exponential_decay", "metric": "pearson_r", "p_value": 0.5, "q_value": 0.5}
    split = {
        "split": "bilateral", "split_label": "", "dataset": "tiny", "seeds": [1], "test": "t",
        "note": "", "comparisons": [one | numbers],
    }  # fmt: skip
    print_comparison({"against": "geography", "splits": [split], "scope": ""}, "pearson_r", console)
    status = read_status(run)
    print_status(status, console)
    # a line per search however long the model's name
    for name in ("geography+smt", "geography+bilinear_lowrank_pls"):
        print_status(status | {"folds": [f | {"model": name} for f in status["folds"]]}, console)
    text = shown(console)
    assert "[-0.170, +0.370]" in text and "exponential_decay" in text
    for name in ("geography+smt", "geography+bilinear_lowrank_pls"):
        assert len(re.findall(f"│ {re.escape(name)} ", text)) == len(status["folds"])


@pytest.mark.parametrize(
    "command", ["models", "status", "compare", "leaderboard", "data list"], ids=str
)
def test_piped_tables_are_tab_separated(gx2c, run, command):
    more = {
        "status": [run.root], "compare": [run.root], "leaderboard": [run.root, "--out", "board"]
    }.get(command, [])  # fmt: skip
    done = gx2c(*command.split(), *more)
    assert done.code == 0, done.err
    assert not BOXES.search(done.out + done.err)
    lines = done.out.splitlines()
    assert len(lines) > 1 and "\t" in lines[0]
    assert {line.count("\t") for line in lines} == {lines[0].count("\t")}


def test_one_model_in_detail(gx2c):
    done = gx2c("models", "kernel_ridge")
    assert done.code == 0
    assert "Stock et al. (2018)" in done.out
    for name in ("expression_kernel", "ridge", "coordinate_scale"):
        assert name in done.out
    assert "exponential_decay" not in done.out
    (row,) = json.loads(gx2c("models", "kernel_ridge", "--json").out)
    assert row["name"] == "kernel_ridge"


# --- the command line


def test_the_version(gx2c):
    done = gx2c("--version")
    assert (done.code, done.out.split()) == (0, ["gx2c", __version__])


def completions(monkeypatch, capfd, tmp_path, line: str) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "smt-first").mkdir(parents=True, exist_ok=True)
    (tmp_path / "runs" / "smt-first" / "sweep.yaml").write_text("")
    monkeypatch.setenv("_GX2C_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    with pytest.raises(SystemExit):
        cli.app(prog_name="gx2c")
    return capfd.readouterr().out


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("gx2c sweep kernel_r", "kernel_ridge"),
        ("gx2c models kernel_r", "kernel_ridge"),
        ("gx2c sweep smt --dataset schaef", "schaefer100"),
        ("gx2c data show schaef", "schaefer100"),
        ("gx2c status ", "runs/smt-first"),
        ("gx2c report runs/sm", "runs/smt-first"),
    ],
)
def test_a_shell_completes_models_datasets_and_runs(monkeypatch, capfd, tmp_path, line, found):
    assert found in completions(monkeypatch, capfd, tmp_path, line).split()


def test_commands_are_grouped_by_subject(gx2c):
    headings = re.findall("─ ([A-Z][^─]*) ─", gx2c("--help").out)
    assert {"Sweeps", "Looking at runs", "Comparing", "Data and models"} <= set(headings)


def commands(group: typer.core.TyperGroup, name: str = ""):
    for word, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}".strip(), command


def test_every_option_has_its_default_in_the_help(gx2c):
    silent = [
        f"{name} {option.opts[0]}"
        for name, command in commands(typer.main.get_command(cli.app))
        for option in command.params
        if option.param_type_name == "option" and not (option.required or option.is_flag)
        # click shows a default that is a value, and words where it is none
        if not option.show_default
        or (option.default in (None, "", (), []) and not isinstance(option.show_default, str))
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("sweep kernel_rigde --preset quick --out run", "kernel_ridge"),
        ("models kernel_rigde", "kernel_ridge"),
        ("sweep smt --preset quick --dataset schaefer10 --out run", "schaefer100"),
        ("data show schaefer10", "schaefer100"),
        ("sweep smt --preset quick --sampels 3 --out run", "--samples"),
        ("sweep smt --preset quikc --out run", "quick"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_one_that_was_meant(gx2c, arguments, hint):
    done = gx2c(*arguments.split())
    assert done.code == 2
    said = rf"did you mean '{hint}'(\?| or)|Possible options: {hint}"
    assert re.search(said, " ".join(done.err.split()))


def test_printed_paths_survive_and_can_be_pasted(gx2c, run):
    from sweeps.cli.summary_text import print_summary
    from sweeps.folder.summary_file import read_summary

    console = screen(200)
    print_summary(read_summary(run), run, console)
    text = console.export_text()
    (command,) = re.findall("gx2c rerun .*", text)
    assert shlex.split(command)[2] == str(run.root)
    assert shlex.quote(str(run.report)) in text
    console = screen(200)
    print_status(read_status(run), console)
    assert "a run [red]" in console.export_text()


def test_a_rerun_takes_a_run_folder(gx2c, run, tmp_path):
    done = gx2c("rerun", run.root, "--out", tmp_path / "again")
    assert done.code == 0, done.err
    theirs, mine = read_json(run.summary), read_json(tmp_path / "again" / "summary.json")
    assert mine["test"] == theirs["test"]


@pytest.mark.parametrize("command", ["status", "report", "study"])
def test_without_a_run_the_newest_is_taken_and_named(gx2c, run, tmp_path, command):
    import os
    import shutil

    for name, time_s in (("new", 2_000_000_000), ("old", 1_000_000_000)):
        copy = tmp_path / "runs" / name
        shutil.copytree(run.root, copy)
        os.utime(copy / "sweep.yaml", (time_s, time_s))
    (tmp_path / "runs" / "zzz").mkdir()
    done = gx2c(command)
    assert done.code == 0, done.err
    assert "runs/new" in done.err
    shutil.rmtree(tmp_path / "runs")
    done = gx2c(command)
    assert done.code == 2 and "runs" in done.err and "Traceback" not in done.err


def test_failures_are_red_on_a_terminal_and_plain_in_a_file(run):
    found = read_status(run)
    found["folds"][0]["failed"] = 7
    found["causes"] = {"diverged at epoch 1": 7}
    console = screen()
    print_status(found, console)
    raw = console.file.getvalue()
    assert re.search(r"\x1b\[[0-9;]*31m[^\x1b]*7", raw)
    assert re.search(r"\x1b\[[0-9;]*31m[^\x1b]*diverged", raw)
    plain = Console(file=io.StringIO())
    print_status(found, plain)
    assert "\x1b" not in plain.file.getvalue() and "7" in plain.file.getvalue()


# --- nulls


def test_the_first_null_gives_an_estimate(monkeypatch):
    line = ProgressLine()
    start = line.started = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: start)
    done = [0]
    line.begin(Phase("nulls", share=lambda: done[0] / 400))
    monkeypatch.setattr(time, "monotonic", lambda: start + 10.0)
    assert "ETA" not in line.line()
    done[0] = 1
    assert "ETA 1:06:30" in line.line()


def test_an_estimate_counts_from_what_an_earlier_session_left(monkeypatch):
    line = ProgressLine()
    start = line.started = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: start)
    done = [200]
    line.begin(Phase("nulls", share=lambda: done[0] / 400))
    done[0] = 300
    monkeypatch.setattr(time, "monotonic", lambda: start + 10.0)
    assert "ETA 0:10" in line.line()


def test_finished_nulls_of_a_group_outlive_a_stop(dataset, tmp_path):
    """And the rest continues to the same numbers to the last digit."""
    plan = make_plan(
        "mlp", dataset=str(dataset), nulls=2, samples=1, max_epochs=2, null_search="full"
    )
    whole, stopped = SweepPaths(tmp_path / "whole"), SweepPaths(tmp_path / "stopped")
    board = plan.board(whole)
    board.searches = {("mlp", 0): board.searches["mlp", 0]}
    run_board_serially(plan, board)
    records = board.records()
    jobs = [job_of(best_record(r, model=m, fold=f), plan.folds[f]) for (m, f), r in records.items()]
    count = [0]

    def run(context, todo, *, stop_after=99):
        for null in todo:
            yield null, run_null_group(context, null)
            count[0] += 1
            if count[0] == stop_after:
                raise KeyboardInterrupt

    def nulls(paths):
        return SplitNulls.of(plan, paths, jobs, records)

    nulls(whole).finish(run)
    assert count[0] == 2
    count[0] = 0
    with pytest.raises(KeyboardInterrupt):
        nulls(stopped).finish(lambda *a: run(*a, stop_after=1))
    (group,) = stopped.root.glob("nulls/*/*/*.json")
    assert len(read_json(group)["scores"]) == 1
    count[0] = 0
    nulls(stopped).finish(run)
    assert count[0] == 1
    theirs = read_json(next(iter(whole.root.glob("nulls/*/*/*.json"))))
    assert read_json(group)["scores"] == theirs["scores"]
    assert read_json(group)["seeds"] == theirs["seeds"]
